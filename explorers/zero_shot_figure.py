"""A zero-shot answer as one image, for the shell: the picture with its heat map, and a row a label at its right.

In the colours of the page's light theme; the caption is set under it by `explorers.export`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from explorers.explorer import Finding
from explorers.export import FONT
from explorers.figure import PALETTE, figure
from explorers.text import say

ROWS = 24
"""Labels that are drawn, first by score; all are in the numbers."""

WIDTH, ROW, GAP = 820, 38, 28
NAME, COSINE, BARS, BAR = 300, 380, (410, 622), 96


def drawn(finding: Finding, language: str = "en") -> Image.Image:
    """Of what `zero_shot.explore` found."""
    left = _picture(finding)
    order = finding.facts["order"][:ROWS]
    sheet = Image.new("RGB", (left.width + GAP + WIDTH, max(left.height, (len(order) + 2) * ROW)), "white")
    sheet.paste(left, (0, 0))
    pen = ImageDraw.Draw(sheet)
    _head(pen, left.width + GAP, language, finding.facts["read_out"])
    for place, label in enumerate(order):
        _row(pen, left.width + GAP, (place + 1) * ROW, finding, label)
    return sheet


def _picture(finding: Finding) -> Image.Image:
    image = Image.fromarray(finding.arrays["image"])
    heat = finding.arrays.get("heat")
    if heat is None:
        factor = 960 / max(image.size)
        return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)
    return figure(image, heat - min(0.0, float(heat.min())), (image.height, image.width))


def _head(pen: ImageDraw.ImageDraw, left: int, language: str, own: str) -> None:
    words = (say("Cosine", language), say("Softmax", language), say("Sigmoid", language))
    places = (COSINE - 70, *BARS)
    colours = ("muted", *(_own(name, own) for name in ("softmax", "sigmoid")))
    for word, place, colour in zip(words, places, colours, strict=True):
        pen.text((left + place, 8), word, fill=_colour(colour), font=_font(17))


def _row(pen: ImageDraw.ImageDraw, left: int, top: int, finding: Finding, label: int) -> None:
    arrays, own = finding.arrays, finding.facts["read_out"]
    pen.text((left, top + 6), _cut(finding.facts["labels"][label], NAME), fill=_colour("text"), font=_font(20))
    _right(pen, left + COSINE, top + 6, f"{arrays['cosine'][label]:.3f}")
    for name, start in zip(("softmax", "sigmoid"), BARS, strict=True):
        share = float(arrays[name][label])
        box = (left + start, top + 11, left + start + BAR, top + 25)
        pen.rectangle(box, fill=_colour("track"))
        if share > 0.005:
            pen.rectangle((box[0], box[1], box[0] + share * BAR, box[3]), fill=_colour(_own(name, own)))
        _right(pen, left + start + BAR + 94, top + 6, f"{100 * share:.1f} %")


def _right(pen: ImageDraw.ImageDraw, right: int, top: int, text: str) -> None:
    pen.text((right - _font(20).getlength(text), top), text, fill=_colour("text"), font=_font(20))


def _own(name: str, own: str) -> str:
    return "accent" if name == own else "muted"


def _cut(text: str, width: int) -> str:
    fits: Sequence[int] = range(len(text), 0, -1)
    if _font(20).getlength(text) <= width:
        return text
    return next(text[:end] + "…" for end in fits if _font(20).getlength(text[:end] + "…") <= width)


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


def _colour(name: str) -> str:
    return _light()[name]


@lru_cache(maxsize=1)
def _light() -> dict[str, str]:
    return json.loads(PALETTE.read_text(encoding="utf-8"))["light"]
