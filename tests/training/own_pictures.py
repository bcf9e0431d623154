"""Pictures of one grey value each, as people keep them: in folders, in tables, as bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from training.datasets import Batch, Dataset, Source, open_dataset

PARTS = ("train", "validation", "test")


def grey(number: int) -> bytes:
    """A plain PNG whose grey value is its number."""
    held = io.BytesIO()
    Image.new("RGB", (24, 30), (number, number, number)).save(held, "PNG")
    return held.getvalue()


def laid(folder: Path, pictures: dict[str, int]) -> None:
    """Pictures by their paths in `folder`."""
    for name, number in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(grey(number))


def opened(path: Path | str, split: str = "train", **asked: Any) -> Dataset:
    need = asked.pop("need", None)
    return open_dataset(Source(str(path), side=16, split=split, **asked), need=need)  # pyright: ignore[reportArgumentType]


def whole(dataset: Dataset) -> Batch:
    """Everything of a finite set once, in stored order."""
    return dataset.batch(0, seed=None, count=dataset.length or 0, device="cpu")


def greys(batch: Batch) -> list[int]:
    return (batch.images[:, 0, 0, 0] * 255).round().int().tolist()


def sides(path: Path | str, parts: Iterable[str] = PARTS) -> dict[str, set[int]]:
    """Grey values of each part."""
    return {part: set(greys(whole(opened(path, part)))) for part in parts}
