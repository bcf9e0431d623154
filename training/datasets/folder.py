"""A folder of pictures. Where they lie in subfolders, the subfolders are the classes.

Folders called `train` and `val`, `validation` or `test` are taken as the splits. Otherwise one picture in ten,
chosen by its name, is kept for validation and another for the test, so that adding pictures moves none.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from models.faults import Fault
from training.datasets._contract import Dataset, Found, Source, Split
from training.datasets._stored import Pictures, Stored

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})
SPLIT_FOLDERS: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test",),
}
FEWEST = 10
"""With fewer pictures than this, all are for training."""


def pictures_in(folder: Path) -> list[Path]:
    """Every picture below a folder, in the order of their names; hidden ones are left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def side_of(name: str) -> Split:
    """The split of a picture that has none of its own, by its name alone."""
    return {0: "validation", 1: "test"}.get(zlib.crc32(name.encode()) % 10, "train")  # pyright: ignore[reportReturnType]


def split_folder(folder: Path, split: Split) -> Path | None:
    """The subfolder that is this split, where there is one for training and another beside it."""
    there = {
        known: folder / name for known, names in SPLIT_FOLDERS.items() for name in names if (folder / name).is_dir()
    }
    return there.get(split) if "train" in there and len(there) > 1 else None


def kept(names: list[str], split: Split, source: Source) -> list[int]:
    """Which of `names` belong to a split that has to be cut out of the whole."""
    if len(names) < FEWEST and split == "train":
        return list(range(len(names)))
    inside = [index for index, name in enumerate(names) if len(names) >= FEWEST and side_of(name) == split]
    if not inside:
        raise Fault(
            "The {split} part of {name} was asked for, but none of its {count} pictures falls there; "
            "add pictures, or put some into a folder called {split}.",
            split=split, name=source.name, count=len(names),
        )  # fmt: skip
    return inside


def open_folder(source: Source) -> Dataset:
    """The pictures of one split; raises `Fault` where there are none."""
    root = Path(source.name).expanduser()
    own = split_folder(root, source.split)
    folder = own or root
    files = pictures_in(folder)
    if not files:
        raise Fault(
            "Pictures were asked from {path}, but none lies there; put PNG, JPEG or WebP files into it.", path=folder
        )
    inside = [path.relative_to(folder) for path in files]
    if own is None:
        chosen = kept([path.as_posix() for path in inside], source.split, source)
        files, inside = [files[index] for index in chosen], [inside[index] for index in chosen]
    classes = _classes(folder)
    numbers = {name: number for number, name in enumerate(classes)}
    stored = [
        Stored(str(file), file, label=numbers.get(path.parts[0])) for file, path in zip(files, inside, strict=True)
    ]
    return Pictures(source, len(stored), stored.__getitem__, classes, captioned=False)


def _classes(folder: Path) -> tuple[str, ...]:
    """Subfolders that hold pictures, unless some lie beside them; the same for every split."""
    parts = [path.relative_to(folder).parts for path in pictures_in(folder)]
    return () if any(len(part) == 1 for part in parts) else tuple(sorted({part[0] for part in parts}))


FOUND = Found(
    name="a folder",
    about="Your own pictures: the path of a folder; its subfolders, if it has any, are the classes.",
    claims=lambda name: Path(name).expanduser().is_dir(),
    opens=open_folder,
)
