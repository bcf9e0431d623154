"""The sentences under a picture of changed positions, each written once for the endpoint and for surgery.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorers.explorer import Sentence

SENTENCES: Mapping[str, str] = {
    "identity": "Positions as they are, by the same road as every change.",
    "zero": "Every patch is told the same place.",
    "shuffle": "The places of all patches are shuffled (seed {seed}).",
    "transpose": "Rows and columns of all places are exchanged.",
    "mirror": "Places are mirrored, left and right.",
    "swap": "Patches {first} and {second} are told each other's place.",
    "noise": "Noise of strength {strength} is added to positions (seed {seed}).",
    "looks": "Left where the read-out ({query}) looks in block {block} of {blocks} before, right after, mean of heads.",
    "moved": "{moved} % of its attention has moved.",
    "features": "Last features of patches keep a cosine of {patches} with those before, on average.",
    "cls": "CLS keeps a cosine of {cls}.",
    "scale": "Colours run from 0 to {peak} in both, their greatest value.",
    "resized": "The table of {from} was resized to {to} by the network's own code; its offset R² went from {before} to "
    "{after}.",
    "as trained": "The table fits the picture's grid of {to} as trained; nothing was resized.",
    "network": "{title}, {revision}, input {width} × {height} pixels.",
    "random": "The weights are random: this network was never trained.",
}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `position_surgery.explore`; surgery.js does the same in the page."""
    last = facts["blocks"] - 1
    said = [
        Sentence(SENTENCES[facts["change"]], _change(facts)),
        Sentence(SENTENCES["looks"], {"query": facts["query"], "block": last + 1, "blocks": last + 1}),
        Sentence(SENTENCES["moved"], {"moved": f"{100 * facts['moved'][last]:.3g}"}),
        Sentence(SENTENCES["features"], {"patches": f"{facts['patches']:.3f}"}),
    ]
    if facts["cls"] is not None:
        said.append(Sentence(SENTENCES["cls"], {"cls": f"{facts['cls']:.3f}"}))
    said += _resized(facts["resized"])
    height, width = facts["shape"]
    network = {"title": facts["title"], "revision": facts["revision"], "width": width, "height": height}
    said.append(Sentence(SENTENCES["network"], network))
    return (*said, *([Sentence(SENTENCES["random"])] if facts["random"] else []))


def _change(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in ("seed", "first", "second")} | {"strength": f"{facts['strength']:g}"}


def _resized(found: Mapping[str, Any] | None) -> list[Sentence]:
    if found is None:
        return []
    grids = {name: " × ".join(map(str, found[name])) for name in ("from", "to")}
    if found["from"] == found["to"]:
        return [Sentence(SENTENCES["as trained"], {"to": grids["to"]})]
    numbers = {"before": f"{found['offset before']:.3f}", "after": f"{found['offset after']:.3f}"}
    return [Sentence(SENTENCES["resized"], grids | numbers)]
