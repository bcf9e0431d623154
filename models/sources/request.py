"""What a source is asked for, beside the name."""

from __future__ import annotations

from dataclasses import dataclass

from models.download import Progress


@dataclass(frozen=True)
class Request:
    """id: the whole id, for the card. random: untrained weights, drawn from `SEED`. progress: of a download."""

    id: str
    random: bool = False
    progress: Progress | None = None


SEED = 0
"""Of every random twin, so that a picture made from one can be made again."""
