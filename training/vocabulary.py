"""Every word that the captions of a drawn dataset use: what a text tower that learnt from them has read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from training import captions
from training.shapes import COLOURS, PLACES, RELATIONS, SHAPES, phrase

WORD = re.compile(r"[^\W_]+")

Language = Literal["en", "ru"]


def words(text: str) -> list[str]:
    """Of a text in the order in which they stand, in small letters as the tokenizer reads them."""
    return WORD.findall(text.lower())


@lru_cache(maxsize=4)
def vocabulary(images: str, language: Language) -> frozenset[str]:
    """Of the captions of `images` ("shapes", "scenes") in their training part."""
    told = {*_shapes(language), captions.listed(["", ""], language)}
    if images == "scenes":
        from training.datasets.emoji import named

        told |= {*captions.TEMPLATES[language], *named(language)}
    return frozenset(word for text in told for word in words(text))


def _shapes(language: Language) -> Iterator[str]:
    for _, _, case in RELATIONS:
        yield from (phrase(kind, language, case) for kind in range(len(COLOURS) * len(SHAPES)))
    yield from (phrase(kind, language) for kind in range(len(COLOURS) * len(SHAPES)))
    russian = language == "ru"
    yield from (place[russian] for place in PLACES)
    yield from (relation[russian] for relation in RELATIONS)
