"""The sentences under a picture of windows, each written once for the endpoint and for windows.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorers import fed_words
from explorers.explorer import Sentence, noted

SENTENCES: Mapping[str, str] = {
    "plain": "Block {block} of {blocks}, stage {stage}: windows of {high} × {wide} tokens, not shifted.",
    "shifted": "Block {block} of {blocks}, stage {stage}: windows of {high} × {wide} tokens, shifted by {down} down "
    "and {right} to the right.",
    "picture": "Windows lie on the picture; dashed lines are the mask's edges, which keep parts of one window apart.",
    "rolled": "The picture is rolled as the block sees it; dashed lines are the mask's edges.",
    "field": "All that the token in row {row}, column {column} of block {block} can have seen: {reached} of {tokens} "
    "patches.",
    "token": "The token in row {row}, column {column} looks at {seen} tokens of its window.",
    "merged": "Each token of this stage was merged from 2 × 2 of the stage before.",
    "cost": "Attention multiplies {windowed} times in these windows; without windows it would be {whole}.",
    "network": "{title}, {revision}, input {width} × {height} pixels.",
    "random": "The weights are random: this network was never trained.",
}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `swin_windows.explore`; windows.js does the same in the page."""
    block, place = facts["block"], facts["place"]
    about = facts["windows"][block]
    where = {"block": block + 1, "blocks": facts["blocks"], "stage": about["stage"] + 1}
    sides = {
        "high": about["window"][0],
        "wide": about["window"][1],
        "down": about["shift"][0],
        "right": about["shift"][1],
    }
    token = {"row": place[0] + 1, "column": place[1] + 1, "seen": facts["seen"]}
    said = [
        Sentence(SENTENCES["shifted" if any(about["shift"]) else "plain"], where | sides),
        Sentence(SENTENCES["token"], token),
        *([Sentence(SENTENCES["merged"])] if about["stage"] else []),
        Sentence(SENTENCES["cost"], {"windowed": about["windowed"], "whole": about["whole"]}),
    ]
    height, width = facts["shape"]
    network = {"title": facts["title"], "revision": facts["revision"], "width": width, "height": height}
    said += [Sentence(SENTENCES["network"], network), fed_words.said(facts)]
    return (*said, *noted(facts), *([Sentence(SENTENCES["random"])] if facts["random"] else []))
