"""What can be opened? Cards of the curated checkpoints, and of those that are on this machine already.

Nothing heavy is imported: the page lists checkpoints before torch is there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from models.card import Card

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ASSETS = Path(__file__).resolve().parent.parent / "assets"

SOURCES = ("bundled", "registry", "timm", "hf", "run", "file")


@cache
def catalogue() -> tuple[Card, ...]:
    """Curated checkpoints, `assets/catalogue.toml`, grouped by family; most must be fetched before they open."""
    content = tomllib.loads((ASSETS / "catalogue.toml").read_text(encoding="utf-8"))
    return tuple(card_from(id, entry) for id, entry in content.items())


def checkpoints() -> tuple[Card, ...]:
    """What opens right now, without the network: bundled, fetched from the registry, trained here, and in the cache."""
    here = [card for card in catalogue() if _is_here(card)]
    return (*_folders("bundled", bundled_folder()), *here, *_folders("run", runs_folder()))


def card_of(id: str) -> Card | None:
    """The curated card of an id, or None."""
    return next((card for card in catalogue() if card.id == id), None)


def card_from(id: str, stated: Mapping[str, Any]) -> Card:
    """The card of a checkpoint from what its file states; words that no field has are left out."""
    known = {name: value for name, value in stated.items() if name in Card.__dataclass_fields__}
    known["abilities"] = tuple(known.get("abilities", ()))
    return Card(**{"title": id.partition("/")[2], "family": "", **known, "id": id})


def is_cached(card: Card) -> bool:
    """Whether the checkpoint's weights lie on this machine, so that it opens without the network."""
    return card.id in {there.id for there in checkpoints()}


def runs_folder() -> Path:
    """Where runs are kept: `PATCHLIGHT_RUNS`, else `runs` in the working folder."""
    return Path(os.environ.get("PATCHLIGHT_RUNS", "runs"))


def bundled_folder() -> Path:
    """Where the checkpoints that ship with Patchlight lie, a folder each."""
    return ASSETS / "weights"


def cache_folder() -> Path:
    """Where converted checkpoints are kept: `PATCHLIGHT_CACHE`, else `~/.cache/patchlight`."""
    return Path(os.environ.get("PATCHLIGHT_CACHE") or Path.home() / ".cache" / "patchlight")


def hub_folder() -> Path:
    """The model hub's cache folder, by the environment variables of its own client."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")


def repository(id: str) -> str | None:
    """The model hub's owner/name behind a curated id; None for ids of other sources."""
    source, _, name = id.partition("/")
    return {"timm": f"timm/{name}", "hf": name}.get(source)


def _is_here(card: Card) -> bool:
    repo = repository(card.id)
    if repo is None:
        return (cache_folder() / card.id / "model.safetensors").is_file()
    folder = hub_folder() / f"models--{repo.replace('/', '--')}" / "snapshots"
    return any(folder.glob("*/model.safetensors"))


_ABILITIES = {
    "CLIPModel": ("zero-shot",),
    "SiglipModel": ("pools", "zero-shot"),
    "Siglip2Model": ("pools", "zero-shot"),
    "ViTMAEForPreTraining": ("reconstructs",),
    "SwinForMaskedImageModeling": ("reconstructs",),
}
"""What the classes of transformers that are trained here can do; `models.loading` asks the opened network itself."""


def _abilities(config: Mapping[str, Any]) -> tuple[str, ...]:
    """By the config that `models.weights.save` wrote, without opening the network."""
    if config.get("library") == "timm":
        return ("classifies",) if config.get("options", {}).get("num_classes") else ()
    return _ABILITIES.get(config.get("class", ""), ())


def _folders(source: str, folder: Path) -> Iterator[Card]:
    for config in sorted(folder.glob("[!.]*/config.json")):
        known = config.parent / "card.json"
        if known.is_file() and (config.parent / "model.safetensors").is_file() and not _private(config.parent):
            stated = json.loads(known.read_text(encoding="utf-8"))
            able = _abilities(json.loads(config.read_text(encoding="utf-8")))
            yield card_from(f"{source}/{config.parent.name}", {"abilities": able, **stated})


def _private(folder: Path) -> bool:
    """A visitor's own run on a shared host: it opens for whoever knows its name, but nobody else is told the name."""
    job = folder / "job.json"
    return job.is_file() and bool(json.loads(job.read_text(encoding="utf-8")).get("owner"))
