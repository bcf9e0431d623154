"""Several pictures against several texts, such as a training batch of a CLIP: each picture's own text on the diagonal.

drawn     coloured shapes of the test split with their captions, others with every seed
emoji     emoji of the style kept for the test, likewise
examples  the photographs of this project with their labels
own       any pictures against the labels that were given; there is a diagonal where there are as many of both
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from explorers.frame import examples
from explorers.zero_shot_answers import able
from explorers.zero_shot_score import image_features, texts
from explorers.zero_shot_sets import in_bytes, kept
from models.backbone import Backbone
from models.faults import Fault
from models.image import open_image
from models.prompts import PLACE
from training.datasets import Source, open_dataset

Kind = Literal["drawn", "emoji", "examples", "own"]

DRAWN = 8
MOST_PICTURES = 24
MOST_TEXTS = 40
THUMBNAIL = 96

NAMED = {
    "astronaut": "astronaut", "cat": "cat", "coffee": "cup of coffee", "dahlia": "flower",
    "pavilion": "pavilion by a lake", "rocket": "rocket",
}  # fmt: skip
"""What the example photographs show, by the name of the file."""


@dataclass(frozen=True)
class Pairs:
    """pictures: as they are fed, RGB; texts: whole, or labels for `templates`; paired: text i belongs to picture i."""

    pictures: tuple[Image.Image, ...]
    texts: tuple[str, ...]
    templates: tuple[str, ...]
    paired: bool


def pairs(
    kind: Kind, side: int, seed: int = 0, files: Sequence[Path] = (), labels: Sequence[str] = (),
    templates: Sequence[str] = (PLACE,), language: str = "en",
) -> Pairs:  # fmt: skip
    """What stands in the matrix. Raises `Fault`."""
    if kind in ("drawn", "emoji"):
        return _drawn(kind, side, seed, "ru" if language == "ru" else "en")
    if kind == "examples":
        there = {name: file for name, file in examples().items() if name in NAMED}
        opened = tuple(_fitted(file, side) for file in there.values())
        return Pairs(opened, tuple(NAMED[name] for name in there), tuple(templates), paired=True)
    if not 1 <= len(files) <= MOST_PICTURES or not 1 <= len(labels) <= MOST_TEXTS:
        raise Fault(
            "A matrix of {pictures} pictures and {texts} texts was asked for; give 1 to {most} pictures and 1 to "
            "{many} texts.",
            pictures=len(files), texts=len(labels), most=MOST_PICTURES, many=MOST_TEXTS,
        )  # fmt: skip
    opened = tuple(_fitted(file, side) for file in files)
    return Pairs(opened, tuple(labels), tuple(templates), paired=len(opened) == len(labels))


def matrix(backbone: Backbone, shown: Pairs) -> Tensor:
    """Cosines (pictures, texts) on the CPU. Raises `Fault` where the network cannot read."""
    network = able(backbone)
    pixels = [backbone.pixels(picture) for picture in shown.pictures]
    return image_features(network, pixels) @ texts(network, shown.texts, shown.templates).T


def firsts(cosine: Tensor) -> tuple[int, int]:
    """Of a square matrix: pictures whose own text comes first in their row, texts whose own picture does in theirs."""
    own = torch.arange(len(cosine))
    return int((cosine.argmax(1) == own).sum()), int((cosine.argmax(0) == own).sum())


def thumbnails(shown: Pairs) -> np.ndarray:
    """(pictures, rows, columns, 3) uint8."""
    return np.stack([np.asarray(picture.resize((THUMBNAIL, THUMBNAIL))) for picture in shown.pictures])


def _drawn(kind: Literal["drawn", "emoji"], side: int, seed: int, language: Literal["en", "ru"]) -> Pairs:
    """Of more pictures than are wanted, the first with different captions; of shapes, one and two in turn."""
    name, turns = ("shapes", ((1, 1), (2, 2))) if kind == "drawn" else ("emoji", ((1, 1),))
    chosen: dict[str, Image.Image] = {}
    for objects in turns:
        source = Source(name, side=side, split="test", language=language, objects=objects)
        batch = open_dataset(source).batch(seed, seed=1, count=4 * DRAWN, device="cpu")
        image, enough = kept([in_bytes(batch.images)]), len(chosen) + DRAWN // len(turns)
        for number, caption in enumerate(batch.captions or ()):
            if len(chosen) < enough:
                chosen.setdefault(caption, image(number))
    return Pairs(tuple(chosen.values()), tuple(chosen), (PLACE,), paired=True)


def _fitted(file: Path, side: int) -> Image.Image:
    return ImageOps.fit(open_image(file), (side, side), Image.Resampling.BICUBIC)
