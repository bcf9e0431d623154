"""Finds the drawing of a concept in a set whose files carry names of their own time instead of code points."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

CORRECTIONS: dict[str, dict[str, str | None]] = {
    "noto-v1": {"1F997": None, "1F199": None, "1F52B": None},
    "emojione": {"1F997": None, "1F199": None, "1F52B": None},
    "fxemoji": {
        "1F431": "cat", "1F408": "catside", "1F436": "dog", "1F415": "dogside", "1F430": "bunny", "1F407": "bunnyside",
        "1F432": "dragonhead", "1F409": "dragonside",
        "1F44B": None, "1F647": None, "1F48F": None, "2328": None, "1F576": None, "1F53C": None, "1F53D": None,
        "1F6A7": None, "1F68B": None, "1F621": None, "1F64E": None, "1F52B": None,
    },
}  # fmt: skip
"""Where a name of today was another drawing's name then: the style's own word for a code point, or None for no drawing
of it (`cricket` was the game, `wave` the sea, `sunglasses` a face)."""


def bare(name: str) -> str:
    """Letters and digits alone: `Ferris wheel`, `ferris_wheel` and `ferriswheel` are one name."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", name).lower())


def match(
    concepts: list[dict[str, Any]], nicknames: dict[str, list[str]], files: set[str], style: str
) -> dict[str, str]:
    """File name of each concept that the style has, by code point. No file serves two concepts.

    The name of today is trusted first, then Unicode's own, which older sets were filed under, then nicknames.
    """
    told = CORRECTIONS.get(style, {})
    found = {code: file for code, file in told.items() if file in files}
    free = {bare(file): file for file in sorted(files - set(found.values()))}
    for candidates in (labels, unicode_names, lambda concept: nicknames.get(concept["hexcode"], [])):
        for concept in concepts:
            if concept["hexcode"] in found or concept["hexcode"] in told:
                continue
            for name in candidates(concept):
                if file := free.pop(bare(name), None):
                    found[concept["hexcode"]] = file
                    break
    return found


def labels(concept: dict[str, Any]) -> list[str]:
    return [concept["english"]]


def unicode_names(concept: dict[str, Any]) -> list[str]:
    """Unicode's name, for concepts of a single code point."""
    codes = [code for code in concept["hexcode"].split("-") if code != "FE0F"]
    return [unicodedata.name(chr(int(codes[0], 16)), "")] if len(codes) == 1 else []
