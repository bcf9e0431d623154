"""`file/<path>`: a folder as Patchlight, timm, transformers or OpenCLIP save it, or a safetensors file, described by
what lies beside it or bare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import timm as library
from timm.models import PretrainedCfg, get_pretrained_cfg
from torch import Tensor, nn

from models import answers, shards, weights
from models.answers import Untold
from models.backbone import Parts
from models.card import Card, Note
from models.faults import Fault, Refusal
from models.layout import layout
from models.shards import Shards
from models.sources import hf, timm
from models.sources.request import Request
from models.state_dict import COLOURS, Layout

UNTOLD = "Opened from a bare file: how it was trained is not known."
"""A key of the text catalogue."""


def open_parts(name: str, request: Request) -> Parts:
    """The network in the file or folder at the path `name`."""
    path = Path(name).expanduser()
    if not path.exists():
        raise Fault("There is no file {path}; check the path.", path=name)
    return of_folder(path, request) if path.is_dir() else of_file(path, request)


def of_folder(place: Path, request: Request) -> Parts:
    """The network of a folder with a description, whoever wrote it, and the weights that belong to that."""
    if request.answers:
        raise answers.unasked(request.id)
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
    if stated is None or held is None or (request.answers and not held.belongs(stated)):
        return bare(file, request)
    if held.belongs(stated):
        if request.answers:
            raise answers.unasked(request.id)
        return hf.read(stated, request, None if request.random else held)
    try:
        found = hf.read(stated, replace(request, random=False), held)
        return hf.read(stated, request) if request.random else found
    except weights.Unfit as unfit:
        try:
            return bare(file, request)
        except Untold:
            raise
        except Refusal:
            raise unfit from None


def bare(file: Path, request: Request) -> Parts:
    """The network of a safetensors file alone: named in its metadata, else told from names and shapes and by the
    reader's answers."""
    named = weights.metadata(file).get("architecture")
    if named and request.answers:
        raise answers.unasked(request.id)
    header = weights.header(file)
    found = Layout("timm", "", (), named) if named else layout(header, request.answers)
    if not library.is_model(found.architecture):
        raise Fault(
            "{file} is said to be of the architecture {architecture}, which timm does not have; correct its metadata "
            "or the id.",
            file=file.name, architecture=found.architecture,
        )  # fmt: skip
    if request.random:
        network = timm.random_network(found.architecture, **found.options)
    else:
        network = timm.fill(found.architecture, Shards((file,)), found.select, **found.options)
    _require_table(found.select(header), network)
    stated = get_pretrained_cfg(found.architecture) if named or request.answers.architecture else None
    told = {"architecture": found.architecture} if stated else {"colours": found.colours}
    colours = (
        Note("Colours are normalised as timm states for {architecture}.", told)
        if stated
        else Note("Colours are normalised as for {colours}, as usual; the weights do not tell.", told)
    )
    card = Card(
        request.id, title=file.stem, family=found.kind, training="" if named else UNTOLD, random=request.random,
        sha256=weights.sha256(file), notes=(*found.notes, colours),
    )  # fmt: skip
    return Parts(network, card, timm.pixels(network, stated or _usual(found)))


def _require_table(state: Mapping[str, Tensor], network: nn.Module) -> None:
    """timm fits a table of other places to its own without a word; here it is refused."""
    wanted: Any = getattr(network, "pos_embed", None)
    if wanted is None or "pos_embed" not in state:
        return
    found, prefix = state["pos_embed"].shape[1], getattr(network, "num_prefix_tokens", 0)
    if abs(found - wanted.shape[1]) > prefix:
        raise Fault(
            "The file's table has {found} places and the architecture's {wanted}; say its rows and columns in the id, "
            "as in ?grid=8x32, or take the file that belongs to it.",
            found=found, wanted=wanted.shape[1],
        )  # fmt: skip


def _usual(found: Layout) -> PretrainedCfg:
    """Mean and deviation as usual for a layout."""
    usual = get_pretrained_cfg(COLOURS[found.colours])
    assert usual is not None
    return replace(usual, interpolation="bicubic")
