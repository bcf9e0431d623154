"""What every dataset looks like from outside: `Source` asks for one, `Dataset` answers with `Batch`es."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from models.faults import Fault

Split = Literal["train", "validation", "test"]
Language = Literal["en", "ru", "both"]


@dataclass(frozen=True)
class Source:
    """Which pictures are wanted.

    name:       what a person writes: `emoji`, `scenes`, `shapes`, `cifar10`, `hub/<owner>/<name>`, or the path of a
                folder or of a table
    side:       height and width of every picture, in pixels
    split:      `train`; `validation`, on which one tunes; `test`, which is looked at once
    language:   of captions and class names; `both` draws one of the two for each picture and names classes in English
    objects:    fewest and most objects in a picture, for datasets that draw their pictures
    smallest:   side of the smallest object as a share of the frame's, for datasets that draw their pictures
    synonyms:   English captions of emoji sometimes say a keyword that no other emoji has, instead of the name
    alike:      so many of the drawn shapes' pictures in a row share their colours: hard negatives of one another
    captions:   name of the caption column of a table or hub dataset, where it cannot be guessed
    streaming:  read a hub dataset as it comes, without a copy on the disk
    """

    name: str
    side: int = 96
    split: Split = "train"
    language: Language = "en"
    objects: tuple[int, int] = (1, 5)
    smallest: float = 0.2
    synonyms: bool = False
    alike: int = 1
    captions: str | None = None
    streaming: bool = False


@dataclass(frozen=True)
class Batch:
    """Some pictures and what is known of them. None means that the dataset does not know.

    images:    (images, 3, rows, columns) float32 in [0, 1]; of no rows and columns where features stand for them
    masks:     (images, rows, columns) int8: 0 background, i the i-th object, where it covers more than half a pixel
    boxes:     (images, objects, 4) float32: first row, first column, last row + 1, last column + 1, in pixels; zeros
               where a picture has fewer objects or an object is hidden
    labels:    (images,) int64 index into `Dataset.classes`; of the largest object where there are several
    objects:   (images, objects) int64 index into `Dataset.classes` of each object, -1 where there is none
    concepts:  (images,) int64: pictures with equal numbers mean the same, so they are no negatives of each other
    captions:  one text a picture
    features:  (images, channels) float32: what a network that stays as it is makes of each picture
    """

    images: Tensor
    masks: Tensor | None = None
    boxes: Tensor | None = None
    labels: Tensor | None = None
    objects: Tensor | None = None
    concepts: Tensor | None = None
    captions: tuple[str, ...] | None = None
    features: Tensor | None = None

    def __len__(self) -> int:
        return self.images.shape[0]

    def __getitem__(self, part: slice) -> Batch:
        """The same batch with a slice of its pictures."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: value[part] for name, value in kept.items() if value is not None})


@dataclass(frozen=True)
class Skipped:
    """A picture, or a file beside pictures, that was left out, and why."""

    picture: str
    reason: str


@dataclass(frozen=True)
class Taken:
    """What a set takes its captions and its classes from; None where it has none.

    others: columns from which nothing is taken
    """

    captions: str | None = None
    classes: str | None = None
    others: tuple[str, ...] = ()


@runtime_checkable
class Dataset(Protocol):
    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that `Batch.labels` counts, in the language asked; empty where there are none."""
        ...

    @property
    def captioned(self) -> bool:
        """Does every picture come with a text?"""
        ...

    @property
    def length(self) -> int | None:
        """Pictures in one round; None for an endless or streamed dataset."""
        ...

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was left out so far: files and rows of no use, and unreadable pictures, each of which was replaced by
        the next readable one."""
        ...

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        """The `step`-th batch of `count` pictures: equal arguments give bit-equal pictures on one kind of device.

        Finite datasets shuffle each round anew by `seed`; with seed None they keep the stored order.
        """
        ...


@runtime_checkable
class Tells(Protocol):
    """A dataset of somebody's own, which had to find out what is what."""

    @property
    def taken(self) -> Taken: ...


@dataclass(frozen=True)
class Found:
    """How the room finds a dataset: the `FOUND` constant of its file.

    name:     what people call it
    about:    one English sentence for `--help`, which is also the key of the Russian one
    claims:   can this file open what was written?
    opens:    opens it; raises `Fault` where it cannot
    endless:  drawn on the fly
    apart:    what its validation and test parts have that its training part has not, in one English sentence; "" where
              they differ by chance alone
    reads:    choices of `Recipe` that it heeds, beside the side of its pictures
    """

    name: str
    about: str
    claims: Callable[[str], bool]
    opens: Callable[[Source], Dataset]
    endless: bool = False
    apart: str = ""
    reads: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Whether its name is what a person writes, and not the form of it."""
        return not set(self.name) & set(" <")


def open_dataset(source: Source, *, need: Literal["classes", "captions"] | None = None) -> Dataset:
    """The dataset that `source` names; `need` is what the objective cannot do without."""
    from training.datasets import found

    everything = found()
    for entry in everything:
        if entry.claims(source.name):
            return _checked(entry.opens(source), source, need)
    if Path(source.name).expanduser().exists():
        raise _not_read(Path(source.name).expanduser())
    if "/" in source.name or Path(source.name).suffix:
        raise Fault(
            "Pictures were asked from {path}, but nothing lies there; put them there, or give the path of a "
            "folder of pictures, or of a CSV or parquet file.",
            path=source.name,
        )  # fmt: skip
    raise Fault(
        "No dataset is called {name}; choose one of {names}, or give the path of a folder of pictures.",
        name=source.name, names=", ".join(entry.name for entry in everything),
    )  # fmt: skip


ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2")


def _not_read(path: Path) -> Fault:
    """For what is there, but neither a folder nor a table."""
    from training.datasets.folder import SUFFIXES

    if path.suffix.lower() in SUFFIXES:
        return Fault(
            "Pictures were asked from {path}, which is there, but it is a single picture; give the path of its folder.",
            path=path,
        )
    if path.suffix.lower() in ARCHIVES:
        return Fault(
            "Pictures were asked from {path}, which is there, but it is an archive; unpack it and give the path of "
            "the folder.",
            path=path,
        )
    return Fault(
        "Pictures were asked from {path}, which is there, but a file of its kind is no list of pictures that is read; "
        "give the path of a folder of pictures, or of a CSV, TSV, parquet or JSONL file with a row a picture.",
        path=path,
    )


def _checked(dataset: Dataset, source: Source, need: str | None) -> Dataset:
    if need == "classes" and len(dataset.classes) < 2:
        raise Fault(
            "Learning classes needs at least two of them, but {name} has {count}; "
            "put the pictures of each class into a folder of its own.",
            name=source.name, count=len(dataset.classes),
        )  # fmt: skip
    if need == "captions" and not dataset.captioned:
        others = dataset.taken.others if isinstance(dataset, Tells) else ()
        if others:
            raise Fault(
                "Learning from text needs a caption for each picture, but no column of {name} was taken for one; name "
                "one that holds text, of {found}, as its captions.",
                name=source.name, found=", ".join(others),
            )  # fmt: skip
        raise Fault(
            "Learning from text needs a caption for each picture, but {name} has none; "
            "give a CSV or parquet file with a column of captions.",
            name=source.name,
        )  # fmt: skip
    return dataset


def once(dataset: Dataset, *, count: int, device: torch.device | str) -> Iterator[Batch]:
    """Every picture of a finite dataset once, in stored order, in batches of at most `count`."""
    if dataset.length is None:
        raise Fault(
            "Every picture once was asked of a dataset without an end; say how many batches are wanted instead."
        )
    for step in range(-(-dataset.length // count)):
        yield dataset.batch(step, seed=None, count=count, device=device)[: dataset.length - step * count]


def order(step: int, *, seed: int | None, count: int, length: int) -> Tensor:
    """Which pictures of a finite dataset batch `step` holds: (count,) int64 on the CPU.

    Rounds follow one another without a gap, each in an order of its own, so every picture comes equally often.
    """
    place = torch.arange(step * count, (step + 1) * count)
    turn, place = place // length, place % length
    if seed is None:
        return place
    for number in turn.unique().tolist():
        generator = torch.Generator().manual_seed(stream(seed, number))
        here = turn == number
        place[here] = torch.randperm(length, generator=generator)[place[here]]
    return place


def stream(seed: int, step: int) -> int:
    """One 63-bit seed from two numbers, so that neighbouring steps and seeds share nothing (SplitMix64's finaliser)."""
    value = (seed * 0x9E3779B97F4A7C15 + step * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (value ^ (value >> 31)) >> 1
