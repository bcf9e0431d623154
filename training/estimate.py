"""What will it cost? A few real steps of the real run, in a process of its own.

    estimate(Recipe("mae", images="shapes")).minutes

Kept by recipe in PATCHLIGHT_RUNS/.estimates with the moment and the machine, for an hour, and only where the machine
had nothing else to do; a run whose own steps disagree by a factor of two takes it away.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.card_catalogue import runs_folder
from models.faults import Fault
from training.child import answered
from training.fits import starved, too_large
from training.ledger import plain, tasks
from training.recipe import Recipe, dataset, plan, recipe
from training.sentences import Sentence
from training.tender import nice

if TYPE_CHECKING:
    from training.datasets import Dataset
    from training.objective import Objective

STEPS = 3
"""Measured after one that is not: the first step of a process allocates and compiles."""

PATIENCE = 20.0
"""Seconds after which no further step is measured."""

LONGEST = 300.0
"""Seconds after which a measurement is given up: a set that is still downloading, a network far too large."""

LASTS = 3600.0
"""Seconds for which a measurement is believed."""

APART = 2.0
"""Times by which a run's own steps may differ from what was measured before it is forgotten."""

QUIET = 0.5
"""Processes a core that want to run, in the mean of a minute, on a machine that has nothing else to do."""

LOOKING = 0.95
"""Share of a run's time that is left for steps: the rest is for pictures and meters, at their dearest."""

FREE = (
    "steps", "minutes", "seed", "warmup", "final", "rate", "decay", "keep_every", "keep_last", "keep_steps", "hours",
    "disk",
)  # fmt: skip
"""Settings that a step's cost does not depend on."""


@dataclass(frozen=True)
class Estimate:
    """parameters: that learn or are averaged, heads and teacher included
    seconds_per_step, pictures_per_second: as this machine was when it was measured
    memory:  bytes at the peak, of the accelerator or of the process
    steps:   in all; where the clock ends the run, as many as fit its minutes
    minutes: of all steps, or those that the run is given
    busy:    measured while the machine had something else to do, which makes it slower
    taken:   when, seconds since 1970
    """

    parameters: int
    seconds_per_step: float
    pictures_per_second: float
    memory: int
    steps: int
    minutes: float
    busy: bool
    taken: float


def estimate(made: Recipe, wanted: Callable[[], bool] = lambda: True) -> Estimate:
    """From a few real steps in a child process, which ends as soon as nobody wants it any more (`Withdrawn`). Raises
    `Fault` for whatever would keep the run from starting."""
    found = plain(_file(made))
    if not _holds(found):
        busy = _busy()
        found = {**_asked(made, wanted), "taken": time.time(), "machine": _machine(), "busy": busy}
        if not busy:
            _file(made).parent.mkdir(parents=True, exist_ok=True)
            _file(made).write_text(json.dumps(found), encoding="utf-8")
    return _whole(made, found)


def contradict(made: Recipe, seconds_per_step: float) -> None:
    """What a run of this recipe has seen: an estimate that it does not bear out is forgotten."""
    found = plain(_file(made))
    told = found.get("seconds_per_step", seconds_per_step)
    if max(told, seconds_per_step) >= APART * min(told, seconds_per_step):
        _file(made).unlink(missing_ok=True)


def _file(made: Recipe) -> Path:
    return runs_folder() / ".estimates" / f"{_key(made)}.json"


def _holds(found: Mapping[str, Any]) -> bool:
    """Whether the circumstances are still those in which it was measured."""
    return found.get("machine") == _machine() and 0 <= time.time() - found["taken"] < LASTS


def _machine() -> list[Any]:
    """What a step's time depends on, beside the recipe and whatever else is going on."""
    chosen = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")]
    return [platform.node(), os.cpu_count(), *chosen]


def _busy() -> bool:
    """Whether a run learns, or the processors have other work."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return any(task.alive() for task in tasks()) or load > QUIET * (os.cpu_count() or 1)


def measure(made: Recipe) -> Estimate:
    """The same in this process, which it leaves with more memory than before."""
    from training.engine import train

    images, objective = fresh(made)
    settings = replace(made.engine, steps=max(STEPS + 1, made.engine.steps), minutes=0.0)
    steps, times, memory, start = train(objective, images, settings), [], 0, time.perf_counter()
    while len(times) <= STEPS and (len(times) < 2 or time.perf_counter() - start < PATIENCE):
        begun = time.perf_counter()
        memory = next(steps).memory
        times.append(time.perf_counter() - begun)
    steps.close()
    parameters = sum(weight.numel() for weight in objective.module.parameters())
    seconds = sum(times[1:]) / len(times[1:])
    told = {"parameters": parameters, "seconds_per_step": seconds, "memory": memory}
    return _whole(made, {**told, "busy": False, "taken": time.time()})


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


def _asked(made: Recipe, wanted: Callable[[], bool]) -> Mapping[str, Any]:
    words = [sys.executable, "-W", "ignore", "-m", "training", "estimate", "--recipe", "-", nice()]
    child = answered(words, json.dumps(made.plain()), LONGEST, wanted)
    if child is None:
        raise Fault(
            "A few steps of this run were to be measured, but {seconds} seconds were not enough; choose a smaller "
            "network or batch, or start it without an estimate.",
            seconds=round(LONGEST),
        )
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


def _whole(made: Recipe, found: Mapping[str, Any]) -> Estimate:
    seconds, settings = found["seconds_per_step"], made.engine
    steps = int(LOOKING * 60 * settings.minutes / seconds) if settings.minutes else settings.steps
    return Estimate(
        found["parameters"], seconds, settings.batch / seconds, found["memory"], steps,
        settings.minutes or steps * seconds / 60, found["busy"], found["taken"],
    )  # fmt: skip


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
