"""What stays of a run for those who look on: its network on a logarithmic schedule, and the network of this minute.

    snapshots/step-00000011/    a checkpoint folder as `models.weights.save` writes it, opened as `run/<name>@11`;
                                shown.safetensors beside it, where the objective shows something
    model.safetensors …         in the run's own folder: the newest network, opened as `run/<name>`

Learning changes fast at first and slowly later, so snapshots stand at steps 0, 1, 2, 3, 4, 6, 8, 11, 16 …, round(√2ᵏ).
Nothing here needs torch: who only lists runs does not wait for it.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from models.disk import flush, taken

SHARE = 0.02
"""Largest share of the time that writing the newest network may take."""

OFTEN = 2.0
"""Seconds between two writes of the newest network where they cost little."""

BUDGET = 0.5
"""Largest share of a run's disk budget that snapshots may take; the rest is for checkpoints."""

Write = Callable[[Path], None]


def due(step: int) -> bool:
    """Whether the network after `step` updates is kept for good."""
    if step < 2:
        return step >= 0
    power = round(2 * math.log2(step))
    return any(round(2 ** (near / 2)) == step for near in (power - 1, power, power + 1))


def kept(folder: Path) -> tuple[int, ...]:
    """Steps after which the run in `folder` can be opened, snapshots and checkpoints together, in order."""
    return tuple(sorted({int(place.name[5:]) for place in _places(folder, "*")}))


def place(folder: Path, step: int) -> Path | None:
    """The checkpoint folder of the run in `folder` after `step` updates."""
    return next(iter(_places(folder, f"{step:08d}")), None)


def live(folder: Path) -> int | None:
    """After how many updates the network in the run's own folder was written; None where there is none."""
    try:
        with open(folder / "model.safetensors", "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        return int(header["__metadata__"]["step"])
    except (OSError, ValueError, KeyError):
        return None


def _places(folder: Path, step: str) -> list[Path]:
    found = [*folder.glob(f"snapshots/step-{step}/config.json"), *folder.glob(f"checkpoints/step-{step}/config.json")]
    return [config.parent for config in found if config.parent.name[5:].isdecimal()]


class Snapshots:
    """Writes snapshots of the run in `folder`, within a share of its disk budget in megabytes."""

    def __init__(self, folder: Path, disk: float) -> None:
        self.run, self.folder = folder, folder / "snapshots"
        self.budget = BUDGET * disk * 1e6
        self._rest_until = -math.inf

    def look(self, step: int, network: Write, shown: Write, last: bool = False) -> None:
        """Called after each update, and before the first: writes what is due, `network` and `shown` into the folder
        that they are given, or only the newest network where it is old. last: nothing comes after it."""
        start = time.monotonic()
        if due(step) or last:
            self._keep(step, network, shown)
            self._publish(self._place(step))
        elif start >= self._rest_until:
            network(self.run)
        else:
            return
        end = time.monotonic()
        self._rest_until = end + max(OFTEN, (end - start) / SHARE)

    def rewind(self, step: int) -> None:
        """Drops what a killed session wrote after its last checkpoint, at `step`, and what it left half-written."""
        for folder in self.folder.glob("step-*"):
            if int(folder.name[5:]) > step:
                shutil.rmtree(folder)
        for folder in self.folder.glob(".step-*"):
            shutil.rmtree(folder)
        for file in [*self.run.glob(".*.new"), *self.run.glob(".model.safetensors.*")]:
            file.unlink(missing_ok=True)

    def _keep(self, step: int, network: Write, shown: Write) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f".step-{step:08d}"
        shutil.rmtree(beside, ignore_errors=True)
        try:
            beside.mkdir()
            network(beside)
            shown(beside)
            self._make_room(taken(beside))
            shutil.rmtree(self._place(step), ignore_errors=True)
            os.replace(beside, self._place(step))
            flush(self.folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _publish(self, place: Path) -> None:
        """The same files in the run's own folder, without a second copy of the bytes where the disk can."""
        for path in sorted(place.iterdir(), key=lambda path: path.name == "config.json"):
            beside = self.run / f".{path.name}.new"
            beside.unlink(missing_ok=True)
            try:
                os.link(path, beside)
            except OSError:
                shutil.copyfile(path, beside)
            os.replace(beside, self.run / path.name)

    def _make_room(self, size: int) -> None:
        """Lets snapshots go until one more of `size` bytes fits: each time the one whose neighbours are nearest."""
        steps = sorted(int(folder.name[5:]) for folder in self.folder.glob("step-*"))
        while len(steps) > 2 and (len(steps) + 1) * size > self.budget:
            shutil.rmtree(self._place(steps.pop(_crowded(steps))))

    def _place(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"


def _crowded(steps: Sequence[int]) -> int:
    """Index of the step, neither first nor last, whose neighbours are nearest on the schedule."""
    return min(range(1, len(steps) - 1), key=lambda at: (steps[at + 1] + 1) / (steps[at - 1] + 1))
