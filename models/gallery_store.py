"""What a network made of a gallery's pictures, kept on the disk so that no picture is read twice.

One safetensors file for each network and gallery, in `galleries` of the cache folder; its name tells whether it is
still true: `<who looked at what>.<what lay there>.safetensors`. A gallery that has changed takes over the rows of the
pictures that have not. The oldest used files make room for new ones.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from models.card_catalogue import cache_folder
from models.faults import Fault

BYTES = 2 * 2**30
"""Of all kept files together unless `PATCHLIGHT_GALLERIES_MB` says otherwise."""


@dataclass(frozen=True)
class Index:
    """A gallery's readable pictures as one network sees them.

    vectors:     (pictures, channels) float32, unit length
    thumbnails:  uint8, JPEG files one after another; the i-th from `starts[i]` to `starts[i + 1]`
    names:       what each picture is called: its caption in English, or its path inside the folder
    stamps:      a text for each picture that changes when the picture does
    russian:     captions in Russian, or empty
    concepts:    numbers that pictures of equal meaning share, or empty
    skipped:     of each picture that could not be read, its name and why: {"name", "template", "facts"}
    seconds:     that the making took
    bytes:       on the disk; 0 where it could not be kept there
    """

    vectors: np.ndarray
    thumbnails: np.ndarray
    starts: np.ndarray
    names: tuple[str, ...]
    stamps: tuple[str, ...]
    russian: tuple[str, ...] = ()
    concepts: tuple[int, ...] = ()
    skipped: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    bytes: int = field(default=0, compare=False)

    def __len__(self) -> int:
        return len(self.vectors)

    def thumbnail(self, picture: int) -> bytes:
        """A JPEG file."""
        return self.thumbnails[self.starts[picture] : self.starts[picture + 1]].tobytes()

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """Picture by stamp."""
        return {stamp: row for row, stamp in enumerate(self.stamps)}


def folder() -> Path:
    return cache_folder() / "galleries"


def read(who: str, what: str) -> Index | None:
    """The index of a gallery as it is now, or None where there is none that can be read."""
    path = folder() / f"{who}.{what}.safetensors"
    found = _opened(path)
    if found is not None:
        os.utime(path)
    return found


def earlier(who: str) -> Index | None:
    """The newest index of the same network and gallery, of whatever pictures lay there then."""
    files = sorted(folder().glob(f"{who}.*.safetensors"), key=lambda file: file.stat().st_mtime_ns)
    return _opened(files[-1]) if files else None


def keep(who: str, what: str, index: Index) -> Index:
    """Write `index` and let older ones go; it is read from the disk from now on. Raises `OSError`."""
    path = folder() / f"{who}.{what}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {name: getattr(index, name) for name in ("names", "stamps", "russian", "concepts", "skipped", "seconds")}
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    arrays = {"vectors": index.vectors, "thumbnails": index.thumbnails, "starts": index.starts, "about": text}
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".gallery.")
    os.close(handle)
    try:
        save_file(arrays, beside)
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    _forget([file for file in folder().glob(f"{who}.*.safetensors") if file != path])
    _make_room(path)
    return _opened(path) or index


def _opened(path: Path) -> Index | None:
    """Thumbnails stay on the disk until one is wanted. A damaged file is as good as none: it is made again."""
    try:
        with safe_open(path, "np") as file:
            arrays = {name: file.get_tensor(name) for name in ("vectors", "starts", "about")}
        about = json.loads(arrays.pop("about").tobytes())
        listed: dict[str, Any] = {name: tuple(value) for name, value in about.items() if name != "seconds"}
        listed |= {**arrays, "seconds": float(about["seconds"])}
        return Index(**listed, thumbnails=_mapped(path, "thumbnails"), bytes=path.stat().st_size)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def _mapped(path: Path, name: str) -> np.ndarray:
    """Bytes of one array where they lie in the file: 8 bytes length of the header, header, arrays."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        start, end = json.loads(file.read(size))[name]["data_offsets"]
    if start == end:
        return np.empty(0, np.uint8)
    return np.memmap(path, np.uint8, "r", offset=8 + size + start, shape=(end - start,))


def _make_room(newest: Path) -> None:
    files = sorted(folder().glob("*.safetensors"), key=lambda file: file.stat().st_mtime_ns)
    total, limit = sum(file.stat().st_size for file in files), _limit()
    for file in files:
        if total <= limit or file == newest:
            return
        total -= file.stat().st_size
        _forget([file])


def _forget(files: Sequence[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _limit() -> int:
    told = os.environ.get("PATCHLIGHT_GALLERIES_MB")
    if told is None:
        return BYTES
    if not told.isdigit() or int(told) == 0:
        raise Fault(
            "{variable} was set to {told}; give megabytes as a whole number.",
            variable="PATCHLIGHT_GALLERIES_MB", told=told,
        )  # fmt: skip
    return int(told) * 2**20
