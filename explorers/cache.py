"""A bounded cache in which two who ask for the same thing at once wait for one making of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from types import NoneType
from typing import Generic, TypeVar
from weakref import WeakSet

from explorers.call import Ended
from models.faults import Fault

V = TypeVar("V")

_all: WeakSet[Cache] = WeakSet()
_others: list[Callable[[], None]] = []


def also(clear: Callable[[], None]) -> None:
    """Something else that is kept for visitors and can be let go: `clear` forgets it."""
    _others.append(clear)


def clear_all() -> None:
    """Forget all that this process keeps for anybody, such as when memory has run out."""
    for clear in (*(cache.clear for cache in list(_all)), *_others):
        clear()


class Cache(Generic[V]):
    """Keeps what was made until newer things need the room; the least recently used goes first, the newest stays.

    limit:    bytes, on the sum of `measure(value)`
    measure:  bytes that a value holds
    most:     number of values
    """

    def __init__(self, limit: int, measure: Callable[[V], int], most: int = 256) -> None:
        self.limit = limit
        self.most = most
        self._measure = measure
        self._kept: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._made: dict[Hashable, Future[V]] = {}
        self._lock = threading.Lock()
        _all.add(self)

    def get(self, key: Hashable, make: Callable[[], V], alone: bool = False) -> V:
        """The value kept under `key`, or `make()`. With `alone` the caller makes it rather than wait for another
        thread that does: for those who hold what the other needs."""
        while True:
            mine: Future[V] = Future()
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key][0]
                other = self._made.setdefault(key, mine)
            if other is mine or alone:
                return self._make(key, make, mine)
            fault = other.exception()
            if isinstance(fault, Ended) or not isinstance(fault, (NoneType, Fault)):
                continue  # the other was stopped half way, which is no answer to this caller
            return other.result()

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def forget(self, key: Hashable) -> None:
        """Let one value go, if it is kept."""
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

    def _make(self, key: Hashable, make: Callable[[], V], mine: Future[V]) -> V:
        try:
            value = make()
        except BaseException as fault:
            self._settle(key, mine)
            mine.set_exception(fault)
            raise
        size = self._measure(value)
        with self._lock:
            self._kept[key] = (value, size)
            self._kept.move_to_end(key)
            while len(self._kept) > self.most or (self.bytes > self.limit and len(self._kept) > 1):
                self._kept.popitem(last=False)
        self._settle(key, mine)
        mine.set_result(value)
        return value

    def _settle(self, key: Hashable, mine: Future[V]) -> None:
        with self._lock:
            if self._made.get(key) is mine:
                del self._made[key]
