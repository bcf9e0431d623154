"""Which of many pictures are one and the same: those of one path, and those of equal bytes.

Bytes are compared in three rounds, so that large sets stay cheap: only pictures of equal size are looked into, and only
those whose middle is equal too are read whole.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from training.datasets._stored import READERS

Held: TypeAlias = "Path | memoryview | None"
"""A picture before it is read: where it lies, its bytes, or nothing at all."""

SAMPLE = 4096
"""Bytes of a picture's middle that are looked at before it is read whole."""

TOGETHER = 256
"""Pictures that one thread looks at in a row."""


def firsts(pictures: Sequence[Held]) -> list[int]:
    """For each picture the place of the first that is the same one; missing and empty pictures equal nothing."""
    paths: dict[Path, int] = {}
    first = [
        paths.setdefault(one, place) if isinstance(one, Path) else place for place, one in enumerate(pictures)
    ]  # fmt: skip
    groups = [sorted(set(first))]
    for told in (_size, _middle, digest):
        groups = [same for group in groups for same in _alike(group, [pictures[place] for place in group], told)]
    same = {place: group[0] for group in groups for place in group}
    return [same.get(place, place) for place in first]


def meanings(same: Sequence[int], captions: Sequence[str | None]) -> list[int]:
    """For each row a number that rows of equal meaning share: those of one picture with several captions, and those of
    one caption where each picture has but one.

    same: as `firsts` gives it
    """
    told, first = Counter(same), dict[str | None, int]()
    return [
        one if told[one] > 1 else first.setdefault(caption, row)
        for row, (one, caption) in enumerate(zip(same, captions, strict=True))
    ]


def digest(picture: Held) -> bytes:
    """Of all bytes; equal pictures have equal ones."""
    with suppress(OSError):
        return hashlib.blake2b(_bytes(picture), digest_size=16).digest()
    return b""


def _alike(places: list[int], pictures: Sequence[Held], told: Callable[[Held], Hashable]) -> list[list[int]]:
    """Groups of two or more of which `told` says the same thing, and anything at all."""
    parts = [pictures[start : start + TOGETHER] for start in range(0, len(pictures), TOGETHER)]
    answers = chain.from_iterable(READERS.map(lambda part: [told(one) for one in part], parts))
    groups: dict[Hashable, list[int]] = {}
    for place, answer in zip(places, answers, strict=True):
        if answer:
            groups.setdefault(answer, []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def _size(picture: Held) -> int:
    with suppress(OSError):
        return os.stat(picture).st_size if isinstance(picture, Path) else len(picture or b"")
    return 0


def _middle(picture: Held) -> bytes:
    start = max(0, _size(picture) - SAMPLE) // 2
    if not isinstance(picture, Path):
        return bytes((picture or b"")[start : start + SAMPLE])
    with suppress(OSError), picture.open("rb") as file:
        file.seek(start)
        return file.read(SAMPLE)
    return b""


def _bytes(picture: Held) -> bytes | memoryview:
    return picture.read_bytes() if isinstance(picture, Path) else picture or b""
