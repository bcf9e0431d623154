"""Captions that say what is in a picture, in English and in Russian, for datasets that draw their pictures.

Things are named in the nominative, so a list of them is right in both languages whatever they are; only relations
between shapes need other cases, and their whole paradigm stands here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

UNCOUNTED = frozenset(
    [
        "bread",
        "popcorn",
        "butter",
        "salt",
        "rice",
        "cheese",
        "meat",
        "honey",
        "money",
        "luggage",
        "bacon",
        "sushi",
        "tofu",
        "ginger",
        "garlic",
        "broccoli",
        "spaghetti",
        "soap",
        "dna",
        "fog",
        "wood",
        "paper",
        "music",
        "tennis",
        "hockey",
        "golf",
        "lacrosse",
        "softball",
        "yarn",
        "sewing",
        "thread",
        "fire",
        "water",
        "litter",
        "parking",
        "mail",
        "e-mail",
        "chocolate",
        "ice",
        "tornado-like",
        "seaweed",
        "corn",
        "custard",
        "bathing",
        "lightning",
        "laughter",
    ]
)
"""Head nouns that take no article."""

SINGULAR = re.compile(r"(ss|us|is|compass|canvas|gas|lens)$")
PROPER = frozenset(["Santa", "Mrs.", "Mx", "Tokyo", "mount", "Africa", "Japan", "Statue"])
HEAD = re.compile(r" (?:with|of|in|on|showing|behind|over|under|and|without|from|facing|getting|holding)\b|[:(,]")
SOUNDS_CONSONANT = re.compile(r"(?i)(uni|euro|one\b|use|ewe|u-)")
SOUNDS_VOWEL = re.compile(r"(?i)([aeiou]|hour|atm\b|sos\b|x-ray|mx\b)")
NAMES_ITSELF = re.compile(r"(?i)(sign|symbol|button|arrow|mark|badge|dash|star|keycap|loop|wheel|prohibited|no )")


def article(noun: str) -> str:
    """`noun` with a, an, the or nothing, as English wants it."""
    head = HEAD.split(noun)[0].split()[-1] if HEAD.split(noun)[0] else noun
    first = noun.split()[0]
    if first == "Statue":
        return f"the {noun}"
    plural = head.endswith("s") and not SINGULAR.search(head)
    if first in PROPER or head.lower() in UNCOUNTED or plural or first[0].isdigit():
        return noun
    vowel = SOUNDS_VOWEL.match(noun) and not SOUNDS_CONSONANT.match(noun)
    return f"an {noun}" if vowel else f"a {noun}"


def english(label: str, frame: str = "") -> str:
    """A label as something that can be counted in a picture: "a fox", "an apple", 'an "Aries" zodiac sign'."""
    if "o’clock" in label or "-thirty" in label:
        return f"a clock showing {label}"
    if not frame or NAMES_ITSELF.search(label):
        return article(label)
    return f"{'an' if SOUNDS_VOWEL.match(label) else 'a'} “{label}” {frame}"


NOUN_ALREADY = re.compile(
    r"(?i)(знак|значок|жест|символ|кнопк|клавиш|стрелк|смайлик|лицо|рисунок|обезьян|палец|ладо|кулак|рук|"
    r"фехтовальщик|сноубордист|челове|мужчин|женщин|люди|семья|пара|скачк|лыж|балерин|пришел|карта|звезда)"
)
RETOLD = {
    "голова лягушки": "лягушка",
    "голова дракона": "дракон",
    "Европа и Африка на земном шаре": "глобус с Европой и Африкой",
    "Америка на земном шаре": "глобус с Америкой",
    "Азия и Австралия на земном шаре": "глобус с Азией и Австралией",
    "меридианы": "глобус с меридианами",
    "время пошло": "песочные часы с текущим песком",
}
"""Labels that read oddly in a list of things."""


def russian(label: str, frame: str = "") -> str:
    """A label in the nominative: «лиса», «знак «повтор»»; what is no noun stands in quotation marks after one."""
    label = RETOLD.get(label, label)
    if re.search(r"(?i)час(а|ов)?$|полови|:30", label) and "часы" not in label and len(label) < 24:
        return f"циферблат «{label}»"
    if not frame or "«" in label or NOUN_ALREADY.match(label):
        return label
    return f"{frame} «{label}»"


def listed(things: Sequence[str], language: str) -> str:
    """ "a fox, a car and a pizza", «лиса, машина и пицца»."""
    last = " и " if language == "ru" else " and "
    return last.join([", ".join(things[:-1]), things[-1]]) if len(things) > 1 else things[0]


TEMPLATES = {"en": ("{}", "{}", "a picture of {}"), "ru": ("{}", "{}", "на картинке {}")}


def told(things: Sequence[str], language: str, way: int) -> str:
    """What is in the picture, in one of the ways of saying so."""
    ways = TEMPLATES[language]
    return ways[way % len(ways)].format(listed(things, language))
