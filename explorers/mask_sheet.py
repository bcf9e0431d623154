"""The panels on one sheet, as the page exports them: picture, masked, predicted, pasted together, error, and what a
second network made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from explorers.export import FONT
from explorers.figure import coloured
from explorers.text import say

if TYPE_CHECKING:
    from explorers.explorer import Finding

SIDE = 480
"""Pixels of one panel's longer side at least."""

_GREY = 96
_GAP, _HEAD = 16, 30


def drawn(finding: Finding, language: str = "en") -> Image.Image:
    """Panels of `explore`'s finding, three a row, each under its name."""
    panels = list(_panels(finding, language))
    size = panels[0][1].size
    rows = -(-len(panels) // 3)
    sheet = Image.new("RGB", (3 * size[0] + 4 * _GAP, rows * (size[1] + _HEAD) + (rows + 1) * _GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.truetype(FONT, 18)
    for turn, (name, panel) in enumerate(panels):
        left, top = _GAP + turn % 3 * (size[0] + _GAP), _GAP + turn // 3 * (size[1] + _HEAD + _GAP)
        pen.text((left, top), name, "black", font)
        sheet.paste(panel.resize(size, Image.Resampling.BICUBIC), (left, top + _HEAD))
    return sheet


def _panels(finding: Finding, language: str) -> Iterator[tuple[str, Image.Image]]:
    arrays = finding.arrays
    picture, prediction, mask = _large(arrays["image"]), _large(arrays["prediction"]), arrays["mask"].astype(bool)
    joined = _large(arrays["pasted"])
    hidden = np.kron(mask, np.ones((picture.shape[0] // mask.shape[0], picture.shape[1] // mask.shape[1]), bool))
    top = float(arrays["map"][mask].max())
    yield say("Picture", language), Image.fromarray(picture)
    yield say("Masked", language), Image.fromarray(np.where(hidden[..., None], np.uint8(_GREY), picture))
    heading = say("Error, colours: 0 to {top}", language, top=f"{top:.2g}")
    yield heading, _map(arrays["map"], mask, top, picture.shape)
    yield say("Predicted", language), Image.fromarray(prediction)
    yield say("Pasted together", language), Image.fromarray(np.where(hidden[..., None], joined, picture))
    yield say("Nearest patch", language), Image.fromarray(_large(arrays["nearest"]))
    for turn, other in enumerate(finding.facts["against"], 1):
        name = "against" if turn == 1 else f"against_{turn}"
        yield other["title"], Image.fromarray(_large(arrays[f"{name}_prediction"]))
        heading = say("{title}: error, colours, 0 to {top}", language, title=other["title"], top=f"{top:.2g}")
        yield heading, _map(arrays[f"{name}_map"], arrays[f"{name}_mask"].astype(bool), top, picture.shape)


def _large(rgb: np.ndarray) -> np.ndarray:
    """uint8 (height, width, 3), a whole number of times as large."""
    factor = max(1, round(SIDE / max(rgb.shape[:2])))
    size = (rgb.shape[1] * factor, rgb.shape[0] * factor)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def _map(error: np.ndarray, mask: np.ndarray, top: float, shape: tuple[int, ...]) -> Image.Image:
    """Error of hidden squares, from 0 to `top`; visible ones white."""
    colours = coloured(np.clip(error / max(top, 1e-12), 0, 1), "magma")
    colours = np.where(mask[..., None], colours, np.uint8(255))
    return Image.fromarray(colours).resize((shape[1], shape[0]), Image.Resampling.NEAREST)
