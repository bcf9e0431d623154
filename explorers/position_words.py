"""The sentences under a picture of positions, written once: the endpoint fills them here, the page in positions.js.

Captions count blocks, heads, rows and columns from 1, as papers do; parameters count from 0, as arrays do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorers.explorer import Sentence, noted

SENTENCES: Mapping[str, str] = {
    "cosine": "Cosine between the position in row {row}, column {column} and every other.",
    "dot": "Dot product of the position in row {row}, column {column} with every other.",
    "distance": "Euclidean distance of the position in row {row}, column {column} from every other.",
    "bias": "What block {block} adds to its logits where the patch in row {row}, column {column} looks at each other.",
    "shared bias": "What every block adds to its logits where the patch in row {row}, column {column} looks at each "
    "other.",
    "kernel": "q·k of equal vectors, turned by the rotary embedding, of row {row}, column {column} with every other.",
    "components": "First three principal components of the table as red, green and blue; they explain {first} %, "
    "{second} % and {third} % of its variance.",
    "norms": "Euclidean length of each position's vector.",
    "prefix": "Cosine between the position of {token}, which lies outside the grid, and every patch's.",
    "spectrum": "Power of the table at each spatial frequency; none in the middle, one wave over the grid beside it.",
    "learned table": "Positions are a learned table of {rows} × {columns}, added before the first block.",
    "untrained table": "Positions are a table of {rows} × {columns}, added before the first block, as it began: nobody "
    "trained it.",
    "sin-cos table": "Positions are a fixed sin-cos table of {rows} × {columns}, added before the first block.",
    "random": "For comparison a table of {rows} × {columns} random rows, which knows nothing of places.",
    "sin-cos": "For comparison the fixed sin-cos table of {rows} × {columns} places.",
    "rotary": "Positions are rotary: queries and keys are turned by angles that grow over {rows} × {columns} places.",
    "relative bias": "Positions are a bias for each offset within {rows} × {columns} places.",
    "continuous bias": "Positions are a bias for each offset within {rows} × {columns} places, made by a small network "
    "from log-spaced offsets.",
    "mean head": "The map is the mean of {heads} heads.",
    "one head": "The map is head {head} of {heads}.",
    "mean band": "The map is the mean of {heads} frequency bands.",
    "one band": "The map is frequency band {head} of {heads}.",
    "scale": "Colours run from {low} to {high} in every map: the least and the greatest of all pairs, each position's "
    "relation with itself left out.",
    "even scale": "Colours run from {low} to {high} in every map, the greatest absolute value of all pairs either way, "
    "each position's relation with itself left out.",
    "own scale": "Colours run from {low} to {high}, the least and the greatest value.",
    "flat": "Every value is {low}.",
    "structure": "The offset in rows and columns, regardless of sign, explains {offset} of the variance over all "
    "pairs, distance linearly {distance} (R²).",
    "thinned": "Of the small maps, one row and one column in {step} is shown.",
    "all tiles": "The small maps show every position.",
    "network": "The network is {title}, {revision}.",
    "untrained": "The weights are random: this network was never trained.",
}

TITLES: Mapping[str, str] = {
    "random": "A random table",
    "sin-cos": "The sin-cos table",
    "learned table": "Learned table",
    "untrained table": "Table, untrained",
    "sin-cos table": "Fixed sin-cos table",
    "rotary": "Rotary",
    "relative bias": "Relative bias",
    "continuous bias": "Continuous bias",
}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `position_similarity.explore`."""
    part, grid = facts["part"], {"rows": facts["part"]["grid"][0], "columns": facts["part"]["grid"][1]}
    place = {"row": facts["place"][0] + 1, "column": facts["place"][1] + 1, "block": (part["block"] or 0) + 1}
    said = [
        Sentence(SENTENCES[facts["relation"]], place),
        Sentence(SENTENCES[part["kind"] if facts["table"] == "own" else facts["table"]], grid),
    ]
    if len(part["heads"]) > 1:
        said.append(_component(part, facts["component"]))
    scale = {"low": f"{facts['low']:.3g}", "high": f"{facts['high']:.3g}"}
    shares = part["structure"]
    if shares["offset"] is None:
        said.append(Sentence(SENTENCES["flat"], scale))
    else:
        found = {name: f"{shares[name]:.3f}" for name in ("offset", "distance")}
        said += [Sentence(SENTENCES["scale"], scale), Sentence(SENTENCES["structure"], found)]
    said.append(Sentence(SENTENCES["network"], {"title": facts["title"], "revision": facts["revision"]}))
    return (*said, *noted(facts), *([Sentence(SENTENCES["untrained"])] if facts["random"] else []))


def _component(part: Mapping[str, Any], component: int | None) -> Sentence:
    word, count = part["word"], len(part["heads"])
    if component is None:
        return Sentence(SENTENCES["mean band" if word == "band" else "mean head"], {"heads": count})
    return Sentence(SENTENCES["one band" if word == "band" else "one head"], {"head": component + 1, "heads": count})
