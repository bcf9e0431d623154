"""Class names and templates that people have agreed on, `assets/prompts`. Nothing heavy is imported."""

from __future__ import annotations

from functools import cache
from pathlib import Path

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
