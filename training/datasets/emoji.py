"""Emoji: about 1,640 concepts, each drawn in up to seven styles, with names in English and Russian and exact masks.

The test is a style that was never trained on. One thing in the middle of a plain field teaches a network the middle:
train on `scenes`, and take this set, each drawing once, to measure.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import torch
from PIL import Image
from pyarrow import Table
from torch import Tensor

from training import captions
from training.datasets._contract import Batch, Found, Skipped, Source, Split, order, stream
from training.datasets._paint import Canvas, Pose, boxes_of, pyramid

PICTURES = Path(__file__).parents[2] / "assets" / "emoji" / "emoji.parquet"

SPLITS: dict[Split, tuple[str, ...]] = {
    "train": ("noto", "fluent-3d", "fluent-flat", "noto-v1", "fxemoji"),
    "validation": ("twemoji",),
    "test": ("emojione",),
}
"""Styles of each split. fluent-3d and fluent-flat share their outlines: never on two sides."""

SIDE = 64
"""Pixels of a bundled drawing."""

TURNABLE = frozenset({"animals-nature", "food-drink", "smileys-emotion"})
"""Groups without letters, digits and directions, whose mirror images mean the same."""

FILL = 0.9
"""Share of the frame's side that a lone drawing takes."""


@dataclass(frozen=True)
class Drawings:
    """The drawings of one split.

    levels:    (drawings, 4, side, side) uint8 at 64, 32 and 16 pixels, colours premultiplied by alpha
    concepts:  (drawings,) int64, one number for one meaning in every style and split
    labels:    (drawings,) int64 index of the subgroup
    turnable:  (drawings,) bool: a mirror image means the same
    english, russian:  what each is called in a caption
    synonyms:  English keywords that no other concept has, of each drawing
    classes:   names of the subgroups, by language
    """

    levels: tuple[Tensor, ...]
    concepts: Tensor
    labels: Tensor
    turnable: Tensor
    styles: tuple[str, ...]
    english: tuple[str, ...]
    russian: tuple[str, ...]
    synonyms: tuple[tuple[str, ...], ...]
    classes: dict[str, tuple[str, ...]]

    def name(self, drawing: int, language: str) -> str:
        return (self.russian if language == "ru" else self.english)[drawing]


@lru_cache(maxsize=3)
def drawings(split: Split) -> Drawings:
    """Reads and decodes the bundled drawings of a split: two seconds, kept for the process."""
    table = parquet.read_table(PICTURES).drop_columns(["russian_keywords"])
    concepts, labels = _numbered(table["hexcode"].to_pylist()), _numbered(table["subgroup"].to_pylist())
    classes = {
        language: tuple(dict.fromkeys(zip(labels, table[f"subgroup_{language}"].to_pylist(), strict=True)))
        for language in ("english", "russian")
    }
    kept = [i for i, style in enumerate(table["style"].to_pylist()) if style in SPLITS[split]]
    rows: list[dict[str, Any]] = table.take(kept).to_pylist()
    return Drawings(
        levels=pyramid(_decoded([row["image"]["bytes"] for row in rows])),
        concepts=torch.tensor([concepts[i] for i in kept]),
        labels=torch.tensor([labels[i] for i in kept]),
        turnable=torch.tensor([row["group"] in TURNABLE and row["subgroup"] != "emotion" for row in rows]),
        styles=tuple(row["style"] for row in rows),
        english=tuple(captions.english(row["english"], row["subgroup_english_frame"]) for row in rows),
        russian=tuple(captions.russian(row["russian"], row["subgroup_russian_frame"]) for row in rows),
        synonyms=_own_keywords(table, kept),
        classes={
            short: tuple(name for _, name in sorted(classes[language]))
            for short, language in (("en", "english"), ("ru", "russian"))
        },
    )


def named(language: str) -> frozenset[str]:
    """What captions of the training part call its emoji, in English with every synonym. No picture is decoded."""
    names = ["russian", "subgroup_russian_frame"] if language == "ru" else ["english", "subgroup_english_frame"]
    table = parquet.read_table(PICTURES, columns=["style", "hexcode", "english_keywords", *names])
    kept = [i for i, style in enumerate(table["style"].to_pylist()) if style in SPLITS["train"]]
    told = captions.russian if language == "ru" else captions.english
    pairs = zip(*(table[name].take(kept).to_pylist() for name in names), strict=True)
    synonyms = () if language == "ru" else (word for own in _own_keywords(table, kept) for word in own)
    return frozenset([*(told(*pair) for pair in pairs), *synonyms])


def _own_keywords(table: Table, kept: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """What names one concept alone: to learn "animal" from a fox would make it wrong of a dog in the same batch."""
    codes = table["hexcode"].to_pylist()
    held = dict(zip(codes, table["english_keywords"].to_pylist(), strict=True))
    owners = Counter(word for words in held.values() for word in set(words))
    return tuple(tuple(word for word in held[codes[i]] if owners[word] == 1) for i in kept)


def _numbered(words: Sequence[str]) -> list[int]:
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return [numbers[word] for word in words]


def _decoded(files: list[bytes]) -> Tensor:
    """(drawings, 4, 64, 64) uint8, colours premultiplied by alpha."""
    rgba = np.empty((len(files), 4, SIDE, SIDE), np.uint8)

    def decode(part: range) -> None:
        for number in part:
            with Image.open(io.BytesIO(files[number])) as picture:
                rgba[number] = np.asarray(picture.convert("RGBA").convert("RGBa")).transpose(2, 0, 1)

    with ThreadPoolExecutor() as threads:
        list(threads.map(decode, (range(i, min(i + 256, len(files))) for i in range(0, len(files), 256))))
    return torch.from_numpy(rgba)


class Emoji:
    """Every drawing of a split once a round, upright in the middle of a white field."""

    captioned = True
    skipped: tuple[Skipped, ...] = ()

    def __init__(self, source: Source) -> None:
        self.source = source
        self.drawings = drawings(source.split)
        self.classes = self.drawings.classes["ru" if source.language == "ru" else "en"]
        self.length = len(self.drawings.styles)

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        """The `step`-th batch; masks, boxes, subgroup labels and captions come with it."""
        chosen = order(step, seed=seed, count=count, length=self.length)
        canvas = Canvas(torch.ones(count, 3, self.source.side, self.source.side, device=device))
        upright = Pose(
            centres=torch.full((count, 2), 0.5),
            sizes=torch.full((count,), FILL),
            angles=torch.zeros(count),
            mirrored=torch.zeros(count, dtype=torch.bool),
        )
        canvas.paint(self.drawings.levels, chosen, upright)
        labels = self.drawings.labels[chosen].to(device)
        masks = canvas.masks
        return Batch(
            images=canvas.images,
            masks=masks,
            boxes=boxes_of(masks, 1),
            labels=labels,
            objects=labels[:, None],
            concepts=self.drawings.concepts[chosen].to(device),
            captions=self._captions(chosen, step, seed),
        )

    def _captions(self, chosen: Tensor, step: int, seed: int | None) -> tuple[str, ...]:
        generator = torch.Generator().manual_seed(stream(seed or 0, step))
        ways = torch.randint(6, (len(chosen),), generator=generator).tolist()
        spoken = languages(self.source.language, len(chosen), generator)
        return tuple(
            captions.told([self.drawings.name(drawing, language)], language, 0 if seed is None else way)
            for drawing, language, way in zip(chosen.tolist(), spoken, ways, strict=True)
        )


def languages(asked: str, count: int, generator: torch.Generator) -> list[str]:
    """The language of each caption; `both` tosses a coin for each."""
    coins = torch.randint(2, (count,), generator=generator).tolist()
    return [("en", "ru")[coin] if asked == "both" else asked for coin in coins]


FOUND = Found(
    name="emoji",
    about="Emoji in seven styles, one on a white field each, with names, masks and classes: made to measure with.",
    claims=lambda name: name == "emoji",
    opens=Emoji,
    apart="It is drawn in a style that training never shows.",
    reads=("language",),
)
