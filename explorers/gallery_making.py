"""One run over a gallery's pictures: read on several threads, embedded batch by batch, rows of before taken over."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorers import lent
from explorers.delivery import told
from explorers.forecast import check_time
from explorers.galleries import Gallery
from explorers.slices import Slices
from models import gallery_store
from models.backbone import Backbone
from models.faults import Fault
from models.gallery import BATCH, fed
from models.gallery_store import Index

Progress = Callable[[int, int], None]

THUMBNAIL = 160
"""Pixels of the longer side."""

READERS = 4
"""Threads that decode pictures while the network is busy with others."""


@dataclass(frozen=True)
class _Read:
    """A picture on its way: pixels and thumbnail, or why there are none."""

    number: int
    pixels: Tensor | None
    thumbnail: bytes
    fault: Fault | None = None


class Making:
    """One run over a gallery; rows that an earlier index has already are taken from there."""

    def __init__(self, network: Backbone, pictures: Gallery, shape: tuple[int, int], before: Index | None) -> None:
        self.network, self.pictures, self.shape = network, pictures, shape
        self.known = {} if before is None else before.rows
        self.before = before
        self.vectors: dict[int, np.ndarray] = {}
        self.thumbnails: dict[int, bytes] = {}
        self.skipped: list[dict[str, Any]] = []
        self.fresh = 0

    def run(self, who: str, what: str, progress: Progress) -> Index:
        """The whole index, kept. What stops it, such as `progress`, finds the part that is done kept as well."""
        start = time.perf_counter()
        new = [number for number, stamp in enumerate(self.pictures.stamps) if stamp not in self.known]
        old = len(self.pictures) - len(new)
        try:
            progress(old, len(self.pictures))
            for done in self._embed(new):
                progress(old + done, len(self.pictures))
        except BaseException:
            if self.vectors:
                _keep(who, "part", self._index(partial=True, seconds=time.perf_counter() - start))
            raise
        index = self._index(partial=False, seconds=time.perf_counter() - start)
        if not len(index):
            raise Fault(
                "Pictures were asked from {name}, but none of {count} could be read (the first: {reason}); check the "
                "files.",
                name=self.pictures.place, count=len(self.pictures), reason=self.skipped[0]["said"],
            )  # fmt: skip
        return _keep(who, what, index)

    def _embed(self, numbers: Sequence[int]) -> Iterator[int]:
        """Pictures done so far, batch by batch, each in slices."""
        check_time(self.network, self.shape)
        done, slices = 0, Slices(BATCH, len(numbers))
        with ThreadPoolExecutor(READERS, thread_name_prefix="gallery") as readers:
            for group in _groups(_ahead(readers, self._read, numbers, 4 * BATCH), BATCH):
                good = [one for one in group if one.pixels is not None]
                vectors = [*slices(good, self._vectors)]
                if vectors:
                    self._take(good, np.concatenate(vectors))
                self.skipped += [self._skip(one) for one in group if one.fault is not None]
                done += len(group)
                yield done

    def _vectors(self, pictures: Sequence[_Read]) -> np.ndarray:
        stack = torch.stack([one.pixels for one in pictures if one.pixels is not None])
        return lent.picture_vectors(self.network, stack).numpy()

    def _take(self, pictures: list[_Read], vectors: np.ndarray) -> None:
        if not np.isfinite(vectors).all():
            raise Fault(
                "{checkpoint} was run, but its output is not finite; its weights are damaged, choose another "
                "checkpoint.",
                checkpoint=self.network.card.id,
            )
        for one, vector in zip(pictures, vectors, strict=True):
            self.vectors[one.number], self.thumbnails[one.number] = vector, one.thumbnail
        self.fresh += len(pictures)

    def _read(self, number: int) -> _Read:
        try:
            image = self.pictures.open(number, max(self.shape))
            return _Read(number, fed(self.network.pixels, image, self.shape), thumbnail(image))
        except Fault as fault:
            return _Read(number, None, b"", fault)

    def _skip(self, one: _Read) -> dict[str, Any]:
        assert one.fault is not None
        return {"name": self.pictures.names[one.number], "said": str(one.fault), **told(one.fault)["fault"]}

    def _index(self, partial: bool, seconds: float) -> Index:
        """Rows in the gallery's order, the old ones between the new."""
        numbers = [n for n, stamp in enumerate(self.pictures.stamps) if n in self.vectors or stamp in self.known]
        rows = [self._row(number) for number in numbers]
        sizes = [len(file) for _, file in rows]
        of = self.pictures
        return Index(
            vectors=np.stack([vector for vector, _ in rows]) if rows else np.empty((0, 1), np.float32),
            thumbnails=np.frombuffer(b"".join(file for _, file in rows), np.uint8),
            starts=np.cumsum([0, *sizes], dtype=np.int64),
            names=tuple(of.names[number] for number in numbers),
            stamps=tuple(of.stamps[number] for number in numbers),
            russian=tuple(of.russian[number] for number in numbers if of.russian),
            concepts=tuple(of.concepts[number] for number in numbers if of.concepts),
            skipped=() if partial else tuple(self.skipped), seconds=seconds,
        )  # fmt: skip

    def _row(self, number: int) -> tuple[np.ndarray, bytes]:
        if number in self.vectors:
            return self.vectors[number], self.thumbnails[number]
        assert self.before is not None
        row = self.known[self.pictures.stamps[number]]
        return self.before.vectors[row], self.before.thumbnail(row)


def _keep(who: str, what: str, index: Index) -> Index:
    """On the disk if it lets us; else in memory alone, which `Index.bytes` tells."""
    try:
        return gallery_store.keep(who, what, index)
    except OSError:
        return replace(index, bytes=0)


def thumbnail(image: Image.Image) -> bytes:
    """A small JPEG file, each pixel the mean of a square; without the colour subsampling that blurs drawn edges."""
    small, file = image.reduce(-(-max(image.size) // THUMBNAIL)), io.BytesIO()
    small.save(file, "JPEG", quality=85, subsampling=0)
    return file.getvalue()


def _ahead(
    readers: ThreadPoolExecutor, read: Callable[[int], _Read], numbers: Iterable[int], most: int
) -> Iterator[_Read]:
    """`read` of each number in order, at most `most` of them begun and not yet taken."""
    waiting: deque[Future[_Read]] = deque()
    try:
        for number in numbers:
            waiting.append(readers.submit(read, number))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for one in waiting:
            one.cancel()


def _groups(pictures: Iterable[_Read], count: int) -> Iterator[list[_Read]]:
    group: list[_Read] = []
    for one in pictures:
        group.append(one)
        if len(group) == count:
            yield group
            group = []
    if group:
        yield group
