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
from typing import Any, Literal, get_args

import timm
import torch
from timm.data import resolve_data_config
from timm.models import PretrainedCfg, get_pretrained_cfg, model_entrypoint
from torch import Tensor, nn

from models import hub, weights
from models.backbone import Parts
from models.card import Card
from models.card_catalogue import card_of
from models.create import architectural, described, named
from models.families import create_options, family_of
from models.faults import Fault
from models.feeding import Recipe
from models.pixels import Interpolation, Pixels, of_channels
from models.refusal import refusal
from models.shards import Shards
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
    network = fill(name, Shards((file,)))
    card = replace(_card(name, request, published, network), sha256=weights.sha256(file), revision=hub.revision(file))
    return Parts(network, card, pixels(network, published))


def read(config: Mapping[str, Any], request: Request, shards: Shards | None = None) -> Parts:
    """A network saved by timm itself, or by transformers around it: `config` is its `config.json`, `shards` its weights
    unless a twin is asked for."""
    name, published = str(config["architecture"]), _stated(config)
    if not timm.is_model(name):
        raise _unknown(name)
    changes = {**architectural(config.get("model_args")), "num_classes": _classes(config, published)}
    with described(name):
        if published.fixed_input_size:
            changes.setdefault("img_size", tuple(published.input_size[1:]))
    _check_readable(name, **changes)
    network = fill(name, shards, _unwrapped, **changes) if shards else random_network(name, **changes)
    with described(name):
        card = _card(request.id.partition("/")[2], request, published, network)
    card = replace(card, classes=_labels(config, published, changes["num_classes"]))
    if shards:
        card = replace(card, sha256=shards.sha256(), revision=hub.revision(shards.files[0]))
    with described(name):
        return Parts(network, card, pixels(network, published))


def _stated(config: Mapping[str, Any]) -> PretrainedCfg:
    """What a `config.json` says of the weights; timm 0.5 to 0.6 wrote it flat, beside the architecture."""
    flat = named(config.get("pretrained_cfg", config))
    said = {key: value for key, value in flat.items() if key in _FIELDS and value is not None}
    return PretrainedCfg(**said)


def _classes(config: Mapping[str, Any], published: PretrainedCfg) -> int:
    """`TimmWrapperModel` of transformers leaves the head away and states a number of classes all the same."""
    if "TimmWrapperModel" in (config.get("architectures") or ()):
        return 0
    stated = config.get("num_classes")
    return published.num_classes if stated is None else stated


def _labels(config: Mapping[str, Any], published: PretrainedCfg, classes: int) -> tuple[str, ...]:
    """Names of the classes in order: a list, or by number where some have none; empty where nobody says. Numbers that
    transformers calls LABEL_0 and on are no names."""
    stated = config.get("label_names") or config.get("labels") or published.label_names or ()
    said = dict(enumerate(stated)) if isinstance(stated, list | tuple) else named(stated)
    byname = named(config.get("label_descriptions") or published.label_descriptions)
    names = {str(number): str(byname.get(str(name), name)) for number, name in said.items()}
    if not names or all(name.startswith("LABEL_") for name in names.values()):
        return ()
    return tuple(names.get(str(number), str(number)) for number in range(classes))


def _unwrapped(state: State) -> State:
    """Without what transformers puts before the names of a network of timm."""
    return {name.removeprefix("timm_model."): value for name, value in state.items()}


def random_network(name: str, **changes: Any) -> nn.Module:
    """The architecture with untrained weights, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        with described(name):
            return timm.create_model(name, pretrained=False, **{**changes, **options(name)})


def fill(name: str, shards: Shards, select: Callable[[State], State] = dict, **changes: Any) -> nn.Module:
    """The architecture, changed by options, with the weights that `select` takes of `shards`. Raises `Fault` where they
    do not fit or are not finite."""
    with torch.device("meta"):
        _filtered(name, shards.names, select(shards.header()), changes)
    return _filtered(name, shards.names, select(shards.tensors()), changes)


def options(name: str) -> dict[str, Any]:
    """What the families want `create_model` to be told for this architecture."""
    module = model_entrypoint(name.partition(".")[0]).__module__.rpartition(".")[2]
    return dict(create_options().get(module, {}))


def pixels(network: Any, published: PretrainedCfg) -> Pixels:
    """How the network is fed: sizes from the network itself, colours and recipe from what its authors state."""
    embed = getattr(network, "patch_embed", None) or network.embeds  # NaFlexViT's has neither size nor grid
    data = resolve_data_config(pretrained_cfg=published.to_dict())
    if data["interpolation"] not in get_args(Interpolation) or data["crop_mode"] not in _RESIZE:
        raise Fault(
            "The network's description resizes pictures by {interpolation} and {crop}, of which one is not known here; "
            "correct it.",
            interpolation=data["interpolation"], crop=data["crop_mode"],
        )  # fmt: skip
    height, width = getattr(embed, "img_size", None) or published.input_size[1:]
    grid = getattr(embed, "grid_size", None)
    stem = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    mean, std = (of_channels(data[name], stem.in_channels if stem else 3) for name in ("mean", "std"))
    border = tuple(round(255 * value) / 255 for value in mean) if data["crop_mode"] == "border" else (0.0,)
    return Pixels(
        size=(height, width),
        # a hybrid's embedding counts cells of its convolutions, so the grid tells the pixels of a patch
        patch=height // grid[0] if grid else embed.patch_size[0],
        multiple=network.feature_info[-1]["reduction"],
        mean=mean,
        std=std,
        interpolation=data["interpolation"],
        fixed=bool(getattr(embed, "strict_img_size", False)),
        recipe=Recipe(_RESIZE[data["crop_mode"]], data["crop_pct"], border=border),
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


def _check_readable(name: str, **changes: Any) -> None:
    """Before anything is fetched or filled: is there a family that reads this architecture?"""
    with torch.device("meta"):
        family = family_of(random_network(name, **changes))
    if family is None:
        raise refusal(random_network(name, **changes))


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


def _filtered(name: str, files: str, state: Mapping[str, Tensor], changes: Mapping[str, Any]) -> nn.Module:
    overlay: dict[str, Any] = {"state_dict": dict(state)}
    # timm drops a head without a word where the number of classes is not the published one
    if "num_classes" in changes:
        overlay["num_classes"] = changes["num_classes"]
    told = {**changes, **options(name)}
    with described(name):
        try:
            return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **told)
        except (RuntimeError, KeyError) as mismatch:
            raise _unfit(name, files, str(mismatch)) from mismatch


def _unfit(name: str, files: str, report: str) -> Fault:
    """The sentence for what torch reports of a state dict that was not taken."""
    listed = {key: re.search(rf"{key} key\(s\) in state_dict: (.*?)\. ?(?:\n|$)", report) for key in _REPORT}
    missing, extra = (re.findall(r'"([^"]+)"', found[1]) if found else [] for found in listed.values())
    shapes = re.findall(r"size mismatch for (\S+):", report)
    if missing or extra or shapes:
        return weights.unfit(files, missing, extra, shapes)
    return Fault(
        "{file} cannot be carried to the architecture {name} ({reason}); take the file that belongs to it.",
        file=files, name=name, reason=report.partition("\n")[0],
    )  # fmt: skip


_RESIZE: Mapping[str, Literal["shorter", "longer", "both"]] = {
    "center": "shorter",
    "border": "longer",
    "squash": "both",
}
"""timm's `crop_mode`, as a recipe says it."""

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
