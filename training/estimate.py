"""What will it cost? A few real steps of the real run, in a process of its own, before anything is started.

    estimate(Recipe("mae", images="shapes")).minutes

Kept by recipe in PATCHLIGHT_RUNS/.estimates, except what was measured while a run was learning beside it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.card_catalogue import runs_folder
from models.faults import Fault
from training.fits import starved, too_large
from training.ledger import plain, tasks
from training.recipe import Recipe, dataset, plan, recipe
from training.sentences import Sentence
from training.tender import nice, surroundings

if TYPE_CHECKING:
    from training.datasets import Dataset
    from training.objective import Objective

STEPS = 3
"""Measured after one that is not: the first step of a process allocates and compiles."""

PATIENCE = 20.0
"""Seconds after which no further step is measured."""

LONGEST = 300.0
"""Seconds after which a measurement is given up: a set that is still downloading, a network far too large."""

FREE = ("steps", "seed", "warmup", "final", "rate", "decay", "keep_every", "keep_last", "keep_steps", "hours", "disk")
"""Settings that a step's cost does not depend on."""


@dataclass(frozen=True)
class Estimate:
    """parameters: that learn or are averaged, heads and teacher included
    seconds_per_step, pictures_per_second: as this machine is now
    memory:  bytes at the peak, of the accelerator or of the process
    minutes: of all steps
    busy:    measured while a run was learning beside it, which makes it slower
    """

    parameters: int
    seconds_per_step: float
    pictures_per_second: float
    memory: int
    minutes: float
    busy: bool = False


def estimate(made: Recipe) -> Estimate:
    """From a few real steps in a child process. Raises `Fault` for whatever would keep the run from starting."""
    known = runs_folder() / ".estimates" / f"{_key(made)}.json"
    found, busy = plain(known), any(task.alive() for task in tasks())
    if not found:
        found = _asked(made)
        if not busy:
            known.parent.mkdir(parents=True, exist_ok=True)
            known.write_text(json.dumps(found), encoding="utf-8")
    return _whole(made, found, busy)


def measure(made: Recipe) -> Estimate:
    """The same in this process, which it leaves with more memory than before."""
    from training.engine import train

    images, objective = fresh(made)
    settings = replace(made.engine, steps=max(STEPS + 1, made.engine.steps))
    steps, times, memory, start = train(objective, images, settings), [], 0, time.perf_counter()
    while len(times) <= STEPS and (len(times) < 2 or time.perf_counter() - start < PATIENCE):
        begun = time.perf_counter()
        memory = next(steps).memory
        times.append(time.perf_counter() - begun)
    steps.close()
    parameters = sum(weight.numel() for weight in objective.module.parameters())
    seconds = sum(times[1:]) / len(times[1:])
    return _whole(made, {"parameters": parameters, "seconds_per_step": seconds, "memory": memory})


def fresh(made: Recipe) -> tuple[Dataset, Objective]:
    """The pictures and the objective of a recipe with its first weights, without a run's folder."""
    import torch

    images = dataset(made)
    words = None
    if made.method.need == "captions":
        from training.words import captions_of
        from training.words import words as learnt

        words = learnt(captions_of(images))
    with torch.random.fork_rng():
        torch.manual_seed(made.engine.seed)
        return images, made.method.builds(plan(made, tuple(images.classes), words))


def _asked(made: Recipe) -> Mapping[str, Any]:
    words = [sys.executable, "-W", "ignore", "-m", "training", "estimate", "--recipe", "-", nice()]
    try:
        child = subprocess.run(
            words, input=json.dumps(made.plain()), capture_output=True, text=True, env=surroundings(), timeout=LONGEST
        )
    except subprocess.TimeoutExpired as late:
        raise Fault(
            "A few steps of this run were to be measured, but {seconds} seconds were not enough; choose a smaller "
            "network or batch, or start it without an estimate.",
            seconds=round(LONGEST),
        ) from late  # fmt: skip
    told = child.stdout.strip().splitlines()[-1:]
    answer = json.loads(told[0]) if child.returncode == 0 and told else {}
    if "parameters" in answer:
        return answer
    if "template" in answer:
        said = Sentence(**answer)
        raise Fault(said.template, **said.facts)
    raise Fault(
        "A few steps of this run were to be measured, but the process ended without a word ({line}); choose a smaller "
        "network or batch.",
        line=(child.stderr.strip().splitlines() or ["–"])[-1][:200],
    )  # fmt: skip


def _whole(made: Recipe, found: Mapping[str, Any], busy: bool = False) -> Estimate:
    seconds, settings = found["seconds_per_step"], made.engine
    return Estimate(
        found["parameters"], seconds, settings.batch / seconds, found["memory"], settings.steps * seconds / 60, busy
    )


def _key(made: Recipe) -> str:
    whole = made.plain()
    whole["settings"] = {name: value for name, value in whole["settings"].items() if name not in FREE}
    path = Path(made.images)
    if path.exists():
        whole["changed"] = path.stat().st_mtime_ns
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:32]


def main(text: str) -> int:
    """`python -m training estimate --recipe -`: a recipe in, an estimate out, a sentence where there is none."""
    try:
        told: dict[str, Any] = asdict(_measured(recipe(json.loads(text))))
    except Fault as fault:
        told = {"template": fault.template, "facts": {name: str(fact) for name, fact in fault.facts.items()}}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


def _measured(made: Recipe) -> Estimate:
    try:
        return measure(made)
    except (MemoryError, RuntimeError) as wrong:
        if not starved(wrong):
            raise
    raise too_large(made)  # outside the handler, which would keep the memory of what failed
