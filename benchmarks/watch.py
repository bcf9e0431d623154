"""What it costs to be looked at: snapshots, the newest network and meters, beside the steps of the same default run.

Processor time, which other processes disturb least, of what one run does: its steps, and within and between them the
meters (what an objective computes beside its loss), snapshots and writes of the newest network. The last columns are
shares of a whole run of 2,000 steps: its 24 snapshots, and a write as often as `training.snapshots` allows.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

import training.objectives.clip as clip
import training.objectives.dino as dino
import training.objectives.mae as mae
import training.objectives.simclr as simclr
from benchmarks.measure import table
from training.recipe import Recipe
from training.run import open_run
from training.settings import Settings
from training.snapshots import OFTEN, SHARE, Snapshots, due

STEPS = 8
FIRST = 2
"""Steps that are not counted: they open files and allocate."""

ROOMS = (clip, dino, mae, simclr)

OBJECTIVES = ("mae", "clip", "simclr", "dino")


def measure() -> str:
    rows = [_row(name) for name in os.environ.get("PATCHLIGHT_OBJECTIVES", ",".join(OBJECTIVES)).split(",")]
    head = ["", "step, ms", "snapshot, ms", "newest network, ms", "snapshots and newest", "meters", "all"]
    return table(head, rows)


def _row(objective: str) -> list[str]:
    made = Recipe(objective, images="shapes", settings={"device": "cpu", "keep_every": 10**6})
    looks: list[tuple[bool, float]] = []
    meters: list[float] = []
    steps: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, _runs(folder), _timed(looks), _metered(meters):
        learning = open_run(objective, made).learn()
        for _ in range(STEPS):
            looks_before, meters_before = sum(seconds for _, seconds in looks), sum(meters)
            start = time.process_time()
            next(learning)
            spent = time.process_time() - start - (sum(seconds for _, seconds in looks) - looks_before)
            steps.append((spent, sum(meters) - meters_before))
        learning.close()
    step, metered = (statistics.median(column) for column in zip(*steps[FIRST:], strict=True))
    snapshot, newest = (statistics.median([seconds for kind, seconds in looks if kind is way]) for way in (True, False))
    planned = Settings().steps
    kept = sum(due(number) for number in range(planned + 1)) + 1
    looked = kept * snapshot / (planned * step) + newest / max(OFTEN, newest / SHARE)
    share = metered / (step - metered)
    times = [f"{1000 * seconds:.0f}" for seconds in (step, snapshot, newest)]
    return [objective, *times, *(f"{100 * part:.1f} %" for part in (looked, share, looked + share))]


@contextlib.contextmanager
def _timed(looks: list[tuple[bool, float]]) -> Iterator[None]:
    """Notes what every look costs, and lets the newest network be written whenever nothing else is."""
    whole = Snapshots.look

    def look(self: Snapshots, step: int, *writes: Any) -> None:
        self._rest_until = 0.0
        start = time.process_time()
        whole(self, step, *writes)
        looks.append((due(step), time.process_time() - start))

    Snapshots.look = look  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        Snapshots.look = whole


@contextlib.contextmanager
def _metered(spent: list[float]) -> Iterator[None]:
    """Notes what every meter costs."""

    def noted(meter: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def timed(*tensors: Tensor) -> Tensor:
            start = time.process_time()
            value = meter(*tensors)
            spent.append(time.process_time() - start)
            return value

        return timed

    names = ("spread", "rank", "entropy", "divergence", "matched", "copied_error", "hidden_error")
    kept = [(room, name, getattr(room, name)) for room in ROOMS for name in names if hasattr(room, name)]
    for room, name, meter in kept:
        setattr(room, name, noted(meter))
    try:
        yield
    finally:
        for room, name, meter in kept:
            setattr(room, name, meter)


@contextlib.contextmanager
def _runs(folder: str) -> Iterator[None]:
    before = os.environ.get("PATCHLIGHT_RUNS")
    os.environ["PATCHLIGHT_RUNS"] = folder
    try:
        yield
    finally:
        os.environ.pop("PATCHLIGHT_RUNS") if before is None else os.environ.update(PATCHLIGHT_RUNS=before)
