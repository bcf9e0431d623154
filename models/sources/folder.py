"""Checkpoint folders, as `models.weights.save` writes them: what ships with Patchlight and what is trained here."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import timm
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from models import weights
from models.backbone import Parts
from models.card import Card
from models.card_catalogue import card_from, described
from models.create import create
from models.faults import Fault
from models.feeding import Recipe
from models.pixels import Pixels
from models.shards import Shards
from models.sources.request import SEED, Request
from models.sources.timm import options as told


def open_named(parent: Path, name: str, request: Request) -> Parts:
    """The checkpoint folder called `name` in `parent`."""
    known = [place.name for place in described(parent)]
    if name not in known:
        raise Fault(
            "There is no checkpoint {id}; the nearest names are {nearest}; choose one of those, or any other of the "
            "list of networks.",
            id=request.id, nearest=", ".join(difflib.get_close_matches(name, known, 3, 0.4) or known[:3]) or "–",
        )  # fmt: skip
    return read(parent / name, request)


def read(place: Path, request: Request, held: Shards | None = None) -> Parts:
    """The network of a checkpoint folder with its weights, or those `held`, or, as a twin, random ones. Raises
    `Fault`."""
    config, known = _json(place / "config.json"), _json(place / "card.json")
    named = {"title": place.name, **known, "classes": tuple(config.get("classes", ()))}
    card = replace(card_from(request.id, named), random=request.random)
    pixels = _pixels(_json(place / "pixels.json"))
    tokenizer = _tokenizer(place / "tokenizer.json")
    if request.random:
        return replace(random_parts(config, card, pixels), tokenizer=tokenizer)
    held = held or Shards((place / "model.safetensors",))
    network = filled(config, held)
    return Parts(network, replace(card, sha256=held.sha256()), pixels, tokenizer)


def filled(config: Mapping[str, Any], held: Shards) -> nn.Module:
    """The network that `config` describes with the weights `held`, compared before anything is allocated."""
    with torch.device("meta"):
        weights.check(held.names, held.header(), _created(config))
    network = _created(config)
    network.load_state_dict(held.tensors())
    return network


def random_parts(config: Mapping[str, Any], card: Card, pixels: Pixels) -> Parts:
    """The same architecture untrained, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return Parts(_created(config), replace(card, random=True), pixels)


def _created(config: Mapping[str, Any]) -> nn.Module:
    """As trained, and told what the families want to be told so that any size can be fed; the weights are the same."""
    if config.get("library") == "timm" and timm.is_model(str(config.get("name"))):
        config = {**config, "options": {**told(str(config["name"])), **(config.get("options") or {})}}
    return create(config)


def _json(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as damage:
        raise Fault(
            "{file} in the checkpoint folder {folder} is missing or damaged; write the checkpoint again.",
            file=file.name, folder=file.parent.name,
        ) from damage  # fmt: skip


def _pixels(stated: dict[str, Any]) -> Pixels:
    fields = _tuples(stated)
    return Pixels(**{**fields, "recipe": Recipe(**_tuples(fields.get("recipe", {})))})


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


@dataclass(frozen=True)
class Tokens:
    """Texts to the text tower's keyword arguments, by a `tokenizers` file."""

    tokenizer: Tokenizer

    def __call__(self, texts: Sequence[str]) -> Mapping[str, Tensor]:
        encoded = self.tokenizer.encode_batch(list(texts))
        return {
            "input_ids": torch.tensor([text.ids for text in encoded]),
            "attention_mask": torch.tensor([text.attention_mask for text in encoded]),
        }


def _tokenizer(file: Path) -> Tokens | None:
    return Tokens(Tokenizer.from_file(str(file))) if file.is_file() else None
