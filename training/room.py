"""When the disk is full: one sentence, and room enough left to write it down."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

from models.faults import Fault

RESERVE = 1 << 16
"""Bytes kept for the last words of a run."""


def full(wrong: OSError, folder: Path) -> OSError | Fault:
    """The sentence where `wrong` says that the disk is full, or `wrong` itself."""
    if wrong.errno not in (errno.ENOSPC, errno.EDQUOT):
        return wrong
    if not checkpointed(folder):
        return Fault(
            "The run in {folder} was to be written, but the disk is full before its first checkpoint; make room and "
            "resume, and it begins anew.",
            folder=folder.name,
        )
    return Fault(
        "The run in {folder} was to be written, but the disk is full; its last checkpoint is kept, make room and "
        "resume.",
        folder=folder.name,
    )  # fmt: skip


def checkpointed(folder: Path) -> bool:
    """Whether the run in `folder` has a checkpoint to go on from."""
    return (folder / "checkpoints" / "manifest.json").exists()


def begin(folder: Path) -> None:
    """Makes the folder of a new run where the disk has room for its first words too; where it has not, leaves nothing
    there and raises `Fault`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        keep_reserve(folder)
    except (OSError, Fault) as wrong:
        give_reserve(folder)
        with contextlib.suppress(OSError):
            folder.rmdir()
        if isinstance(wrong, OSError) and full(wrong, folder) is wrong:
            raise
        raise Fault(
            "A run was to begin in {folder}, but the disk is full; make room and begin again.", folder=folder.name
        ) from wrong
    give_reserve(folder)


def keep_reserve(folder: Path) -> None:
    """Takes a little of the disk while there is some; a disk without even that is full at once. Raises `Fault`."""
    try:
        (folder / ".reserve").write_bytes(bytes(RESERVE))
    except OSError as wrong:
        raise full(wrong, folder) from wrong


def give_reserve(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / ".reserve").unlink(missing_ok=True)
