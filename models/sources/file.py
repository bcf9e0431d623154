"""`file/<path>`: a folder as Patchlight, timm, transformers or OpenCLIP save it, or a safetensors file, described by
what lies beside it or bare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import timm as library
from timm.models import PretrainedCfg, get_pretrained_cfg

from models import shards, weights
from models.backbone import Parts
from models.card import Card
from models.faults import Fault, Refusal
from models.layout import Layout, layout
from models.shards import Shards
from models.sources import hf, timm
from models.sources.request import Request

UNTOLD = (
    "Opened from a bare file: how it was trained is not known; heads and colours are taken as usual for its layout."
)
"""A key of the text catalogue."""


def open_parts(name: str, request: Request) -> Parts:
    """The network in the file or folder at the path `name`."""
    path = Path(name).expanduser()
    if not path.exists():
        raise Fault("There is no file {path}; check the path.", path=name)
    return of_folder(path, request) if path.is_dir() else of_file(path, request)


def of_folder(place: Path, request: Request) -> Parts:
    """The network of a folder with a description, whoever wrote it, and the weights that belong to that."""
    stated, held = shards.meant(place)
    if stated is None:
        raise Fault(
            "The folder {path} has no config.json of a network, so it is not known what it holds; give a folder as "
            "Patchlight, timm, transformers or OpenCLIP save it, or the safetensors file itself.",
            path=place.name,
        )
    if request.random or held:
        return hf.read(stated, request, None if request.random else held)
    others = sorted(file.name for file in place.glob("*.safetensors"))
    if others:
        raise Fault(
            "The folder {path} has a {config} but no {file}; it holds {others}, so give the one that is meant.",
            path=place.name, config=stated.file.name, file=stated.weights, others=", ".join(others[:6]),
        )  # fmt: skip
    raise Fault(
        "The folder {path} has a {config} but no {file}; only safetensors are read, so export it again in them.",
        path=place.name,
        config=stated.file.name,
        file=stated.weights,
    )


def of_file(file: Path, request: Request) -> Parts:
    """The network of a safetensors file: by the description beside it where that is of these weights, else bare. What
    is called as the description's writer calls its weights is always its own."""
    stated, held = shards.meant(file)
    if stated is None or held is None:
        return bare(file, request)
    if held.belongs(stated):
        return hf.read(stated, request, None if request.random else held)
    try:
        found = hf.read(stated, replace(request, random=False), held)
        return hf.read(stated, request) if request.random else found
    except weights.Unfit as unfit:
        try:
            return bare(file, request)
        except Refusal:
            raise unfit from None


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
        network = timm.fill(found.architecture, Shards((file,)), found.select, **found.options)
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
