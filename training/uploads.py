"""Pictures that visitors sent: where they lie, and what they are called outside of this machine.

    PATCHLIGHT_RUNS/.uploads/<owner>/<digest of the zip>/<its name>      the folder
    upload/<digest of the zip>/<its name>                                what its owner calls it in a recipe

A name is looked up in the list of what is there for who asks, never made into a path.
"""

from __future__ import annotations

from pathlib import Path

from models.card_catalogue import runs_folder
from models.faults import Fault
from models.visitor import NOBODY, public, visitor

HANDLE = "upload/"

HOST = "here"
"""The folder of whoever sits at this machine."""


def uploads() -> Path:
    """Where uploaded pictures are unpacked."""
    return runs_folder() / ".uploads"


def home(owner: str) -> Path:
    """Where the pictures of one visitor lie."""
    return uploads() / (owner or HOST)


def handle(folder: Path) -> str:
    """What an unpacked folder is called in a recipe."""
    return f"{HANDLE}{folder.parent.name}/{folder.name}"


def unpacked_folders(owner: str | None = None) -> list[Path]:
    """Those of one visitor, or all."""
    whose = "[!.]*" if owner is None else owner or HOST
    return sorted(folder for folder in uploads().glob(f"{whose}/*/*") if folder.is_dir())


def known() -> dict[str, Path]:
    """Uploads by the names that who asks may use: by handle, and by path as recipes of old have it."""
    if public() and visitor() == NOBODY:
        return {}
    there = unpacked_folders(visitor() if public() else None)
    return {name: folder for folder in there for name in (handle(folder), str(folder))}


def place(name: str) -> Path:
    """The folder that a handle names. Raises `Fault`, the same for another visitor's and for none."""
    if name not in (there := known()):
        raise Fault("The upload {name} is not there any more; upload the zip again.", name=name[:200])
    return there[name]
