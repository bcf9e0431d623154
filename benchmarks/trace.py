"""A trace against the plain forward pass, and against the ways in which people read attention today (ViT-S/16)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import timm
import torch
from torch import Tensor, nn
from transformers import ViTConfig, ViTModel

from benchmarks.measure import kept_bytes, ratios, side_by_side, table
from models.backbone import Backbone, Layer
from models.card import Card
from models.loading import open_network
from models.pixels import Pixels

SIDES = {197: 224, 785: 448, 3137: 896}
"""Tokens (CLS and patches of 16 pixels) to the side of the picture."""

MEAN = (0.5, 0.5, 0.5)


def measure() -> str:
    network = timm.create_model("vit_small_patch16_224", dynamic_img_size=True).eval()
    backbone = open_network(
        network, Card("random/vit-s", "ViT-S/16", "ViT", random=True), Pixels((224, 224), 16, 16, MEAN, MEAN)
    )
    rows, clicks = [], []
    for tokens, side in SIDES.items():
        rounds = 15 if tokens < 3000 else 3
        rows.append(passes(backbone, network, side, tokens, rounds))
        clicks.append(click(backbone, side, tokens))
    return (
        table(["tokens", "trace", "trace and CLS rows", "bare hooks that keep the same",
               "timm, fused attention off, maps kept",
               "transformers eager, `output_attentions`", "a trace keeps", "maps keep"], rows)
        + "\n\nMedians of ratios to the same network's plain forward pass in the same turn, transformers' to its own, "
        "fused.\n\n"
        + table(["tokens", "a clicked patch, 12 blocks × 6 heads", "a token"], clicks)
    )  # fmt: skip


def passes(backbone: Backbone, network: nn.Module, side: int, tokens: int, rounds: int) -> list[str]:
    pixels = torch.randn(3, side, side)
    other = eager(side)
    plain_other = eager(side, "sdpa")
    with torch.no_grad():
        ours = ratios(
            {
                "plain": lambda: network(pixels[None]),
                "trace": lambda: backbone.trace(pixels),
                "rows": lambda: [layer.attention_from(0) for layer in backbone.trace(pixels)],
                "kept": lambda: kept(network, pixels),
            },
            "plain",
            4 * rounds,
        )
        theirs = ratios(
            {"plain": lambda: network(pixels[None]), "unfused": lambda: unfused(network, pixels)}, "plain", rounds
        )
        others = ratios(
            {
                "plain": lambda: plain_other(pixels[None], interpolate_pos_encoding=True),
                "maps": lambda: other(pixels[None], output_attentions=True, interpolate_pos_encoding=True),
            },
            "plain",
            rounds,
        )
    found = [ours["trace"], ours["rows"], ours["kept"], theirs["unfused"], others["maps"]]
    held = kept_bytes(tensors(backbone.trace(pixels)))
    maps = 12 * 6 * tokens**2 * 4
    return [f"{tokens:,}", *(f"{ratio:.2f} ×" for ratio in found), f"{held / 1e6:,.0f} MB", f"{maps / 1e6:,.0f} MB"]


def kept(network: nn.Module, pixels: Tensor) -> list[Tensor]:
    """What the memory of a trace costs by itself: the same tensors kept by bare hooks, nothing looked at."""
    held: list[Tensor] = []
    parts = [part for block in network.blocks for part in (block, block.attn.qkv)]  # pyright: ignore
    hooks = [part.register_forward_hook(lambda _m, _i, out: held.append(out)) for part in parts]
    network(pixels[None])
    for hook in hooks:
        hook.remove()
    return held


def click(backbone: Backbone, side: int, tokens: int) -> list[str]:
    layers = backbone.trace(torch.randn(3, side, side))
    seconds = side_by_side({"click": lambda: [layer.attention_from(tokens // 2) for layer in layers]}, 15)["click"]
    return [f"{tokens:,}", f"{seconds * 1e3:.1f} ms", f"{seconds / tokens * 1e6:.2f} µs"]


def tensors(layers: tuple[Layer, ...]) -> Iterator[Tensor]:
    for layer in layers:
        yield from (value for value in vars(layer).values() if isinstance(value, Tensor))


def eager(side: int, attention: str = "eager") -> ViTModel:
    config = ViTConfig(hidden_size=384, num_attention_heads=6, intermediate_size=1536)
    config._attn_implementation = attention
    return ViTModel(config, add_pooling_layer=False).eval()


@contextmanager
def open_attention(network: nn.Module) -> Iterator[list[Tensor]]:
    """What a user of timm does by hand: fused attention off, a hook on each attention dropout."""
    maps: list[Tensor] = []
    attentions = [module for module in network.modules() if hasattr(module, "fused_attn")]
    hooks = [module.attn_drop.register_forward_hook(lambda _m, _i, out: maps.append(out)) for module in attentions]  # pyright: ignore
    for module in attentions:
        module.fused_attn = False  # pyright: ignore[reportArgumentType]
    try:
        yield maps
    finally:
        for module, hook in zip(attentions, hooks, strict=True):
            module.fused_attn = True  # pyright: ignore[reportArgumentType]
            hook.remove()


def unfused(network: nn.Module, pixels: Tensor) -> list[Tensor]:
    with open_attention(network) as maps:
        network(pixels[None])
    return maps
