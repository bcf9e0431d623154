"""What the page asks about a gallery: whether it is indexed, how far the indexing is, and its thumbnails.

Indexing runs beside the requests that ask for it. Readers of the same gallery share it, and it stops when somebody
stops it or when nobody has asked for a while.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from explorers import delivery
from explorers.beginnings import GalleryName, beginning, readers
from explorers.bundle import pack
from explorers.call import Stopped, calling
from explorers.desk_facts import desk_facts
from explorers.explorer import Sentence
from explorers.gallery_index import index_of
from explorers.gallery_words import facts_of
from explorers.learnt import page_facts
from explorers.parameters import Parameters, parameter
from explorers.permalink import from_query
from explorers.traces import Traced
from models.backbone import ZeroShot
from models.faults import Fault
from models.gallery_store import Index

if TYPE_CHECKING:
    from explorers.frame import Desk

PATIENCE = 30.0
"""Seconds without a question after which nobody is thought to wait any more."""

AT_ONCE = 0.15
"""Seconds within which an index that is there already is answered with the first question."""

MOST = 4
"""Galleries that are indexed at a time."""


class Wanted(Parameters):
    """A gallery, and what is to be done about its index."""

    gallery: GalleryName = parameter("shapes", title="Gallery")
    folder: str = parameter("", title="Folder")
    act: Literal["start", "look", "stop"] = parameter("look", title="Index")


def opening(desk: Desk, seen: Traced, offers: Mapping[str, str]) -> dict[str, Any]:
    """Facts of the desk, and where the page asks: `index` and the explorer's own `offers`."""
    return {
        **desk_facts(seen), "reads": isinstance(seen.backbone, ZeroShot), "able": readers(),
        "usual": beginning(desk.checkpoint).gallery, "learnt": page_facts(desk.checkpoint, desk.file),
        "local": os.environ.get("PATCHLIGHT_PUBLIC") != "1",
        "index": delivery.offer(lambda values: state(desk, from_query(Wanted, values))), **offers,
    }  # fmt: skip


def state(desk: Desk, wanted: Wanted) -> bytes:
    """{"state": "none"}, {"state": "making", "here", "whole", "seconds"}, or {"state": "ready"} with the gallery's
    facts. What made the indexing fail is raised once."""
    key = (desk.checkpoint, desk.side, wanted.gallery, wanted.folder)
    with _lock:
        job = _jobs.get(key)
        if wanted.act == "start" and job is None:
            job = _jobs[key] = _begin(*key)
    if job is None:
        return pack({"state": "none"}, {})
    if wanted.act == "stop":
        job.halt.set()
        job.done.wait(PATIENCE)
    told = job.told(AT_ONCE if wanted.act == "start" else 0.0)
    if job.done.is_set():
        with _lock:
            _jobs.pop(key, None)
    if isinstance(told, BaseException):
        raise told
    return pack(told, {})


def thumbnails(index: Index, pictures: Sequence[int]) -> dict[str, np.ndarray]:
    """JPEG files one after another, uint8, and where each starts, for the page's scripts."""
    files = [index.thumbnail(picture) for picture in pictures]
    starts = np.cumsum([0, *map(len, files)], dtype=np.int32)
    return {"thumbnails": np.frombuffer(b"".join(files), np.uint8), "starts": starts}


def spoken(caption: Sequence[Sentence]) -> list[dict[str, Any]]:
    """A caption for the page, which says it in the reader's language."""
    return [{"template": one.template, "facts": dict(one.facts)} for one in caption]


class Halted(Exception):
    """Indexing was stopped by one reader, which is no answer to others who wait for the same index."""


class Job:
    """One indexing on a thread of its own."""

    def __init__(self, make: Callable[[Callable[[int, int], None]], dict[str, Any]]) -> None:
        self.halt, self.done = threading.Event(), threading.Event()
        self._make, self._answer = make, None
        self._far, self._start = (0, 0), time.monotonic()
        self._asked = self._start
        run = copy_context().run  # for whom it is made goes along
        threading.Thread(target=run, args=(self._run,), daemon=True, name="patchlight gallery").start()

    def told(self, wait: float) -> dict[str, Any] | BaseException:
        """How far it is after at most `wait` seconds, or what came of it."""
        self._asked = time.monotonic()
        if self.done.wait(wait):
            assert self._answer is not None
            return self._answer
        here, whole = self._far
        return {"state": "making", "here": here, "whole": whole, "seconds": time.monotonic() - self._start}

    def _run(self) -> None:
        try:
            with calling(self._left):
                self._answer = {"state": "ready", **self._make(self._progress)}
        except (Halted, Stopped):
            self._answer = {"state": "none"}
        except BaseException as wrong:  # noqa: BLE001  raised again where it is asked for
            self._answer = wrong
        finally:
            self.done.set()

    def _progress(self, here: int, whole: int) -> None:
        self._far = (here, whole)
        if self._left():
            raise Halted

    def _left(self) -> bool:
        return self.halt.is_set() or time.monotonic() - self._asked > PATIENCE


def _begin(checkpoint: str, side: int | None, name: GalleryName, place: str) -> Job:
    running = sum(not job.done.is_set() for job in _jobs.values())
    if running >= MOST:
        raise Fault(
            "A gallery was to be indexed, but {running} others are under way; wait for them, or stop one.",
            running=running,
        )
    return Job(lambda progress: facts_of(index_of(checkpoint, name, place, side, progress)))


_jobs: dict[tuple, Job] = {}
_lock = threading.Lock()
