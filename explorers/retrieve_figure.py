"""Retrieved pictures as one image, for the shell: what was looked for, then the pictures with rank, cosine and name."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageOps

from explorers.explorer import Finding
from explorers.gallery_index import index_of
from explorers.lettering import colour, cut, font
from explorers.text import say

SIDE, GAP, LABEL, HEAD = 220, 16, 48, 60
COLUMNS = 6


def drawn(finding: Finding, language: str = "en") -> Image.Image:
    """Of what `retrieve.explore` found."""
    facts = finding.facts
    hits = facts["hits"]
    index = index_of(facts["checkpoint"], facts["gallery"], facts["place"], facts["side"]).index
    columns = min(COLUMNS, max(1, len(hits)))
    rows = -(-len(hits) // columns)
    sheet = Image.new("RGB", (columns * (SIDE + GAP) + GAP, HEAD + rows * (SIDE + LABEL + GAP) - GAP), "white")
    pen = ImageDraw.Draw(sheet)
    text = facts["query"]
    by_text = facts["by"] == "text"
    told = say("Text: “{text}”", language, text=text) if by_text else say("Picture: “{text}”", language, text=text)
    pen.text((GAP, 16), cut(told, 26, sheet.width - 2 * GAP), fill=colour("text"), font=font(26))
    for rank, hit in enumerate(hits):
        row, column = divmod(rank, columns)
        left, top = GAP + column * (SIDE + GAP), HEAD + row * (SIDE + LABEL + GAP)
        _picture(sheet, index.thumbnail(hit["item"]), left, top)
        _words(pen, rank, hit, language, (left, top + SIDE))
    return sheet


def _picture(sheet: Image.Image, jpeg: bytes, left: int, top: int) -> None:
    image = ImageOps.contain(Image.open(io.BytesIO(jpeg)), (SIDE, SIDE), Image.Resampling.BICUBIC)
    sheet.paste(image, (left + (SIDE - image.width) // 2, top + (SIDE - image.height) // 2))


def _words(pen: ImageDraw.ImageDraw, rank: int, hit: dict, language: str, place: tuple[int, int]) -> None:
    """Under a picture; = where the gallery's captions say that it means what was asked for."""
    left, top = place
    name = hit["russian"] if language == "ru" and hit["russian"] else hit["name"]
    pen.text((left, top + 3), f"{rank + 1}", fill=colour("muted"), font=font(17))
    pen.text((left + 30, top + 3), f"{hit['cosine']:.3f}", fill=colour("text"), font=font(17))
    if hit["same"]:
        pen.text((left + SIDE - 14, top + 3), "=", fill=colour("accent"), font=font(17))
    pen.text((left, top + 25), cut(name, 15, SIDE), fill=colour("muted"), font=font(15))
