"""Which pictures are learnt from and which are kept back.

What folders, a column or a hub state is obeyed; a part that is stated nowhere is cut out of the training part by names,
so that adding pictures moves none. One picture is on one side only, however often it is told of: on the training side
where any row states that, else in the validation.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.faults import Fault
from training.datasets._contract import Source, Split

NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
"""What people call the parts, in small letters."""

ORDER: tuple[Split, ...] = ("train", "validation", "test")
"""Which part has a picture that several state."""

FEWEST = 10
"""Of fewer pictures than this, none is cut out: all are for training."""


def part_of(word: object) -> Split | None:
    """The part that a folder or a cell is called by; None where it is called otherwise."""
    said = str(word).strip().lower()
    return next((split for split in ORDER if said in NAMES[split]), None)


def side_of(name: str) -> Split:
    """The side of a picture that is stated nowhere, by its name alone: a tenth for validation, another for the test."""
    return {0: "validation", 1: "test"}.get(zlib.crc32(name.encode()) % 10, "train")  # pyright: ignore[reportReturnType]


def ranks(split: Split) -> tuple[Split, ...]:
    """The parts that can take pictures from `split`, and itself."""
    return ORDER[: ORDER.index(split) + 1]


@dataclass(frozen=True)
class Division:
    """kept: the rows of one part; doubled: rows that state this part while their picture is on another side."""

    kept: list[int]
    doubled: list[int]


def divided(
    source: Source, stated: Sequence[Split], names: Sequence[str], same: Sequence[int], missing: frozenset[Split]
) -> Division:
    """The rows of `source.split`. Raises `Fault` where there are none.

    stated:   of each row; rows of parts that come after `source.split` need not be given
    names:    by which a missing part is cut, of each row
    same:     for each row the first of the same picture
    missing:  the parts that are cut out of the training part
    """
    first: dict[int, int] = {}
    for part in ORDER:
        for row, said in enumerate(stated):
            if said == part:
                first.setdefault(same[row], row)
    learnt = [row for row in first.values() if stated[row] == "train"]
    side: dict[int, Split] = {row: stated[row] for row in first.values()}
    side |= _cut({row: names[row] for row in learnt}, missing) if len(learnt) >= FEWEST else {}
    decides = [first[picture] for picture in same]
    kept = [row for row, one in enumerate(decides) if side[one] == source.split and stated[row] == stated[one]]
    doubled = [row for row, one in enumerate(decides) if stated[row] == source.split != stated[one]]
    if not kept:
        raise _nothing(source, len(doubled), len(learnt))
    return Division(kept, doubled)


def _cut(names: Mapping[int, str], missing: frozenset[Split]) -> dict[int, Split]:
    """The side of each row of a picture, at least one in every part that is missing."""
    side: dict[int, Split] = {}
    for row, name in names.items():
        fallen = side_of(name)
        side[row] = fallen if fallen in missing else "train"
    for part in ORDER:
        if part in missing and part not in side.values():
            spare = [row for row in side if side[row] == "train"]
            side[min(spare, key=lambda row: zlib.crc32(f"{part} {names[row]}".encode()))] = part
    return side


def _nothing(source: Source, doubled: int, learnt: int) -> Fault:
    if doubled:
        return Fault(
            "The {split} part of {name} was asked for, but each of its {count} pictures is in another part too; "
            "put other pictures there.",
            split=source.split, name=source.name, count=doubled,
        )  # fmt: skip
    return Fault(
        "The {split} part of {name} was asked for, but none of its {count} pictures falls there; "
        "add pictures, or put some into a folder called {split}.",
        split=source.split, name=source.name, count=learnt,
    )  # fmt: skip
