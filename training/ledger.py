"""Which runs wait and which learn, as files: whoever reads them knows, and no server need remember anything.

job.json       {"owner", "created", "queued", "wanted", "begun", "process"} in the folder of a run; evaluation-job.json
               likewise for measuring it
.job.lock      held by the process that works, from before it is born to its death, however it dies
.lock          held by whoever learns in the folder, from the page or from a shell
.queue.lock    held, in the folder of all runs, by whoever changes any of this
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from models.card_catalogue import runs_folder
from models.disk import replace_file
from models.faults import Fault
from training.room import full

if os.name == "posix":
    import fcntl

Kind = Literal["job", "evaluation"]


@dataclass(frozen=True)
class Task:
    """Something that a process of its own does for the run in `folder`: learning, or measuring."""

    folder: Path
    kind: Kind = "job"

    @property
    def file(self) -> Path:
        return self.folder / ("job.json" if self.kind == "job" else "evaluation-job.json")

    @property
    def lock(self) -> Path:
        return self.folder / f".{self.kind}.lock"

    def entry(self) -> dict[str, Any]:
        """What job.json says; empty where there is none."""
        return plain(self.file)

    def note(self, **changes: Any) -> None:
        """Changes some of what job.json says; only within `alone()`."""
        try:
            replace_file(self.file, json.dumps(self.entry() | changes).encode())
        except OSError as wrong:
            raise full(wrong, self.folder) from wrong

    def alive(self) -> bool:
        """Whether its process works right now."""
        return held(self.lock) or (self.kind == "job" and held(self.folder / ".lock"))


def tasks() -> list[Task]:
    """Everything that was ever queued."""
    here = runs_folder().glob("[!.]*/*job.json") if runs_folder().is_dir() else []
    return [Task(file.parent, "job" if file.name == "job.json" else "evaluation") for file in sorted(here)]


def waiting() -> list[Task]:
    """The queue, the next one first."""
    queued = [(task.entry().get("queued"), task) for task in tasks()]
    ordered = sorted((moment, str(task.file), task) for moment, task in queued if isinstance(moment, (int, float)))
    return [task for *_, task in ordered]


def turn() -> float:
    """What a task that is queued now notes: the moment, but behind all who wait even where the clock was set back."""
    return max([time.time(), *(task.entry()["queued"] + 1e-3 for task in waiting())])


@contextlib.contextmanager
def alone(wait: bool = True) -> Iterator[None]:
    """Nobody else changes the queue meanwhile. Raises `BlockingIOError` at once where one does and `wait` is off."""
    if os.name != "posix":
        raise Fault("Training from the page needs Linux or macOS; here, run `python -m training` in a shell instead.")
    runs_folder().mkdir(parents=True, exist_ok=True)
    with open(runs_folder() / ".queue.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


@contextlib.contextmanager
def learning_alone(folder: Path) -> Iterator[None]:
    """No second process may learn in this folder; the lock goes with the process, even a killed one."""
    if os.name != "posix":
        yield
        return
    with open(folder / ".lock", "w") as lock:
        for patience in (0.05, 0.1, 0.2, None):  # who only looks holds it for a moment
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as taken:
                if patience is None:
                    raise Fault("The run {name} is learning already; stop it first.", name=folder.name) from taken
                time.sleep(patience)
        yield


def held(lock: Path) -> bool:
    """Whether some process holds this lock; it goes with the process, so numbers that are used again do not matter."""
    if os.name != "posix":
        return False
    try:
        handle = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def take(lock: Path) -> int:
    """The lock, as an open file that a child may inherit and keep; free when the last who has it is gone."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def plain(path: Path) -> dict[str, Any]:
    """A small JSON file; empty where there is none or where it is damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
