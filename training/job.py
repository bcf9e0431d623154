"""A run as it stands, read from the files in its folder alone; needs no torch, and no process that remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.card_catalogue import runs_folder
from models.faults import Fault
from models.visitor import owner_of
from training.course import course, left, too_few
from training.curves import newest, seconds_per_step
from training.ledger import Task, plain, tasks, waiting
from training.room import checkpointed
from training.sentences import Sentence
from training.snapshots import kept

WORKS = ("starting", "running")

UNMEASURED = "evaluation-fault.json"
"""Of a run whose evaluation failed: the sentence, {"template", "facts"}."""

GOES_ON = ("paused", "stopped", "failed", "lost")
"""States from which a run can be resumed."""


@dataclass(frozen=True)
class Job:
    """A run as it stands.

    state:      waiting, starting, running, paused, stopped, finished, failed or lost (its process died without a word)
    place:      in the queue, 1 is next; None where it does not wait
    held:       it waits for something that works now; else it begins in a moment
    steps:      in all; None where the clock ends it
    share:      of it that is over, in [0, 1]
    seconds:    learnt so far, all sessions together
    eta:        seconds to go, None where nobody knows
    speed:      pictures a second, with everything that stands between two steps; None where nobody knows
    memory:     bytes at the peak
    sentence:   what there is to say, if anything
    recipe:     as settings.json has it
    snapshots:  steps after which `run/<name>@<step>` opens
    spent:      the limit at which it ended, a setting's name: disk or hours; None where it ended otherwise
    evaluation: waiting, running, done or failed; None where nobody asked
    unmeasured: why the last evaluation failed
    created:    seconds since 1970
    """

    name: str
    owner: str
    state: str
    place: int | None
    held: bool
    step: int
    steps: int | None
    share: float
    seen: int
    seconds: float
    eta: float | None
    speed: float | None
    memory: int | None
    sentence: Sentence | None
    recipe: Mapping[str, Any]
    snapshots: tuple[int, ...]
    spent: str | None
    evaluation: str | None
    unmeasured: Sentence | None
    created: float


def jobs(owner: str | None = None) -> tuple[Job, ...]:
    """Every run, newest first, or those of one owner; without those whose files are damaged."""
    queue = waiting()
    listed = [one for folder in _of(owner) if (one := _sound(folder, queue)) is not None]
    return tuple(sorted(listed, key=lambda job: (-job.created, job.name)))


def damaged(owner: str | None = None) -> tuple[str, ...]:
    """Names of the runs that `jobs` leaves out, since what is written of them cannot be read."""
    queue = waiting()
    return tuple(folder.name for folder in _of(owner) if _sound(folder, queue) is None)


def _of(owner: str | None) -> list[Path]:
    return [folder for folder in _folders() if owner is None or owner_of(folder) == owner]


def _sound(folder: Path, queue: list[Task]) -> Job | None:
    try:
        return standing(folder, queue)
    except (Fault, OSError):  # or it is being deleted
        return None


def job(name: str) -> Job:
    """The run called `name`."""
    return standing(folder_of(name), waiting())


def folder_of(name: str) -> Path:
    """Of the run called `name`. Raises `Fault` where there is none."""
    if name not in {folder.name for folder in _folders()}:
        raise Fault(
            "No run is called {name} in {folder}; start one, or set PATCHLIGHT_RUNS.",
            name=name, folder=runs_folder(),
        )  # fmt: skip
    return runs_folder() / name


def _folders() -> list[Path]:
    return [path.parent for path in runs_folder().glob("[!.]*/settings.json")] if runs_folder().is_dir() else []


def standing(folder: Path, queue: list[Task]) -> Job:
    """How the run in `folder` stands, where `queue` waits. Raises `Fault` where its files are damaged."""
    try:
        if _is_recipe(plain(folder / "settings.json")):
            return _standing(folder, queue)
    except (KeyError, TypeError, ValueError, AttributeError) as damage:
        raise _damaged(folder) from damage
    raise _damaged(folder)


def _damaged(folder: Path) -> Fault:
    return Fault(
        "What is written of the run {name} is damaged: settings.json, status.json or another of its files; restore it, "
        "or delete the run.",
        name=folder.name,
    )


def _is_recipe(made: Mapping[str, Any]) -> bool:
    """Whether settings.json holds what every list of runs shows of a recipe."""
    settings = made.get("settings")
    texts = [made.get(name) for name in ("objective", "images", "size")]
    numbers = (
        [made.get("side"), made.get("patch"), *(settings.get(n) for n in ("steps", "batch"))]
        if isinstance(settings, Mapping)
        else [None]
    )
    return all(isinstance(text, str) for text in texts) and all(isinstance(number, int) for number in numbers)


def _standing(folder: Path, queue: list[Task]) -> Job:
    task, made, status = Task(folder), plain(folder / "settings.json"), plain(folder / "status.json")
    entry, rows = task.entry(), newest(folder)
    state, evaluation = _state(entry, status, task.alive()), _evaluation(folder)
    last = rows[-1] if rows else {}
    settings = made.get("settings", {})
    step, pace = int(last.get("step") or 0), seconds_per_step(rows)
    steps, share = course(settings, step, status)
    return Job(
        name=folder.name, owner=entry.get("owner", ""), state=state,
        place=queue.index(task) + 1 if task in queue else None,
        held=state == "waiting" and any(other.alive() for other in tasks()),
        step=step, steps=steps, share=share, seen=int(last.get("seen") or 0),
        seconds=last.get("seconds") or status.get("seconds", 0.0),
        eta=left(settings, step, share, pace) if state in WORKS else None,
        speed=made["settings"]["batch"] / pace if pace else None,
        memory=last.get("memory"), recipe=made,
        sentence=_sentence(task, entry, status, state) or too_few(folder.name, settings, state, step, share),
        snapshots=kept(folder), spent=_spent(entry, status, state), evaluation=evaluation,
        unmeasured=_unmeasured(folder) if evaluation == "failed" else None,
        created=entry.get("created") or (folder / "settings.json").stat().st_mtime,
    )  # fmt: skip


def _state(entry: Mapping[str, Any], status: Mapping[str, Any], alive: bool) -> str:
    """From what was asked, what the run itself said since then, and whether its process lives."""
    said = status.get("state") if _of_this_start(status, entry) else None
    if alive:
        return "starting" if said is None else "running"
    if entry.get("queued") is not None:
        return "waiting"
    if said in ("finished", "failed"):
        return said
    asked = {"pause": "paused", "stop": "stopped"}.get(entry.get("wanted", ""))
    return asked or ("stopped" if said == "stopped" else "lost")


def _of_this_start(said: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether the process that was started last said this, told by the start that it names: clocks are set back. What
    names none was written before starts were named, and is believed."""
    return said.get("begun", entry.get("begun")) == entry.get("begun")


def _sentence(task: Task, entry: Mapping[str, Any], status: Mapping[str, Any], state: str) -> Sentence | None:
    name = task.folder.name
    if state in WORKS and entry.get("wanted") in ("pause", "stop"):
        return Sentence("The run {name} stops after the step at hand.", {"name": name})
    if state == "failed" or (state == "running" and status.get("template")):
        return Sentence(template=status.get("template") or "{sentence}", facts=status.get("facts") or status)
    if state == "lost":
        facts = {"name": name, "line": _last_line(task.folder / "output.txt")}
        if not checkpointed(task.folder):
            return Sentence(
                "The process of {name} ended without a word, killed or crashed (the last line that it wrote: {line}), "
                "before its first checkpoint; resume it, and it begins anew.",
                facts,
            )
        return Sentence(
            "The process of {name} ended without a word, killed or crashed (the last line that it wrote: {line}); "
            "resume it, and it goes on from its last checkpoint.",
            facts,
        )
    if _spent(entry, status, state) == "hours":
        return Sentence(
            "The time that {name} was given is over; its network is kept, resume with more hours.", {"name": name}
        )
    return None


def _spent(entry: Mapping[str, Any], status: Mapping[str, Any], state: str) -> str | None:
    if state == "failed" and "budget" in status.get("facts", {}):
        return "disk"
    return "hours" if state == "stopped" and entry.get("wanted") == "run" else None


def _evaluation(folder: Path) -> str | None:
    task = Task(folder, "evaluation")
    entry, written = task.entry(), folder / "evaluation.json"
    if task.alive():
        return "running"
    if entry.get("queued") is not None:
        return "waiting"
    if written.exists() and not (folder / UNMEASURED).exists() and _of_this_start(plain(written), entry):
        return "done"
    return "failed" if entry.get("begun") else None


def _unmeasured(folder: Path) -> Sentence:
    said = plain(folder / UNMEASURED)
    if said:
        return Sentence(template=said["template"], facts=said["facts"])
    return Sentence(
        "The evaluation of {name} ended without a word, killed or crashed (the last line that it wrote: {line}); "
        "evaluate it again.",
        {"name": folder.name, "line": _last_line(folder / "output.txt")},
    )


def _last_line(file: Path) -> str:
    """Of what a process wrote; a dash where it wrote nothing."""
    try:
        lines = file.read_bytes()[-4096:].decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "–")
