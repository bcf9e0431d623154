"""A table with a row a picture: a path or the picture itself, and a caption, a class, or both.

CSV in whatever encoding and with whatever separator, TSV, JSON lines and parquet. Columns are found by their types and
usual names (`_columns.USUAL`); the caption's can also be given. Paths are read from the table's folder. A column called
`split` is obeyed; what it does not state is cut out of the training part, one picture in ten for validation and another
for the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.compute as compute
import pyarrow.types as kinds

from models.faults import Fault
from training.datasets._columns import Columns, columns_of, taken
from training.datasets._contract import Dataset, Found, Skipped, Source, Split, Taken
from training.datasets._identity import Held
from training.datasets._parts import part_of, ranks
from training.datasets._rows import Rows, part
from training.datasets._tabular import SUFFIXES, read_table


@dataclass(frozen=True)
class Described:
    """What a table says, a row each; a cell with several captions makes as many rows.

    rows:    number in the table of each
    others:  columns from which nothing is taken
    """

    columns: Columns
    rows: list[int]
    names: list[str]
    pictures: list[Held]
    words: list[str | None] | None
    captions: list[str | None] | None
    parts: list[str] | None
    others: tuple[str, ...]

    @property
    def taken(self) -> Taken:
        return taken(self.columns.caption, self.columns.label if self.words else None, self.others)


def described(file: Path, source: Source) -> Described:
    """Raises `Fault` where the file, its rows or its picture column are missing."""
    table = read_table(file)
    names, columns = list(table.column_names), columns_of(table, source)
    if columns.picture is None or not table.num_rows:
        raise Fault(
            "Pictures were asked from {path}, but it has {count} rows and the columns {found}; "
            "give it a row a picture and a column called image.",
            path=file, count=table.num_rows, found=", ".join(names) or "-",
        )  # fmt: skip
    told = _texts(_cells(table, columns.caption)) if columns.caption else [[None]] * table.num_rows
    rows = [row for row, texts in enumerate(told) for _ in texts]
    held = list(pictures_of(table.column(names.index(columns.picture)), file))
    words = _words(_cells(table, columns.label), columns.classes) if columns.label else None
    parts = [str(cell) for cell in _cells(table, columns.split)] if columns.split else None
    return Described(
        columns, rows, [held[row][0] for row in rows], [held[row][1] for row in rows],
        [words[row] for row in rows] if words and any(words) else None,
        [text for texts in told for text in texts] if columns.caption else None,
        [parts[row] for row in rows] if parts else None,
        tuple(_shown(table, name) for name in names if name not in columns.used),
    )  # fmt: skip


def open_table(source: Source) -> Dataset:
    """The rows of one part. Raises `Fault`."""
    file = Path(source.name).expanduser()
    found = described(file, source)
    stated = [part_of(word) for word in found.parts or ["train"] * len(found.rows)]
    there = set(stated)
    if source.split not in there and "train" not in there:
        raise Fault(
            "The {split} part of {name} was asked for, but no row of its column split says so; choose another part.",
            split=source.split, name=source.name,
        )  # fmt: skip
    lost = [
        Skipped(found.names[row], f"its part, {(found.parts or [])[row]}, is none of train, validation and test")
        for row, known in enumerate(stated) if known is None
    ]  # fmt: skip
    asked = [row for row, known in enumerate(stated) if known in ranks(source.split)]

    def of(cells: list | None) -> list | None:
        return None if cells is None else [cells[row] for row in asked]

    rows = Rows(
        names=[found.names[row] for row in asked], pictures=[found.pictures[row] for row in asked],
        stated=[known for known in stated if known in ranks(source.split)],
        cut_by=[f"row {found.rows[row]}" for row in asked],
        missing=frozenset[Split](("validation", "test")) - there, words=of(found.words), captions=of(found.captions),
        order=found.columns.classes if found.words else (),
    )  # fmt: skip
    return part(rows, source, found.taken, lost)


def _cells(table: arrow.Table, name: str | None) -> list[Any]:
    return table.column(table.column_names.index(name)).to_pylist()


def _texts(cells: list[Any]) -> list[list[str | None]]:
    """Captions of each row, at least one, None where there is nothing to read."""
    return [(cell or [None]) if isinstance(cell, list) else [cell] for cell in cells]


def _words(cells: list[Any], names: tuple[str, ...]) -> list[str | None]:
    """The class of each row: the name that its number stands for, or what is written there."""
    if names:
        return [names[cell] if cell is not None and 0 <= cell < len(names) else None for cell in cells]
    return [None if cell is None else str(cell).strip() or None for cell in cells]


def pictures_of(cells: arrow.ChunkedArray, file: Path) -> Iterator[tuple[str, Held]]:
    """What each picture is called and where it is: a path, bytes, or both as the `datasets` library keeps them."""
    whole: Any = compute
    if kinds.is_struct(cells.type):
        there = [cells.type.get_field_index(name) >= 0 for name in ("bytes", "path")]
        nothing = [None] * len(cells)
        held = whole.struct_field(cells, "bytes") if there[0] else nothing
        paths = whole.struct_field(cells, "path").to_pylist() if there[1] else nothing
    elif kinds.is_binary(cells.type) or kinds.is_large_binary(cells.type):
        held, paths = cells, [None] * len(cells)
    else:
        held, paths = [None] * len(cells), cells.to_pylist()
    for row, (cell, path) in enumerate(zip(held, paths, strict=True)):
        buffer = cell.as_buffer() if cell is not None and cell.is_valid else None
        placed = file.parent / str(path) if path else None
        yield str(path or f"{file}, row {row}"), memoryview(buffer) if buffer else placed


def _shown(table: arrow.Table, name: str) -> str:
    """A column as people are told of it: bytes are no text, and nobody need look."""
    kind = table.schema.types[table.column_names.index(name)]
    return f"{name} (bytes)" if kinds.is_binary(kind) or kinds.is_large_binary(kind) else name


FOUND = Found(
    name="a table",
    about="A CSV or parquet file with a row a picture: columns image, and caption or label.",
    claims=lambda name: Path(name).suffix.lower() in SUFFIXES and Path(name).expanduser().is_file(),
    opens=open_table,
    reads=("captions",),
)
