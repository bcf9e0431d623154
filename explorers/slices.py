"""Long work in slices: between two of them the gate is free, so that nobody waits for all of another's work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from explorers.call import current
from explorers.gate import gate

SLICE = 2.0
"""Seconds that a slice aims at."""

GROWTH = 4
"""A slice has at most as many times the items of the one before: what a single one takes, cold, says little."""

T = TypeVar("T")
R = TypeVar("R")


class Slices:
    """Cuts work on `total` items, which may come in several groups, by what each item was seen to take.

    most:  items of one slice, such as a batch that fits into memory
    """

    def __init__(self, most: int, total: int) -> None:
        self.most, self.left, self.size = most, total, 1

    def __call__(self, items: Sequence[T], act: Callable[[Sequence[T]], R]) -> Iterator[R]:
        """`act` of some items after the other, each time inside the gate. Raises `Fault` as soon as it can be foreseen
        that the call cannot afford what is left, and `Stopped` when nobody waits for it."""
        start = 0
        while start < len(items):
            some = items[start : start + self.size]
            with gate():
                begun = time.perf_counter()
                made = act(some)
                pace = (time.perf_counter() - begun) / len(some)
            start += len(some)
            self._next(len(some), pace)
            yield made

    def _next(self, done: int, pace: float) -> None:
        self.left -= done
        call = current()
        call.check(self.left * pace if call.spent > SLICE else 0.0)
        self.size = max(1, min(self.most, GROWTH * self.size, int(SLICE / max(pace, 1e-6))))
