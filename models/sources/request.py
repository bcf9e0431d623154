"""What a source is asked for, beside the name."""

from __future__ import annotations

from dataclasses import dataclass

from models.answers import NOTHING, Answers
from models.download import Progress


@dataclass(frozen=True)
class Request:
    """id: the whole id, for the card. random: untrained weights, drawn from `SEED`. progress: of a download.
    answers: what the reader says of a bare file's weights."""

    id: str
    random: bool = False
    progress: Progress | None = None
    answers: Answers = NOTHING


SEED = 0
"""Of every random twin, so that a picture made from one can be made again."""
