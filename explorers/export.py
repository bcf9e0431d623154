"""A picture that can leave the page: its caption under it and inside it, and its numbers beside it.

    written = write(folder, "attention", finding, image)

The `.npz` holds the arrays, floats in single precision, and under `caption` a JSON text; never a pickle. The `.png`
holds the same JSON in its text chunk `Patchlight` and the words in `Description`: found later, it says what it is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from explorers.permalink import to_query
from explorers.text import LANGUAGES

if TYPE_CHECKING:
    from explorers.explorer import Finding
    from explorers.parameters import Parameters

FONT = Path(__file__).resolve().parent.parent / "assets" / "fonts" / "DejaVuSans-subset.ttf"

LEAST_WIDTH = 480
"""Pixels; a smaller picture gets white margins, so that its caption has lines of a readable length."""

_MARGIN = 16
_INK, _PAPER = (32, 32, 32), (255, 255, 255)


def caption(finding: Finding) -> dict[str, Any]:
    """What a picture shows, for machines and people: {"caption": {"en": ..., "ru": ...}, "facts": {...}}."""
    return {"caption": {language: finding.said(language) for language in LANGUAGES}, "facts": dict(finding.facts)}


def npz(finding: Finding) -> bytes:
    """The numbers: every array under its name, and the caption as JSON under `caption`; further files as bytes."""
    arrays: dict[str, Any] = {name: _portable(array) for name, array in finding.arrays.items()}
    arrays |= {name: np.frombuffer(made(LANGUAGES[0]), np.uint8) for name, made in finding.files.items()}
    file = io.BytesIO()
    np.savez_compressed(file, **arrays, caption=np.array(_json(caption(finding))))
    return file.getvalue()


def png(image: Image.Image, finding: Finding, language: str = "en", asked: Parameters | None = None) -> bytes:
    """`image` over its caption; inside it also the parameters that were asked and differ from their defaults."""
    words = finding.said(language)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Description", words, lang=language)
    parameters = {} if asked is None else {"parameters": to_query(asked)}
    info.add_itxt("Patchlight", _json({**caption(finding), **parameters}))
    file = io.BytesIO()
    captioned(image, words).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def captioned(image: Image.Image, words: str) -> Image.Image:
    """The picture with `words` set under it in lines as long as the picture is wide."""
    width = max(image.width, LEAST_WIDTH)
    font = _font(max(14, width // 56))
    lines = list(_lines(words, font, width - 2 * _MARGIN))
    leading = round(font.size * 1.4)
    sheet = Image.new("RGB", (width, image.height + leading * len(lines) + 2 * _MARGIN), _PAPER)
    sheet.paste(image.convert("RGB"), ((width - image.width) // 2, 0))
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        pen.text((_MARGIN, image.height + _MARGIN + number * leading), line, fill=_INK, font=font)
    return sheet


def write(
    folder: Path,
    name: str,
    finding: Finding,
    image: Image.Image | None = None,
    language: str = "en",
    asked: Parameters | None = None,
) -> tuple[Path, ...]:
    """`name.npz`, `name.json`, of a picture `name.png`, and further files such as `name-film.gif`, in `folder`, which
    is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = replace(finding, files={})
    files = {".npz": npz(numbers), ".json": _json(caption(finding), indent=2).encode()}
    if image is not None:
        files[".png"] = png(image, finding, language, asked)
    files |= {f"-{further}": made(language) for further, made in finding.files.items()}
    written = {folder / f"{name}{kind}": data for kind, data in files.items()}
    for path, data in written.items():
        path.write_bytes(data)
    return tuple(written)


def _portable(array: np.ndarray) -> np.ndarray:
    if array.dtype.hasobject:
        raise TypeError("only numbers and texts can be exported without a pickle")
    return array.astype(np.float32) if np.issubdtype(array.dtype, np.floating) else np.asarray(array)


def _json(said: Mapping[str, Any], indent: int | None = None) -> str:
    return json.dumps(said, ensure_ascii=False, allow_nan=False, indent=indent)


def _lines(words: str, font: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    """`words` broken at spaces; a word longer than a line is broken where the line ends."""
    line = ""
    for word in words.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        while font.getlength(word) > width:
            fits = next(end for end in range(len(word), 0, -1) if font.getlength(word[:end]) <= width or end == 1)
            yield word[:fits]
            word = word[fits:]
        line = word
    if line:
        yield line


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)
