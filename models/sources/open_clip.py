"""A CLIP as OpenCLIP saves it: `open_clip_config.json` says what shapes do not, heads and activation among it.

The image tower opens, under timm's names: OpenCLIP's own vision transformer, or the network of timm that stands in its
place (`timm_model_name`, its trunk). The text tower is left aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from timm.models import PretrainedCfg, get_pretrained_cfg, is_model

from models import hub
from models.backbone import Parts
from models.card import Card
from models.create import described, named
from models.faults import Fault, Refusal
from models.shards import Shards
from models.sources import timm
from models.sources.request import Request

PLAIN = {True: "vit_base_patch32_clip_quickgelu_224", False: "vit_base_patch32_clip_224"}
"""timm's architecture to start from, by whether the network computes quick GELU."""

_READ = frozenset((
    "image_size", "layers", "width", "head_width", "patch_size", "mlp_ratio", "ls_init_value",
))  # fmt: skip
_USUAL: Mapping[str, Any] = {
    "attentional_pool": False, "final_ln_after_pool": False, "input_patchnorm": False, "no_ln_pre": False,
    "pool_type": "tok", "pos_embed_type": "learnable", "act_kwargs": None, "norm_kwargs": None,
}  # fmt: skip
"""What OpenCLIP's vision transformer does unless told otherwise; the other ways are not read."""

_TRAINING = frozenset(("patch_dropout", "global_average_pool", "output_tokens", "timm_drop", "timm_drop_path"))
"""What makes no difference to a network at rest, or to what its blocks do."""


def read(config: Mapping[str, Any], request: Request, held: Shards | None = None) -> Parts:
    """The image tower that an `open_clip_config.json` describes. Raises `Fault`, `Refusal`."""
    model, fed = named(config.get("model_cfg")), named(config.get("preprocess_cfg"))
    vision = named(model.get("vision_cfg"))
    with described("CLIP"):
        name, options = _trunk(model, vision) if vision.get("timm_model_name") else _plain(model, vision)
    network = timm.fill(name, held, _seen, **options) if held else timm.random_network(name, **options)
    card = Card(request.id, title=request.id.partition("/")[2], family="CLIP", random=request.random)
    if held:
        card = replace(card, sha256=held.sha256(), revision=hub.revision(held.files[0]))
    with described("CLIP"):
        pixels = timm.pixels(network, _fed(fed))
        recipe = replace(pixels.recipe, border=(0.0,))  # OpenCLIP fills with black
        return Parts(network, card, replace(pixels, recipe=recipe))


def _plain(model: Mapping[str, Any], vision: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """OpenCLIP's own vision transformer as timm's options; its defaults are those of OpenCLIP's CLIPVisionCfg."""
    odd = {key for key, usual in _USUAL.items() if vision.get(key, usual) not in (usual, None)}
    odd |= {key for key, value in vision.items() if value and key not in (*_READ, *_USUAL, *_TRAINING)}
    if odd or isinstance(vision.get("layers"), list):
        raise Refusal(
            "The image tower is described by {keys}, which is not read here; choose a CLIP with a plain vision "
            "transformer, or open the network from transformers.",
            keys=", ".join(sorted(odd)) or "layers",
        )
    width = vision.get("width", 768)
    options = {
        "embed_dim": width, "depth": vision.get("layers", 12), "num_heads": width // vision.get("head_width", 64),
        "patch_size": vision.get("patch_size", 16), "img_size": vision.get("image_size", 224),
        "mlp_ratio": vision.get("mlp_ratio", 4.0), "init_values": vision.get("ls_init_value"),
        "num_classes": model["embed_dim"],
    }  # fmt: skip
    return PLAIN[bool(model.get("quick_gelu"))], options


def _trunk(model: Mapping[str, Any], vision: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A network of timm, whose head is the projection where OpenCLIP puts none behind it."""
    name, pool = str(vision["timm_model_name"]), vision.get("timm_pool", "avg")
    if not is_model(name):
        raise Fault("timm has no architecture called {name}; correct the description.", name=name)
    if pool in ("abs_attn", "rot_attn"):
        raise Refusal(
            "The image tower is described by {keys}, which is not read here; choose a CLIP with a plain vision "
            "transformer, or open the network from transformers.",
            keys=f"timm_pool {pool}",
        )
    options = {"num_classes": 0 if vision.get("timm_proj", "linear") else model["embed_dim"]}
    return name, {**options, **({"global_pool": pool} if pool else {}), **_size(name, vision)}


def _size(name: str, vision: Mapping[str, Any]) -> dict[str, Any]:
    """The picture's size, which OpenCLIP states for preprocessing and timm must be told where it is not its own."""
    size, usual = vision.get("image_size"), get_pretrained_cfg(name)
    sides = (size, size) if isinstance(size, int) else tuple(size or ())
    return {"img_size": sides} if sides and not (usual and tuple(usual.input_size[1:]) == sides) else {}


def _seen(state: timm.State) -> timm.State:
    """What belongs to the image tower, under names that timm knows."""
    trunk, behind = "visual.trunk.", "visual.head."
    if any(name.startswith(trunk) for name in state):
        return {name.removeprefix(trunk): value for name, value in state.items() if name.startswith(trunk)}
    return {name: value for name, value in state.items() if name.startswith("visual.") and behind not in name}


_MODES: Mapping[str, str] = {"shortest": "center", "longest": "border", "squash": "squash"}
"""OpenCLIP's `resize_mode` as timm's `crop_mode`."""


def _fed(fed: Mapping[str, Any]) -> PretrainedCfg:
    """OpenCLIP's own mean, deviation and interpolation unless others are stated; nothing more is cut off."""
    usual = get_pretrained_cfg("vit_base_patch32_clip_224.openai")
    assert usual is not None
    said = {key: fed[key] for key in ("mean", "std", "interpolation") if fed.get(key) is not None}
    mode = str(fed.get("resize_mode") or "shortest")
    return replace(usual, **said, crop_pct=1.0, crop_mode=_MODES.get(mode, mode))
