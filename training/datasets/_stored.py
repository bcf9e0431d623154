"""Pictures that lie somewhere: read, cut to a square, kept in memory, and replaced where they cannot be read."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from models.faults import Fault
from training.datasets._contract import Batch, Skipped, Source, Taken, order

MEMORY = 1 << 30
"""Bytes of decoded pictures that are kept, so that a second round need not decode again."""

READERS = ThreadPoolExecutor(thread_name_prefix="pictures")
"""Decoding and resizing leave Python's lock, so threads share them out."""


@dataclass(frozen=True)
class Stored:
    """One picture before it is read: what it is called, its bytes or path, and what is known of it.

    concept: a number that pictures of equal meaning share, as all captions of one picture do
    """

    name: str
    data: str | PathLike[str] | bytes | None
    label: int | None = None
    caption: str | None = None
    concept: int = 0


def square(stored: Stored, side: int) -> np.ndarray:
    """The largest middle square of a picture: (side, side, 3) uint8. Raises `Fault` where it cannot be read."""
    from models.image import open_image

    if stored.data is None:
        raise Fault("Picture {name} is empty; leave it out.", name=stored.name)
    file: str | PathLike[str] | BinaryIO = io.BytesIO(stored.data) if isinstance(stored.data, bytes) else stored.data
    picture = open_image(file)
    edge = min(picture.size)
    left, top = (picture.width - edge) / 2, (picture.height - edge) / 2
    whole = picture.resize((side, side), box=(left, top, left + edge, top + edge), reducing_gap=3)
    return np.asarray(whole)


def attempt(stored: Stored, side: int, labelled: bool, captioned: bool) -> Tensor | Skipped:
    """The square as a tensor, or why there is none."""
    try:
        if captioned and not stored.caption:
            raise Fault("Picture {name} has no caption; write one, or leave the picture out.", name=stored.name)
        if labelled and stored.label is None:
            raise Fault("Picture {name} has no class; give it one, or leave the picture out.", name=stored.name)
        return torch.from_numpy(square(stored, side).copy())
    except (Fault, OSError) as problem:
        return Skipped(stored.name, str(problem))


class Pictures:
    """A finite dataset: `read(index)` finds a picture; here it is shuffled, decoded, kept and, if need be, skipped.

    passed: what lies beside the pictures and was left out from the first, and why
    """

    def __init__(
        self, source: Source, length: int, read: Callable[[int], Stored], classes: tuple[str, ...], taken: Taken,
        passed: Sequence[Skipped] = (),
    ) -> None:  # fmt: skip
        self.source, self.taken = source, taken
        self.length = length
        self.classes = classes
        self.captioned = taken.captions is not None
        self._passed = tuple(passed)
        self._read = read
        self._pictures: dict[int, Tensor | Skipped] = {}
        home = Path(source.name).expanduser()
        self._home = home if home.exists() else None

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        found = (picture for _, picture in sorted(self._pictures.items()) if isinstance(picture, Skipped))
        return (*self._passed, *found)

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        """The `step`-th batch. An unreadable picture is replaced by the next readable one, always the same."""
        wanted = order(step, seed=seed, count=count, length=self.length).tolist()
        self._fetch(wanted)
        shown = [self._readable(index) for index in wanted]
        squares = torch.stack([picture for _, picture in shown]).to(device)
        self._forget(squares[0].numel())
        return batch_of(squares, [self._read(index) for index, _ in shown], bool(self.classes), self.captioned)

    def _fetch(self, indices: list[int]) -> None:
        fresh = [index for index in dict.fromkeys(indices) if index not in self._pictures]
        self._pictures.update(zip(fresh, READERS.map(self._attempt, fresh), strict=True))

    def _attempt(self, index: int) -> Tensor | Skipped:
        return attempt(self._read(index), self.source.side, bool(self.classes), self.captioned)

    def _readable(self, index: int) -> tuple[int, Tensor]:
        for _ in range(self.length):
            self._fetch([index])
            picture = self._pictures[index]
            if isinstance(picture, Tensor):
                return index, picture
            if self._home and not self._home.exists():
                raise Fault(
                    "Pictures were read from {path}, but it has gone since; put it back and resume.", path=self._home
                )
            index = (index + 1) % self.length
        raise nothing_readable(self.source, self.skipped[len(self._passed) :])

    def _forget(self, size: int) -> None:
        """Lets the pictures go that were read first, once there are too many."""
        held = [index for index, picture in self._pictures.items() if isinstance(picture, Tensor)]
        for index in held[: max(0, len(held) - MEMORY // size)]:
            del self._pictures[index]


def nothing_readable(source: Source, skipped: tuple[Skipped, ...]) -> Fault:
    return Fault(
        "Pictures were asked from {name}, but none of {count} could be read (the first: {reason}); check the files.",
        name=source.name, count=len(skipped), reason=skipped[0].reason,
    )  # fmt: skip


def batch_of(images: Tensor, stored: list[Stored], labelled: bool, captioned: bool) -> Batch:
    """A batch from squares (images, side, side, 3) uint8 and what is known of each."""
    labels = torch.tensor([-1 if one.label is None else one.label for one in stored], device=images.device)
    return Batch(
        images=images.permute(0, 3, 1, 2).float() / 255,
        labels=labels if labelled else None,
        concepts=torch.tensor([one.concept for one in stored], device=images.device) if captioned else None,
        captions=tuple(one.caption or "" for one in stored) if captioned else None,
    )
