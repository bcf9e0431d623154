"""Words for coloured shapes and how they stand to one another, in English and in Russian.

Russian puts colour and shape into the case that the relation asks for, and colour into the shape's gender:
«красный круг слева от синей звезды», «зелёное кольцо над жёлтым квадратом».
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Case = Literal["nominative", "genitive", "instrumental"]
Gender = Literal["masculine", "feminine", "neuter"]


@dataclass(frozen=True)
class Shape:
    """A shape's name: English, gender, and the Russian forms that captions need."""

    english: str
    gender: Gender
    nominative: str
    genitive: str
    instrumental: str


SHAPES = (
    Shape("circle", "masculine", "круг", "круга", "кругом"),
    Shape("square", "masculine", "квадрат", "квадрата", "квадратом"),
    Shape("triangle", "masculine", "треугольник", "треугольника", "треугольником"),
    Shape("star", "feminine", "звезда", "звезды", "звездой"),
    Shape("heart", "neuter", "сердце", "сердца", "сердцем"),
    Shape("cross", "masculine", "крест", "креста", "крестом"),
    Shape("ring", "neuter", "кольцо", "кольца", "кольцом"),
    Shape("crescent", "masculine", "полумесяц", "полумесяца", "полумесяцем"),
)

HARD = {
    "nominative": {"masculine": "ый", "feminine": "ая", "neuter": "ое"},
    "genitive": {"masculine": "ого", "feminine": "ой", "neuter": "ого"},
    "instrumental": {"masculine": "ым", "feminine": "ой", "neuter": "ым"},
}
STRESSED = HARD | {"nominative": {"masculine": "ой", "feminine": "ая", "neuter": "ое"}}
SOFT = {
    "nominative": {"masculine": "ий", "feminine": "яя", "neuter": "ее"},
    "genitive": {"masculine": "его", "feminine": "ей", "neuter": "его"},
    "instrumental": {"masculine": "им", "feminine": "ей", "neuter": "им"},
}


@dataclass(frozen=True)
class Colour:
    """A colour: English, Russian stem and its endings, and red, green, blue in [0, 1]."""

    english: str
    stem: str
    endings: dict[str, dict[str, str]]
    rgb: tuple[float, float, float]

    def agreeing(self, case: Case, gender: Gender) -> str:
        return self.stem + self.endings[case][gender]


COLOURS = (
    Colour("red", "красн", HARD, (0.86, 0.12, 0.15)),
    Colour("orange", "оранжев", HARD, (0.98, 0.52, 0.08)),
    Colour("yellow", "жёлт", HARD, (0.98, 0.86, 0.15)),
    Colour("green", "зелён", HARD, (0.13, 0.62, 0.25)),
    Colour("cyan", "голуб", STRESSED, (0.30, 0.80, 0.93)),
    Colour("blue", "син", SOFT, (0.12, 0.26, 0.80)),
    Colour("purple", "фиолетов", HARD, (0.50, 0.18, 0.65)),
    Colour("pink", "розов", HARD, (0.97, 0.55, 0.74)),
)

PLACES = (
    ("at the top left", "слева вверху"), ("at the top", "вверху"), ("at the top right", "справа вверху"),
    ("on the left", "слева"), ("in the middle", "посередине"), ("on the right", "справа"),
    ("at the bottom left", "слева внизу"), ("at the bottom", "внизу"), ("at the bottom right", "справа внизу"),
)  # fmt: skip
"""Thirds of the frame, row by row."""

RELATIONS: tuple[tuple[str, str, Case], ...] = (
    ("to the left of", "слева от", "genitive"),
    ("to the right of", "справа от", "genitive"),
    ("above", "над", "instrumental"),
    ("below", "под", "instrumental"),
)
"""Each relation, then its opposite; the case is the one that the Russian preposition takes."""


def combination(colour: int, shape: int) -> int:
    """One number for a coloured shape."""
    return colour * len(SHAPES) + shape


def phrase(combination: int, language: str, case: Case = "nominative") -> str:
    """ "a red circle", «красный круг»."""
    colour, shape = COLOURS[combination // len(SHAPES)], SHAPES[combination % len(SHAPES)]
    if language == "ru":
        return f"{colour.agreeing(case, shape.gender)} {getattr(shape, case)}"
    return f"{'an' if colour.english[0] in 'aeiou' else 'a'} {colour.english} {shape.english}"


def placed(combination: int, place: int, language: str) -> str:
    """ "a red circle at the top left", «красный круг слева вверху»."""
    return f"{phrase(combination, language)} {PLACES[place][language == 'ru']}"


def related(first: int, relation: int, second: int, language: str) -> str:
    """ "a red circle above a blue star", «красный круг над синей звездой»."""
    english, russian, case = RELATIONS[relation]
    if language == "ru":
        return f"{phrase(first, 'ru')} {russian} {phrase(second, 'ru', case)}"
    return f"{phrase(first, 'en')} {english} {phrase(second, 'en')}"
