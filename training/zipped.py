"""A zip of pictures, unpacked where nothing in it can do harm: only pictures, only so many, nowhere but in one folder.

What is refused: names that lead out of the folder, links, archives in archives, a bomb. What is left out: anything that
is no picture by its name, and no `metadata.csv` or `.jsonl` with their captions either, and what a computer adds by
itself (__MACOSX, hidden files).
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import stat
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import IO

from models.faults import Fault
from training.leftovers import check_room, sweep
from training.limits import Limits, limits
from training.room import full
from training.uploads import home, uploads

PICTURES = 20_000
BYTES = 2 << 30
RATIO = 200
"""Unpacked bytes for a packed one, over the whole archive: pictures are packed already, so honest zips have about 1."""

TABLES = ("metadata.csv", "metadata.jsonl")
"""Text beside pictures that describes them."""

NESTED = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2")
BLOCK = 1 << 20


def unpacked(archive: Path, owner: str = "") -> Path:
    """A folder called as the zip file is, with its pictures, the same for the same file and owner. Raises `Fault`."""
    place, held = home(owner) / _digest(archive) / archive.stem, limits()
    with _one_at_a_time:
        sweep(held)
        if place.is_dir():
            os.utime(place)  # its time begins anew
            return place
        try:
            _unpack(archive, place, owner, held)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError, OSError) as damage:
            if isinstance(damage, OSError) and isinstance(fault := full(damage, uploads()), Fault):
                raise fault from damage
            raise Fault(
                "A zip of pictures was expected, but {name} is none, or is damaged; pack it again.", name=archive.name
            ) from damage
    return place


_one_at_a_time = threading.Lock()
"""So that what is counted before is still so after."""


def _unpack(archive: Path, place: Path, owner: str, held: Limits) -> None:
    uploads().mkdir(parents=True, exist_ok=True)
    beside = Path(mkdtemp(dir=uploads(), prefix=".new-"))
    try:
        with zipfile.ZipFile(archive) as file:
            chosen = _pictures(file)
            check_room(held, owner, sum(entry.file_size for entry in chosen))
            _write(file, chosen, beside)
        os.chmod(beside, 0o755)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(beside, place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def left_out(archive: Path) -> int:
    """How many files of a zip that was unpacked are neither pictures nor tables beside them."""
    with zipfile.ZipFile(archive) as file:
        return sum(not (_is_picture(entry) or _is_table(entry)) for entry in _files(file))


def _files(file: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [entry for entry in file.infolist() if not entry.is_dir() and not _own(entry)]


def _is_picture(entry: zipfile.ZipInfo) -> bool:
    from training.datasets.folder import SUFFIXES

    return _path(entry).suffix.lower() in SUFFIXES


def _is_table(entry: zipfile.ZipInfo) -> bool:
    return _path(entry).name.lower() in TABLES


def _pictures(file: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """What is to be unpacked, looked at before a byte of it is."""
    entries = _files(file)
    for entry in entries:
        _refuse(entry)
    chosen = [entry for entry in entries if _is_picture(entry) or _is_table(entry)]
    count = sum(map(_is_picture, chosen))
    allowed = min(BYTES, (limits().disk or math.inf) * 1e6)
    size, packed = sum(entry.file_size for entry in chosen), sum(entry.compress_size for entry in chosen)
    if not count:
        raise Fault("The zip holds no pictures; put PNG, JPEG or WebP files into it.")
    if count > PICTURES or size > allowed:
        raise Fault(
            "The zip holds {count} pictures of {size} MB, but {most} of {limit} MB are allowed; upload fewer.",
            count=count, size=round(size / 1e6), most=PICTURES, limit=round(allowed / 1e6),
        )  # fmt: skip
    if size > RATIO * max(packed, 1):
        raise _bomb()
    return chosen


def _refuse(entry: zipfile.ZipInfo) -> None:
    path, kind = _path(entry), entry.external_attr >> 16
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or stat.S_ISLNK(kind):
        raise Fault(
            "The zip names a file outside of its own folder, {name}, so it was not unpacked; pack it again.",
            name=entry.filename[:100],
        )  # fmt: skip
    if path.suffix.lower() in NESTED:
        raise Fault(
            "The zip holds another archive, {name}; pack the pictures themselves.", name=entry.filename[:100]
        )  # fmt: skip
    if entry.flag_bits & 1:
        raise Fault("The zip is locked by a password; pack it again without one.")


def _write(file: zipfile.ZipFile, chosen: list[zipfile.ZipInfo], folder: Path) -> None:
    """Counted as it is unpacked, since an archive may lie about its sizes."""
    left, wrapped = sum(entry.file_size for entry in chosen), _wrapped(chosen)
    for entry in chosen:
        place = folder.joinpath(*_path(entry).parts[wrapped:])
        place.parent.mkdir(parents=True, exist_ok=True)
        with file.open(entry) as source, open(place, "wb") as target:
            for block in _blocks(source):
                left -= len(block)
                if left < 0:
                    raise _bomb()
                target.write(block)


def _wrapped(chosen: list[zipfile.ZipInfo]) -> int:
    """How many folders lie around everything: a folder that was packed whole is no class."""
    return len(Path(os.path.commonpath([_path(entry).parent for entry in chosen])).parts)


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block


def _bomb() -> Fault:
    return Fault("The zip unpacks to far more than it is, as no pictures do, so it was not unpacked; pack it again.")


def _path(entry: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(entry.filename.replace("\\", "/"))


def _own(entry: zipfile.ZipInfo) -> bool:
    """What a computer adds by itself."""
    parts = _path(entry).parts
    return "__MACOSX" in parts or any(part.startswith(".") and part != ".." for part in parts)


def _digest(archive: Path) -> str:
    found = hashlib.sha256()
    with open(archive, "rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()[:32]
