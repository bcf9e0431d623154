"""What was measured of a bundled network on pictures that nobody tuned on, as it lies beside its weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from models.card_catalogue import bundled_folder


@dataclass(frozen=True)
class Measured:
    """pictures: what it learnt from ("shapes", "scenes"); language: of its captions; figures: name to value, 95 %
    interval (low, high) and baseline, all shares in [0, 1] for accuracies."""

    pictures: str
    language: str
    figures: dict[str, dict[str, float]]

    def starting(self, words: str) -> tuple[str, dict[str, float]] | None:
        """The first figure whose name begins with `words`, and its name."""
        return next(((name, figure) for name, figure in self.figures.items() if name.startswith(words)), None)

    def ending(self, words: str) -> tuple[str, dict[str, float]] | None:
        return next(((name, figure) for name, figure in self.figures.items() if name.endswith(words)), None)


def measured(checkpoint: str) -> Measured | None:
    """Of a bundled checkpoint's id; None where nobody measured it."""
    source, _, name = checkpoint.partition("/")
    file = bundled_folder() / name / "figures.json"
    if source != "bundled" or "?" in name or not file.is_file():
        return None
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    figures = {figure["name"]: figure for figure in told["figures"]}
    return Measured(told["recipe"]["images"], told["recipe"]["language"], figures)
