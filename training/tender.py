"""Starts what waits, one at a time, each in a process of its own that outlives the server which started it.

Any number of servers may tend the same folder of runs. A job is told to be gone by its lock, which the system frees
when the process dies; the next look then starts the next one.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from models.card_catalogue import runs_folder
from models.faults import Fault
from models.visitor import NOBODY, VARIABLE, owner_of, visitor
from training.arguments import DRAWN
from training.job import UNMEASURED
from training.ledger import Task, alone, plain, take, tasks, waiting

ROOT = Path(__file__).resolve().parent.parent

NICE = 5
"""How far a job steps back for the page, so that sliders stay smooth while it learns; PATCHLIGHT_TRAINING_NICE, from 0
to 19, says otherwise."""

EVERY = 0.5
"""Seconds between two looks."""

_children: list[subprocess.Popen[bytes]] = []
"""Those that this process started, so that the system may forget them when they have ended."""


def tend() -> None:
    """Looks once: starts the next one where nothing works. Does nothing where somebody else is looking."""
    _children[:] = [child for child in _children if child.poll() is None]
    if not runs_folder().is_dir():
        return
    with contextlib.suppress(BlockingIOError), alone(wait=False):
        queue = waiting()
        if queue and not any(task.alive() for task in tasks()):
            _start(queue[0])


class Tender(threading.Thread):
    """Tends for as long as the server lives."""

    def __init__(self) -> None:
        super().__init__(name="tender", daemon=True)
        self._enough = threading.Event()

    def run(self) -> None:
        while not self._enough.wait(EVERY):
            with contextlib.suppress(Fault, OSError):  # a full disk now may have room at the next look
                tend()

    def stop(self) -> None:
        """Stops looking; what learns goes on."""
        self._enough.set()
        self.join()


def _start(task: Task) -> None:
    """The child inherits the lock that is taken here, so there is no moment in which nobody knows of it."""
    lock = take(task.lock)
    try:
        task.note(queued=None, wanted="run", begun=time.time(), process=None)
        if task.kind == "evaluation":
            (task.folder / UNMEASURED).unlink(missing_ok=True)  # why an earlier one failed
        with open(task.folder / "output.txt", "ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "training", *command(task)], env=surroundings(owner_of(task.folder) or NOBODY),
                start_new_session=True, pass_fds=(lock,), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        _children.append(child)
        task.note(process=child.pid)
    finally:
        os.close(lock)


def command(task: Task) -> list[str]:
    """What follows `python -m training`."""
    name, back = task.folder.name, ["--nice", nice()]
    if task.kind == "job":
        return ["resume", name, *back]
    made = plain(task.folder / "settings.json")
    told = [f"--{word.replace('_', '-')}={made[word]}" for word in ("images", *DRAWN) if made.get(word)]
    return ["evaluate", f"run/{name}", *told, "--out", str(task.folder.resolve() / "evaluation.json"), *back]


def nice() -> str:
    return os.environ.get("PATCHLIGHT_TRAINING_NICE", str(NICE))


def surroundings(owner: str | None = None) -> dict[str, str]:
    """The same environment, with this code found wherever the server was started, and no progress bars in a file; the
    process may know what `owner` may, else what who asks may."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {
        **os.environ,
        VARIABLE: visitor() if owner is None else owner,
        "PYTHONPATH": path,
        "TQDM_DISABLE": "1",
        "PYTHONUNBUFFERED": "1",
    }
