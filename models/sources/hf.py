"""`hf/<owner>/<name>`: checkpoints on the model hub, of transformers and of everyone else whose descriptions are read.

The class follows from `config.json`; no code that comes with a checkpoint is run. transformers carries older names to
its own ones; as with timm this runs twice, first on meta tensors made from the files' headers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from models import hub, shards, weights
from models.backbone import Parts
from models.card import Card
from models.card_catalogue import card_of
from models.create import CLASSES, attention, create, described, optional_parts
from models.description import CONFIG, WEIGHTS, Description, description
from models.faults import Fault, Refusal
from models.pixels import Pixels, of_channels
from models.shards import Shards
from models.sources import folder, open_clip, timm
from models.sources.processor import fed
from models.sources.request import SEED, Request
from models.sources.tokenizer import tokenizer

BY_TYPE = {
    "beit": "BeitModel", "clip": "CLIPModel", "clip_vision_model": "CLIPVisionModel",
    "data2vec-vision": "Data2VecVisionModel", "deit": "DeiTModel", "dinov2": "Dinov2Model",
    "dinov2_with_registers": "Dinov2WithRegistersModel", "dinov3_vit": "DINOv3ViTModel", "ijepa": "IJepaModel",
    "siglip": "SiglipModel", "siglip2": "Siglip2Model", "siglip2_vision_model": "Siglip2VisionModel",
    "siglip_vision_model": "SiglipVisionModel", "swin": "SwinModel", "swinv2": "Swinv2Model", "vit": "ViTModel",
    "vit_mae": "ViTMAEForPreTraining", "vit_msn": "ViTMSNModel",
}  # fmt: skip
"""What is built where `architectures` names no class at all."""

BESIDE = (
    "preprocessor_config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json",
    "merges.txt", "spiece.model", "special_tokens_map.json", "card.json", "pixels.json",
)  # fmt: skip
"""Small files that say how a network is fed."""


def open_parts(name: str, request: Request) -> Parts:
    """The network of the repository `name`, with its weights or, as a twin, random ones."""
    there = hub.listing(name)
    stated = _described(name, there)
    for file in BESIDE:
        if file in there:
            hub.fetch(name, file)
    if request.random:
        return read(stated, request)
    held = shards.found(stated.weights, there, lambda file: hub.fetch(name, file, request.progress))
    if held is None:
        held = Shards((hub.fetch(name, stated.weights, request.progress, hub.conversion(name)),))
    return read(stated, request, held)


def _described(name: str, there: tuple[str, ...]) -> Description:
    """The description of a repository: OpenCLIP's where only that comes with its weights."""
    complete = [file for file, held in WEIGHTS.items() if file in there and {held, held + shards.INDEX} & {*there}]
    stated = description(hub.fetch(name, complete[0] if complete else CONFIG))
    if stated is None:
        raise Fault(
            "{name} has a config.json, but it describes no network of timm or transformers; choose another checkpoint.",
            name=name,
        )
    if stated.writer == "transformers":
        _recognise(stated.config, name)  # before anything else is fetched
    return stated


def read(stated: Description, request: Request, held: Shards | None = None) -> Parts:
    """The network that was described, with the weights in `held` unless a twin is asked for."""
    if stated.writer == "Patchlight":
        return folder.read(stated.folder, request, held)
    if stated.writer == "timm":
        return timm.read(stated.config, request, held)
    if stated.writer == "OpenCLIP":
        return open_clip.read(stated.config, request, held)
    asked = _recognise(stated.config, stated.folder.name)
    network = filled(asked, held) if held else _random(asked)
    known = card_of(request.id.partition("?")[0])
    card = known or Card(request.id, title=request.id.partition("/")[2], family=str(stated.config.get("model_type")))
    card = replace(card, id=request.id, random=request.random)
    if held:
        card = replace(card, sha256=held.sha256(), revision=hub.revision(held.files[0]))
    return Parts(network, card, _pixels(network, stated.folder), tokenizer(stated.folder, network))


def filled(asked: Mapping[str, Any], held: Shards) -> nn.Module:
    """The transformers network of a description with the weights `held`. Raises `Fault` where they do not fit."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    network: Any = getattr(transformers, asked["class"])
    header = held.header()
    with torch.device("meta"):
        config: Any = create(asked).config

    def loaded(state: dict[str, Tensor], place: str) -> nn.Module:
        with described(asked["class"]):
            module, report = network.from_pretrained(
                None, config=config, state_dict=state, dtype=torch.float32, attn_implementation=attention(network),
                device_map=place, output_loading_info=True, ignore_mismatched_sizes=True,
                **optional_parts(network, header),
            )  # fmt: skip
        shapes = [entry[0] for entry in report["mismatched_keys"]]
        if report["missing_keys"] or report["unexpected_keys"] or shapes:
            raise weights.unfit(held.names, report["missing_keys"], report["unexpected_keys"], shapes)
        return module

    loaded(header, "meta")
    return loaded(held.tensors(), "cpu")


def _recognise(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What `models.create` needs to build the network of a transformers `config.json`: the class that it states, or
    the encoder of its kind where it states none. Raises `Refusal` by the name of a class that is not read."""
    if config.get("quantization_config"):
        raise Refusal(
            "{name} holds weights that were rounded to few bits for another machine (quantization_config); choose or "
            "save it in single or half precision.",
            name=name,
        )
    stated = config.get("architectures") or ()
    classes = [str(each) for each in ([stated] if isinstance(stated, str) else stated)]
    kind = str(config.get("model_type"))
    read = [each for each in classes or [BY_TYPE.get(kind)] if each in CLASSES]
    if not read:
        raise Refusal(
            "{name} is a {kind} of transformers, which is not read here; encoders and most image classifiers of "
            "{known} are, so save that part of it, or choose another network.",
            name=name, kind=", ".join(classes) or kind, known=", ".join(BY_TYPE),
        )  # fmt: skip
    return {"library": "transformers", "class": read[0], "config": config}


def _random(description: Mapping[str, Any]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return create(description)


def _pixels(network: nn.Module, folder: Path) -> Pixels:
    config: Any = network.config
    vision = getattr(config, "vision_config", config)
    patch, channels = vision.patch_size, vision.num_channels
    size = getattr(vision, "image_size", None)
    if size is None:  # NaFlex takes any grid of at most so many patches
        size = math.isqrt(vision.num_patches) * patch
    height, width = (size, size) if isinstance(size, int) else size
    stated = fed(folder, (height, width), patch)
    return Pixels(
        size=(height, width), patch=patch, multiple=patch * 2 ** (len(getattr(vision, "depths", [0])) - 1),
        mean=of_channels(stated.mean, channels), std=of_channels(stated.std, channels),
        interpolation=stated.interpolation, recipe=stated.recipe,
    )  # fmt: skip
