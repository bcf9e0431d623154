"""A map over its picture with its scale, as an image: what the shell writes, in the colours of the page.

Mirrors `assets/stage/colours.js`: colour tables come from the same palette, faint values let the picture through.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from models.feeding import Box

PALETTE = Path(__file__).resolve().parent.parent / "assets" / "palette.json"

LEAST_SIDE = 960
"""Pixels of the longer side; a network's own input of 224 would be a stamp."""

_BAR, _GAP = 20, 12


def figure(
    picture: Image.Image,
    values: np.ndarray,
    shape: tuple[int, int],
    box: Box | None = None,
    table: str = "magma",
    opacity: float = 0.85,
    scale: float | None = None,
) -> Image.Image:
    """`values` (rows, columns) >= 0 over the picture as the network saw it, scaled from 0 to `scale` or their greatest.

    shape: (height, width) of the network's input in pixels
    box:   (left, top, right, bottom) of what was fed, in pixels of the picture; all of it if None
    """
    from models.feeding import framed  # brings torch

    factor = max(1.0, LEAST_SIDE / max(shape))
    size = (round(shape[1] * factor), round(shape[0] * factor))
    fitted = framed(picture.convert("RGB"), box or (0, 0, *picture.size), (size[1], size[0]))
    top = float(values.max()) if scale is None else scale
    shares = np.clip(values / max(top, np.finfo(np.float32).tiny), 0, 1)
    over = Image.fromarray(coloured(shares, table)).resize(size, Image.Resampling.BILINEAR)
    veil = Image.fromarray(_veil(shares, opacity)).resize(size, Image.Resampling.BILINEAR)
    sheet = Image.new("RGB", (size[0] + _GAP + _BAR, size[1]), "white")
    sheet.paste(Image.composite(over, fitted, veil), (0, 0))
    bar = Image.fromarray(coloured(np.linspace(1, 0, size[1])[:, None], table)).resize((_BAR, size[1]))
    sheet.paste(bar, (size[0] + _GAP, 0))
    return sheet


def coloured(shares: np.ndarray, table: str) -> np.ndarray:
    """Shares in [0, 1] (rows, columns) as uint8 (rows, columns, 3)."""
    anchors = tables()[table]
    places = np.linspace(0, 1, len(anchors))
    return (
        np.stack([np.interp(shares, places, anchors[:, channel]) for channel in range(3)], -1).round().astype(np.uint8)
    )


def _veil(shares: np.ndarray, opacity: float) -> np.ndarray:
    cover = max(0.0, (opacity - 0.9) / 0.1)
    return np.rint(255 * opacity * (cover + (1 - cover) * np.minimum(1, 1.2 * shares**1.1))).astype(np.uint8)


@cache
def tables() -> dict[str, np.ndarray]:
    """Colour tables by name: (anchors, 3) in 0 to 255, evenly spaced from 0 to 1."""
    told = json.loads(PALETTE.read_text(encoding="utf-8"))["tables"]
    return {
        name: np.array([[int(colour[start : start + 2], 16) for start in (1, 3, 5)] for colour in colours])
        for name, colours in told.items()
    }
