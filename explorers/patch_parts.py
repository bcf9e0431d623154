"""From a picture to tokens in numbers, and what attention over them costs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from explorers.gate import gate
from models.attention_cost import BYTES, Attention, Kernel, Precision, counted, predicted, products
from models.faults import Refusal
from models.patches import patchify
from models.projection import filters, principal, tiles

if TYPE_CHECKING:
    from explorers.traces import Traced
    from models.backbone import Backbone

MOST_FILTERS = 64
"""Filters that are shown as they are; of more, this many principal components."""

COMPONENTS = 28
"""As in ViT, arXiv 2010.11929, figure 7 (left)."""


def sequence(seen: Traced) -> dict[str, Any]:
    first = seen.layers[0]
    return {
        "grid": first.grid, "patch": seen.backbone.pixels.patch, "prefix": first.prefix, "tokens": first.length,
        "channels": first.tokens.shape[-1], "colours": seen.backbone.pixels.channels,
    }  # fmt: skip


def projection(backbone: Backbone) -> tuple[dict[str, np.ndarray], dict[str, Any] | None]:
    """filters: uint8 (n, patch, patch, 3); facts, or None where tokens are made in several steps."""
    try:
        weights = filters(backbone).weights
    except Refusal:
        return {}, None
    if len(weights) <= MOST_FILTERS:
        return {"filters": tiles(weights).numpy()}, {"filters": len(weights), "shown": len(weights), "explained": None}
    found, explained = principal(weights, COMPONENTS)
    told = {"filters": len(weights), "shown": len(found), "explained": explained.tolist()}
    return {"filters": tiles(found).numpy()}, told


def patch_of(seen: Traced, place: tuple[int, int]) -> dict[str, np.ndarray]:
    """pixels: (patch, patch, 3) normalised, as the network is fed; token: (channels,) that the projection makes."""
    side = seen.backbone.pixels.patch
    pixels = patchify(seen.pixels, side)[place].unflatten(0, (side, side, -1))
    try:
        token = filters(seen.backbone).tokens(pixels.permute(2, 0, 1))
    except Refusal:
        return {"pixels": pixels.numpy()}
    return {"pixels": pixels.numpy(), "token": token.numpy()}


def cost(asked: Attention, precision: Precision, kernel: Kernel) -> dict[str, Any]:
    """Every number of the calculator, for one configuration."""
    return {
        **asdict(asked), "grid": asked.grid, "tokens": asked.tokens, "reach": asked.reach, "entries": asked.entries,
        "layer bytes": asked.layer_bytes(precision, kernel), "stream bytes": asked.stream_bytes(precision),
        "bytes": asked.layers * asked.layer_bytes(precision, kernel), "precision": precision, "kernel": kernel,
        "multiplications": asked.attention_multiplications, "projections": asked.projection_multiplications,
        "mlp multiplications": asked.mlp_multiplications, "number bytes": BYTES[precision],
    }  # fmt: skip


def own(seen: Traced) -> Attention:
    """The calculator set to the loaded network's first block; a plain network's blocks are all alike."""
    first, (height, width) = seen.layers[0], seen.shape
    window = None if first.windows == 1 else round(first.members.shape[1] ** 0.5)
    channels = first.tokens.shape[-1]
    mlp = products(seen.backbone.blocks[0]).mlp / (2 * channels**2)
    return Attention(
        height, width, seen.backbone.pixels.patch, first.prefix, channels, first.heads, len(seen.layers), window, mlp
    )  # fmt: skip


def measured(seen: Traced, kernel: Kernel) -> dict[str, Any]:
    """All blocks of the loaded network: by the formula, and counted in one pass."""
    with gate():
        done = counted(lambda: seen.backbone.trace(seen.pixels), kernel)
    said = predicted(seen.backbone, seen.layers, kernel)
    return {"predicted": asdict(said), "counted": asdict(done), "kernel": kernel}
