"""Learning end to end as people run it, against the authors' own code; what it needs is told in `training`.

256 JPEG files of 256 × 256 pixels, single precision: theirs decode and augment picture by picture in one loading
process a processor, ours is the engine itself with everything that a run records. In its first round Patchlight decodes
each picture, in later ones it has them in memory; the others decode in every round. Then the pipeline alone, and one
process against two.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import table
from benchmarks.rivals.ground import (
    COUNT,
    PICTURES,
    Side,
    learning,
    objective,
    opened,
    pictures,
    rivals,
    stepper,
    theirs,
)
from benchmarks.training import RACES
from training.words import words

ROUNDS = 2

WHOLE = ["end to end", "theirs, pictures a second", "ours, first round", "ours, later rounds"]
PIPELINE = ["decoding and augmenting alone", "theirs, pictures a second", "ours, first round", "ours, later rounds"]
LAUNCHED = ["MAE, 5M parameters, batch 64, bf16", "pictures a second", "ratio"]


def measure() -> str:
    rivals()
    ends, pipes = [], []
    with tempfile.TemporaryDirectory() as place:
        files = pictures(folder := Path(place))
        for title, (name, race) in RACES.items():
            them, us = race.sides(folder, files)
            pipes.append([title, *ratios(pipeline(them, us), PICTURES)])
            ends.append([title, *ratios(whole(name, race, them, folder), COUNT)])
            del them, us
            gc.collect()
    launched = [[title, f"{speed:.1f}", f"{speed / alone:.2f} ×"] for title, speed, alone in processes()]
    return "\n\n".join([table(WHOLE, ends), table(PIPELINE, pipes), table(LAUNCHED, launched)])


def whole(name: str, race: Any, them: Side, folder: Path) -> list[float]:
    """Median seconds a step, end to end: theirs, ours in a first round, ours in later rounds. They take turns."""
    made = objective(name, race.OPTIONS, words(captions(folder)) if name == "clip" else None)
    step = stepper(them)
    found: tuple[list[float], ...] = ([], [], [])
    for _ in range(ROUNDS):
        images = opened(folder)
        for seconds, turn in zip(
            found, (theirs(them, step), learning(made, images), learning(made, images)), strict=True
        ):
            seconds += turn
    return [statistics.median(seconds) for seconds in found]


def pipeline(them: Side, us: Side) -> list[float]:
    """Seconds of one round of views: theirs with their processes started, ours in a first and in a later round."""
    found = []
    for rounds in (them.rounds, us.rounds, us.rounds):
        clock = time.perf_counter()
        deque(rounds(), maxlen=0)
        found.append(time.perf_counter() - clock)
    return found


def ratios(seconds: list[float], count: int) -> list[str]:
    return [f"{count / seconds[0]:.1f}", *(f"{seconds[0] / own:.2f} ×" for own in seconds[1:])]


def processes() -> Iterator[tuple[str, float, float]]:
    """Pictures a second as runs record them: one process with all processors, and one on each of two."""
    with tempfile.TemporaryDirectory() as runs:
        alone = launched(1, runs)
        yield "one process", alone, alone
        yield "two processes", launched(2, runs), alone


def launched(count: int, runs: str) -> float:
    threads = max(1, (os.cpu_count() or 1) // count)
    words = [
        "--cpu", "--num_processes", str(count), "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend",
        "no", "-m", "training", "mae", "--images", "shapes", "--run", f"of-{count}", "--size", "tiny", "--batch", "64",
        "--steps", "12", "--threads", str(threads),
    ]  # fmt: skip
    words = [sys.executable, "-m", "accelerate.commands.launch", *words]
    own = {"PATCHLIGHT_RUNS": runs, "OMP_NUM_THREADS": str(threads), "ACCELERATE_USE_CPU": "true"}
    subprocess.run(words, env=os.environ | own, check=True, capture_output=True)
    lines = (Path(runs) / f"of-{count}" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return statistics.median(json.loads(line)["speed"] for line in lines[2:])


def captions(folder: Path) -> list[str]:
    return [line.split('"')[1] for line in (folder / "table.csv").read_text(encoding="utf-8").splitlines()[1:]]
