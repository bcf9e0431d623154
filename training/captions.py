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
NAMES_ITSELF = re.compile(r"(?i)(sign|symbol|button|arrow|mark|badge|dash|star|keycap|loop|wheel)")
RETOLD_IN_ENGLISH = {
    "rolling on the floor laughing": "a face rolling on the floor laughing",
    "star-struck": "a star-struck face",
    "locked": "a closed lock",
    "unlocked": "an open lock",
    "locked with pen": "a lock with a pen",
    "locked with key": "a lock with a key",
    "dashing away": "a puff of dust",
    "palms up together": "palms up together",
    "litter in bin sign": "a “litter in bin” sign",
    "foggy": "a foggy city",
    "cooking": "a pan with a fried egg",
    "camping": "a camp with a tent",
    "input symbols": "an “input symbols” sign",
}


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
    if label in RETOLD_IN_ENGLISH:
        return RETOLD_IN_ENGLISH[label]
    if not frame or NAMES_ITSELF.search(label):
        return article(label)
    return f"{'an' if SOUNDS_VOWEL.match(label) else 'a'} “{label}” {frame}"


NOUN_ALREADY = re.compile(
    r"(?i)(знак|значок|жест|символ|кнопк|клавиш|стрелк|смайлик|лицо|рисунок|обезьян|палец|ладо|кулак|рук|череп|"
    r"фехтовальщик|сноубордист|люди|семья|пара|скачки|карта|звезда)"
)


def with_dots(found: re.Match[str]) -> str:
    """The last е of a stem as ё, which the labels leave out and the shapes' captions have."""
    return "ё".join(found[0].rsplit("е", 1))


RETOLD = {
    "голова лягушки": "лягушка",
    "кусать губы": "закушенная губа",
    "лицо перекосило": "перекошенное лицо",
    "голова дракона": "дракон",
    "голова единорога": "единорог",
    "морда лисицы": "лиса",
    "морда волка": "волк",
    "морда льва": "лев",
    "морда енота": "енот",
    "морда панды": "панда",
    "морда коалы": "коала",
    "морда хомяка": "хомяк",
    "морда медведя": "медведь",
    "морда белого медведя": "белый медведь",
    "футбол": "футбольный мяч",
    "волейбол": "волейбольный мяч",
    "баскетбол": "баскетбольный мяч",
    "бейсбол": "бейсбольный мяч",
    "регби": "мяч для регби",
    "видеоигры": "игровой пульт",
    "Европа и Африка на земном шаре": "глобус с Европой и Африкой",
    "Америка на земном шаре": "глобус с Америкой",
    "Азия и Австралия на земном шаре": "глобус с Азией и Австралией",
    "меридианы": "глобус с меридианами",
    "время пошло": "песочные часы с текущим песком",
}
"""Labels that read oddly in a list of things."""


def russian(label: str, frame: str = "") -> str:
    """A label in the nominative: «лиса», «знак «повтор»»; what is no noun stands in quotation marks after one."""
    label = re.sub(r": , направленн\w+ вправо", ", лицом направо", RETOLD.get(label, label))
    label = re.sub(r"(?i)(желт|черн(?!и)|зелен|смеет|ребен|самолет|вертолет)", with_dots, label)
    if re.search(r"^час$|часа$|часов$|^пол(-|пе|вто|тре|чет|пят|шест|седь|вос|дев|дес|две)", label) and len(label) < 24:
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
