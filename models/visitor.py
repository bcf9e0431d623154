"""Who asks, and which runs they may know: one rule, asked on every door.

On a machine of one's own whoever asks may know everything. On a page that strangers share (PATCHLIGHT_PUBLIC=1) a
visitor is the digest of a token that their browser keeps, and a run that a visitor began is known to that visitor
alone; a run without an owner was put there by the host, and its network is everybody's.

    with asked_by(visitor):      the page, for each request; a process that works for a visitor is told by
        knows(folder)            PATCHLIGHT_VISITOR
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

NOBODY = ""
"""Who asks without a token, and who owns what the host put there."""

VARIABLE = "PATCHLIGHT_VISITOR"

_asking: ContextVar[str | None] = ContextVar("visitor", default=None)


def public() -> bool:
    """Whether strangers share this page."""
    return os.environ.get("PATCHLIGHT_PUBLIC") == "1"


def visitor() -> str:
    """The digest of who asks; empty for nobody in particular."""
    asking = _asking.get()
    return os.environ.get(VARIABLE, NOBODY) if asking is None else asking


@contextmanager
def asked_by(visitor: str) -> Iterator[None]:
    """What happens inside happens for `visitor`."""
    before = _asking.set(visitor)
    try:
        yield
    finally:
        _asking.reset(before)


def owner_of(run: Path) -> str | None:
    """Who began the run in this folder; None, which is no visitor, where that cannot be read."""
    try:
        told = json.loads((run / "job.json").read_bytes())
        return str(told.get("owner", NOBODY))
    except FileNotFoundError:
        return NOBODY
    except (OSError, ValueError, AttributeError, RecursionError):
        return None


def owns(run: Path) -> bool:
    """Whether who asks may see how this run was made and act on it."""
    return not public() or (visitor() != NOBODY and owner_of(run) == visitor())


def knows(run: Path) -> bool:
    """Whether who asks may open the network of this run and be told its name."""
    return not public() or owner_of(run) in (NOBODY, visitor())
