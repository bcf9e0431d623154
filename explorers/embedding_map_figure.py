"""A map of embeddings as one image, for the shell: thumbnails, texts as diamonds, both centroids and the gap between.

Mirrors `assets/stage/embedding_map_cloud.js`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from explorers.explorer import Finding
from explorers.gallery_index import index_of
from explorers.lettering import colour, font
from explorers.text import say

WIDTH, HEIGHT, MARGIN, HEAD = 1600, 1100, 70, 44
LABELS = 40
"""Texts that are written out where there are so few."""

Place = tuple[float, float]


def drawn(finding: Finding, language: str = "en") -> Image.Image:
    """Of what `embedding_map.explore` found."""
    facts, places = finding.facts, finding.arrays["places"]
    on = _frame(places)
    sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(sheet)
    _thumbnails(sheet, finding, on)
    texts = [on(place) for place in places[facts["shown"] :]]
    for place in texts:
        _diamond(pen, place, 6)
    if len(texts) <= LABELS:
        for place, text in zip(texts, facts["texts"], strict=True):
            _write(pen, (place[0] + 10, place[1] - 10), text, 17)
    if "centres" in finding.arrays:
        _gap(pen, [on(centre) for centre in finding.arrays["centres"]], facts, language)
    _legend(pen, bool(texts), language)
    return sheet


def _frame(places: np.ndarray) -> Callable[[np.ndarray], Place]:
    """Everything in sight, both axes on one scale."""
    low, high = places.min(0), places.max(0)
    room = np.array([WIDTH - 2 * MARGIN, HEIGHT - HEAD - 2 * MARGIN])
    unit, middle = float((room / np.maximum(high - low, 1e-9)).min()), (low + high) / 2

    def on(place: np.ndarray) -> Place:
        across, up = (place - middle) * unit
        return WIDTH / 2 + float(across), (HEIGHT + HEAD) / 2 - float(up)

    return on


def _thumbnails(sheet: Image.Image, finding: Finding, on: Callable[[np.ndarray], Place]) -> None:
    facts = finding.facts
    index = index_of(facts["checkpoint"], facts["gallery"], facts["place"], facts["side"]).index
    side = round(min(120, max(20, 0.7 * (WIDTH * HEIGHT / facts["shown"]) ** 0.5)))
    for item, place in zip(finding.arrays["items"].tolist(), finding.arrays["places"][: facts["shown"]], strict=True):
        image = ImageOps.contain(Image.open(io.BytesIO(index.thumbnail(item))), (side, side))
        x, y = on(place)
        sheet.paste(image, (round(x - image.width / 2), round(y - image.height / 2)))


def _gap(pen: ImageDraw.ImageDraw, centres: list[Place], facts: Mapping[str, Any], language: str) -> None:
    (left, top), texts = centres
    for ink, wide in (("white", 9), (colour("accent"), 4)):
        pen.line((left, top, *texts), fill=ink, width=wide)
    pen.rectangle((left - 10, top - 10, left + 10, top + 10), fill=colour("accent"), outline="white", width=2)
    _diamond(pen, texts, 15)
    length = f"{facts['gap']['length']:.3f}"
    apart = facts["centre"] == "apart"
    told = say("gap taken out", language) if apart else say("modality gap {length}", language, length=length)
    _write(pen, ((left + texts[0]) / 2 + 18, (top + texts[1]) / 2 - 34), told, 21)


def _legend(pen: ImageDraw.ImageDraw, texts: bool, language: str) -> None:
    pictures = say("Pictures", language)
    pen.rectangle((20, 18, 34, 32), fill=colour("accent"))
    pen.text((44, 14), pictures, fill=colour("text"), font=font(18))
    if texts:
        left = 44 + font(18).getlength(pictures) + 34
        _diamond(pen, (left, 25), 9)
        pen.text((left + 18, 14), say("Texts", language), fill=colour("text"), font=font(18))


def _diamond(pen: ImageDraw.ImageDraw, place: Place, reach: int) -> None:
    x, y = place
    corners = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]
    pen.polygon(corners, fill=colour("pointer"), outline="white")


def _write(pen: ImageDraw.ImageDraw, place: Place, words: str, size: int) -> None:
    pen.text(place, words, fill=colour("text"), font=font(size), stroke_width=3, stroke_fill="white")
