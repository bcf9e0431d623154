"""From a description to a network with random weights: the one door by which training gets its architectures.

    create({"library": "timm", "name": "vit_tiny_patch16_224", "options": {"img_size": 96, "patch_size": 8}})
    create({"library": "transformers", "class": "CLIPModel", "config": {"projection_dim": 128, ...}})
    create({"library": "probe", "network": {...}, "features": {...}, "classes": [...]})

`name` is a timm architecture, `options` its keyword arguments; `class` is one of `CLASSES`, `config` what that class's
configuration takes, `options` further arguments of the class, such as `add_pooling_layer`; a probe is
any of them with a classifier beside it (`models.probed`). The weights follow from torch's random state alone, so
`torch.manual_seed` repeats them. The same description is what a checkpoint folder keeps in `config.json` (see
`models.weights`).
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from models.faults import Fault

CLASSES = (
    "BeitForImageClassification", "BeitModel", "CLIPModel", "CLIPVisionModel", "CLIPVisionModelWithProjection",
    "DINOv3ViTModel", "Data2VecVisionForImageClassification", "Data2VecVisionModel", "DeiTForImageClassification",
    "DeiTForImageClassificationWithTeacher", "DeiTModel", "Dinov2ForImageClassification", "Dinov2Model",
    "Dinov2WithRegistersForImageClassification", "Dinov2WithRegistersModel", "IJepaForImageClassification",
    "IJepaModel", "Siglip2Model", "Siglip2VisionModel", "SiglipModel", "SiglipVisionModel",
    "SwinForImageClassification", "SwinForMaskedImageModeling", "SwinModel", "Swinv2ForImageClassification",
    "Swinv2ForMaskedImageModeling", "Swinv2Model", "ViTForImageClassification", "ViTMAEForPreTraining", "ViTMAEModel",
    "ViTMSNForImageClassification", "ViTMSNModel", "ViTModel",
)  # fmt: skip
"""transformers classes that may be built; any other name is refused before it is looked up."""

_ELSEWHERE = frozenset((
    "_attn_implementation", "_attn_implementation_internal", "_commit_hash", "_name_or_path", "attn_implementation",
    "attn_implementation_internal", "device_map", "dtype", "output_attentions", "output_hidden_states", "return_dict",
    "torch_dtype", "torchscript", "use_return_dict",
))  # fmt: skip
"""What a transformers configuration says of how another machine computed and answered; the network is the same."""

_LOADING = frozenset((
    "cache_dir", "checkpoint_path", "exportable", "no_jit", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay",
    "scriptable",
))  # fmt: skip
"""What `timm.create_model` takes beside an architecture's own arguments: weights come from the asked file alone."""


def create(config: Mapping[str, Any]) -> nn.Module:
    """The network that `config` describes, in training mode, on torch's current default device. Raises `Fault`."""
    library = config.get("library")
    if library == "timm":
        return _timm(str(config.get("name")), architectural(config.get("options")))
    if library == "transformers":
        return _transformers(str(config.get("class")), portable(config.get("config")), named(config.get("options")))
    if library == "probe":
        return _probed(config)
    raise Fault(
        "A network of the library {library} was asked for, but only timm and transformers are known; correct the "
        "description.",
        library=library,
    )


def architectural(options: object) -> dict[str, Any]:
    """Of arguments that others stored for `timm.create_model`, those of the architecture."""
    return {name: value for name, value in named(options).items() if name not in _LOADING}


def portable(config: object) -> dict[str, Any]:
    """Of a transformers configuration that others wrote, what it says of the network. A size given as two equal sides
    is one number, which every class takes. Raises `Fault`."""
    said = {name: value for name, value in named(config).items() if name not in _ELSEWHERE}
    for name, value in said.items():
        if name in ("image_size", "patch_size") and isinstance(value, list) and len(set(map(str, value))) == 1:
            said[name] = value[0]
        elif name.endswith("_config") and isinstance(value, dict):
            said[name] = portable(value)
    return said


def named(values: object) -> dict[str, Any]:
    """Named values that a description may leave out or state as null. Raises `Fault` for anything else."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise Fault(
            "Named values were expected in the description, but there is a {kind}; correct the description.",
            kind=type(values).__name__,
        )
    return {str(name): value for name, value in values.items()}


def _timm(name: str, options: dict[str, Any]) -> nn.Module:
    timm = importlib.import_module("timm")
    if not timm.is_model(name):
        raise Fault("timm has no architecture called {name}; correct the description.", name=name)
    with described(name):
        return timm.create_model(name, pretrained=False, **options)


def _transformers(name: str, config: dict[str, Any], options: dict[str, Any]) -> nn.Module:
    if name not in CLASSES:
        raise Fault(
            "The transformers class {name} was asked for, but only these may be built: {known}.",
            name=name, known=", ".join(CLASSES),
        )  # fmt: skip
    network: Any = getattr(importlib.import_module("transformers"), name)
    with described(name):
        return network(network.config_class(**config, attn_implementation=attention(network)), **options)


def attention(network: Any) -> str:
    """The way of computing attention that a transformers class is asked for: fused where it knows that."""
    return "sdpa" if network._supports_sdpa else "eager"


@contextmanager
def described(name: str) -> Iterator[None]:
    """Within, a library builds what others described: whatever it raises is a `Fault` of that description."""
    try:
        yield
    except Fault:
        raise
    except Exception as wrong:
        raise Fault(
            "{name} cannot be built as described ({reason}); correct the description.",
            name=name, reason=str(wrong).strip().partition("\n")[0] or type(wrong).__name__,
        ) from wrong  # fmt: skip


def _probed(config: Mapping[str, Any]) -> nn.Module:
    from models.features import Pooling
    from models.probed import Probed

    with described("probe"):
        pooled, classes = Pooling(**config["features"]), len(config["classes"])
    return Probed(create(config["network"]), pooled, classes)


def blueprint(network: Any) -> dict[str, Any] | None:
    """What `create` builds the same architecture from, whatever file it came from; None where it cannot."""
    made = getattr(network, "_model_args", None)
    if made is not None:  # as timm notes it for checkpoints of its own
        known = network.pretrained_cfg
        name = ".".join(filter(None, (known["architecture"], known.get("tag"))))
        return {"library": "timm", "name": name, "options": architectural(made)}
    name = type(network).__name__
    if name not in CLASSES:
        return None
    config = portable(json.loads(network.config.to_json_string(use_diff=False)))
    options = optional_parts(type(network), network.state_dict())
    return {"library": "transformers", "class": name, "config": config, "options": options}


def optional_parts(network: Any, names: Iterable[str]) -> dict[str, bool]:
    """Parts that a transformers class may have or lack, whatever its configuration says: built where weights called
    `names` hold them. None of them meets a token before the last block."""
    taken, held = inspect.signature(network.__init__).parameters, tuple(names)
    marks = {"add_pooling_layer": "pooler.", "use_mask_token": "mask_token"}
    return {part: any(mark in name for name in held) for part, mark in marks.items() if part in taken}
