"""A table from a file: CSV and TSV in whatever spelling, whose cells stay the text that they are, JSONL, parquet."""

from __future__ import annotations

import io
from itertools import chain
from pathlib import Path

import pyarrow as arrow
import pyarrow.csv as csv
import pyarrow.json as lines
import pyarrow.parquet as parquet

from models.faults import Fault
from training.datasets._columns import USUAL
from training.datasets._spelling import decoded, separator

SUFFIXES = frozenset({".csv", ".tsv", ".parquet", ".jsonl"})

SAID = 200
"""Letters of a reader's own complaint that are passed on: it may quote whole rows."""


def read_table(file: Path) -> arrow.Table:
    """Raises `Fault` where it is damaged, or no table at all."""
    try:
        if file.suffix.lower() == ".parquet":
            return parquet.read_table(file)
        text = decoded(file)
        return _lines(text) if file.suffix.lower() == ".jsonl" else _separated(text)
    except (arrow.ArrowException, OSError) as problem:
        raise Fault(
            "The table {path} was asked for, but it cannot be read ({reason}); save it as CSV or parquet.",
            path=file, reason=" ".join(str(problem).split())[:SAID],
        ) from problem  # fmt: skip


def _separated(text: str) -> arrow.Table:
    mark = separator(text, frozenset(chain.from_iterable(USUAL.values())))
    parsing = csv.ParseOptions(delimiter=mark, newlines_in_values=True)
    with csv.open_csv(_stream(text), parse_options=parsing) as begun:
        names = begun.schema.names
    plain = csv.ConvertOptions(column_types=dict.fromkeys(names, arrow.string()))
    return csv.read_csv(_stream(text), parse_options=parsing, convert_options=plain)


def _lines(text: str) -> arrow.Table:
    return lines.read_json(_stream(text))


def _stream(text: str) -> io.BytesIO:
    return io.BytesIO(text.removeprefix("\ufeff").encode())
