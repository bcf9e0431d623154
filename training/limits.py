"""What a shared host allows, from its environment. Without these variables, and on one's own machine, everything.

    PATCHLIGHT_TRAINING=off            nobody trains here
    PATCHLIGHT_TRAINING_STEPS=5000     updates of one run that counts them
    PATCHLIGHT_TRAINING_SECONDS=3600   time of one run, all its sessions together; it stops there and keeps its network
    PATCHLIGHT_TRAINING_DISK=500       megabytes of one run's folder
    PATCHLIGHT_TRAINING_QUEUE=20       runs that may wait
    PATCHLIGHT_TRAINING_KEPT=10000     megabytes that all visitors' runs and uploads may take together
    PATCHLIGHT_TRAINING_DAYS=7         after which a visitor's ended run is removed; an upload without a run after one

With PATCHLIGHT_PUBLIC=1 the last five hold unless others are given, a tenth of queue and disk is for one visitor at
most, and nobody names files of the server.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.faults import Fault
from training import uploads
from training.recipe import Recipe, sources

PUBLIC = {"SECONDS": 3600.0, "DISK": 500.0, "QUEUE": 20.0, "KEPT": 10_000.0, "DAYS": 7.0}
"""An hour of a small machine is what the bundled networks took; a micro run with all its snapshots fits 500 MB."""


@dataclass(frozen=True)
class Limits:
    """off: nobody trains here; steps, seconds, megabytes of a run, waiting runs, megabytes of all visitors, days that
    what they left is kept: None where there is no limit."""

    off: bool = False
    public: bool = False
    steps: int | None = None
    seconds: float | None = None
    disk: float | None = None
    queue: int | None = None
    kept: float | None = None
    days: float | None = None


SHARE = 0.1
"""Of what all visitors may have together, what one of them may."""


def share(most: float) -> float:
    """What one visitor may have where all together may have `most`; never less than one."""
    return max(1.0, SHARE * most)


def limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """Of this process. Raises `Fault` where a variable is no number."""
    public = environment.get("PATCHLIGHT_PUBLIC") == "1"
    steps, seconds, disk, queue, kept, days = (
        _number(f"PATCHLIGHT_TRAINING_{name}", environment, PUBLIC.get(name) if public else None)
        for name in ("STEPS", "SECONDS", "DISK", "QUEUE", "KEPT", "DAYS")
    )
    return Limits(
        environment.get("PATCHLIGHT_TRAINING", "").lower() in ("off", "0", "no"), public,
        None if steps is None else int(steps), seconds, disk, None if queue is None else int(queue),
        kept, days,
    )  # fmt: skip


def switched_on(held: Limits) -> None:
    """Raises `Fault` where nobody trains here."""
    if held.off:
        raise Fault(
            "Training is switched off on this page; install Patchlight on a machine of your own and train there."
        )


def room(held: Limits, waiting: Sequence[str], owner: str) -> None:
    """Raises `Fault` where too many runs wait already. waiting: their owners"""
    if held.queue is None:
        return
    if len(waiting) >= held.queue:
        raise Fault(
            "Another run was to be queued, but {waiting} wait already and no more than {most} may; try again later.",
            waiting=len(waiting), most=held.queue,
        )  # fmt: skip
    if held.public and waiting.count(owner) >= int(share(held.queue)):
        raise Fault(
            "Another run was to be queued, but {waiting} of yours wait already and no more than {most} of one visitor "
            "may; wait for one, or stop one.",
            waiting=waiting.count(owner), most=int(share(held.queue)),
        )  # fmt: skip


def within(made: Recipe, held: Limits) -> Recipe:
    """The recipe with time and disk cut to what is allowed. Raises `Fault` for what is not allowed at all."""
    settings = made.engine
    if held.steps is not None and not settings.minutes and settings.steps > held.steps:
        raise Fault(
            "A run of {steps} steps was asked for, but this page allows {most}; choose fewer steps.",
            steps=settings.steps, most=held.steps,
        )  # fmt: skip
    if held.public:
        _no_files(made)
    cut = dict(made.settings)
    if held.seconds is not None:
        cut["hours"] = min(settings.hours or held.seconds / 3600, held.seconds / 3600)
        cut["minutes"] = min(settings.minutes, held.seconds / 60)
    if held.disk is not None:
        cut["disk"] = min(settings.disk, held.disk)
    return replace(made, settings=cut)


def _no_files(made: Recipe) -> None:
    """A visitor names sets that everybody may have, or an upload; never a file of the server or another's network."""
    from training.datasets import found

    sets = {entry.name for entry in found() if entry.named} | {"cifar10", "fashion-mnist"}
    own = uploads.known()
    if not all(name in sets or name in own for name in sources(made.images)):
        raise Fault(
            "Pictures were asked from {images}, but on a public page they are {names}, or a zip of your own pictures; "
            "choose one of those.",
            images=made.images[:200], names=", ".join(sorted(sets)),
        )  # fmt: skip
    named = made.options.get("checkpoint")
    if named is not None and not _opens(named):
        raise Fault(
            "The network {checkpoint} was to be learnt from, but on a public page only bundled and registered ones and "
            "runs of your own are; choose one of those.",
            checkpoint=str(named)[:200],
        )  # fmt: skip


def _opens(id: Any) -> bool:
    from models.loading import parse

    try:
        return bool(parse(id))
    except Fault:
        return False


def _number(name: str, environment: Mapping[str, str], default: float | None) -> float | None:
    value = environment.get(name, "")
    if not value:
        return default
    if not value.isascii() or not value.replace(".", "", 1).isdigit() or float(value) <= 0:
        raise Fault(
            "{name} is {value}, but it is a positive number; correct it and start again.", name=name, value=value
        )
    return float(value)
