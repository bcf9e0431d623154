"""When memory was out: which batch would fit, found by learning with smaller ones, each in a process of its own.

What failed cannot tell, nor can one trial for the next: its memory is in pieces, so there nearly nothing fits any more.
The run that follows begins afresh, and so does every trial.
"""

from __future__ import annotations

import ctypes
import gc
import json
import subprocess
import sys
from bisect import bisect_left
from dataclasses import replace
from itertools import islice

from models.faults import Fault
from training.recipe import Recipe, recipe
from training.tender import surroundings

UPDATES = 2
"""Of each trial: in the second the optimiser's own memory is there too."""

ROOM = 128 << 20
"""Bytes that a trial leaves alone, for what a run does between its steps, snapshots, pictures, checkpoints, and for the
arena of 64 MB that glibc gives a thread."""

LONGEST = 120.0
"""Seconds after which a trial is given up, as if its batch did not fit."""

FITS, STARVED = 0, 3
"""How a trial ends; one that the system kills ends otherwise, and does not fit either."""

OUT = (
    "allocate memory", "not enough memory", "out of memory", "bad_alloc", "could not create a memory",
    "could not create a primitive",
)  # fmt: skip
"""How torch says on the CPU that memory was out; the last two are oneDNN's, whose kernels need some of their own."""


def starved(wrong: BaseException) -> bool:
    """Whether this error means that memory was out."""
    import torch

    told = str(wrong).lower()
    return isinstance(wrong, (MemoryError, torch.OutOfMemoryError)) or any(words in told for words in OUT)


def too_large(made: Recipe) -> Fault:
    """The sentence for a run that memory is too small for, with a batch that was tried and fits."""
    fits = fitting(made)
    if fits is None:
        return Fault(
            "Memory was out with batches of {batch}, and not even {least} pictures fit; choose a smaller network or "
            "smaller pictures.",
            batch=made.engine.batch, least=2 * made.engine.accumulate,
        )  # fmt: skip
    return Fault(
        "Memory was out with batches of {batch}; a batch of {fits} was tried and fits, so duplicate the run with that.",
        batch=made.engine.batch, fits=fits,
    )  # fmt: skip


def fitting(made: Recipe) -> int | None:
    """The largest of the halves, quarters, eighths … of a batch with which updates were made here and now; None where
    there is none. Each trial halves what is left to try."""
    _let_go()
    batches = halves(made.engine.batch, made.engine.accumulate)
    return next(iter(batches[: bisect_left(batches, True, key=lambda batch: not _tried(made, batch))][::-1]), None)


def halves(batch: int, parts: int) -> list[int]:
    """Smaller batches, the smallest first, each a multiple of so many parts with two pictures at least."""
    found = []
    while (batch := batch // 2 // parts * parts) >= 2 * parts:
        found.append(batch)
    return found[::-1]


def _tried(made: Recipe, batch: int) -> bool:
    """Whether a process that begins afresh makes its updates with so large a batch."""
    words = [sys.executable, "-W", "ignore", "-m", "training.fits"]
    told = json.dumps(replace(made, settings={**made.settings, "batch": batch}).plain())
    try:
        child = subprocess.run(words, input=told, capture_output=True, text=True, env=surroundings(), timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return False
    return child.returncode == FITS


def _let_go() -> None:
    """What this process holds and does not need is there for the trials."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc, which keeps what was freed
        if trim is not None:
            trim(0)


def main() -> int:
    """A recipe on the standard input, its updates, an exit code."""
    from training.engine import train
    from training.estimate import fresh

    made = recipe(json.loads(sys.stdin.read()))
    try:
        images, objective = fresh(made)
        room = bytearray(ROOM)
        list(islice(train(objective, images, made.engine), UPDATES))
        del room
    except (MemoryError, RuntimeError) as wrong:
        if not starved(wrong):
            raise
        return STARVED
    return FITS


if __name__ == "__main__":
    sys.exit(main())
