"""`hf/<owner>/<name>`: checkpoints of transformers on the model hub, and of timm by whoever publishes them there.

The class follows from `config.json` by a small table; no code that comes with a checkpoint is run. transformers carries
older names to its own ones; as with timm this runs twice, first on meta tensors made from the files' headers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from models import hub, weights
from models.backbone import Parts
from models.card import Card
from models.card_catalogue import card_of
from models.create import CLASSES, create
from models.faults import Fault, Refusal
from models.pixels import Pixels
from models.sources import timm
from models.sources.request import SEED, Request
from models.sources.tokenizer import tokenizer

BY_TYPE = {
    "clip": "CLIPModel", "siglip": "SiglipModel", "siglip2": "Siglip2Model", "swin": "SwinModel",
    "swinv2": "Swinv2Model", "vit_mae": "ViTMAEForPreTraining",
}  # fmt: skip
"""What is built where `architectures` names no class that is read here."""

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"

BESIDE = (
    "preprocessor_config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json",
    "merges.txt", "spiece.model", "special_tokens_map.json",
)  # fmt: skip
"""Small files that say how a network is fed."""

_RESAMPLING = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}


def open_parts(name: str, request: Request) -> Parts:
    """The network of the repository `name`, with its weights or, as a twin, random ones."""
    config = hub.fetch(name, "config.json")
    _recognise(_json(config), name)
    listed = hub.listing(name)
    for file in BESIDE:
        if file in listed:
            hub.fetch(name, file)
    files = () if request.random else tuple(_weights(name, listed, request))
    return read(config.parent, request, files)


def read(folder: Path, request: Request, files: tuple[Path, ...] = ()) -> Parts:
    """The network that `config.json` in `folder` describes, with the weights in `files` unless a twin is asked for."""
    config = _json(folder / "config.json")
    if "architecture" in config:
        return timm.read(config, request, files)
    description = _recognise(config, folder.name)
    network = _random(description) if request.random else filled(description, files)
    known = card_of(request.id.partition("?")[0])
    card = known or Card(request.id, title=request.id.partition("/")[2], family=str(config.get("model_type")))
    card = replace(card, id=request.id, random=request.random)
    if files:
        card = replace(card, sha256=weights.sha256(files[0]), revision=hub.revision(files[0]))
    return Parts(network, card, _pixels(network, folder), tokenizer(folder, network))


def filled(description: Mapping[str, Any], files: Iterable[Path]) -> nn.Module:
    """The transformers network of a description with the weights in `files`. Raises `Fault` where they do not fit."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    network: Any = getattr(transformers, description["class"])
    with torch.device("meta"):
        config: Any = create(description).config

    def loaded(state: dict[str, Tensor], place: str) -> nn.Module:
        module, report = network.from_pretrained(
            None, config=config, state_dict=state, dtype=torch.float32, attn_implementation="sdpa", device_map=place,
            output_loading_info=True, ignore_mismatched_sizes=True,
        )  # fmt: skip
        shapes = [entry[0] for entry in report["mismatched_keys"]]
        if report["missing_keys"] or report["unexpected_keys"] or shapes:
            raise weights.unfit(names, report["missing_keys"], report["unexpected_keys"], shapes)
        return module

    files = tuple(files)
    names = ", ".join(file.name for file in files)
    loaded({name: value for file in files for name, value in weights.header(file).items()}, "meta")
    return loaded({name: value for file in files for name, value in weights.tensors(file).items()}, "cpu")


def _recognise(config: dict[str, Any], name: str) -> dict[str, Any]:
    """What `models.create` needs to build the network of a transformers `config.json`."""
    kind = str(config.get("model_type"))
    stated = [architecture for architecture in config.get("architectures") or [] if architecture in CLASSES]
    if "architecture" not in config and kind not in BY_TYPE and not stated:
        raise Refusal(
            "{name} is a {kind} of transformers, which is not read here: two-tower, MAE and Swin networks are; plain "
            "vision transformers open by their timm names.",
            name=name, kind=kind,
        )  # fmt: skip
    return {"library": "transformers", "class": stated[0] if stated else BY_TYPE.get(kind), "config": config}


def _random(description: Mapping[str, Any]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return create(description)


def _weights(name: str, listed: tuple[str, ...], request: Request) -> Iterable[Path]:
    if WEIGHTS not in listed and INDEX in listed:
        shards = json.loads(hub.fetch(name, INDEX).read_text(encoding="utf-8"))["weight_map"]
        return [hub.fetch(name, shard, request.progress) for shard in sorted({*shards.values()} & {*listed})]
    revision = "main" if WEIGHTS in listed else hub.conversion(name)
    return [hub.fetch(name, WEIGHTS, request.progress, revision)]


def _pixels(network: nn.Module, folder: Path) -> Pixels:
    stated = _processor(folder)
    config: Any = network.config
    vision = getattr(config, "vision_config", config)
    patch = vision.patch_size
    if isinstance(getattr(vision, "image_size", None), int):
        side = vision.image_size
    else:  # NaFlex takes any grid of at most so many patches
        side = math.isqrt(vision.num_patches) * patch
    return Pixels(
        size=(side, side), patch=patch, multiple=patch * 2 ** (len(getattr(vision, "depths", [0])) - 1),
        mean=tuple(stated["image_mean"]), std=tuple(stated["image_std"]),
        interpolation=_RESAMPLING[stated.get("resample", 3)],  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


def _processor(folder: Path) -> dict[str, Any]:
    for name in ("preprocessor_config.json", "processor_config.json"):
        if (folder / name).is_file():
            stated = _json(folder / name)
            stated = stated.get("image_processor", stated)
            if "image_mean" in stated:
                return stated
    raise Fault(
        "{folder} has no preprocessor_config.json with a mean and deviation, so it is not known how the network is "
        "fed; put that file beside its config.json.",
        folder=folder.name,
    )


def _json(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as damage:
        raise Fault(
            "{file} in {folder} is missing or damaged; fetch or export it again.",
            file=file.name,
            folder=file.parent.name,
        ) from damage
