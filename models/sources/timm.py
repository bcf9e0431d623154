"""`timm/<name>`: any architecture of timm with the weights that its authors published, tag and all.

timm's own filters carry each publisher's layout to timm's names. They run twice: on meta tensors made from the file's
header, so that a file of another network is refused before anything is allocated, then on the weights.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import PretrainedCfg, get_pretrained_cfg, model_entrypoint
from torch import Tensor, nn

from models import hub, weights
from models.backbone import Parts
from models.card import Card
from models.card_catalogue import card_of
from models.families import create_options, family_of
from models.faults import Fault
from models.pixels import Pixels
from models.refusal import refusal
from models.sources.request import SEED, Request

WEIGHTS = ("model.safetensors", "open_clip_model.safetensors")
"""Names of weights on the hub; the second holds both towers of a CLIP, of which timm takes the image tower."""

State = dict[str, Tensor]

logging.getLogger("timm").setLevel(logging.WARNING)


def open_parts(name: str, request: Request) -> Parts:
    """The network called `name`, `architecture` or `architecture.tag`, with its weights or, as a twin, random ones."""
    published = _published(name)
    _check_readable(name)
    if request.random:
        network = random_network(name)
        return Parts(network, _card(name, request, published, network), pixels(network, published))
    file = _fetched(name, published, request)
    network = fill(name, file)
    card = replace(_card(name, request, published, network), sha256=weights.sha256(file), revision=hub.revision(file))
    return Parts(network, card, pixels(network, published))


def read(config: Mapping[str, Any], request: Request, files: tuple[Path, ...] = ()) -> Parts:
    """A network saved by timm itself: `config` is its `config.json`, `files` its weights unless a twin is asked for."""
    name, stated = str(config["architecture"]), config.get("pretrained_cfg", {})
    if not timm.is_model(name):
        raise _unknown(name)
    published = PretrainedCfg(**{key: value for key, value in stated.items() if key in _FIELDS})
    changes = {**config.get("model_args", {}), "num_classes": config.get("num_classes", published.num_classes)}
    if published.fixed_input_size:
        changes.setdefault("img_size", tuple(published.input_size[1:]))
    network = random_network(name, **changes) if request.random else fill(name, files[0], **changes)
    card = _card(request.id.partition("/")[2], request, published, network)
    if files:
        card = replace(card, sha256=weights.sha256(files[0]), revision=hub.revision(files[0]))
    return Parts(network, card, pixels(network, published))


def random_network(name: str, **changes: Any) -> nn.Module:
    """The architecture with untrained weights, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return timm.create_model(name, pretrained=False, **options(name), **changes)


def fill(name: str, file: Path, select: Callable[[State], State] = dict, **changes: Any) -> nn.Module:
    """The architecture, changed by options, with the weights that `select` takes of `file`. Raises `Fault` where they
    do not fit or are not finite."""
    with torch.device("meta"):
        _filtered(name, file, select(weights.header(file)), changes)
    return _filtered(name, file, select(weights.tensors(file)), changes)


def options(name: str) -> dict[str, Any]:
    """What the families want `create_model` to be told for this architecture."""
    module = model_entrypoint(name.partition(".")[0]).__module__.rpartition(".")[2]
    return dict(create_options().get(module, {}))


def pixels(network: Any, published: PretrainedCfg) -> Pixels:
    """How the network is fed: sizes from the network itself, colours from what its authors state."""
    embed = network.patch_embed
    interpolation = {"bilinear": "bilinear", "nearest": "nearest", "lanczos": "lanczos"}
    return Pixels(
        size=tuple(embed.img_size or published.input_size[1:]),  # pyright: ignore[reportArgumentType]
        patch=embed.patch_size[0],
        multiple=network.feature_info[-1]["reduction"],
        mean=tuple(published.mean),  # pyright: ignore[reportArgumentType]
        std=tuple(published.std),  # pyright: ignore[reportArgumentType]
        interpolation=interpolation.get(published.interpolation, "bicubic"),  # pyright: ignore[reportArgumentType]
        fixed=bool(embed.strict_img_size),
    )


def _published(name: str) -> PretrainedCfg:
    known = timm.list_models(pretrained=True) + timm.list_models()
    published = get_pretrained_cfg(name) if name in known else None
    if name not in known:
        raise _unknown(name)
    return published or PretrainedCfg()


def _unknown(name: str) -> Fault:
    nearest = difflib.get_close_matches(name, timm.list_models(pretrained=True) + timm.list_models(), 3, 0.5)
    return Fault(
        "timm has no network called {name}; the nearest names are {nearest}; write one of those, or choose from the "
        "list of networks.",
        name=name, nearest=", ".join(nearest) or "–",
    )  # fmt: skip


def _check_readable(name: str) -> None:
    """Before anything is fetched: is there a family that reads this architecture?"""
    with torch.device("meta"):
        family = family_of(timm.create_model(name, pretrained=False, **options(name)))
    if family is None:
        raise refusal(random_network(name))


def _fetched(name: str, published: PretrainedCfg, request: Request) -> Path:
    repo = published.hf_hub_id
    if not repo:
        raise Fault(
            "timm publishes no safetensors weights for {name}; choose a tagged name, or ask for its random twin, "
            "timm/{name}?random.",
            name=name,
        )
    for candidate in WEIGHTS:
        if hub.cached(repo, candidate):
            return hub.fetch(repo, candidate)
    listed = hub.listing(repo)
    return hub.fetch(repo, next((file for file in WEIGHTS if file in listed), WEIGHTS[0]), request.progress)


def _filtered(name: str, file: Path, state: Mapping[str, Tensor], changes: Mapping[str, Any]) -> nn.Module:
    try:
        overlay: dict[str, Any] = {"state_dict": dict(state)}
        # timm drops a head without a word where the number of classes is not the published one
        if "num_classes" in changes:
            overlay["num_classes"] = changes["num_classes"]
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options(name), **changes)
    except (RuntimeError, KeyError) as mismatch:
        report = str(mismatch)
        listed = {key: re.search(rf"{key} key\(s\) in state_dict: (.*?)\. ?(?:\n|$)", report) for key in _REPORT}
        missing, extra = (re.findall(r'"([^"]+)"', found[1]) if found else [] for found in listed.values())
        shapes = re.findall(r"size mismatch for (\S+):", report)
        if not (missing or extra or shapes):
            raise Fault(
                "{file} cannot be carried to the architecture {name} ({reason}); take the file that belongs to it.",
                file=file.name, name=name, reason=report.partition("\n")[0],
            ) from mismatch  # fmt: skip
        raise weights.unfit(file.name, missing, extra, shapes) from mismatch


_FIELDS = {field.name for field in fields(PretrainedCfg)}
_REPORT = ("Missing", "Unexpected")


def _card(name: str, request: Request, published: PretrainedCfg, network: nn.Module) -> Card:
    known = card_of(f"timm/{name}")
    architecture = type(network).__name__
    card = known or Card(request.id, title=name, family=architecture, licence=published.license or "")
    shape = pixels(network, published)
    return replace(
        card, id=request.id, random=request.random, patch=shape.patch, side=max(shape.size),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
    )  # fmt: skip
