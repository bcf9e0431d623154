"""From a description to a network with random weights: the one door by which training gets its architectures.

    create({"library": "timm", "name": "vit_tiny_patch16_224", "options": {"img_size": 96, "patch_size": 8}})
    create({"library": "transformers", "class": "CLIPModel", "config": {"projection_dim": 128, ...}})

`name` is a timm architecture, `options` its keyword arguments; `class` is one of `CLASSES`, `config` what that class's
configuration takes. The weights follow from torch's random state alone, so `torch.manual_seed` repeats them. The same
description is what a checkpoint folder keeps in `config.json` (see `models.weights`).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from torch import nn

from models.faults import Fault

CLASSES = (
    "CLIPModel", "CLIPVisionModel", "CLIPVisionModelWithProjection", "Siglip2Model", "Siglip2VisionModel",
    "SiglipModel", "SiglipVisionModel", "SwinForImageClassification", "SwinForMaskedImageModeling", "SwinModel",
    "Swinv2ForImageClassification", "Swinv2ForMaskedImageModeling", "Swinv2Model", "ViTMAEForPreTraining",
    "ViTMAEModel",
)  # fmt: skip
"""transformers classes that may be built; any other name is refused before it is looked up."""


def create(config: Mapping[str, Any]) -> nn.Module:
    """The network that `config` describes, in training mode, on torch's current default device. Raises `Fault`."""
    library = config.get("library")
    if library == "timm":
        return _timm(str(config.get("name")), dict(config.get("options", {})))
    if library == "transformers":
        return _transformers(str(config.get("class")), dict(config.get("config", {})))
    raise Fault(
        "A network of the library {library} was asked for, but only timm and transformers are known; correct the "
        "description.",
        library=library,
    )


def _timm(name: str, options: dict[str, Any]) -> nn.Module:
    timm = importlib.import_module("timm")
    if not timm.is_model(name):
        raise Fault("timm has no architecture called {name}; correct the description.", name=name)
    try:
        return timm.create_model(name, pretrained=False, **options)
    except (TypeError, AssertionError, RuntimeError, ValueError) as wrong:
        raise _unbuildable(name, wrong) from wrong


def _transformers(name: str, config: dict[str, Any]) -> nn.Module:
    if name not in CLASSES:
        raise Fault(
            "The transformers class {name} was asked for, but only these may be built: {known}.",
            name=name, known=", ".join(CLASSES),
        )  # fmt: skip
    network: Any = getattr(importlib.import_module("transformers"), name)
    try:
        return network(network.config_class(**config, attn_implementation="sdpa"))
    except (TypeError, AssertionError, RuntimeError, ValueError) as wrong:
        raise _unbuildable(name, wrong) from wrong


def _unbuildable(name: str, reason: Exception) -> Fault:
    return Fault(
        "{name} cannot be built as described ({reason}); correct the description.",
        name=name, reason=str(reason).partition("\n")[0],
    )  # fmt: skip
