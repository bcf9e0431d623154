"""From an id to a network that can be looked into.

    models.load("timm/vit_small_patch14_dinov2.lvd142m")
    models.load("timm/vit_small_patch14_dinov2.lvd142m?random")     its random twin: same architecture, untrained

| id | what |
|---|---|
| `bundled/<name>` | ships with Patchlight |
| `registry/<name>` | out of a package of the Python index, for those who cannot reach a model hub |
| `timm/<name>` | any architecture of timm, `architecture.tag` |
| `hf/<owner>/<name>` | a transformers checkpoint on the model hub |
| `run/<name>` | trained here; in `PATCHLIGHT_RUNS` |
| `file/<path>` | a safetensors file, or a folder as timm, transformers or `models.weights.save` write it |
| `file/<path>?heads=12&grid=8x32` | what a bare file's weights do not tell is said in its id, see `models.answers` |
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from models import answers
from models.backbone import Backbone, Classifies, Parts, Pools, Reconstructs, ZeroShot
from models.card import Card
from models.card_catalogue import SOURCES, closed, is_open
from models.download import Progress
from models.families import family_of
from models.faults import Fault
from models.pixels import Pixels
from models.refusal import refusal
from models.sources.request import Request

RANDOM = "?random"
"""Suffix of an id that asks for its random twin."""

ABILITIES = {"classifies": Classifies, "pools": Pools, "reconstructs": Reconstructs, "zero-shot": ZeroShot}
"""Protocols of `models.backbone` by the words that a card uses."""


PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
"""What the weights may run in. Attention is always finished in single precision, from the queries and keys recorded."""


def load(id: str, device: str = "auto", progress: Progress | None = None, precision: str = "float32") -> Backbone:
    """Open the checkpoint called `id` on `device`: "auto" (CUDA, else MPS, else CPU) or a torch device.

    `progress` is called with (bytes here, bytes in all) during a download; what it raises stops the download, which
    resumes when asked again. Half-precision files run in single precision unless told otherwise: on DINOv2 ViT-S/14,
    "float16" moves at most 0.2 % of a row's mass, which no picture shows, "bfloat16" 1.2 %, which some do
    (benchmarks/precision.py). Raises `Fault`: one sentence.
    """
    if precision not in PRECISIONS:
        raise Fault(
            "The precision {precision} was asked for, but there is only {known}; choose one of those.",
            precision=str(precision)[:40], known=", ".join(PRECISIONS),
        )  # fmt: skip
    source, name, random = parse(id)
    name, said = answers.split(name)
    if said and source != "file":
        raise answers.unasked(id)
    place = choose_device(device)
    module = importlib.import_module(f"models.sources.{source}")
    parts: Parts = module.open_parts(name, Request(id, random, progress, said))
    return open_parts(replace(parts, network=parts.network.to(place, PRECISIONS[precision]).eval()))


def open_network(
    network: nn.Module, card: Card, pixels: Pixels, tokenizer: Callable[..., Any] | None = None
) -> Backbone:
    """A network that is already there, with whatever weights it has, by the family that claims it."""
    return open_parts(Parts(network, card, pixels, tokenizer))


def open_parts(parts: Parts) -> Backbone:
    """As `open_network`; the card is completed with what the opened network can do. Raises `Refusal`."""
    family = family_of(parts.network)
    if family is None:
        raise refusal(parts.network)
    backbone = family.opens(parts)
    able = tuple(word for word, protocol in ABILITIES.items() if isinstance(backbone, protocol))
    parameters = sum(parameter.numel() for parameter in parts.network.parameters())
    return family.opens(replace(parts, card=replace(parts.card, abilities=able, parameters=parameters)))


def parse(id: str) -> tuple[str, str, bool]:
    """(source, name, whether its random twin is meant). Raises `Fault` for what is no id, or is switched off."""
    if not isinstance(id, str):
        raise Fault("A checkpoint was asked for by a {kind}; give its id as text.", kind=type(id).__name__)
    random = id.endswith(RANDOM)
    source, _, name = id.removesuffix(RANDOM).partition("/")
    if source not in SOURCES or not name:
        raise Fault(
            "{id} is not the id of a checkpoint; write source/name, with one of the sources {sources}.",
            id=id, sources=", ".join(SOURCES),
        )  # fmt: skip
    if not is_open(id):
        raise closed(id)
    return source, name, random


def choose_device(device: str = "auto") -> torch.device:
    """The torch device that `device` names. Raises `Fault` where it is not there, and never takes another instead.

    "auto" is the CPU on a Space with ZeroGPU, whose accelerator is lent to single functions only.
    """
    if device == "auto" and os.environ.get("SPACES_ZERO_GPU"):
        return torch.device("cpu")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as unknown:
        raise Fault(
            "The device {device} was asked for, but it is not one that torch knows; choose auto, cpu, cuda or mps.",
            device=device,
        ) from unknown
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}.get(chosen.type, False)
    if not there or (chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count()):
        raise Fault("The device {device} was asked for, but this machine has none; choose auto or cpu.", device=device)
    return chosen


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
