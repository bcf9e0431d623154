"""What lies in a folder: pictures, tables that describe them, and the rest, in the order of their names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from models.faults import Fault
from training.datasets._contract import Skipped

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})

METADATA = frozenset({"metadata.csv", "metadata.jsonl", "metadata.parquet"})
"""Tables beside pictures that name them, as the `datasets` library's image folders have them."""


@dataclass(frozen=True)
class Listing:
    """Files below a folder; hidden ones are in none of these."""

    folder: Path
    pictures: list[Path] = field(default_factory=list)
    metadata: list[Path] = field(default_factory=list)
    rest: list[Path] = field(default_factory=list)

    def left_out(self) -> list[Skipped]:
        return [
            Skipped(str(path), "it is no picture of a kind that is read here (PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF)")
            for path in self.rest
        ]


def listing(folder: Path, without: Collection[Path] = ()) -> Listing:
    """Everything below `folder`, but for the folders `without`."""
    found = Listing(folder)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in inside)
        if hidden or any(path.is_relative_to(other) for other in without) or not path.is_file():
            continue
        described = path.name.lower() in METADATA
        kind = found.pictures if path.suffix.lower() in SUFFIXES else found.metadata if described else found.rest
        kind.append(path)
    return found


def pictures_in(folder: Path) -> list[Path]:
    """Every picture below a folder, in the order of their names; hidden ones are left out."""
    return listing(folder).pictures


def nothing_in(folder: Path) -> Fault:
    """For a folder without a picture that is read; says what lies there instead."""
    rest = listing(folder).rest
    if not rest:
        return Fault(
            "Pictures were asked from {path}, but none lies there; put PNG, JPEG or WebP files into it.", path=folder
        )
    return Fault(
        "Pictures were asked from {path}, but of the {count} files there none is of a kind that is read ({kinds}); "
        "save them as PNG, JPEG or WebP.",
        path=folder, count=len(rest), kinds=", ".join(sorted({path.suffix.lower() or path.name for path in rest})[:5]),
    )  # fmt: skip
