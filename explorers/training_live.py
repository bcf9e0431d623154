"""What a page is told of runs while they learn: the list, the curves, the meters, the pictures. It only reads.

The page asks once a second and remembers nothing that it could not ask again, so reloading, closing or another server
change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorers import delivery
from explorers.bundle import pack
from explorers.training_evaluation import evaluation
from explorers.training_owner import owned, owner
from explorers.training_told import axes, columns, spoken, told, verdict
from models.card_catalogue import runs_folder
from models.faults import Fault

if TYPE_CHECKING:
    from training.curves import Curves
    from training.jobs import Job

Values = Mapping[str, Any]

SHOWN = ("similarity", "teacher")
"""What objectives themselves write beside a snapshot."""

FIRST = {
    "clip": "similarity", "siglip": "similarity", "simclr": "similarity", "mae": "reconstruction",
    "simmim": "reconstruction",
}  # fmt: skip
"""What tells most of an objective; attention of all others."""


def form(_: Values) -> dict[str, Any]:
    from explorers.training_form import declared

    return declared()


def runs(_: Values) -> dict[str, Any]:
    """This visitor's runs, newest first, names of those whose files are damaged, and why none can be begun where that
    is so."""
    from training import jobs

    tend()
    mine = owner() or None
    return {"runs": [told(job) for job in jobs.jobs(mine)], "damaged": jobs.damaged(mine), "off": _off()}


def _off() -> dict[str, Any] | None:
    from training.limits import limits, switched_on

    try:
        switched_on(limits())
    except Fault as fault:
        return delivery.told(fault)["fault"]
    return None


def watch(values: Values) -> bytes:
    """All that the tab draws of one run, and the list; curves since the place that `since` names."""
    from training import verdicts
    from training.curves import newest, oldest

    job = owned(values.get("run"))
    found = _curves(job.name, values)
    rows = newest(runs_folder() / job.name)
    said = verdicts.verdicts(rows, job.recipe, oldest(runs_folder() / job.name))
    more = {
        "run": told(job), "kinds": kinds(job), "shown": _shown(runs_folder() / job.name),
        "verdicts": [verdict(one) for one in said], "basis": spoken(verdicts.basis(rows)) if rows else None,
        "recent": verdicts.recent(rows),
        "measured": evaluation(job.name), "numbers": _numbers(job.name),
    }  # fmt: skip
    return pack({**runs(values), **more, **axes(found)}, columns(found))


def kept(values: Values) -> dict[str, Any]:
    """The little that any tab needs to follow a run: steps that can be opened, and the one that is newest."""
    from training import snapshots

    job = owned(values.get("run"))
    return {**told(job), "live": snapshots.live(runs_folder() / job.name)}


def curves(values: Values) -> bytes:
    """Curves alone, for a run that another is compared with."""
    found = _curves(owned(values.get("run")).name, values)
    return pack(axes(found), columns(found))


def frame(values: Values) -> bytes | dict[str, Any]:
    """One frame of the strip; see `training_strip`. Nothing of a checkpoint that made room since it was listed."""
    from explorers import training_strip
    from training.snapshots import place

    step = str(values.get("step", ""))
    if not step.isdecimal() or len(step) > 12:
        raise Fault("A frame was asked for without a step; give a whole number.")
    name = owned(values.get("run")).name
    if place(runs_folder() / name, int(step)) is None:
        return {}
    return training_strip.frame(name, int(step), str(values.get("kind")))


def views(values: Values) -> bytes | dict[str, Any]:
    """The fixed pictures and their views; nothing where the run has not written them."""
    from explorers import training_strip

    folder = runs_folder() / owned(values.get("run")).name
    return training_strip.views(folder) if (folder / "views.safetensors").is_file() else {}


def kinds(job: Job) -> tuple[str, ...]:
    """What can be drawn of this run's snapshots, the most telling first. Costs no torch."""
    first = FIRST.get(str(job.recipe.get("objective")), "attention")
    made = ("reconstruction",) if first == "reconstruction" else ()
    found = (*made, "attention", *_written(runs_folder() / job.name), "positions", "views")
    return tuple(sorted(found, key=lambda kind: kind != first))


def _shown(folder: Path) -> list[int]:
    """Steps at which the objective itself wrote something; checkpoints in between hold weights only."""
    return sorted(int(file.parent.name[5:]) for file in folder.glob("snapshots/step-*/shown.safetensors"))


def _written(folder: Path) -> tuple[str, ...]:
    """Names that the run's first snapshot has in its shown.safetensors, told without reading their values."""
    file = next(iter(sorted(folder.glob("snapshots/step-*/shown.safetensors"))), None)
    if file is None:
        return ()
    with file.open("rb") as stream:
        header: dict[str, Any] = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    return tuple(kind for kind in SHOWN if kind in header)


def _curves(name: str, values: Values) -> Curves:
    from training.curves import curves

    return curves(runs_folder() / name, str(values.get("since", "")))


@lru_cache(maxsize=256)
def _numbers(name: str) -> str:
    """Where the run's curves lie as a file; an address that nobody guesses, since a link carries no visitor's token."""

    def made(_: Mapping[str, str]) -> bytes:
        from explorers.export import npz
        from explorers.training_words import finding

        return npz(finding(name))

    return delivery.offer(made, filename=f"patchlight-{name}.npz")


_tender: list[Any] = []


def tend() -> None:
    """Let this process look after waiting and dead runs from now on; several may, a lock keeps them apart."""
    from training.jobs import Tender

    if not _tender and _off() is None:
        _tender.append(Tender())
        _tender[0].start()
