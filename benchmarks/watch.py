"""What it costs to be looked at: snapshots, the newest network and meters, beside the steps of the same default run.

Processor time, which other processes do not disturb. Steps with and without meters (what an objective computes beside
its loss) take turns in one run; snapshots and writes of the newest network are timed where the run makes them. The last
columns are shares of a whole run of 2,000 steps: its 24 snapshots, and a write as often as `training.snapshots` allows.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import torch

import training.objectives.clip as clip
import training.objectives.dino as dino
import training.objectives.simclr as simclr
from benchmarks.measure import table
from training.recipe import Recipe
from training.run import open_run
from training.settings import Settings
from training.snapshots import OFTEN, SHARE, Snapshots, due

STEPS = 12
FIRST = 2
"""Steps that are not counted: they open files and allocate."""

OBJECTIVES = ("mae", "clip", "simclr", "dino")


def measure() -> str:
    rows = [_row(name) for name in os.environ.get("PATCHLIGHT_OBJECTIVES", ",".join(OBJECTIVES)).split(",")]
    head = ["", "step, ms", "snapshot, ms", "newest network, ms", "snapshots and newest", "meters", "all"]
    return table(head, rows)


def _row(objective: str) -> list[str]:
    made = Recipe(objective, images="shapes", settings={"device": "cpu", "keep_every": 10**6})
    looks: list[tuple[bool, float]] = []
    steps: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder, _runs(folder), _timed(looks):
        learning = open_run(objective, made).learn()
        for step in range(STEPS):
            blind, before = bool(step % 2), sum(seconds for _, seconds in looks)
            with _blind() if blind else contextlib.nullcontext():
                start = time.process_time()
                next(learning)
                spent = time.process_time() - start - (sum(seconds for _, seconds in looks) - before)
            if step >= FIRST:
                steps[blind].append(spent)
        learning.close()
    step, without = (statistics.median(steps[blind]) for blind in (False, True))
    snapshot, newest = (statistics.median([seconds for kind, seconds in looks if kind is way]) for way in (True, False))
    planned = Settings().steps
    kept = sum(due(number) for number in range(planned + 1)) + 1
    looked = kept * snapshot / (planned * step) + newest / max(OFTEN, newest / SHARE)
    meters = step / without - 1
    times = [f"{1000 * seconds:.0f}" for seconds in (step, snapshot, newest)]
    return [objective, *times, *(f"{100 * share:.1f} %" for share in (looked, meters, looked + meters))]


@contextlib.contextmanager
def _timed(looks: list[tuple[bool, float]]) -> Iterator[None]:
    """Notes what every look costs, and lets the newest network be written whenever nothing else is."""
    whole = Snapshots.look

    def look(self: Snapshots, step: int, *writes: Any) -> None:
        self._rest_until = 0.0
        start = time.process_time()
        whole(self, step, *writes)
        looks.append((due(step), time.process_time() - start))

    Snapshots.look = look
    try:
        yield
    finally:
        Snapshots.look = whole


@contextlib.contextmanager
def _blind() -> Iterator[None]:
    """Meters that cost nothing."""
    nothing: Any = lambda *tensors: torch.zeros(())  # noqa: E731
    rooms = [(room, name) for room in (clip, dino, simclr) for name in ("spread", "rank", "entropy", "divergence")]
    kept = [(room, name, getattr(room, name)) for room, name in rooms if hasattr(room, name)]
    for room, name, _ in kept:
        setattr(room, name, nothing)
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
