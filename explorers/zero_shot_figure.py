"""A zero-shot answer as one image, for the shell: the picture with its heat map, and a row a label at its right.

In the colours of the page's light theme; the caption is set under it by `explorers.export`.
"""

from __future__ import annotations

from PIL import Image, ImageDraw

from explorers.explorer import Finding
from explorers.figure import figure
from explorers.lettering import colour, cut, font, to_the_left
from explorers.text import per_cent, say

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
    return figure(image, heat - heat.min(), (image.height, image.width))


def _head(pen: ImageDraw.ImageDraw, left: int, language: str, own: str) -> None:
    named = {"softmax": say("Softmax", language), "sigmoid": say("Sigmoid", language)}
    read_outs = (
        word if name == own else say("{read_out}, untrained", language, read_out=word) for name, word in named.items()
    )
    words = (say("Cosine", language), *read_outs)
    places = (COSINE - 70, *BARS)
    colours = ("muted", *(_own(name, own) for name in ("softmax", "sigmoid")))
    for word, place, ink in zip(words, places, colours, strict=True):
        pen.text((left + place, 8), word, fill=colour(ink), font=font(17))


def _row(pen: ImageDraw.ImageDraw, left: int, top: int, finding: Finding, label: int) -> None:
    arrays, own = finding.arrays, finding.facts["read_out"]
    pen.text((left, top + 6), cut(finding.facts["labels"][label], 20, NAME), fill=colour("text"), font=font(20))
    to_the_left(pen, left + COSINE, top + 6, f"{arrays['cosine'][label]:.3f}")
    for name, start in zip(("softmax", "sigmoid"), BARS, strict=True):
        share = float(arrays[name][label])
        box = (left + start, top + 11, left + start + BAR, top + 25)
        pen.rectangle(box, fill=colour("track"))
        if share > 0.005:
            pen.rectangle((box[0], box[1], box[0] + share * BAR, box[3]), fill=colour(_own(name, own)))
        to_the_left(pen, left + start + BAR + 94, top + 6, f"{per_cent(share)} %")


def _own(name: str, own: str) -> str:
    return "accent" if name == own else "muted"
