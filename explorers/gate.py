"""One gate around everything that uses the accelerator, whichever way it was called.

Gradio's queue is not enough: a direct `POST /gradio_api/run/<name>`, an event with `queue=False` and a fetched row all
pass beside it. First come, first served; a thread that is inside may enter again; the line is short and patience ends.
What a call may take in all is counted here too (`explorers.call`), so that no way around it exists.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from explorers.call import Call, current
from models.faults import Fault

TICK = 1.0
"""Seconds after which one who waits is asked whether anybody still waits for the answer."""


class Gate:
    """`with gate():` lets one thread in at a time.

    longest:   threads that may wait; one more is refused at once
    patience:  seconds that each of them waits before it is refused
    """

    def __init__(self, longest: int = 32, patience: float = 120.0) -> None:
        self.longest = longest
        self.patience = patience
        self._changed = threading.Condition()
        self._line: deque[object] = deque()
        self._inside: int | None = None
        self._depth = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        call = current()
        self._enter(call)
        try:
            with call.counted() if self._depth == 1 else nullcontext():
                yield
        finally:
            self._leave()

    @property
    def held(self) -> bool:
        """Whether this thread is inside."""
        return self._inside == threading.get_ident()

    @property
    def waiting(self) -> int:
        return len(self._line)

    def _enter(self, call: Call) -> None:
        with self._changed:
            if not self.held:
                call.check()
                self._wait(call)
                self._inside = threading.get_ident()
            self._depth += 1

    def _leave(self) -> None:
        with self._changed:
            self._depth -= 1
            if self._depth == 0:
                self._inside = None
                self._changed.notify_all()

    def _wait(self, call: Call) -> None:
        if len(self._line) >= self.longest:
            raise Fault(
                "A network's pass was asked for, but {waiting} are waiting already; try again in a minute.",
                waiting=len(self._line),
            )
        ticket = object()
        self._line.append(ticket)
        try:
            mine = self._turn(ticket, call)
        finally:
            self._line.remove(ticket)
            self._changed.notify_all()
        if not mine:
            raise Fault(
                "A network's pass was asked for, but it did not get its turn within {seconds} s; try again later.",
                seconds=f"{self.patience:g}",
            )

    def _turn(self, ticket: object, call: Call) -> bool:
        """Whether the turn came before patience ended; raises once nobody waits for the answer."""
        end = time.monotonic() + self.patience
        while (left := end - time.monotonic()) > 0:
            if self._changed.wait_for(lambda: self._inside is None and self._line[0] is ticket, min(TICK, left)):
                return True
            call.check()
        return False


gate = Gate()
"""The process's own."""
