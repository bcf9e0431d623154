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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.catalogue import runs_folder
from models.faults import Fault
from training.curves import newest, seconds_per_step
from training.ledger import Task, alone, plain, waiting
from training.limits import limits, room, switched_on, within
from training.recipe import Recipe, recipe
from training.sentences import Sentence
from training.snapshots import kept
from training.tender import Tender as Tender
from training.tender import tend as tend

WORKS = ("starting", "running")

GOES_ON = ("paused", "stopped", "failed", "lost")
"""States from which a run can be resumed."""


@dataclass(frozen=True)
class Job:
    """A run as it stands.

    state:      waiting, starting, running, paused, stopped, finished, failed or lost (its process died without a word)
    place:      in the queue, 1 is next; None where it does not wait
    seconds:    learnt so far, all sessions together
    eta:        seconds to go, None where nobody knows
    speed:      pictures a second, with everything that stands between two steps; None where nobody knows
    memory:     bytes at the peak
    sentence:   what there is to say, if anything
    recipe:     as settings.json has it
    snapshots:  steps after which `run/<name>@<step>` opens
    evaluation: waiting, running, done or failed; None where nobody asked
    created:    seconds since 1970
    """

    name: str
    owner: str
    state: str
    place: int | None
    step: int
    steps: int
    seen: int
    seconds: float
    eta: float | None
    speed: float | None
    memory: int | None
    sentence: Sentence | None
    recipe: Mapping[str, Any]
    snapshots: tuple[int, ...]
    evaluation: str | None
    created: float


def jobs(owner: str | None = None) -> tuple[Job, ...]:
    """Every run, newest first, or those of one owner."""
    queue = waiting()
    found = [path.parent for path in runs_folder().glob("[!.]*/settings.json")] if runs_folder().is_dir() else []
    listed = [_job(folder, queue) for folder in found if owner is None or Task(folder).entry().get("owner") == owner]
    return tuple(sorted(listed, key=lambda job: (-job.created, job.name)))


def job(name: str) -> Job:
    """The run called `name`."""
    return _job(_folder(name), waiting())


def submit(name: str, made: Recipe | Mapping[str, Any], owner: str = "") -> Job:
    """A new run, queued. Raises `Fault` for what cannot be and for what this host does not allow."""
    from training.run import open_run

    held = limits()
    switched_on(held)
    chosen = within(made if isinstance(made, Recipe) else recipe(made), held)
    with alone():
        room(held, len(waiting()))
        task = Task(open_run(name, chosen).folder)
        task.note(owner=owner, created=time.time(), queued=time.time(), wanted="run", begun=None, process=None)
    return job(name)


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


def resume(name: str) -> Job:
    """Queues a run that was paused, stopped, failed or lost; it goes on from its newest checkpoint."""
    switched_on(limits())
    with alone():
        task = Task(_folder(name))
        found = _job(task.folder, waiting())
        stopping = found.state in WORKS and task.entry().get("wanted") in ("pause", "stop")
        if found.state == "finished":
            raise Fault("The run {name} has finished already; duplicate it with more steps.", name=name)
        if found.state in GOES_ON or stopping:
            task.note(created=found.created, queued=time.time(), owner=found.owner, wanted="run")
    return job(name)


def evaluate(name: str) -> Job:
    """Queues the measuring of a run's network, which leaves evaluation.json in its folder."""
    switched_on(limits())
    with alone():
        folder = _folder(name)
        if not (folder / "config.json").exists():
            raise Fault("The run {name} has no network yet; let it learn until its first checkpoint.", name=name)
        task = Task(folder, "evaluation")
        if not task.alive():
            task.note(queued=time.time(), wanted="run", begun=None)
    return job(name)


def delete(name: str) -> None:
    """Ends the run's process, if there is one, and removes its folder with everything in it."""
    with alone():
        folder = _folder(name)
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
        task = Task(_folder(name))
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


def _folder(name: str) -> Path:
    folder = runs_folder() / name
    known = {path.parent.name for path in runs_folder().glob("[!.]*/settings.json")} if runs_folder().is_dir() else ()
    if name not in known:
        raise Fault(
            "No run is called {name} in {folder}; start one, or set PATCHLIGHT_RUNS.",
            name=name, folder=runs_folder(),
        )  # fmt: skip
    return folder


def _job(folder: Path, queue: list[Task]) -> Job:
    task, made, status = Task(folder), plain(folder / "settings.json"), plain(folder / "status.json")
    entry, rows = task.entry(), newest(folder)
    state = _state(entry, status, task.alive())
    last = rows[-1] if rows else {}
    steps = int(made.get("settings", {}).get("steps", 0))
    step, pace = int(last.get("step") or 0), seconds_per_step(rows)
    return Job(
        name=folder.name, owner=entry.get("owner", ""), state=state,
        place=queue.index(task) + 1 if task in queue else None,
        step=step, steps=steps, seen=int(last.get("seen") or 0),
        seconds=last.get("seconds") or status.get("seconds", 0.0),
        eta=pace * (steps - step) if pace is not None and state in WORKS else None,
        speed=made["settings"]["batch"] / pace if pace else None,
        memory=last.get("memory"), sentence=_sentence(task, entry, status, state), recipe=made,
        snapshots=kept(folder), evaluation=_evaluation(folder),
        created=entry.get("created") or (folder / "settings.json").stat().st_mtime,
    )  # fmt: skip


def _state(entry: Mapping[str, Any], status: Mapping[str, Any], alive: bool) -> str:
    """From what was asked, what the run itself said since then, and whether its process lives."""
    said = status.get("state") if status.get("heartbeat", 0) >= (entry.get("begun") or 0) else None
    if alive:
        return "starting" if said is None else "running"
    if entry.get("queued") is not None:
        return "waiting"
    if said in ("finished", "failed"):
        return said
    asked = {"pause": "paused", "stop": "stopped"}.get(entry.get("wanted", ""))
    return asked or ("stopped" if said == "stopped" else "lost")


def _sentence(task: Task, entry: Mapping[str, Any], status: Mapping[str, Any], state: str) -> Sentence | None:
    name = task.folder.name
    if state in WORKS and entry.get("wanted") in ("pause", "stop"):
        return Sentence("The run {name} stops after the step at hand.", {"name": name})
    if state == "failed":
        return Sentence(template=status.get("template") or "{sentence}", facts=status.get("facts") or status)
    if state == "lost":
        facts = {"name": name, "line": _last_line(task.folder / "output.txt")}
        return Sentence(
            "The process of {name} ended without a word, killed or crashed (the last line that it wrote: {line}); "
            "resume it, and it goes on from its last checkpoint.",
            facts,
        )
    if state == "stopped" and entry.get("wanted") == "run":
        return Sentence("The time that {name} was given is over; its network is kept.", {"name": name})
    return None


def _evaluation(folder: Path) -> str | None:
    task = Task(folder, "evaluation")
    entry, written = task.entry(), folder / "evaluation.json"
    if task.alive():
        return "running"
    if entry.get("queued") is not None:
        return "waiting"
    if written.exists() and written.stat().st_mtime >= (entry.get("begun") or 0):
        return "done"
    return "failed" if entry.get("begun") else None


def _last_line(file: Path) -> str:
    """Of what a process wrote; a dash where it wrote nothing."""
    try:
        lines = file.read_bytes()[-4096:].decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "–")
