"""Which files hold a network's weights: one rule, and exactly what it names is read and digested.

A file that is asked for is that file, or the whole set where an index beside it names it as a part. A folder is the
file that its description's writer puts there, else what that file's index names. No pattern is ever matched: older
shards, an average beside the plain weights and another tool's files may lie there too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from models import weights
from models.description import Description, descriptions, read_json
from models.faults import Fault

INDEX = ".index.json"
"""What an index is called after the weights that it stands for."""


@dataclass(frozen=True)
class Shards:
    """files:   that are read, in the order of their names
    places:  by tensor, the file that the index says it is in; empty for a file without an index
    """

    files: tuple[Path, ...]
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> str:
        return ", ".join(file.name for file in self.files)

    def belongs(self, stated: Description) -> bool:
        """Whether this is called as the description's writer calls its weights, or named by an index."""
        return bool(self.places) or self.files[0].name == stated.weights

    def header(self) -> dict[str, Tensor]:
        """As `weights.header`, of all files."""
        return self._gathered(weights.header)

    def tensors(self) -> dict[str, Tensor]:
        """As `weights.tensors`, of all files."""
        return self._gathered(weights.tensors)

    def sha256(self) -> str:
        """Of the file's bytes; of several files, of their bytes one after another: `cat FILES | sha256sum`."""
        if len(self.files) == 1:
            return weights.sha256(self.files[0])
        digest = hashlib.sha256()
        for file in self.files:
            with file.open("rb") as opened:
                while block := opened.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()

    def _gathered(self, read: Callable[[Path], dict[str, Tensor]]) -> dict[str, Tensor]:
        return {
            name: value
            for file in self.files
            for name, value in read(file).items()
            if self.places.get(name, file.name) == file.name
        }


def meant(path: Path) -> tuple[Description | None, Shards | None]:
    """What a path means: the description that speaks of it, if there is one, and the weights.

    A folder means its first description with weights beside it, or, without weights, its first description. Of a file
    the description speaks whose weights bear its name, else the first there is.
    """
    if path.is_dir():
        pairs = [(each, beside(path, each.weights)) for each in descriptions(path)]
        return next((pair for pair in pairs if pair[1]), next(iter(pairs), (None, None)))
    stated = descriptions(path.parent)
    named = [each for each in stated if each.weights == path.name]
    return next(iter(named or stated), None), asked(path)


def asked(file: Path) -> Shards:
    """What a file that was asked for by its name stands for."""
    for index in sorted(file.parent.glob("*.safetensors.index*.json")):
        if file.name in _places(index).values():
            return indexed(index, lambda name: _there(file.parent, name))
    return Shards((file,))


def beside(folder: Path, name: str) -> Shards | None:
    """What a folder holds as the weights called `name`; None where it has neither them nor their index."""
    there = {path.name for path in folder.iterdir()}
    return found(name, there, lambda part: _there(folder, part))


def found(name: str, there: Container[str], fetch: Callable[[str], Path]) -> Shards | None:
    """The weights called `name` where only `there` is known to exist, each file brought by `fetch`."""
    if name in there:
        return Shards((fetch(name),))
    return indexed(fetch(name + INDEX), fetch) if name + INDEX in there else None


def indexed(index: Path, fetch: Callable[[str], Path]) -> Shards:
    """Exactly what an index names. Raises `Fault` where it is no index, or leads out of its folder."""
    places = _places(index)
    parts = sorted({*places.values()})
    if not parts or any(Path(part).name != part for part in parts):
        raise Fault(
            "{file} in {folder} was read, but it does not say which file beside it holds which weights; fetch or "
            "export it again.",
            file=index.name, folder=index.parent.name,
        )  # fmt: skip
    return Shards(tuple(fetch(part) for part in parts), places)


def _places(index: Path) -> dict[str, str]:
    places = read_json(index).get("weight_map")
    named = places.items() if isinstance(places, dict) else ()
    return {name: part for name, part in named if isinstance(part, str)}


def _there(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise Fault(
            "{file} is named by the index in {folder}, but it is not there; fetch it, or export the network again.",
            file=name, folder=folder.name,
        )  # fmt: skip
    return folder / name
