"""Letters and colours of the images that the shell writes: those of the page's light theme."""

from __future__ import annotations

import json
from functools import lru_cache

from PIL import ImageDraw, ImageFont

from explorers.export import FONT
from explorers.figure import PALETTE


@lru_cache(maxsize=8)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Of so many pixels."""
    return ImageFont.truetype(FONT, size)


def colour(name: str) -> str:
    """By its name in `assets/palette.json`: "text", "muted", "accent", "pointer", "track", …"""
    return _light()[name]


def cut(text: str, size: int, width: int) -> str:
    """The text, or as much of it as `width` pixels hold, with an ellipsis."""
    if font(size).getlength(text) <= width:
        return text
    return next(text[:end] + "…" for end in range(len(text), -1, -1) if font(size).getlength(text[:end] + "…") <= width)


def to_the_left(pen: ImageDraw.ImageDraw, right: int, top: int, text: str, size: int = 20) -> None:
    """A figure that ends at `right`."""
    pen.text((right - font(size).getlength(text), top), text, fill=colour("text"), font=font(size))


@lru_cache(maxsize=1)
def _light() -> dict[str, str]:
    return json.loads(PALETTE.read_text(encoding="utf-8"))["light"]
