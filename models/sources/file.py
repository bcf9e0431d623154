"""`file/<path>`: a folder as Patchlight, timm or transformers save it, or a safetensors file, described or bare."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import timm as library
from timm.models import PretrainedCfg, get_pretrained_cfg

from models import weights
from models.backbone import Parts
from models.card import Card
from models.faults import Fault
from models.layout import Layout, layout
from models.sources import folder, hf, timm
from models.sources.request import Request

WEIGHTS = "model.safetensors"

UNTOLD = (
    "Opened from a bare file: how it was trained is not known; heads and colours are taken as usual for its layout."
)
"""A key of the text catalogue."""


def open_parts(name: str, request: Request) -> Parts:
    """The network in the file or folder at the path `name`."""
    path = Path(name).expanduser()
    if not path.exists():
        raise Fault("There is no file {path}; check the path.", path=name)
    place = path if path.is_dir() else path.parent
    if (place / "config.json").is_file() and (path.is_dir() or path.name.startswith("model")):
        return described(place, request)
    if path.is_dir():
        raise Fault(
            "The folder {path} has no config.json, so it is not known what network it holds; give a folder as "
            "Patchlight, timm or transformers save it, or the safetensors file itself.",
            path=name,
        )
    return bare(path, request)


def described(place: Path, request: Request) -> Parts:
    """The network of a folder with a `config.json`, whoever wrote it."""
    config = json.loads((place / "config.json").read_text(encoding="utf-8"))
    if "library" in config:
        return folder.read(place, request)
    files = tuple(sorted(place.glob("model*.safetensors")))
    if not files and not request.random:
        raise Fault(
            "The folder {path} has a config.json but no model.safetensors; only safetensors are read, so export it "
            "again in them.",
            path=place.name,
        )
    return hf.read(place, request, () if request.random else files)


def bare(file: Path, request: Request) -> Parts:
    """The network of a safetensors file alone: named in its metadata, else told from names and shapes."""
    named = weights.metadata(file).get("architecture")
    found = Layout("timm", "", (), named) if named else layout(weights.header(file))
    if not library.is_model(found.architecture):
        raise Fault(
            "{file} names the architecture {architecture}, which timm does not have; correct its metadata.",
            file=file.name, architecture=found.architecture,
        )  # fmt: skip
    if request.random:
        network = timm.random_network(found.architecture, **found.options)
    else:
        network = timm.fill(found.architecture, file, found.select, **found.options)
    published = (get_pretrained_cfg(found.architecture) if named else None) or _usual(found)
    card = Card(
        request.id, title=file.stem, family=found.kind, training="" if named else UNTOLD, random=request.random,
        sha256=weights.sha256(file),
    )  # fmt: skip
    return Parts(network, card, timm.pixels(network, published))


def _usual(found: Layout) -> PretrainedCfg:
    """Mean and deviation of ImageNet, as DINO, DeiT, MAE and Swin use them; of CLIP's own pictures for CLIP."""
    usual = get_pretrained_cfg("vit_base_patch32_clip_224.openai" if found.kind == "CLIP" else "deit_base_patch16_224")
    assert usual is not None
    return replace(usual, interpolation="bicubic")
