"""The sentences under a picture of changed positions, each written once for the endpoint and for surgery.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorers import fed_words
from explorers.explorer import Sentence, noted

SENTENCES: Mapping[str, str] = {
    "identity": "Positions as they are, by the same road as every change.",
    "zero": "Every patch is told the same place.",
    "shuffle": "The places of all patches are shuffled (seed {seed}).",
    "transpose": "Rows and columns of all places are exchanged.",
    "mirror": "Places are mirrored, left and right.",
    "swap": "Patches {first} and {second} are told each other's place.",
    "noise": "Noise of strength {strength} is added to positions (seed {seed}).",
    "resize": "Left the picture at the network's own size, {before} pixels, right at {after}.",
    "looks": "Left where {query} looks in block {block} of {blocks} before, right after.",
    "looks mean": "Left where patches look on average in block {block} of {blocks} before, right after.",
    "looks patch": "Left where the patch in row {row}, column {column} looks in block {block} of {blocks} before, "
    "right after.",
    "only head": "The map is that of the only head.",
    "mean of heads": "The map is the mean of {heads} heads.",
    "one head": "The map is head {head} of {heads}.",
    "common": "Compared cell by cell on {grid}, the coarser grid of both.",
    "far": "The mean attention distance of this block goes from {before} to {after} pixels of the picture.",
    "moved": "{moved} % of its attention has moved.",
    "features": "Last features of patches keep a cosine of {patches} with those before, on average.",
    "cls": "CLS keeps a cosine of {cls}.",
    "scale": "Colours run from 0 to {peak} in both, their greatest value.",
    "resized": "The table of {from} was resized to {to} by the network's own code; its offset R² went from {before} to "
    "{after}.",
    "resized flat": "The table of {from} was resized to {to} by the network's own code; all its rows are equal.",
    "anew": "Rotary angles are made anew for each grid; no table is resized.",
    "within": "Biases are known for each offset of a window, whatever the size of the input; nothing is resized.",
    "as trained": "The table fits the picture's grid of {to} as it is; nothing was resized.",
    "network": "{title}, {revision}, input {width} × {height} pixels.",
    "random": "The weights are random: this network was never trained.",
}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `position_surgery.explore`; surgery_words.js does so in the page."""
    last = facts["blocks"] - 1
    said = [
        Sentence(SENTENCES[facts["change"]], _change(facts)),
        _looks(facts, last),
        Sentence(
            SENTENCES["only head" if facts["heads"][last] == 1 else "mean of heads"], {"heads": facts["heads"][last]}
        ),
        Sentence(SENTENCES["moved"], {"moved": f"{100 * facts['moved'][last]:.3g}"}),
    ]
    if facts["change"] == "resize":
        grid = " × ".join(str(min(pair)) for pair in zip(*facts["grids"], strict=True))
        far = {name: f"{facts['distances'][side][last]:.3g}" for side, name in enumerate(("before", "after"))}
        said += [Sentence(SENTENCES["common"], {"grid": grid}), Sentence(SENTENCES["far"], far)]
    said.append(Sentence(SENTENCES["features"], {"patches": f"{facts['patches']:.3f}"}))
    if facts["cls"] is not None:
        said.append(Sentence(SENTENCES["cls"], {"cls": f"{facts['cls']:.3f}"}))
    said += _resized(facts)
    height, width = facts["shapes"][1]
    network = {"title": facts["title"], "revision": facts["revision"], "width": width, "height": height}
    said += [Sentence(SENTENCES["network"], network), fed_words.said(facts)]
    return (*said, *noted(facts), *([Sentence(SENTENCES["random"])] if facts["random"] else []))


def _looks(facts: Mapping[str, Any], block: int) -> Sentence:
    kind, _, place = facts["query"].partition(" ")
    where = {"block": block + 1, "blocks": facts["blocks"]}
    if kind == "mean":
        return Sentence(SENTENCES["looks mean"], where)
    if kind == "patch":
        row, column = (int(at) + 1 for at in place.split(","))
        return Sentence(SENTENCES["looks patch"], where | {"row": row, "column": column})
    return Sentence(SENTENCES["looks"], where | {"query": facts["names"][int(place)]})


def _change(facts: Mapping[str, Any]) -> dict[str, Any]:
    sizes = {name: f"{shape[1]} × {shape[0]}" for name, shape in zip(("before", "after"), facts["shapes"], strict=True)}
    return {name: facts[name] for name in ("seed", "first", "second")} | {"strength": f"{facts['strength']:g}"} | sizes


def _resized(facts: Mapping[str, Any]) -> list[Sentence]:
    found = facts["resized"]
    if found is None:
        if facts["change"] != "resize":
            return []
        return [Sentence(SENTENCES["anew" if "rotary" in facts["kinds"] else "within"])]
    grids = {name: " × ".join(map(str, found[name])) for name in ("from", "to")}
    if found["from"] == found["to"]:
        return [Sentence(SENTENCES["as trained"], {"to": grids["to"]})]
    shares = {when: found[f"offset {when}"] for when in ("before", "after")}
    if None in shares.values():
        return [Sentence(SENTENCES["resized flat"], grids)]
    return [Sentence(SENTENCES["resized"], grids | {when: f"{share:.3f}" for when, share in shares.items()})]
