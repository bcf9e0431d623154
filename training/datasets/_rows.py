"""What a folder or a table tells of its pictures, row by row, and the dataset of one part of it.

Classes are those of the training part, with the same numbers in every part.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from models.faults import Fault
from training.datasets._contract import Skipped, Source, Split, Taken
from training.datasets._identity import Held, firsts, meanings
from training.datasets._parts import divided
from training.datasets._stored import Pictures, Stored

DOUBLED = "the same picture is in another part too, and one picture is on one side only"


@dataclass(frozen=True)
class Rows:
    """One picture may have several rows, a caption each.

    names:    what each picture is called
    pictures: where each lies, or its bytes
    stated:   the part of each; "train" too where nothing is stated
    cut_by:   names by which a missing part is cut out of the training part
    missing:  the parts that are to be cut out
    words:    the class of each, None where it has none; None for all where there are no classes
    captions: likewise
    order:    names of the classes in the order of their numbers, where something states them
    """

    names: Sequence[str]
    pictures: Sequence[Held]
    stated: Sequence[Split]
    cut_by: Sequence[str]
    missing: frozenset[Split]
    words: Sequence[str | None] | None
    captions: Sequence[str | None] | None
    order: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of their numbers; of all rows where none is for training."""
        if self.words is None or self.order:
            return self.order
        told = list(zip(self.words, self.stated, strict=True))
        learnt = {word for word, part in told if word is not None and part == "train"}
        return tuple(sorted(learnt or {word for word, _ in told if word is not None}))


def part(rows: Rows, source: Source, taken: Taken, passed: Sequence[Skipped] = ()) -> Pictures:
    """The rows of `source.split` as a dataset; `passed` was left out before. Raises `Fault` where no row is left."""
    whole = source.split == "train" and not rows.missing and rows.captions is None
    same = list(range(len(rows.pictures))) if whole else firsts(rows.pictures)
    division = divided(source, rows.stated, rows.cut_by, same, rows.missing)
    numbers = {name: number for number, name in enumerate(rows.classes)}
    odd = {row: reason for row in division.kept if (reason := _odd(rows, row, numbers))}
    kept = [row for row in division.kept if row not in odd]
    if not kept:
        raise Fault(
            "The {split} part of {name} was asked for, but none of its {count} pictures has a class of the training "
            "part; check its folders or its column of classes.",
            split=source.split, name=source.name, count=len(division.kept),
        )  # fmt: skip

    concepts = meanings(same, rows.captions) if rows.captions else same

    def read(place: int) -> Stored:
        row = kept[place]
        held, word = rows.pictures[row], rows.words[row] if rows.words else None
        data = bytes(held) if isinstance(held, memoryview) else held
        told = rows.captions[row] if rows.captions else None
        return Stored(rows.names[row], data, numbers.get(word or ""), told, concepts[row])

    reasons = dict.fromkeys(division.doubled, DOUBLED) | odd
    left = [Skipped(rows.names[row], reason) for row, reason in sorted(reasons.items())]
    return Pictures(source, len(kept), read, rows.classes, taken, [*passed, *left])


def _odd(rows: Rows, row: int, classes: Container[str]) -> str:
    """Why a row is left out of a set with classes; empty where it is not."""
    word = "" if rows.words is None else rows.words[row]
    if word is None:
        return "it has no class, as the other pictures have"
    return "" if rows.words is None or word in classes else f"its class, {word}, is not in the training part"
