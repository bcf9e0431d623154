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
from types import NoneType
from typing import Any

from models.card import Card
from models.faults import Fault
from models.visitor import knows, public

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


def is_open(id: str) -> bool:
    """Whether who asks may open this id. On a public page that is what its list names, and runs that they may know.
    What is no id at all is for `models.loading` to refuse."""
    source, _, name = id.partition("?")[0].partition("/")
    if not public() or source in ("bundled", "registry") or source not in SOURCES:
        return True
    if source == "run":
        return name.partition("@")[0] in {folder.name for folder in known_runs()}
    return source != "file" and card_of(f"{source}/{name}") is not None


def known_runs() -> list[Path]:
    """Folders of runs that who asks may know, whether their networks are there yet or not."""
    here = runs_folder().glob("[!.]*") if runs_folder().is_dir() else []
    return [folder for folder in sorted(here) if folder.is_dir() and knows(folder)]


def closed(id: str) -> Fault:
    """Why an id that is not open is refused: the same for what is another's and for what is not there."""
    return Fault(
        "{id} was asked for, but this page is public and opens only the checkpoints on its list; choose one of "
        "those, or run Patchlight at home.",
        id=id,
    )


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
    if config.get("library") == "probe":
        return tuple(sorted({"classifies", *_abilities(config.get("network", {}))}))
    if config.get("library") == "timm":
        return ("classifies",) if config.get("options", {}).get("num_classes") else ()
    return _ABILITIES.get(config.get("class", ""), ())


def damaged() -> tuple[str, ...]:
    """Ids of checkpoint folders whose files do not make a card, so that `checkpoints` leaves them out."""
    places = {"bundled": bundled_folder(), "run": runs_folder()}
    there = {f"{source}/{place.name}": place for source, folder in places.items() for place in _published(folder)}
    return tuple(id for id, place in there.items() if _card(id, place) is None)


def _folders(source: str, folder: Path) -> Iterator[Card]:
    cards = (_card(f"{source}/{place.name}", place) for place in _published(folder))
    return (card for card in cards if card is not None)


def _published(parent: Path) -> list[Path]:
    """Checkpoint folders that who asks may know."""
    files = ("card.json", "model.safetensors")
    return [place for place in described(parent) if all((place / file).is_file() for file in files)]


def described(parent: Path) -> list[Path]:
    """Folders with a network in them that who asks may know."""
    return [config.parent for config in sorted(parent.glob("[!.]*/config.json")) if knows(config.parent)]


def _card(id: str, place: Path) -> Card | None:
    """What card.json states; None where it or config.json is damaged."""
    try:
        stated, config = (json.loads((place / file).read_bytes()) for file in ("card.json", "config.json"))
        card = card_from(id, {"abilities": _abilities(config), **stated})
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    texts = (card.title, card.family, card.training, card.licence, *card.abilities)
    numbers = (card.parameters, card.patch, card.side, card.download)
    sound = all(isinstance(text, str) for text in texts) and all(isinstance(n, (int, NoneType)) for n in numbers)
    return card if sound else None
