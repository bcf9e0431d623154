"""How a folder of pictures is laid out: folders of its parts, folders of its classes, and what lies beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.faults import Fault
from training.datasets._contract import Split
from training.datasets._listing import Listing, listing
from training.datasets._parts import part_of


@dataclass(frozen=True)
class Folders:
    """parts: what lies in the folders of each part that holds a picture; beside: what lies in none of them."""

    parts: dict[Split, list[Listing]]
    beside: Listing | None

    @property
    def classed(self) -> bool:
        """Whether most pictures for training lie in folders, which then are the classes; one stray changes nothing."""
        learnt = self.parts.get("train") or [one for listings in self.parts.values() for one in listings]
        inside = [class_of(one, path) is not None for one in learnt for path in one.pictures]
        return sum(inside) > len(inside) / 2


def folders(root: Path) -> Folders:
    """The name of a part is never a class. What lies in no part is for training where nothing else is.

    Raises `Fault` where a folder called `train` may be a class.
    """
    named = [path for path in sorted(root.iterdir()) if path.is_dir() and part_of(path.name)]
    parts: dict[Split, list[Listing]] = {}
    for path in named:
        if (known := part_of(path.name)) and (found := listing(path)).pictures:
            parts.setdefault(known, []).append(found)
    beside = listing(root, without=named)
    if "train" not in parts and beside.pictures:
        return Folders({"train": [beside], **parts}, None)
    if parts.keys() == {"train"}:
        _check(root, parts["train"], beside)
    return Folders(parts, beside)


def class_of(found: Listing, path: Path) -> str | None:
    """The folder of a picture, where it lies in one."""
    names = path.relative_to(found.folder).parts
    return names[0] if len(names) > 1 else None


def _check(root: Path, learnt: Sequence[Listing], beside: Listing) -> None:
    """Pictures in `train` itself, beside other folders of pictures: railway trains among vehicles, or what to learn?"""
    plain = not any(class_of(one, path) for one in learnt for path in one.pictures)
    others = sorted({word for path in beside.pictures if (word := class_of(beside, path))})
    if plain and others:
        raise Fault(
            "In {path} a folder called {name} lies beside {others}, so it may be the training part or a class; put the "
            "folders of all classes into one called train, or give that class another name.",
            path=root, name=learnt[0].folder.name, others=", ".join(others[:5]),
        )  # fmt: skip
