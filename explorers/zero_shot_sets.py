"""Small labelled sets to score a network on: drawn shapes and emoji that ship with Patchlight, or a folder of pictures.

    shapes    single coloured shapes of the test split, among all 64 names of the vocabulary
    held      the same pictures, among the 16 names that occur
    twemoji   emoji of the style kept for validation, each its own label
    emojione  emoji of the style kept for the test, likewise
    PATH      a folder with a folder of pictures for each label, or with such folders in train, val and test

Which pictures are taken is fixed, so that networks and prompts are compared on the same ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from explorers.long_lists import MOST_LABELS
from explorers.parameters import shown
from models.faults import Fault
from models.image import open_image
from training.datasets import Source, open_dataset
from training.datasets.emoji import drawings
from training.datasets.folder import ORDER, class_of, folders, nothing_in
from training.datasets.shapes import combinations
from training.shapes import PLACES, phrase, placed

SEED = 0
DRAWN = 50
"""Pictures drawn at once, so that a smaller set is the beginning of a larger one."""

COMBINATIONS = 64


@dataclass(frozen=True)
class LabelledSet:
    """labels: names of the classes; truth: index of each picture's label; image: a picture by its number, square RGB,
    raises `Fault` where it cannot be read; name: the same name, the same pictures for good, empty for folders."""

    labels: tuple[str, ...]
    truth: tuple[int, ...]
    image: Callable[[int], Image.Image]
    name: str = ""

    def __len__(self) -> int:
        return len(self.truth)


def labelled_set(name: str, count: int, side: int, language: str = "en") -> LabelledSet:
    """`count` pictures of the set at most, `side` pixels wide. Raises `Fault`."""
    if name in ("shapes", "held"):
        return _shapes(name == "shapes", count, side, language)
    if name in ("twemoji", "emojione"):
        return _emoji("validation" if name == "twemoji" else "test", count, side, language)
    return _folder(name, count, side)


@lru_cache(maxsize=2)
def _shapes(whole: bool, count: int, side: int, language: str) -> LabelledSet:
    source = Source("shapes", side=side, split="test", language="ru" if language == "ru" else "en", objects=(1, 1))
    dataset, captions, pictures = open_dataset(source), [], []
    for step in range(-(-count // DRAWN)):
        batch = dataset.batch(step, seed=SEED, count=DRAWN, device="cpu")
        captions += batch.captions or ()
        pictures.append(in_bytes(batch.images))
    kind_of = {placed(kind, place, language): kind for kind in range(COMBINATIONS) for place in range(len(PLACES))}
    kinds = [kind_of[caption] for caption in captions[:count]]
    asked = range(COMBINATIONS) if whole else combinations("test")
    number = {kind: place for place, kind in enumerate(asked)}
    labels = tuple(_bare(phrase(kind, language), language) for kind in asked)
    return LabelledSet(labels, tuple(number[kind] for kind in kinds), kept(pictures), f"shapes {count} {language}")


@lru_cache(maxsize=2)
def _emoji(split: str, count: int, side: int, language: str) -> LabelledSet:
    source = Source("emoji", side=side, split="test" if split == "test" else "validation", language="en")
    dataset, known = open_dataset(source), drawings(source.split)
    mixed = torch.randperm(len(known.styles), generator=torch.Generator().manual_seed(SEED)).tolist()
    chosen = list({known.name(drawing, language): drawing for drawing in reversed(mixed[:count])}.values())[::-1]
    names = tuple(_bare(known.name(drawing, language), language) for drawing in chosen)
    pictures = [in_bytes(dataset.batch(one, seed=None, count=1, device="cpu").images) for one in chosen]
    return LabelledSet(names, tuple(range(len(names))), kept(pictures), f"emoji {split} {count} {language}")


def _folder(name: str, count: int, side: int) -> LabelledSet:
    """Every label gives as many pictures as its share of the folder, at even steps through the order of names.

    Of a folder with parts, those of the test are taken, else those of the validation: what a network may have learnt
    from is no test of it.
    """
    folder = Path(name.replace("\0", "")).expanduser()
    if os.environ.get("PATCHLIGHT_PUBLIC") == "1" or not folder.is_dir():
        raise Fault(
            "The labelled set {name} was asked for, but there is none; choose shapes, held, twemoji or emojione, or "
            "start Patchlight on your own machine and give the path of a folder.",
            name=shown(name),
        )  # fmt: skip
    parts = folders(folder).parts
    place = next((parts[part] for part in reversed(ORDER) if part in parts), [])
    files = [file for one in place for file in one.pictures]
    owner = [class_of(one, file) or "" for one in place for file in one.pictures]
    labels = tuple(sorted(set(owner)))
    if not files:
        raise nothing_in(folder)
    _check_folder(name, labels)
    step = max(1.0, len(files) / count)
    taken = [int(place * step) for place in range(min(count, len(files)))]
    truth = tuple(labels.index(owner[place]) for place in taken)

    def image(number: int) -> Image.Image:
        return ImageOps.fit(open_image(files[taken[number]]), (side, side), Image.Resampling.BICUBIC)

    return LabelledSet(tuple(label.replace("_", " ") for label in labels), truth, image)


def _check_folder(name: str, labels: Sequence[str]) -> None:
    if "" in labels or not 2 <= len(labels) <= MOST_LABELS:
        raise Fault(
            "The pictures of {name} lie in {folders} folders; put them into 2 to {most}, one for each label, and none "
            "beside them.",
            name=shown(name), folders=len(labels) - ("" in labels), most=MOST_LABELS,
        )  # fmt: skip


def _bare(text: str, language: str) -> str:
    """Without its article, which templates bring."""
    first, _, rest = text.partition(" ")
    return rest if language == "en" and first in ("a", "an") and rest else text


def in_bytes(images: Tensor) -> np.ndarray:
    """Pictures (pictures, 3, rows, columns) in [0, 1] as uint8 (pictures, rows, columns, 3)."""
    return np.ascontiguousarray((images * 255).round().byte().permute(0, 2, 3, 1).numpy())


def kept(pictures: Sequence[np.ndarray]) -> Callable[[int], Image.Image]:
    """A picture by its number, out of several batches of bytes."""
    rgb = np.concatenate(pictures)
    return lambda number: Image.fromarray(rgb[number])
