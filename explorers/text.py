"""Every text that a person reads, in English and Russian.

As with gettext, the English sentence in the code is the key. Russian lies in `assets/text/ru/*.toml`, a file for each
module or group of modules, as `"English sentence with {facts}" = "Русское предложение, где есть {facts}"`. A sentence
is translated whole; a test fails where one has no Russian or where the facts of the two differ.

    say("Tokens: {tokens}", language, tokens=257)   a sentence written where it is said: the first argument is a literal
    sentence(fault, language)                       what went wrong
"""

from __future__ import annotations

import inspect
import re
import sys
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from models.faults import Fault

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("en", "ru")

DECIMAL = re.compile(r"(< )?[+-]?\d+\.\d+")

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "text"


def say(template: str, /, language: str = "en", **facts: object) -> str:
    """`template` in `language` with its `{facts}` filled in, decimals as they are printed there.

    Raises `KeyError` where a fact is missing.
    """
    return _translation(template, language).format(**{name: _printed(fact, language) for name, fact in facts.items()})


def sentence(fault: Fault, language: str = "en") -> str:
    """What a fault says, in `language`."""
    return _translation(fault.template, language).format(**fault.facts)


def paragraphs(docstring: str | None) -> list[str]:
    """A docstring's paragraphs, each on one line, as the page and the shell show them."""
    cleaned = inspect.cleandoc(docstring or "")
    return [" ".join(paragraph.split()) for paragraph in cleaned.split("\n\n") if paragraph.strip()]


def dictionary(language: str) -> dict[str, str]:
    """Every English text and what it is in `language`, for scripts that run in the page."""
    return dict(_catalogue(language))


def per_cent(share: float) -> str:
    """With one decimal; what would print as nothing, and is not nothing, is below the least that prints."""
    return "< 0.1" if 0 < share < 0.0005 else f"{100 * share:.1f}"


def _printed(fact: object, language: str) -> object:
    """A decimal with a true minus, and with the comma that Russian writes; everything else as it is."""
    if not isinstance(fact, str | float) or not DECIMAL.fullmatch(str(fact)):
        return fact
    written = str(fact).replace("-", "−")
    return written if language == "en" else written.replace(".", ",")


def _translation(text: str, language: str) -> str:
    return text if language == "en" else _catalogue(language).get(text, text)


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(language: str) -> Mapping[str, str]:
    if language not in LANGUAGES:
        raise Fault(
            "Text was asked for in the language {language}, but there is only {known}; choose one of those.",
            language=ascii(language)[:20], known=", ".join(LANGUAGES),
        )  # fmt: skip
    if language == "en":
        return MappingProxyType({english: english for english in _catalogue("ru")})
    merged: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.toml")):
        merged |= tomllib.loads(file.read_text(encoding="utf-8"))
    return MappingProxyType(merged)
