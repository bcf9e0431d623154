"""Runs that wait, learn and end while people come and go: what a page or a shell asks for, and what it sees.

    submit("first", Recipe("mae", images="shapes"))     queued
    tend()                                              started, where nothing else learns on this machine
    job("first").state, jobs()                          how it goes, from files alone

A job is a run's folder with job.json in it (`training.ledger`); it learns in a process of its own (`training.tender`).
Runs that were started in a shell are listed too. Listing needs no torch.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Mapping
from typing import Any

from models.faults import Fault
from models.visitor import NOBODY, owner_of
from training import names
from training.job import GOES_ON, WORKS, folder_of, job, standing
from training.job import Job as Job
from training.job import damaged as damaged
from training.job import jobs as jobs
from training.ledger import Task, alone, plain, turn, waiting
from training.leftovers import check_room, sweep
from training.limits import Limits, limits, room, switched_on, within
from training.recipe import Recipe, recipe
from training.tender import Tender as Tender
from training.tender import tend as tend


def submit(name: str, made: Recipe | Mapping[str, Any], owner: str = "", free: bool = False) -> Job:
    """A new run, queued. Raises `Fault` for what cannot be and for what this host does not allow.

    free: take the nearest name that no run has, where `name` is none or taken
    """
    from training.run import open_run

    held = limits()
    switched_on(held)
    chosen = within(made if isinstance(made, Recipe) else recipe(made), held)
    sweep(held)
    with alone():
        room(held, _waiting_for(), owner)
        check_room(held, owner)
        name = names.free(name) if free else name
        task = Task(open_run(name, chosen).folder)
        task.note(owner=owner, created=time.time(), queued=turn(), wanted="run", begun=None, process=None)
    return job(name)


def _waiting_for() -> list[str]:
    """Whose runs and evaluations wait."""
    return [owner_of(task.folder) or NOBODY for task in waiting()]


def duplicate(name: str, new_name: str, changes: Mapping[str, Any] | None = None, owner: str = "") -> Job:
    """Another run by the recipe of one that is there; `changes` are laid over it, also within options and settings."""
    made = dict(job(name).recipe)
    if changes and changes.get("objective", made["objective"]) != made["objective"]:
        made["options"] = {}
    for key, value in (changes or {}).items():
        made[key] = {**made[key], **value} if isinstance(value, Mapping) else value
    return submit(new_name, made, owner)


def pause(name: str) -> Job:
    """Lets the step at hand finish, writes a checkpoint and ends the process, until it is resumed."""
    return _halt(name, "pause")


def stop(name: str) -> Job:
    """As `pause`, for good, though it can still be resumed. Asked again while it stops: ends the process at once."""
    return _halt(name, "stop")


def resume(name: str, budgets: Mapping[str, float] | None = None) -> Job:
    """Queues a run that was paused, stopped, failed or lost; it goes on from its newest checkpoint.

    budgets: new limits, as far as this host allows them: `hours`, `disk`
    """
    held = limits()
    switched_on(held)
    with alone():
        task = Task(folder_of(name))
        found = standing(task.folder, waiting())
        stopping = found.state in WORKS and task.entry().get("wanted") in ("pause", "stop")
        if found.state == "finished":
            raise Fault("The run {name} has finished already; duplicate it with more steps.", name=name)
        if found.state in GOES_ON or stopping:
            if budgets:
                _widen(found, budgets, held)
            if found.state != "waiting":
                room(held, _waiting_for(), found.owner)
            task.note(created=found.created, queued=turn(), owner=found.owner, wanted="run")
    return job(name)


def _widen(found: Job, budgets: Mapping[str, float], held: Limits) -> None:
    """Other limits for a run that is there."""
    from training.run import open_run

    if not set(budgets) <= {"hours", "disk"}:
        raise Fault(
            "The run {name} was to go on with another {setting}, but only its hours and its disk can change; duplicate "
            "it instead.",
            name=found.name, setting=", ".join(budgets),
        )  # fmt: skip
    made = recipe({**found.recipe, "settings": {**found.recipe["settings"], **budgets}})
    allowed = within(made, held).settings
    open_run(found.name, budgets={name: allowed[name] for name in budgets})


def evaluate(name: str) -> Job:
    """Queues the measuring of a run's network, which leaves evaluation.json in its folder."""
    held = limits()
    switched_on(held)
    with alone():
        folder = folder_of(name)
        if not (folder / "config.json").exists():
            raise Fault("The run {name} has no network yet; let it learn until its first checkpoint.", name=name)
        task = Task(folder, "evaluation")
        if not task.alive() and task.entry().get("queued") is None:
            room(held, _waiting_for(), owner_of(folder) or NOBODY)
            task.note(queued=turn(), wanted="run", begun=None)
    return job(name)


def delete(name: str) -> None:
    """Ends the run's process, if there is one, and removes its folder with everything in it."""
    with alone():
        folder = folder_of(name)
        for task in (Task(folder), Task(folder, "evaluation")):
            if task.file.exists():
                task.note(queued=None)
            _signal(task, signal.SIGKILL)
            _await_end(task)
        gone = folder.with_name(f".deleted-{name}")
        shutil.rmtree(gone, ignore_errors=True)
        os.replace(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)


def _halt(name: str, wanted: str) -> Job:
    with alone():
        task = Task(folder_of(name))
        again = task.entry().get("wanted") == "stop" and wanted == "stop"
        if task.file.exists():
            task.note(queued=None, wanted=wanted)
        _signal(task, signal.SIGKILL if again else signal.SIGTERM)
    return job(name)


def _signal(task: Task, number: int) -> None:
    """To the process that holds the task's lock, which is therefore the one that was started."""
    process = task.entry().get("process") or plain(task.folder / "status.json").get("process")
    if process and task.alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def _await_end(task: Task, patience: float = 10.0) -> None:
    """Returns when nobody works for the task any more."""
    end = time.monotonic() + patience
    while task.alive():
        if time.monotonic() > end:
            raise Fault(
                "The run {name} was to be deleted, but its process does not end; stop it where it was started.",
                name=task.folder.name,
            )
        time.sleep(0.02)
