"""What a shared host allows, from its environment. Without these variables, and on one's own machine, everything.

    PATCHLIGHT_TRAINING=off            nobody trains here
    PATCHLIGHT_TRAINING_STEPS=5000     updates of one run that counts them
    PATCHLIGHT_TRAINING_SECONDS=3600   time of one run, all its sessions together; it stops there and keeps its network
    PATCHLIGHT_TRAINING_DISK=500       megabytes of one run's folder
    PATCHLIGHT_TRAINING_QUEUE=20       runs that may wait

With PATCHLIGHT_PUBLIC=1 the last three hold unless others are given, and nobody names files of the server.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.card_catalogue import runs_folder
from models.faults import Fault
from training.recipe import Recipe

PUBLIC = {"SECONDS": 3600.0, "DISK": 500.0, "QUEUE": 20.0}
"""An hour of a small machine is what the bundled networks took; a micro run with all its snapshots fits 500 MB."""


@dataclass(frozen=True)
class Limits:
    """off: nobody trains here; steps, seconds, megabytes, waiting runs: None where there is no limit."""

    off: bool = False
    public: bool = False
    steps: int | None = None
    seconds: float | None = None
    disk: float | None = None
    queue: int | None = None


def limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """Of this process. Raises `Fault` where a variable is no number."""
    public = environment.get("PATCHLIGHT_PUBLIC") == "1"
    steps, seconds, disk, queue = (
        _number(f"PATCHLIGHT_TRAINING_{name}", environment, PUBLIC.get(name) if public else None)
        for name in ("STEPS", "SECONDS", "DISK", "QUEUE")
    )
    return Limits(
        environment.get("PATCHLIGHT_TRAINING", "").lower() in ("off", "0", "no"), public,
        None if steps is None else int(steps), seconds, disk, None if queue is None else int(queue),
    )  # fmt: skip


def switched_on(held: Limits) -> None:
    """Raises `Fault` where nobody trains here."""
    if held.off:
        raise Fault(
            "Training is switched off on this page; install Patchlight on a machine of your own and train there."
        )


def room(held: Limits, waiting: int) -> None:
    """Raises `Fault` where too many runs wait already."""
    if held.queue is not None and waiting >= held.queue:
        raise Fault(
            "Another run was to be queued, but {waiting} wait already and no more than {most} may; try again later.",
            waiting=waiting, most=held.queue,
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


def uploads() -> Path:
    """Where uploaded pictures are unpacked."""
    return runs_folder() / ".uploads"


def _no_files(made: Recipe) -> None:
    """A visitor names sets that everybody may have, or an upload; never a file of the server or another's network."""
    from training.datasets import found

    known = {entry.name for entry in found()} | {"cifar10", "fashion-mnist"}
    uploaded = Path(made.images).resolve().is_relative_to(uploads().resolve())
    if not uploaded and not set(made.images.split("+")) <= known:
        raise Fault(
            "Pictures were asked from {images}, but on a public page they are {names}, or a zip of your own pictures; "
            "choose one of those.",
            images=made.images, names=", ".join(sorted(known)),
        )  # fmt: skip
    if str(made.options.get("checkpoint", "")).partition("/")[0] in ("file", "run"):
        raise Fault(
            "The network {checkpoint} was to be learnt from, but on a public page only bundled and registered ones "
            "are; choose one of those.",
            checkpoint=made.options["checkpoint"],
        )  # fmt: skip


def _number(name: str, environment: Mapping[str, str], default: float | None) -> float | None:
    value = environment.get(name, "")
    if not value:
        return default
    if not value.replace(".", "", 1).isdigit() or float(value) <= 0:
        raise Fault(
            "{name} is {value}, but it is a positive number; correct it and start again.", name=name, value=value
        )
    return float(value)
