"""Datasets of the Hugging Face hub by name, `hub/<owner>/<name>` or `hub/<owner>/<name>:<configuration>`.

The picture, class and caption columns are found by their types, which are the same in all parts. Streaming reads as it
goes, without a copy on the disk, and shuffles within a window of a thousand; the parts that a stream states are taken
at their word, since nobody has seen it whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.faults import Fault
from training.datasets._contract import Dataset, Found, Skipped, Source, Split
from training.datasets._features import Columns
from training.datasets._identity import Held, firsts, meanings
from training.datasets._parts import divided, part_of, ranks
from training.datasets._rows import DOUBLED
from training.datasets._stored import Pictures, Stored
from training.datasets._streamed import Streamed
from training.datasets.table import pictures_of

NAMED = {"cifar10": "uoft-cs/cifar10", "fashion-mnist": "zalando-datasets/fashion_mnist"}
"""Two sets that everybody knows, by the names that everybody uses."""


def address(name: str) -> tuple[str, str | None]:
    """Name on the hub and configuration."""
    owner, _, configuration = NAMED.get(name, name.removeprefix("hub/")).partition(":")
    return owner, configuration or None


def load(source: Source) -> dict[str, Any]:
    """Every split of the set, as the `datasets` library gives it. Raises `Fault` where it cannot be had."""
    import datasets  # half a second, and only these sets need it
    from datasets.exceptions import DatasetsError

    name, configuration = address(source.name)
    try:
        parts = datasets.load_dataset(name, configuration, streaming=source.streaming)
    except (OSError, ValueError, DatasetsError) as problem:
        raise Fault(
            "Dataset {name} was asked of the hub, but it cannot be had ({reason}); "
            "check its name and the network, or give a folder of pictures.",
            name=name, reason=" ".join(str(problem).split()).removesuffix("."),
        ) from problem  # fmt: skip
    return {str(part): rows for part, rows in parts.items()}


def open_hub(source: Source) -> Dataset:
    """One part; where the set has no validation of its own, one picture in ten is taken from its training part."""
    import datasets

    loaded = load(source)
    parts: dict[Split, Any] = {}
    for name, rows in loaded.items():
        if known := part_of(name):
            parts.setdefault(known, rows)
    cut = frozenset[Split](() if "validation" in parts else ("validation",))
    own = source.split if source.split in parts else "train" if source.split in cut else None
    if own not in parts:
        raise Fault(
            "The {split} part of {name} was asked for, but it has only {found}; choose one of those.",
            split=source.split, name=source.name, found=", ".join(loaded),
        )  # fmt: skip
    columns = Columns(parts[own].features, source)
    plain = datasets.Image(decode=False)
    if source.streaming:
        rows = parts[own].cast_column(columns.picture, plain)
        return Streamed(source, rows, columns, source.split if cut and own == "train" else None)
    asked: dict[Split, Any] = {}
    for part in ranks(source.split):
        if part in parts:
            asked[part] = parts[part].cast_column(columns.picture, plain)
    return _copied(source, asked, columns, cut)


def _copied(source: Source, parts: dict[Split, Any], columns: Columns, cut: frozenset[Split]) -> Dataset:
    """parts: those that `source.split` may share pictures with, and itself, in their order"""
    places: list[tuple[Split, int]] = []
    for known, rows in parts.items():
        places.extend((known, row) for row in range(len(rows)))
    if not places:
        raise Fault("Pictures were asked from {name}, but it has none; choose another dataset.", name=source.name)
    told = [text for rows in parts.values() for text in _texts(rows, columns)]
    whole = source.split == "train" and not cut and columns.caption is None
    same = (
        list(range(len(places))) if whole else firsts([one for rows in parts.values() for one in _held(rows, columns)])
    )
    concepts = meanings(same, told) if columns.caption else same
    names = [f"row {row}" for _, row in places]
    division = divided(source, [known for known, _ in places], names, same, cut)

    def read(index: int) -> Stored:
        place = division.kept[index]
        known, row = places[place]
        return columns.stored(parts[known][row], f"{source.name}, row {row}", concepts[place])

    left = [Skipped(f"{source.name}, {names[place]}", DOUBLED) for place in division.doubled]
    return Pictures(source, len(division.kept), read, columns.classes, columns.taken, left)


def _held(rows: Any, columns: Columns) -> list[Held]:
    """The pictures of a part without copying them: the library keeps its table on the disk."""
    table = rows.data
    return [held for _, held in pictures_of(table.column(columns.picture), Path())]


def _texts(rows: Any, columns: Columns) -> list[str | None]:
    return rows.data.column(columns.caption).to_pylist() if columns.caption else []


FOUND = Found(
    name="hub/<owner>/<name>",
    about="A dataset of the Hugging Face hub by its name; cifar10 and fashion-mnist are short for two of them.",
    claims=lambda name: name.startswith("hub/") or name in NAMED,
    opens=open_hub,
    reads=("captions", "streaming"),
)
