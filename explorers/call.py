"""One call of one visitor: what it may take of the accelerator in all, and whether anybody still waits for its answer.

    with calling(gone):      around everything that answers one request; the gate then counts and asks
        ...

On a public page a call has `PATCHLIGHT_CALL_SECONDS` of the accelerator in all and at most `STRETCH` at a time,
whatever numbers it names; on one's own page and in the shell it has what it takes. Work for somebody who has gone stops
at the next gate.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import inf

from models.faults import Fault

STRETCH = 10.0
"""Seconds: a pass that is foreseen to take longer is refused on a public page, since nothing can interrupt it."""

USUAL = 60
"""Seconds of the accelerator for one call on a public page, unless `PATCHLIGHT_CALL_SECONDS` says otherwise."""


class Ended(Fault):
    """Why one call ended, which is no answer to another that asked for the same."""


class Stopped(Ended):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__("The work was stopped; choose a picture or a network to start again.")


def public() -> bool:
    return os.environ.get("PATCHLIGHT_PUBLIC") == "1"


def allowance() -> float:
    """Seconds of the accelerator that one call has in all. Raises `Fault` where the setting is no number."""
    told = os.environ.get("PATCHLIGHT_CALL_SECONDS", str(USUAL))
    if not told.isdecimal() or int(told) == 0:
        raise Fault(
            "{variable} was set to {told}; give seconds as a whole number.",
            variable="PATCHLIGHT_CALL_SECONDS", told=told[:40],
        )  # fmt: skip
    return float(told) if public() else inf


def check_stretch(seconds: float | None) -> None:
    """Refuses, on a public page, one pass that is foreseen to take too long; None where nobody can tell yet."""
    if seconds is not None and seconds > STRETCH and public():
        raise Fault(
            "A pass of about {seconds} s was asked for, but on this shared page nobody may hold the accelerator longer "
            "than {most} s at a stretch; choose a smaller input size, or a smaller network.",
            seconds=round(seconds), most=f"{STRETCH:g}",
        )  # fmt: skip


@dataclass
class Call:
    """gone:   whether nobody waits for the answer any more
    limit:  seconds of the accelerator that it may take in all
    spent:  that it has had
    """

    gone: Callable[[], bool] = lambda: False
    limit: float = field(default_factory=allowance)
    spent: float = 0.0

    def check(self, ahead: float = 0.0) -> None:
        """Raises `Stopped` when nobody waits, `Ended` where `ahead` more seconds would be too many."""
        if self.gone():
            raise Stopped
        if self.spent + ahead > self.limit:
            raise Ended(
                "This would take about {seconds} s of the accelerator, but on this shared page one call has {most} s; "
                "ask for fewer pictures, texts or masks, or choose a smaller input size.",
                seconds=round(self.spent + ahead), most=f"{self.limit:g}",
            )  # fmt: skip

    @contextmanager
    def counted(self) -> Iterator[None]:
        """What happens inside is time that this call has the accelerator."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.spent += time.perf_counter() - begun


_now: ContextVar[Call | None] = ContextVar("call", default=None)


def current() -> Call:
    """The call that this thread answers; a new one, for which somebody waits, where it answers none."""
    return _now.get() or Call()


@contextmanager
def calling(gone: Callable[[], bool] = lambda: False) -> Iterator[Call]:
    """Everything inside belongs to one call."""
    token = _now.set(Call(gone))
    try:
        yield current()
    finally:
        _now.reset(token)
