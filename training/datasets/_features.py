"""Which columns of a hub dataset hold pictures, classes and captions, by their types."""

from __future__ import annotations

from typing import Any

from models.faults import Fault
from training.datasets._columns import caption_column, column, taken
from training.datasets._contract import Source
from training.datasets._stored import Stored


class Columns:
    """Names of columns; None where there is no such one. classes: in the order of their numbers"""

    def __init__(self, features: Any, source: Source) -> None:
        import datasets

        kinds = dict(features or {})
        pictures = [name for name, kind in kinds.items() if isinstance(kind, datasets.Image)]
        if not pictures:
            raise Fault(
                "Pictures were asked from {name}, but none of its columns holds any ({found}); choose another dataset.",
                name=source.name, found=", ".join(kinds) or "-",
            )  # fmt: skip
        self.picture = pictures[0]
        labels = {name: kind for name, kind in kinds.items() if isinstance(kind, datasets.ClassLabel)}
        self.label = column("label", list(labels)) or next(iter(labels), None)
        self.classes = tuple(labels[self.label].names) if self.label else ()
        texts = [name for name, kind in kinds.items() if getattr(kind, "dtype", None) in ("string", "large_string")]
        self.caption = caption_column(texts, list(kinds), source)
        used = (self.picture, self.label, self.caption)
        self.taken = taken(self.caption, self.label, [name for name in kinds if name not in used])

    def stored(self, row: dict[str, Any], name: str, concept: int = 0) -> Stored:
        cell = row[self.picture] or {}
        data = cell.get("bytes") if cell.get("bytes") is not None else cell.get("path")
        told = row[self.caption] if self.caption else None
        return Stored(cell.get("path") or name, data, self._label(row), told, concept)

    def _label(self, row: dict[str, Any]) -> int | None:
        """-1 stands for an answer that is kept secret."""
        number = row[self.label] if self.label else None
        return None if number is None or number < 0 else number
