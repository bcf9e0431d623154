"""Sets of pictures that can be searched: drawn ones, emoji, the example photographs, or a folder of this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from PIL import Image

from explorers.beginnings import GalleryName
from explorers.frame import examples
from models.faults import Fault
from models.image import open_image
from training import captions
from training.datasets import Source, open_dataset
from training.datasets.folder import nothing_in, pictures_in

Name = GalleryName
NAMES: tuple[Name, ...] = get_args(Name)

Split = Literal["train", "validation", "test"]
SPLITS: dict[str, Split] = {"twemoji": "validation", "emojione": "test", "emoji": "train", "unseen": "test"}

DRAWN = 400
"""Pictures of a gallery of drawn shapes."""

VERSION = 2
"""Of the drawn galleries; a new number makes their indices anew."""

SEED = 20_260
"""Of a stream that no training run draws from: theirs begin with small seeds."""

MOST = 500_000
"""Pictures of a folder."""

TOGETHER = 64
"""Pictures that are drawn at once."""

OBJECTS = (1, 2)
"""Fewest and most of one picture: what one caption can say without a list."""


@dataclass(frozen=True)
class Gallery:
    """Pictures that lie still.

    name, place:  one of `NAMES`; the folder's path or ""
    stamps:       a text for each picture that changes when the picture does
    names:        captions in English, or paths inside the folder
    russian:      captions in Russian, or empty
    concepts:     numbers that pictures of equal meaning share, or empty
    open:         (number, side in pixels for those that are drawn) to an RGB image. Raises `Fault`.
    """

    name: Name
    place: str
    stamps: tuple[str, ...]
    names: tuple[str, ...]
    open: Callable[[int, int], Image.Image]
    russian: tuple[str, ...] = ()
    concepts: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


def gallery(name: Name, place: str = "") -> Gallery:
    """The gallery called `name`; a folder's is the one at `place`. Raises `Fault`."""
    if name == "folder":
        return _folder(place)
    if name == "photographs":
        return _photographs()
    return _drawn(name)


def _photographs() -> Gallery:
    files = list(examples().values())
    names = tuple(file.stem for file in files)
    return Gallery("photographs", "", _stamps(files, names), names, lambda number, _: open_image(files[number]))


def _folder(place: str) -> Gallery:
    if os.environ.get("PATCHLIGHT_PUBLIC") == "1":
        raise Fault("A folder was to be searched, but this page is public and opens none; run Patchlight at home.")
    if not place.strip() or "\0" in place:
        raise Fault("A folder was to be searched, but none is named; give its path.")
    root = Path(place.strip()).expanduser()
    if not root.is_dir():
        raise Fault("Pictures were to be searched in {path}, but there is no such folder; check the path.", path=root)
    files = pictures_in(root)
    if not files:
        raise nothing_in(root)
    if len(files) > MOST:
        raise Fault(
            "{path} holds {count} pictures where {most} can be searched; choose one of its subfolders.",
            path=root, count=len(files), most=MOST,
        )  # fmt: skip
    names = tuple(file.relative_to(root).as_posix() for file in files)
    stamps = _stamps(files, names)
    return Gallery("folder", str(root.resolve()), stamps, names, lambda number, _: open_image(files[number]))


def _stamps(files: list[Path], names: tuple[str, ...]) -> tuple[str, ...]:
    """Path, size and time of the last writing: what tells a changed file without reading it."""
    told = [file.stat() for file in files]
    return tuple(f"{name} {one.st_size} {one.st_mtime_ns}" for name, one in zip(names, told, strict=True))


# -- drawn -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=len(NAMES))
def _drawn(name: Name) -> Gallery:
    shapes, split = name in ("shapes", "unseen"), SPLITS.get(name, "train")
    (english, russian), concepts = _shapes(split) if shapes else _emoji(split)
    stamps = tuple(f"{name} {VERSION} {number}" for number in range(len(english)))
    sheets = _Sheets("shapes" if shapes else "emoji", split, SEED if shapes else None)
    return Gallery(name, "", stamps, english, sheets, russian, concepts)


def _shapes(split: Split) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...]]:
    """Captions in both languages and concepts: of the stream's first pictures, drawn as small as can be."""
    told: dict[str, list[str]] = {"en": [], "ru": []}
    concepts: list[int] = []
    for step in range(-(-DRAWN // TOGETHER)):
        for language, kept in told.items():
            pictures = open_dataset(Source("shapes", 8, split, language, objects=OBJECTS))  # pyright: ignore
            batch = pictures.batch(step, seed=SEED, count=TOGETHER, device="cpu")
            kept += batch.captions or ()
        concepts += [] if batch.concepts is None else batch.concepts.tolist()
    return tuple(tuple(texts[:DRAWN]) for texts in told.values()), tuple(concepts[:DRAWN])


def _emoji(split: Split) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...]]:
    from training.datasets.emoji import drawings

    known = drawings(split)
    told = tuple(
        tuple(captions.told([name], language, 0) for name in names)
        for language, names in (("en", known.english), ("ru", known.russian))
    )
    return told, tuple(known.concepts.tolist())


class _Sheets:
    """Draws a picture together with its neighbours, which are wanted next, and keeps the last few sheets."""

    def __init__(self, dataset: str, split: Split, seed: int | None) -> None:
        self.dataset, self.seed = dataset, seed
        self.split: Split = split
        self._sheet = lru_cache(maxsize=4)(self._draw)
        self._lock = threading.Lock()

    def __call__(self, number: int, side: int) -> Image.Image:
        step, place = divmod(number, TOGETHER)
        with self._lock:
            sheet = self._sheet(step, side)
        return Image.fromarray(sheet[place])

    def _draw(self, step: int, side: int) -> np.ndarray:
        """(pictures, side, side, 3) uint8."""
        pictures = open_dataset(Source(self.dataset, side, self.split, objects=OBJECTS))
        images = pictures.batch(step, seed=self.seed, count=TOGETHER, device="cpu").images
        return (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
