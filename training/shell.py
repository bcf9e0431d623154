"""`python -m training estimate …` and `python -m training jobs …`: the queue and the cost of a run, in a shell."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from models.faults import Fault

ACTIONS = ("pause", "resume", "stop", "delete", "evaluate")


def add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", nargs="?", choices=(*ACTIONS, "tend"), help="nothing lists every run")
    command.add_argument("run", nargs="?", metavar="NAME", help="which run; `tend` needs none")


def processes(device: str) -> Any:
    """All that were launched, as accelerate's `PartialState`. Raises `Fault` where several were asked for, of which
    `accelerate launch` starts one alone on a CPU, without a word."""
    from accelerate import PartialState

    state = PartialState(cpu=device == "cpu")
    launched = "ACCELERATE_MIXED_PRECISION" in os.environ and "WORLD_SIZE" not in os.environ
    if launched and "MASTER_ADDR" in os.environ and state.num_processes == 1:
        raise Fault(
            "Several processes were asked of accelerate, but on a machine without GPUs it starts one; run "
            "`torchrun --nproc_per_node 2 -m -- training …` instead."
        )
    return state


def jobs(given: dict[str, Any]) -> int:
    """Lists runs, acts on one, or starts what waits until nothing does."""
    from training import jobs as desk

    action, name = given["action"], given["run"]
    if action == "tend":
        return _tend()
    if action and not name:
        sys.stderr.write(f"training: {action} which run? Name it.\n")
        return 2
    if action:
        acted: Callable[[str], object] = getattr(desk, action)
        acted(name)
    for job in desk.jobs():
        reached = f"step {job.step}" if job.steps is None else f"step {job.step} of {job.steps}"
        place = f"place {job.place}" if job.place else reached
        left = "" if job.eta is None else f"{job.eta / 60:.1f} minutes to go"
        sys.stdout.write(f"{job.name:24} {job.state:9} {place:20} {left:22} {job.sentence or ''}".rstrip() + "\n")
    return 0


def estimate(made: Any) -> int:
    """The cost of a recipe, as JSON."""
    from training.estimate import estimate as measured

    sys.stdout.write(json.dumps(dataclasses.asdict(measured(made))) + "\n")
    return 0


def measure(text: str) -> int:
    """A recipe as JSON in, an estimate or a sentence as JSON out: what the child of `training.estimate` runs."""
    from training.estimate import main

    return main(text)


def _tend() -> int:
    from training.jobs import WORKS, jobs, tend

    while True:
        tend()
        if not any(job.state in (*WORKS, "waiting") or job.evaluation in ("running", "waiting") for job in jobs()):
            return 0
        time.sleep(0.5)
