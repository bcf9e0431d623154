"""What the columns of a table are (pictures, captions, classes, parts), by their types and their usual names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as arrow
import pyarrow.types as kinds

from models.faults import Fault
from training.datasets._contract import Source, Taken

USUAL = {
    "picture": ("image", "img", "picture", "path", "file", "file_name", "filename", "filepath", "image_path"),
    "caption": ("caption", "captions", "text", "description", "title", "подпись", "описание"),
    "label": ("label", "class", "category", "target", "класс"),
    "split": ("split",),
}


def column(kind: str, names: list[str]) -> str | None:
    """The column of a kind, by the first of its usual names that is there."""
    plain = {name.strip().lower(): name for name in reversed(names)}
    return next((plain[usual] for usual in USUAL[kind] if usual in plain), None)


def caption_column(texts: list[str], names: list[str], source: Source) -> str | None:
    """The column of captions: the one that was asked for, or the one with a usual name. Raises `Fault`.

    texts: those of the columns `names` that hold text
    """
    if source.captions is None or source.captions in texts:
        return source.captions or column("caption", texts)
    if source.captions in names:
        raise Fault(
            "Captions were asked from column {column} of {name}, but that one holds no text; choose one of {found}.",
            column=source.captions, name=source.name, found=", ".join(texts) or "-",
        )  # fmt: skip
    raise Fault(
        "Captions were asked from column {column} of {name}, but its columns are {found}; choose one of those.",
        column=source.captions, name=source.name, found=", ".join(names),
    )  # fmt: skip


def taken(caption: str | None, label: str | None, others: Sequence[str]) -> Taken:
    """What people are told of a table's columns."""
    return Taken(caption and f"column {caption}", label and f"column {label}", tuple(others))


@dataclass(frozen=True)
class Columns:
    """Of a table, by name; None where there is no such column.

    classes: what the file calls its classes, in the order of their numbers; empty where it names none
    """

    picture: str | None
    caption: str | None
    label: str | None
    split: str | None
    classes: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[str | None, ...]:
        return self.picture, self.caption, self.label, self.split


def columns_of(table: arrow.Table, source: Source) -> Columns:
    """Columns that hold bytes are no text and no class; named classes come from a schema of the `datasets` library."""
    names, named = list(table.column_names), _named_classes(table.schema)
    types: dict[str, Any] = {name: table.schema.types[place] for place, name in reversed([*enumerate(names)])}
    texts = [name for name in names if _is_text(types[name])]
    labels = [name for name in names if name in named or _is_class(types[name])]
    label = column("label", labels) or next(iter(named), None)
    picture = column("picture", names) or next((name for name in names if _is_picture(types[name])), None)
    caption = caption_column(texts, names, source)
    return Columns(picture, caption, label, column("split", names), named.get(label or "", ()))


def _named_classes(schema: arrow.Schema) -> dict[str, tuple[str, ...]]:
    """Columns whose numbers stand for names, as the `datasets` library writes them into a parquet file."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        labels = {name: kind["names"] for name, kind in features.items() if kind.get("_type") == "ClassLabel"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: tuple(map(str, words)) for name, words in labels.items() if name in schema.names}


def _is_picture(kind: Any) -> bool:
    """Bytes and path, as the `datasets` library keeps a picture."""
    return kinds.is_struct(kind) and kind.get_field_index("bytes") >= 0


def _is_text(kind: Any) -> bool:
    if kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_dictionary(kind):
        return _is_text(kind.value_type)
    return kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)


def _is_class(kind: Any) -> bool:
    plain = kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind)
    return plain or (_is_text(kind) and not kinds.is_list(kind) and not kinds.is_large_list(kind))
