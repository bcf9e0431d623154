"""What visitors of a shared host leave behind, runs and uploads: counted for each, bounded, and removed in time."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

from models.card_catalogue import runs_folder
from models.disk import taken
from models.faults import Fault
from models.visitor import NOBODY, owner_of
from training.ledger import Task, plain
from training.limits import Limits, share
from training.recipe import sources
from training.uploads import handle, home, unpacked_folders, uploads

UNNAMED = 24 * 3600.0
"""Seconds that an upload stays which no run names."""

HALF_WAY = 3600.0
"""Seconds after which what is still being unpacked has been given up."""


def check_room(held: Limits, owner: str, coming: float = 0.0) -> None:
    """Raises `Fault` where `coming` more bytes would be too many, of this owner or of all visitors together."""
    if held.kept is None:
        return
    mine = _bytes([*_runs(owner), home(owner)])
    if mine + coming > share(held.kept) * 1e6:
        raise Fault(
            "Your runs and uploads take {mine} MB here and {coming} MB more were to come, but a visitor may keep "
            "{most} MB; delete a run.",
            mine=round(mine / 1e6), coming=round(coming / 1e6), most=round(share(held.kept)),
        )  # fmt: skip
    theirs = [folder for folder in uploads().glob("[!.]*") if folder != home(NOBODY)]
    if _bytes([*_runs(None), *theirs]) + coming > held.kept * 1e6:
        raise Fault("All that visitors may keep here is taken at the moment; try again tomorrow.")


def sweep(held: Limits) -> None:
    """Removes visitors' runs and uploads whose time is over; nothing where the host named no time."""
    if held.days is None:
        return
    for run in _runs(None):
        if _age(run) > held.days * 86400 and not _busy(run):
            with contextlib.suppress(Fault, OSError):
                _delete(run)
    named = {name for settings in runs_folder().glob("[!.]*/settings.json") for name in _sources(settings)}
    for folder in unpacked_folders():
        if not {handle(folder), str(folder)} & named and _age(folder) > UNNAMED:
            shutil.rmtree(folder.parent, ignore_errors=True)
    for folder in uploads().glob(".new-*"):
        if _age(folder) > HALF_WAY:
            shutil.rmtree(folder, ignore_errors=True)


def _delete(run: Path) -> None:
    from training.jobs import delete

    delete(run.name)


def _runs(owner: str | None) -> list[Path]:
    """Runs of one visitor, or of all; never the host's own."""
    owned = [(run, owner_of(run)) for run in runs_folder().glob("[!.]*") if (run / "job.json").is_file()]
    return [run for run, whose in owned if whose and (owner is None or whose == owner)] if owner != NOBODY else []


def _busy(run: Path) -> bool:
    tasks = (Task(run), Task(run, "evaluation"))
    return any(task.alive() or task.entry().get("queued") is not None for task in tasks)


def _sources(settings: Path) -> tuple[str, ...]:
    return sources(str(plain(settings).get("images", "")))


def _bytes(folders: list[Path]) -> int:
    return sum(taken(folder) for folder in folders if folder.is_dir())


def _age(folder: Path) -> float:
    """Seconds since something was last written into a folder."""
    with contextlib.suppress(OSError):
        return time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    return 0.0
