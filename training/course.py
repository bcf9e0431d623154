"""How far a run is and how far it has to go, whether its steps end it or the clock does. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.sentences import Sentence

FEWEST = 100
"""Steps below which a run that the clock ends has nothing to learn from: no preset has left chance by then."""

SOON = (5, 0.1)
"""Steps, or share of the time, after which a run's own pace is believed: its first steps allocate and are drawn."""


def course(settings: Mapping[str, Any], step: int, status: Mapping[str, Any]) -> tuple[int | None, float]:
    """How many steps there are in all, and the share of the run that is over."""
    if settings.get("minutes"):
        return None, status.get("share", 0.0)
    steps = int(settings.get("steps", 0))
    return steps, step / max(1, steps)


def left(settings: Mapping[str, Any], step: int, share: float, pace: float | None) -> float | None:
    """Seconds to go."""
    if settings.get("minutes"):
        return (1 - share) * 60 * settings["minutes"]
    return None if pace is None else pace * (settings["steps"] - step)


def too_few(name: str, settings: Mapping[str, Any], state: str, step: int, share: float) -> Sentence | None:
    """A warning where the clock ends a run before there are steps enough to learn from."""
    if (
        not settings.get("minutes")
        or state not in ("starting", "running", "finished")
        or (step < SOON[0] and share < SOON[1])
    ):
        return None
    steps = round(step / share) if share else FEWEST
    if steps >= FEWEST:
        return None
    return Sentence(
        "In the time that {name} is given this machine makes about {steps} steps, and fewer than {fewest} are too few "
        "to learn anything from; choose a smaller network, smaller pictures, a smaller batch or more minutes.",
        {"name": name, "steps": steps, "fewest": FEWEST},
    )
