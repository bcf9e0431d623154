"""Learning against the authors' own code: same shape of network, pictures on disk, batch, precision and optimiser.

Needs their code in the folder that PATCHLIGHT_RIVALS names: facebookresearch/mae (efb2a80) as `mae`,
facebookresearch/dino (7c446df) as `dino`, and `pip install --no-deps --target packages open_clip_torch==3.3.0
lightly==1.6.0` with what they import. 192 channels, 12 blocks, 96 pixels, patch 8, batch 32; 256 JPEG files of
256 × 256 pixels. "bare" is forward, backward and update on views that are ready; "memory" is what the forward pass
keeps for the backward pass, and the weights. "End to end", in single precision, decodes and augments too: theirs
picture by picture in one loading process a processor, ours by the engine itself with everything that a run records. In
its first round Patchlight decodes each picture, in later ones it has them in memory; the others decode in every round.
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
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import side_by_side, table
from benchmarks.rivals import clip, dino, mae, simclr
from benchmarks.rivals.ground import (
    COUNT,
    PICTURES,
    Side,
    kept,
    learning,
    objective,
    opened,
    pictures,
    rivals,
    stepper,
    theirs,
)
from training.attention import lean
from training.words import words

RACES = {
    "MAE, the authors": ("mae", mae), "DINO, the authors": ("dino", dino), "CLIP, open_clip": ("clip", clip),
    "SimCLR, lightly": ("simclr", simclr),
}  # fmt: skip
ROUNDS = 2

BARE = ["", "precision", "theirs, pictures a second", "ours", "ratio", "memory: theirs, MB", "ours", "ratio"]
WHOLE = ["end to end", "theirs, pictures a second", "ours, first round", "ours, later rounds"]
PIPELINE = ["decoding and augmenting alone", "theirs, pictures a second", "ours, first round", "ours, later rounds"]
LAUNCHED = ["MAE, 5M parameters, batch 64, bf16", "pictures a second", "ratio"]


def measure() -> str:
    rivals()
    bare, ends, pipes = [], [], []
    with tempfile.TemporaryDirectory() as place:
        files = pictures(folder := Path(place))
        for title, (name, race) in RACES.items():
            them, us = race.sides(folder, files)
            pipes.append([title, *ratios(pipeline(them, us), PICTURES)])
            bare.append([title, "single", *raced(them, us, halved=False)])
            ends.append([title, *ratios(whole(name, race, them, folder), COUNT)])
            us = replace(us, loss=lean()(us.loss))  # as the engine does in bf16 on the CPU
            bare.append([title, "bf16", *raced(them, us, halved=True)])
            del them, us
            gc.collect()
    launched = [[title, f"{speed:.1f}", f"{speed / alone:.2f} ×"] for title, speed, alone in processes()]
    return "\n\n".join([table(BARE, bare), table(WHOLE, ends), table(PIPELINE, pipes), table(LAUNCHED, launched)])


def raced(them: Side, us: Side, halved: bool) -> list[str]:
    """Speed and memory of bare steps."""
    steps = [(stepper(side, halved), side.ready) for side in (them, us)]
    times = side_by_side({who: partial(*step) for who, step in zip(("theirs", "ours"), steps, strict=True)}, rounds=5)
    theirs, ours = COUNT / times["theirs"], COUNT / times["ours"]
    sizes = [kept(side, halved) / 1e6 for side in (them, us)]
    return [
        f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.2f} ×",
        f"{sizes[0]:.0f}", f"{sizes[1]:.0f}", f"{sizes[1] / sizes[0]:.2f} ×",
    ]  # fmt: skip


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
