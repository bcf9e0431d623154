"""A folder of pictures. Where most lie in subfolders, the subfolders are the classes.

Folders called `train`, `val`, `valid`, `validation` or `test` are the parts, never classes; a part that has no folder
is cut out of the training part by the names of its pictures, so that adding pictures moves none. A table beside the
pictures called `metadata` (CSV, JSONL, parquet) gives them captions, and classes where it has such a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.faults import Fault
from training.datasets._contract import Dataset, Found, Skipped, Source, Split, Taken
from training.datasets._folders import Folders, class_of, folders
from training.datasets._listing import SUFFIXES as SUFFIXES
from training.datasets._listing import Listing
from training.datasets._listing import nothing_in as nothing_in
from training.datasets._listing import pictures_in as pictures_in
from training.datasets._parts import ORDER as ORDER
from training.datasets._parts import ranks
from training.datasets._rows import Rows, part
from training.datasets.table import described


def open_folder(source: Source) -> Dataset:
    """The pictures of one part; raises `Fault` where there are none."""
    root = Path(source.name).expanduser()
    found = folders(root)
    if not found.parts:
        raise nothing_in(root)
    if source.split not in found.parts and "train" not in found.parts:
        raise Fault(
            "The {split} part of {name} was asked for, but it has only {found}; choose one of those.",
            split=source.split, name=source.name, found=", ".join(found.parts),
        )  # fmt: skip
    asked: list[tuple[Split, Listing]] = []
    for known in ranks(source.split):
        asked.extend((known, one) for one in found.parts.get(known, ()))
    told = Told(frozenset(path for listings in found.parts.values() for one in listings for path in one.pictures))
    for one in [*([found.beside] if found.beside else ()), *(one for _, one in asked)]:
        told.read(one, source)
    rows = _rows(asked, told, found)
    return part(rows, source, told.taken_beside(rows), [*_left_out(asked[-1][0], found), *told.lost])


@dataclass
class Told:
    """What tables beside pictures say of them, by their paths.

    known: the pictures that lie in the folder, which are all that a table may speak of
    """

    known: frozenset[Path]
    captions: dict[Path, list[str | None]] = field(default_factory=dict)
    words: dict[Path, str | None] = field(default_factory=dict)
    taken: Taken = field(default_factory=Taken)
    lost: list[Skipped] = field(default_factory=list)

    def read(self, place: Listing, source: Source) -> None:
        """Adds what the tables of `place` say; one that cannot be read is left out like any odd file."""
        for file in place.metadata:
            try:
                self._add(file, source)
            except Fault as fault:
                self.lost.append(Skipped(str(file), str(fault)))

    def _add(self, file: Path, source: Source) -> None:
        found = described(file, source)
        self.taken = found.taken
        for row, path in enumerate(found.pictures):
            if not isinstance(path, Path) or path not in self.known:
                self.lost.append(Skipped(found.names[row], f"{file} names it, but it is no picture of this folder"))
                continue
            if found.captions:
                self.captions.setdefault(path, []).append(found.captions[row])
            if found.words:
                self.words[path] = found.words[row]

    def taken_beside(self, rows: Rows) -> Taken:
        """Captions come from a table alone, classes from a table or else from the folders."""
        classes = self.taken.classes or ("the names of its folders" if rows.words else None)
        return Taken(self.taken.captions, classes, self.taken.others)


def _rows(asked: Sequence[tuple[Split, Listing]], told: Told, found: Folders) -> Rows:
    """A row for every caption of every picture, one at least."""
    each: list[tuple[Split, Listing, Path, str | None]] = []
    for known, one in asked:
        each.extend((known, one, path, text) for path in one.pictures for text in told.captions.get(path, [None]))
    words = [told.words.get(path) if told.words else class_of(one, path) for _, one, path, _ in each]
    return Rows(
        names=[str(path) for _, _, path, _ in each],
        pictures=[path for _, _, path, _ in each],
        stated=[known for known, *_ in each],
        cut_by=[path.relative_to(one.folder).as_posix() for _, one, path, _ in each],
        missing=frozenset[Split](("validation", "test")) - set(found.parts),
        words=words if told.words or found.classed else None,
        captions=[caption for *_, caption in each] if told.captions else None,
    )


def _left_out(read: Split, found: Folders) -> list[Skipped]:
    """Files that are no pictures, and pictures that lie in no part where there are parts.

    read: the part whose folders are read, the training part's where another is cut out of it
    """
    beside = [found.beside] if found.beside else []
    lost = [
        Skipped(str(path), "it lies beside the folders of the parts, in none of them")
        for one in beside
        for path in one.pictures
    ]
    return [*lost, *(odd for one in [*beside, *found.parts[read]] for odd in one.left_out())]


FOUND = Found(
    name="a folder",
    about="Your own pictures: the path of a folder; its subfolders, if it has any, are the classes.",
    claims=lambda name: Path(name).expanduser().is_dir(),
    opens=open_folder,
)
