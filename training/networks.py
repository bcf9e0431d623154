"""The networks that learn here: the same ones that the explorers read, made by `models.create` from a plain config.

`Network.config` travels with the weights, so whoever opens a run builds exactly this network again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from models.create import create
from models.faults import Fault
from models.pixels import Pixels
from models.structure import sincos_table

MEAN = STD = (0.5, 0.5, 0.5)
"""Pixels in [-1, 1]: our pictures are drawn as often as photographed, so no photographic statistics."""


@dataclass(frozen=True)
class Size:
    """width: channels of a token · depth: blocks · heads: of each block, so 32 to 64 channels each."""

    width: int
    depth: int
    heads: int


SIZES = {
    "nano": Size(64, 2, 2),
    "micro": Size(128, 4, 4),
    "milli": Size(160, 5, 5),
    "mini": Size(192, 6, 6),
    "tiny": Size(192, 12, 3),
    "small": Size(384, 12, 6),
    "base": Size(768, 12, 12),
    "large": Size(1024, 24, 16),
}
"""0.1, 1, 1.6, 3, 5, 22, 86 and 303 million parameters; tiny to large are DeiT's and ViT's own (arXiv 2012.12877)."""

SWIN_WIDTHS = {"nano": 24, "micro": 32, "milli": 40, "mini": 48, "tiny": 64, "small": 96, "base": 128, "large": 192}


@dataclass(frozen=True)
class Network:
    """A fresh network, what it is made from, and what it reads."""

    module: nn.Module
    config: dict[str, Any]
    pixels: Pixels

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of patches."""
        return self.pixels.grid(self.pixels.size)


def size(name: str) -> Size:
    if name not in SIZES:
        raise Fault(
            "A network of size {name} was asked for, but the sizes are {names}; choose one of those.",
            name=name, names=", ".join(SIZES),
        )  # fmt: skip
    return SIZES[name]


def vit(name: str, side: int, patch: int, *, classes: int = 0, options: dict[str, Any] | None = None) -> Network:
    """A plain ViT with a CLS token (arXiv 2010.11929)."""
    shape = size(name)
    config = {
        "library": "timm",
        "name": "vit_tiny_patch16_224",
        "options": {
            "img_size": side, "patch_size": patch, "embed_dim": shape.width, "depth": shape.depth,
            "num_heads": shape.heads, "num_classes": classes, "weight_init": "jax", **(options or {}),
        },
    }  # fmt: skip
    return _network(config, side, patch, patch)


def swin(name: str, side: int, patch: int, *, classes: int = 0) -> Network:
    """A three-stage Swin (arXiv 2103.14030) whose windows divide every stage's grid, so nothing is padded."""
    width, depths, heads, window = _swin_shape(name, side, patch)
    config = {
        "library": "timm",
        "name": "swin_tiny_patch4_window7_224",
        "options": {
            "img_size": side, "patch_size": patch, "window_size": window, "embed_dim": width, "depths": depths,
            "num_heads": heads, "num_classes": classes, "weight_init": "jax",
        },
    }  # fmt: skip
    return _network(config, side, patch, patch * 4)


def swin_masked(name: str, side: int, patch: int) -> Network:
    """A Swin with SimMIM's one-layer decoder."""
    width, depths, heads, window = _swin_shape(name, side, patch)
    config = {
        "image_size": side, "patch_size": patch, "window_size": window, "embed_dim": width, "depths": list(depths),
        "num_heads": list(heads), "encoder_stride": patch * 4, "drop_path_rate": 0.0,
    }  # fmt: skip
    made = {"library": "transformers", "class": "SwinForMaskedImageModeling", "config": config}
    network = _network(made, side, patch, patch * 4)
    begin(network.module)
    return network


def mae(name: str, side: int, patch: int, *, width: int, depth: int, normalised: bool, ratio: float) -> Network:
    """A ViT encoder over visible patches and a lighter decoder of `width` channels and `depth` blocks."""
    shape = size(name)
    config = {
        **_tower(shape), "image_size": side, "patch_size": patch, "decoder_hidden_size": width,
        "decoder_num_hidden_layers": depth, "decoder_num_attention_heads": max(1, width // 32),
        "decoder_intermediate_size": 4 * width, "norm_pix_loss": normalised, "mask_ratio": ratio,
    }  # fmt: skip
    made = {"library": "transformers", "class": "ViTMAEForPreTraining", "config": config}
    network = _network(made, side, patch, patch)
    begin(network.module)
    autoencoder: Any = network.module
    for table in (autoencoder.vit.embeddings.position_embeddings, autoencoder.decoder.decoder_pos_embed):
        rows = sincos_table(network.grid, table.shape[-1]).roll(table.shape[-1] // 2, dims=-1)
        table.data[:, 1:] = rows
    return network


def clip(name: str, side: int, patch: int, *, text: dict[str, Any], joint: int) -> Network:
    """CLIP's two towers; `text` is the text tower's config, `joint` the channels of the common space.

    With the exact GELU that OpenCLIP took, not the authors' x · σ(1.702 x), which costs a third more on the CPU.
    """
    config = {
        "vision_config": {**_tower(size(name)), "image_size": side, "patch_size": patch, "hidden_act": "gelu"},
        "text_config": {**text, "hidden_act": "gelu"}, "projection_dim": joint, "logit_scale_init_value": 2.6592,
    }  # fmt: skip
    return _network({"library": "transformers", "class": "CLIPModel", "config": config}, side, patch, patch)


def siglip(name: str, side: int, patch: int, *, text: dict[str, Any]) -> Network:
    """SigLIP's two towers: attention pooling over patches, no CLS token."""
    config = {
        "vision_config": {**_tower(size(name)), "image_size": side, "patch_size": patch},
        "text_config": text,
    }  # fmt: skip
    return _network({"library": "transformers", "class": "SiglipModel", "config": config}, side, patch, patch)


@torch.no_grad()
def begin(module: nn.Module) -> None:
    """First weights as MAE's authors draw them: matrices by Glorot's rule, which fits any width, tokens small.

    transformers leaves tokens and tables zero in a network made from a configuration, and its fixed deviation of 0.02
    is far too small for the narrow networks here.
    """
    for name, weight in module.named_parameters():
        if any(part in name for part in ("token", "bias_table")):
            nn.init.normal_(weight, std=0.02)
        elif weight.ndim >= 2 and weight.requires_grad:
            nn.init.xavier_uniform_(weight.view(weight.shape[0], -1))


def _tower(shape: Size) -> dict[str, int]:
    return {
        "hidden_size": shape.width, "num_hidden_layers": shape.depth, "num_attention_heads": shape.heads,
        "intermediate_size": 4 * shape.width,
    }  # fmt: skip


def _swin_shape(name: str, side: int, patch: int) -> tuple[int, tuple[int, ...], tuple[int, ...], int]:
    size(name)
    width = SWIN_WIDTHS[name]
    last = {"base": 18, "large": 18, "tiny": 6, "small": 6}.get(name, 2)
    heads = tuple(max(1, width // 32) * factor for factor in (1, 2, 4))
    window = side // patch // 4
    while window > 8 and window % 2 == 0:
        window //= 2
    return width, (2, 2, last), heads, window


def _network(config: dict[str, Any], side: int, patch: int, multiple: int) -> Network:
    if side % multiple:
        raise Fault(
            "Pictures of {side} pixels were asked for, but this network needs a multiple of {multiple}; "
            "choose another side or patch.",
            side=side, multiple=multiple,
        )  # fmt: skip
    pixels = Pixels((side, side), patch, multiple, MEAN, STD, "bicubic", fixed=False)
    return Network(create(config), config, pixels)
