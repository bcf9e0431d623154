"""A CSV, TSV or parquet file with a row a picture: a path or the picture itself, and a caption, a class, or both.

Columns are found by their names (`COLUMNS`); the caption's can also be given. Paths are read from the table's folder.
A column called `split` is obeyed; without one, one row in ten is kept for validation and another for the test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from models.faults import Fault
from training.datasets._contract import Dataset, Found, Source
from training.datasets._stored import Pictures, Stored
from training.datasets.folder import SPLIT_FOLDERS, kept

COLUMNS = {
    "picture": ("image", "img", "picture", "path", "file", "file_name", "filename", "filepath", "image_path"),
    "caption": ("caption", "captions", "text", "description", "title", "подпись", "описание"),
    "label": ("label", "class", "category", "target", "класс"),
    "split": ("split",),
}


def column(kind: str, names: list[str]) -> str | None:
    """The column of a kind, by the first of its usual names that is there."""
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[usual] for usual in COLUMNS[kind] if usual in lower), None)


def read_table(file: Path) -> arrow.Table:
    try:
        if file.suffix.lower() == ".parquet":
            return parquet.read_table(file)
        delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
        return csv.read_csv(file, parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True))
    except (arrow.ArrowException, OSError) as problem:
        raise Fault(
            "The table {path} was asked for, but it cannot be read ({reason}); save it as CSV or parquet.",
            path=file, reason=problem,
        ) from problem  # fmt: skip


def caption_column(names: list[str], source: Source) -> str | None:
    """The column of captions: the one that was asked for, or the one with a usual name."""
    if source.captions is None or source.captions in names:
        return source.captions or column("caption", names)
    raise Fault(
        "Captions were asked from column {column} of {name}, but its columns are {found}; choose one of those.",
        column=source.captions, name=source.name, found=", ".join(names),
    )  # fmt: skip


def open_table(source: Source) -> Dataset:
    """The rows of one split; raises `Fault` where the file, its rows or its picture column are missing."""
    file = Path(source.name).expanduser()
    table = read_table(file)
    names = list(table.column_names)
    picture = column("picture", names)
    if picture is None or not table.num_rows:
        raise Fault(
            "Pictures were asked from {path}, but it has {count} rows and the columns {found}; "
            "give it a row a picture and a column called image.",
            path=file, count=table.num_rows, found=", ".join(names) or "-",
        )  # fmt: skip
    caption, label = caption_column(names, source), column("label", names)
    words = [str(word) for word in table[label].to_pylist()] if label else []
    classes = tuple(sorted(set(words)))
    numbers = {name: number for number, name in enumerate(classes)}
    rows = _rows_of(table, picture, source)

    def read(index: int) -> Stored:
        row = rows[index]
        name, data = _picture(table[picture][row].as_py(), file, row)
        told = table[caption][row].as_py() if caption else None
        return Stored(name, data, numbers[words[row]] if label else None, None if told is None else str(told))

    return Pictures(source, len(rows), read, classes, captioned=caption is not None)


def _rows_of(table: arrow.Table, picture: str, source: Source) -> list[int]:
    split = column("split", table.column_names)
    if split is None:
        return kept([f"row {row}" for row in range(table.num_rows)], source.split, source)
    asked = SPLIT_FOLDERS[source.split]
    rows = [row for row, word in enumerate(table[split].to_pylist()) if str(word).lower() in asked]
    if not rows:
        raise Fault(
            "The {split} part of {name} was asked for, but no row of its column split says so; choose another part.",
            split=source.split, name=source.name,
        )  # fmt: skip
    return rows


def _picture(cell: Any, file: Path, row: int) -> tuple[str, bytes | Path | None]:
    """What a picture is called and where it is: a path, bytes, or both as the `datasets` library keeps them."""
    if isinstance(cell, dict):
        held, path = cell.get("bytes"), cell.get("path")
        return path or f"{file}, row {row}", held if held is not None else path and file.parent / path
    if isinstance(cell, bytes) or not cell:
        return f"{file}, row {row}", cell or None
    return str(cell), file.parent / str(cell)


FOUND = Found(
    name="a table",
    about="A CSV or parquet file with a row a picture: columns image, and caption or label.",
    claims=lambda name: Path(name).suffix.lower() in (".csv", ".tsv", ".parquet") and Path(name).expanduser().is_file(),
    opens=open_table,
    reads=("captions",),
)
