"""The sentences under a picture of patches, each written once for the endpoint and for patches.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorers import fed_words
from explorers.explorer import Sentence, noted

SENTENCES: Mapping[str, str] = {
    "grid": "A picture of {width} × {height} pixels becomes {columns} × {rows} = {patches} patches of {patch} × "
    "{patch} pixels.",
    "prefix": "Tokens before the first patch: {prefix}; the sequence is {tokens} tokens of {channels} channels.",
    "no prefix": "The sequence is {tokens} tokens of {channels} channels.",
    "patch": "The patch in row {row}, column {column} holds {numbers} numbers; the projection makes "
    "{channels} of them.",
    "patch in steps": "The patch in row {row}, column {column} holds {numbers} numbers; its token of {channels} is "
    "made in several steps, which look beyond it.",
    "filters": "Below are {shown} of {filters} filters of the projection, each over its own range, 0 at grey.",
    "principal": "Below are the first {shown} principal components of {filters} filters; they explain {explained} % of "
    "their variance.",
    "no filters": "This network makes tokens in several steps, so it has no filters that fit one patch.",
    "cost": "Attention of {height} × {width} pixels in patches of {patch} multiplies {tokens} tokens with one another: "
    "{entries} numbers a layer, {bytes} bytes in all {layers} layers, {multiplications} multiplications.",
    "windowed": "Attention of {height} × {width} pixels in patches of {patch} multiplies {tokens} tokens with {reach} "
    "each, those of their windows: {entries} numbers a layer, {bytes} bytes and {multiplications} multiplications in "
    "all {layers} layers, were all like the first; counting tells what its later stages really take.",
    "network": "{title}, {revision}, input {width} × {height} pixels.",
    "random": "The weights are random: this network was never trained.",
}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `patches.explore`; patches.js does the same in the page."""
    (rows, columns), (height, width), cost = facts["grid"], facts["shape"], facts["cost"]
    sides = {"width": width, "height": height, "patch": facts["patch"]}
    grid = sides | {"rows": rows, "columns": columns, "patches": rows * columns}
    sequence = {"prefix": facts["prefix"], "tokens": facts["tokens"], "channels": facts["channels"]}
    row, column = facts["place"]
    one = {
        "row": row + 1,
        "column": column + 1,
        "numbers": facts["colours"] * facts["patch"] ** 2,
        "channels": facts["channels"],
    }
    asked = {name: cost[name] for name in ("height", "width", "patch", "tokens", "reach", "entries", "layers")}
    said = [
        Sentence(SENTENCES["grid"], grid),
        Sentence(SENTENCES["prefix" if facts["prefix"] else "no prefix"], sequence),
        Sentence(SENTENCES["patch" if facts["filters"] else "patch in steps"], one),
        _filters(facts["filters"]),
        Sentence(
            SENTENCES["windowed" if cost["window"] else "cost"],
            asked | {"bytes": cost["bytes"], "multiplications": cost["multiplications"]},
        ),
        Sentence(SENTENCES["network"], {"title": facts["title"], "revision": facts["revision"], **sides}),
        fed_words.said(facts),
    ]
    return (*said, *noted(facts), *([Sentence(SENTENCES["random"])] if facts["random"] else []))


def _filters(found: Mapping[str, Any] | None) -> Sentence:
    if found is None:
        return Sentence(SENTENCES["no filters"])
    about = {"shown": found["shown"], "filters": found["filters"]}
    if found["explained"] is None:
        return Sentence(SENTENCES["filters"], about)
    return Sentence(SENTENCES["principal"], about | {"explained": f"{100 * sum(found['explained']):.3g}"})
