"""Long work for one reader of the page: it runs beside, tells how far it is, and can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import copy_context
from typing import Any

from explorers.call import Stopped, calling
from explorers.delivery import told
from models.faults import Fault

TICK = 0.2
"""Seconds between two looks at work that is under way."""


class Work:
    """Runs `job(progress)` on a thread of its own; `progress(here, whole)` in bytes raises once the work is stopped.

    What the job gives to `foresee` is told at once: what it is about to do, and how long that will take.
    """

    def __init__(self, job: Callable[[Callable[[int, int], None]], Mapping[str, Any]]) -> None:
        self._job = job
        self._stop = threading.Event()
        self._done = threading.Event()
        self._news = threading.Event()
        self._bytes = (0, 0)
        self._foreseen: Mapping[str, Any] | None = None
        self._answer: dict[str, Any] = {}
        self._bug: BaseException | None = None
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run,), daemon=True, name="patchlight work"
        )

    def watched(self) -> Iterator[dict[str, Any]]:
        """{"busy": {"here", "whole", "seconds", "foreseen"}} every `TICK`, then {"made": …} or {"fault": …}."""
        start = time.monotonic()
        self._thread.start()
        while self._waits():
            here, whole = self._bytes
            seconds = round(time.monotonic() - start, 1)
            yield {"busy": {"here": here, "whole": whole, "seconds": seconds, "foreseen": self._foreseen}}
        if self._bug is not None:
            raise self._bug
        yield self._answer

    def stop(self) -> None:
        self._stop.set()

    def foresee(self, facts: Mapping[str, Any]) -> None:
        """For the job: what is known before the long part of it begins."""
        self._foreseen = facts
        self._news.set()

    def _waits(self) -> bool:
        """False once the job is done; True after a `TICK`, or as soon as something was foreseen."""
        self._news.wait(TICK)
        self._news.clear()
        return not self._done.is_set()

    def _run(self) -> None:
        try:
            with calling(self._stop.is_set):
                self._answer = {"made": self._job(self._progress)}
        except Fault as fault:
            self._answer = told(fault)
        except BaseException as bug:  # noqa: BLE001  a bug keeps its traceback: it is raised again where it is watched
            self._bug = bug
        finally:
            self._done.set()
            self._news.set()

    def _progress(self, here: int, whole: int) -> None:
        if self._stop.is_set():
            raise Stopped
        self._bytes = (here, whole)
