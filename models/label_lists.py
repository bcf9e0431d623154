"""Class names and templates that people have agreed on, `assets/prompts`. Nothing heavy is imported."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "prompts"


@cache
def imagenet_templates() -> tuple[str, ...]:
    """The 80 templates that CLIP's authors tried on ImageNet; see the file's README for its licence."""
    return tuple((FOLDER / "imagenet_templates.txt").read_text(encoding="utf-8").splitlines())


@cache
def presets() -> dict[str, tuple[str, ...]]:
    """Lists of class names by name."""
    files = sorted((FOLDER / "labels").glob("*.txt"))
    return {file.stem: tuple(file.read_text(encoding="utf-8").splitlines()) for file in files}


def wordings(label: str) -> tuple[str, ...]:
    """A label and other ways of saying it: synonyms and descriptions of the whole, or of one of its words at a time,
    and each word alone. The label comes first, none comes twice."""
    known = _substitutes()
    words = label.split()
    one_changed = [
        " ".join([*words[:at], other, *words[at + 1 :]])
        for at, word in enumerate(words)
        for other in known.get(word.lower(), ())
    ]
    return tuple(dict.fromkeys([label, *known.get(label.lower(), ()), *one_changed, *words]))


@cache
def _substitutes() -> dict[str, tuple[str, ...]]:
    told = tomllib.loads((FOLDER / "wordings.toml").read_text(encoding="utf-8"))
    return {word: tuple(others) for table in told.values() for word, others in table.items()}
