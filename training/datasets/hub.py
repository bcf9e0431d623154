"""Datasets of the Hugging Face hub by name, `hub/<owner>/<name>` or `hub/<owner>/<name>:<configuration>`.

The picture, class and caption columns are found by their types. Streaming reads as it goes, without a copy on the disk,
and shuffles within a window of a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch

from models.faults import Fault
from training.datasets._contract import Batch, Dataset, Found, Skipped, Source, stream
from training.datasets._stored import READERS, Pictures, Stored, attempt, batch_of, nothing_readable
from training.datasets.folder import SPLIT_FOLDERS, side_of
from training.datasets.table import caption_column, column

NAMED = {"cifar10": "uoft-cs/cifar10", "fashion-mnist": "zalando-datasets/fashion_mnist"}
"""Two sets that everybody knows, by the names that everybody uses."""

WINDOW = 1000
"""Pictures among which a stream is shuffled."""


def address(name: str) -> tuple[str, str | None]:
    """Name on the hub and configuration."""
    owner, _, configuration = NAMED.get(name, name.removeprefix("hub/")).partition(":")
    return owner, configuration or None


def load(source: Source) -> dict[str, Any]:
    """Every split of the set, as the `datasets` library gives it. Raises `Fault` where it cannot be had."""
    import datasets  # half a second, and only these sets need it
    from datasets.exceptions import DatasetsError

    name, configuration = address(source.name)
    try:
        parts = datasets.load_dataset(name, configuration, streaming=source.streaming)
    except (OSError, ValueError, DatasetsError) as problem:
        raise Fault(
            "Dataset {name} was asked of the hub, but it cannot be had ({reason}); "
            "check its name and the network, or give a folder of pictures.",
            name=name, reason=" ".join(str(problem).split()).removesuffix("."),
        ) from problem  # fmt: skip
    return {str(part): rows for part, rows in parts.items()}


class Columns:
    """Which columns of a hub dataset hold pictures, classes and captions, by their types."""

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
        self.caption = caption_column(texts, source)

    def stored(self, row: dict[str, Any], name: str) -> Stored:
        cell = row[self.picture] or {}
        data = cell.get("bytes") if cell.get("bytes") is not None else cell.get("path")
        told = row[self.caption] if self.caption else None
        return Stored(cell.get("path") or name, data, row[self.label] if self.label else None, told)


def open_hub(source: Source) -> Dataset:
    """One split; where the set has no validation of its own, one picture in ten is taken from its training part."""
    import datasets

    parts = load(source)
    own = next((parts[name] for name in SPLIT_FOLDERS[source.split] if name in parts), None)
    validated = any(name in parts for name in SPLIT_FOLDERS["validation"])
    whole = own if own is not None else parts.get("train") if source.split == "validation" else None
    if whole is None:
        raise Fault(
            "The {split} part of {name} was asked for, but it has only {found}; choose one of those.",
            split=source.split, name=source.name, found=", ".join(parts),
        )  # fmt: skip
    columns = Columns(whole.features, source)
    rows = whole.cast_column(columns.picture, datasets.Image(decode=False))
    cut = source.split if not validated and source.split != "test" else None
    if source.streaming:
        return Streamed(source, rows, columns, cut)
    if cut:
        rows = rows.select([row for row in range(len(rows)) if _falls(row, cut)])
    if not len(rows):
        raise Fault("Pictures were asked from {name}, but it has none; choose another dataset.", name=source.name)
    read = lambda index: columns.stored(rows[index], f"{source.name}, row {index}")  # noqa: E731
    return Pictures(source, len(rows), read, columns.classes, columns.caption is not None)


def _falls(row: int, cut: str | None) -> bool:
    return (side_of(f"row {row}") == "validation") == (cut == "validation")


ROW = "row of the dataset"
"""A column of its own for a stream, whose rows have no number once they are shuffled."""


class Streamed:
    """A dataset that is read as it comes: going on is cheap, also over the batches of other processes; going back reads
    everything again from the start."""

    length = None

    def __init__(self, source: Source, rows: Any, columns: Columns, cut: str | None) -> None:
        self.source = source
        self.classes = columns.classes
        self.captioned = columns.caption is not None
        self._rows, self._columns, self._cut = rows, columns, cut
        self._skipped: dict[str, Skipped] = {}
        self._way: tuple[int | None, int] | None = None
        self._next = 0
        self._pictures: Iterator[Stored] = iter(())

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return tuple(self._skipped.values())

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        """The `step`-th batch. An unreadable picture is replaced by the next readable one of the same batch."""
        if self._way != (seed, count) or step < self._next:
            self._way, self._next, self._pictures = (seed, count), 0, self._rounds(seed)
        passed = (step - self._next) * count
        stored = list(islice(self._pictures, passed, passed + count))
        self._next = step + 1
        squares = list(READERS.map(lambda one: attempt(one, self.source.side, self.captioned), stored))
        self._skipped |= {square.picture: square for square in squares if isinstance(square, Skipped)}
        good = [index for index, square in enumerate(squares) if not isinstance(square, Skipped)]
        if not good:
            raise nothing_readable(self.source, self.skipped)
        shown = [next((g for g in good if g >= index), good[0]) for index in range(count)]
        pictures = torch.stack([squares[index] for index in shown]).to(device)  # pyright: ignore[reportArgumentType]
        return batch_of(pictures, [stored[index] for index in shown], bool(self.classes), self.captioned)

    def _rounds(self, seed: int | None) -> Iterator[Stored]:
        """The set over and over, each round in an order of its own."""
        turn = 0
        while True:
            rows = self._rows.map(lambda row, place: {**row, ROW: place}, with_indices=True)
            if self._cut is not None:
                rows = rows.filter(lambda row: _falls(row[ROW], self._cut))
            if seed is not None:
                rows = rows.shuffle(seed=stream(seed, turn) % 2**32, buffer_size=WINDOW)
            empty = True
            for row in rows:
                empty = False
                yield self._columns.stored(row, f"{self.source.name}, row {row[ROW]}")
            if empty:
                raise Fault(
                    "Pictures were asked from {name}, but it has none; choose another dataset.", name=self.source.name
                )
            turn += 1


FOUND = Found(
    name="hub/<owner>/<name>",
    about="A dataset of the Hugging Face hub by its name; cifar10 and fashion-mnist are short for two of them.",
    claims=lambda name: name.startswith("hub/") or name in NAMED,
    opens=open_hub,
    reads=("captions", "streaming"),
)
