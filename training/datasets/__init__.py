"""Pictures to learn from. One dataset is one file of this folder, and a new file is found by itself.

    pictures = open_dataset(Source("scenes", side=96))
    batch = pictures.batch(step=0, seed=1, count=64, device="cpu")

A stream is a pure function of (seed, step), so a run that was killed continues with bit-equal batches. Several
processes share one stream by asking for `step * processes + rank`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.datasets._contract import Batch, Dataset, Found, Skipped, Source, Taken, Tells, once, open_dataset

__all__ = ["Batch", "Dataset", "Found", "Skipped", "Source", "Taken", "Tells", "found", "names", "once", "open_dataset"]

CONTRACT = {"Batch", "Dataset", "Found", "Skipped", "Source", "Taken", "Tells", "once", "open_dataset"}


def names() -> tuple[str, ...]:
    """Every dataset file of this folder, without importing any."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def found() -> tuple[Found, ...]:
    """The `FOUND` constant of every dataset file."""
    return tuple(importlib.import_module(f"{__name__}.{name}").FOUND for name in names())


def __getattr__(name: str) -> Any:
    if name in CONTRACT:
        return getattr(importlib.import_module(f"{__name__}._contract"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
