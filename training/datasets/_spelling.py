"""How the text of a table is written, which is looked at: its encoding, and what stands between its columns."""

from __future__ import annotations

import codecs
import re
from collections.abc import Container
from pathlib import Path

from models.faults import Fault

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
"""How a file that names its own encoding begins; the longer marks first, since one begins as another."""

SEPARATORS = (",", "\t", ";")

LETTERS = 5
"""Different Cyrillic letters that a text in cp1251 shows at least; a few accents of another alphabet do not."""


def decoded(file: Path) -> str:
    """As UTF-8, 16 or 32, marked or not, else as cp1251 where that gives Russian words. Raises `Fault`."""
    data = file.read_bytes()
    for encoding in _candidates(data):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    text = data.decode("cp1251", "replace")
    if _russian(text):
        return text
    raise Fault(
        "The table {path} was asked for, but its text is neither UTF-8 nor UTF-16 nor Cyrillic of Windows; save it as "
        "CSV in UTF-8.",
        path=file,
    )  # fmt: skip


def _candidates(data: bytes) -> list[str]:
    marked = [encoding for mark, encoding in MARKS if data.startswith(mark)][:1]
    if marked or b"\0" not in data[:1000]:
        return marked or ["utf-8"]
    return ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]


def _russian(text: str) -> bool:
    """Whether what is not ASCII forms Russian words: other encodings read as cp1251 mix alphabets, turn small letters
    into capitals (KOI8-R), or give signs (cp866)."""
    other = [letter for letter in text if letter > "\x7f"]
    cyrillic = [letter for letter in other if re.match("[а-яёА-ЯЁ]", letter)]
    words = re.findall(r"[^\W\d_]+", text)
    spoken = [word for word in words if re.search("[а-яёА-ЯЁ]", word)]
    whole = [word for word in spoken if not re.search("[A-Za-z]", word)]
    return (
        len(set(map(str.lower, cyrillic))) >= LETTERS
        and len(cyrillic) >= 0.9 * len(other)
        and len(whole) >= 0.9 * len(spoken)
        and sum(letter.islower() for letter in cyrillic) > 0.5 * len(cyrillic)
    )


def separator(text: str, usual: Container[str]) -> str:
    """What stands between the columns: the one that gives a usual name of one, else the one that cuts the first line
    most often."""
    line = re.split(r"\r?\n|\r", text, maxsplit=1)[0]

    def cut(mark: str) -> tuple[bool, int]:
        names = [name.strip(' "').lower() for name in line.split(mark)]
        return any(name in usual for name in names), len(names)

    return max(SEPARATORS, key=cut)
