"""A hub dataset that is read as it comes, without a copy on the disk and without an end."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from models.faults import Fault
from training.datasets._contract import Batch, Skipped, Source, Split, stream
from training.datasets._features import Columns
from training.datasets._identity import Held, digest
from training.datasets._parts import side_of
from training.datasets._stored import READERS, Stored, attempt, batch_of, nothing_readable

WINDOW = 1000
"""Pictures among which a stream is shuffled."""


ROW = "row of the dataset"
"""A column of its own for a stream, whose rows have no number once they are shuffled."""


class Streamed:
    """A dataset that is read as it comes: going on is cheap, also over the batches of other processes; going back reads
    everything again from the start."""

    length = None

    def __init__(self, source: Source, rows: Any, columns: Columns, cut: Split | None) -> None:
        self.source, self.taken = source, columns.taken
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
        squares = list(
            READERS.map(lambda one: attempt(one, self.source.side, bool(self.classes), self.captioned), stored)
        )
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
            empty = True
            for stored in self._round(None if seed is None else stream(seed, turn) % 2**32):
                empty = False
                yield stored
            if empty:
                raise Fault(
                    "Pictures were asked from {name}, but it has none; choose another dataset.", name=self.source.name
                )
            turn += 1

    def _round(self, seed: int | None) -> Iterator[Stored]:
        """The library shuffles files too, after which a row's number means nothing; a part that is cut out by these
        numbers is read in the stored order and shuffled here."""
        rows = self._rows.map(lambda row, place: {**row, ROW: place}, with_indices=True)
        if self._cut is not None:
            kept = self._kept(self._stored(row) for row in rows)
            yield from kept if seed is None else shuffled(kept, random.Random(seed))
            return
        for row in rows if seed is None else rows.shuffle(seed=seed, buffer_size=WINDOW):
            yield self._stored(row)[1]

    def _stored(self, row: dict[str, Any]) -> tuple[int, Stored]:
        """A row's number, and its picture, which is known by its bytes."""
        stored = self._columns.stored(row, f"{self.source.name}, row {row[ROW]}")
        return row[ROW], replace(stored, concept=int.from_bytes(digest(held(stored))[:8], "little") >> 1)

    def _kept(self, rows: Iterable[tuple[int, Stored]]) -> Iterator[Stored]:
        """Those of the part, by the number of the first row of the same picture."""
        first: dict[int, int] = {}
        for number, stored in rows:
            decides = first.setdefault(stored.concept, number) if stored.concept else number
            if (side_of(f"row {decides}") == "validation") == (self._cut == "validation"):
                yield stored


def held(stored: Stored) -> Held:
    """Bytes are compared where there are any, a path else."""
    if isinstance(stored.data, bytes):
        return memoryview(stored.data)
    return Path(stored.data) if isinstance(stored.data, str) else None


def shuffled(pictures: Iterable[Stored], chance: random.Random) -> Iterator[Stored]:
    """Within a window: each comes out in the place of one that came in later."""
    window: list[Stored] = []
    for picture in pictures:
        if len(window) < WINDOW:
            window.append(picture)
            continue
        place = chance.randrange(WINDOW)
        window[place], picture = picture, window[place]
        yield picture
    chance.shuffle(window)
    yield from window
