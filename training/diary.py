"""What a run tells those who look on, as files that any of them may read at any moment.

metrics.jsonl    one line a step: step, loss, every figure, seen, seconds, speed, rate, memory
status.json      {"state", "step", "share", "seen", "seconds", "process", "processes", "begun", "heartbeat", "sentence",
                 "template", "facts"}; begun: which start this is, as job.json has it
log.txt          what happened, with times
skipped.txt      pictures that could not be read, if any

With several processes only the first one writes.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from models.faults import Fault
from models.weights import replace_file
from training.datasets import Skipped
from training.engine import Progress
from training.gather import processes, rank
from training.ledger import Task

HEARTBEAT = 1.0
"""Seconds between updates of status.json."""


@dataclass(frozen=True)
class Diary:
    """Of the run in `folder`."""

    folder: Path

    @property
    def status(self) -> dict[str, Any]:
        """What status.json says; a run that died says `running` with an old heartbeat."""
        path = self.folder / "status.json"
        return json.loads(path.read_text()) if path.exists() else {"state": "stopped", "step": 0, "seconds": 0.0}

    @property
    def skipped(self) -> tuple[str, ...]:
        """A line a picture that could not be read, by name and reason, over all sessions of the run."""
        path = self.folder / "skipped.txt"
        return tuple(path.read_text(encoding="utf-8").splitlines()) if path.exists() else ()

    @contextlib.contextmanager
    def session(self, before: float) -> Iterator[Session]:
        """Writes step after step, until it is left; `before`: seconds that earlier sessions took."""
        with open(self.folder / "metrics.jsonl", "a", encoding="utf-8") as metrics:
            yield Session(self, metrics, before)

    def note(
        self, state: str, fault: Fault | None = None, progress: Progress | None = None, seconds: float | None = None
    ) -> None:
        """Writes status.json; without `progress` or `seconds` those that stood there stay."""
        old = self.status
        said = {
            "state": state,
            "step": progress.step if progress else old["step"],
            "share": progress.share if progress else old.get("share", 0.0),
            "seen": progress.seen if progress else old.get("seen", 0),
            "seconds": old["seconds"] if seconds is None else seconds,
            "process": os.getpid(),
            "processes": processes(),
            "begun": Task(self.folder).entry().get("begun"),
            "heartbeat": time.time(),
            "sentence": "" if fault is None else str(fault),
            "template": "" if fault is None else fault.template,
            "facts": {} if fault is None else {name: str(fact) for name, fact in fault.facts.items()},
        }
        if rank() == 0:
            with contextlib.suppress(OSError):  # a full disk must not hide the sentence that says so
                replace_file(self.folder / "status.json", json.dumps(said).encode())

    def log(self, sentence: str) -> None:
        if rank() == 0:
            with contextlib.suppress(OSError), open(self.folder / "log.txt", "a", encoding="utf-8") as log:
                log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {sentence}\n")

    def rewind(self, step: int) -> None:
        """Drops lines of metrics.jsonl that a killed session wrote after the checkpoint, and a half-written one."""
        path = self.folder / "metrics.jsonl"
        if path.exists() and rank() == 0:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            replace_file(path, "".join(lines[:step]).encode())

    def list_skipped(self, skipped: Iterable[Skipped]) -> None:
        fresh = [f"{entry.picture}\t{entry.reason}".replace("\n", " ") for entry in skipped]
        if fresh and rank() == 0:
            lines = tuple(dict.fromkeys((*self.skipped, *fresh)))
            replace_file(self.folder / "skipped.txt", "".join(f"{line}\n" for line in lines).encode())
            self.log(f"pictures skipped: {len(lines)}, listed in skipped.txt")


class Session:
    """From a start to the next stop: the lines of its steps, and a heartbeat."""

    def __init__(self, diary: Diary, metrics: TextIO, before: float) -> None:
        self.diary, self.metrics = diary, metrics
        self._begun, self._beat = time.monotonic() - before, -math.inf

    @property
    def seconds(self) -> float:
        """Learnt so far, all sessions together."""
        return time.monotonic() - self._begun

    def write(self, progress: Progress) -> None:
        if rank():
            return
        seconds = self.seconds
        line = {
            "step": progress.step, "loss": progress.loss, **progress.figures, "seen": progress.seen,
            "seconds": round(seconds, 3), "rate": progress.rate, "speed": round(progress.speed, 2),
            "memory": progress.memory,
        }  # fmt: skip
        self.metrics.write(json.dumps(line) + "\n")
        self.metrics.flush()
        if time.monotonic() - self._beat > HEARTBEAT:
            self._beat = time.monotonic()
            self.diary.note("running", None, progress, seconds)
