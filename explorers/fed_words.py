"""How the picture under a figure was fed, in one sentence: every figure rests on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from explorers.explorer import Sentence

if TYPE_CHECKING:
    from models.pixels import Fit, Pixels

SENTENCES: Mapping[str, str] = {
    "whole": "The whole picture was fed.",
    "stretched": "The whole picture was fed, stretched to the input's proportions.",
    "crop": "The picture was cut to the input's proportions and fed.",
    "shorter": "Fed as trained: the shorter side brought to {side} pixels, the middle cut out.",
    "longer": "Fed as trained: the longer side brought to {side} pixels, a border around.",
    "both": "Fed as trained: stretched to the input's proportions.",
    "both cut": "Fed as trained: stretched to {width} × {height} pixels, the middle cut out.",
    "patches": "Fed as trained: in about its proportions, as large as the number of patches allows.",
}


def fed(pixels: Pixels, image: tuple[int, int], shape: tuple[int, int], fit: Fit) -> Sentence:
    """Of an image of (height, width) that was fed at `shape`."""
    if fit != "trained":
        stretched = abs(shape[0] * image[1] - shape[1] * image[0]) > pixels.multiple * max(image)
        return Sentence(SENTENCES["stretched" if fit == "whole" and stretched else fit])
    how = pixels.recipe.resize
    height, width = pixels.recipe.resized(image, shape)
    if how == "both" and (height, width) != shape:
        return Sentence(SENTENCES["both cut"], {"width": str(width), "height": str(height)})
    side = min(height, width) if how == "shorter" else max(height, width)
    return Sentence(SENTENCES[how], {"side": str(side)} if how in ("shorter", "longer") else {})


def told(sentence: Sentence) -> dict[str, Any]:
    """For facts, which the page's scripts read too."""
    return {"template": sentence.template, "facts": dict(sentence.facts)}


def said(facts: Mapping[str, Any]) -> Sentence:
    """Back from facts."""
    return Sentence(**facts["fed"])
