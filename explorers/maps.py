"""All attention of one picture as arrays for the page, which draws layers and heads without asking again.

Where the grid is small (`WHOLE_PATCHES`), or attention lives in windows, every row of every token travels; else the
rows of the tokens before the first patch and of the read-out, and the page fetches those of a patch when it is
pointed at.
Array names end in the number of their block, from 0:

    codes.i    uint8 (windows, heads, queries, keys), or (heads, tokens) for one row; see `bundle.coded`
    peaks.i    float32 (windows, heads, queries), or (heads,)
    figures.i  float32 (heads + 1, tokens, 3), or (heads + 1, 3): a row's entropy in bits over the picture's tokens, its
               mass on prefix tokens, and on all tokens: 1, or less where padding is looked at; for a column its sum,
               the share that prefix tokens give, and its sum. The last head is the mean
    members.i  int32 (windows, tokens); windowed networks only
    regions.i  int32 (windows, tokens): tokens of one window whose numbers differ are kept apart by the shift mask
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from explorers.bundle import coded, decoded
from models.attention import entropy
from models.backbone import Backbone, Layer, Pools

WHOLE_PATCHES = 256
"""Grids up to 16 × 16 travel whole."""

WHOLE_BYTES = 48 * 2**20
"""Windowed networks travel whole up to this size (a Swin-B at 384 pixels makes 25 MB)."""

Direction = Literal["from", "to"]
Query = int | Literal["mean", "pool"]

Arrays = dict[str, np.ndarray]


def travels_whole(layers: Sequence[Layer]) -> bool:
    if layers[0].windows == 1:
        return layers[0].grid[0] * layers[0].grid[1] <= WHOLE_PATCHES
    return sum(layer.windows * layer.heads * layer.members.shape[1] ** 2 for layer in layers) <= WHOLE_BYTES


def token_of(query: int, layers: Sequence[Layer], block: int) -> int:
    """A token of the first block, as the token at the same place of the picture in a later block's coarser grid."""
    first, layer = layers[0], layers[block]
    if query < first.prefix or layer.grid == first.grid:
        return query
    row, column = divmod(query - first.prefix, first.grid[1])
    row, column = (place * now // then for place, now, then in zip((row, column), layer.grid, first.grid, strict=True))
    return layer.prefix + row * layer.grid[1] + column


def rows(backbone: Backbone, layers: Sequence[Layer], query: Query, direction: Direction, block: int) -> Tensor:
    """(heads, tokens) of one block: where `query` looks, or with "to" who looks at it.

    query: a token of the first block, "mean" for the mean over all patches, "pool" for the attention pool's latent,
           which reads the last block only
    """
    if query == "mean":
        return layers[block].attention_mean()
    if query == "pool":
        assert isinstance(backbone, Pools)
        return backbone.pooled_from(layers).detach().cpu()
    token = token_of(query, layers, block)
    return layers[block].attention_from(token) if direction == "from" else layers[block].attention_to(token)


def blocks_of(query: Query, layers: Sequence[Layer]) -> range:
    """Blocks in which `query` exists: the attention pool stands behind the last one."""
    return range(len(layers) - 1 if query == "pool" else 0, len(layers))


def row_arrays(backbone: Backbone, layers: Sequence[Layer], query: Query, direction: Direction = "from") -> Arrays:
    """One query in every block, for the page."""
    arrays: Arrays = {}
    for block in blocks_of(query, layers):
        heads = rows(backbone, layers, query, direction, block)
        prefix = layers[block].prefix
        figures = _row_figures(heads, prefix) if direction == "from" else _column_figures(heads, prefix)
        codes, peaks = coded(heads.numpy())
        arrays |= {f"codes.{block}": codes, f"peaks.{block}": peaks, f"figures.{block}": figures.numpy()}
    return arrays


def sent(backbone: Backbone, layers: Sequence[Layer], query: Query, direction: Direction, block: int) -> np.ndarray:
    """(heads, tokens) float32 of one block as the page has it: what `rows` gives, through the bytes that travel."""
    if isinstance(query, str) or not travels_whole(layers):
        return decoded(*coded(rows(backbone, layers, query, direction, block).numpy()))
    layer = layers[block]
    window, place = (layer.members == token_of(query, layers, block)).nonzero()[0].tolist()
    weights = decoded(*coded(layer.weights(window).numpy()))
    members = layer.members[window].numpy()
    spread = np.zeros((layer.heads, layer.length), np.float32)
    spread[:, members[members >= 0]] = (weights[:, place] if direction == "from" else weights[..., place])[
        :, members >= 0
    ]
    return spread


def whole_arrays(layers: Sequence[Layer]) -> Arrays:
    """Every row of every token in every block."""
    arrays: Arrays = {}
    for block, layer in enumerate(layers):
        packed = [coded(layer.weights(window).numpy()) for window in range(layer.windows)]
        arrays[f"codes.{block}"] = np.stack([codes for codes, _ in packed])
        arrays[f"peaks.{block}"] = np.stack([peaks for _, peaks in packed])
        arrays[f"figures.{block}"] = _whole_figures(layer).numpy()
    return arrays


def window_arrays(layers: Sequence[Layer]) -> Arrays:
    """Who shares a window with whom, and where the shift mask's edges run."""
    arrays: Arrays = {}
    for block, layer in enumerate(layers):
        if layer.windows > 1:
            bands = torch.zeros_like(layer.members) if layer.bands is None else layer.bands
            arrays[f"members.{block}"] = layer.members.int().numpy()
            arrays[f"regions.{block}"] = bands.int().numpy()
    return arrays


def layer_facts(layers: Sequence[Layer]) -> list[Mapping[str, Any]]:
    return [
        {
            "grid": layer.grid,
            "heads": layer.heads,
            "prefix": layer.prefix,
            "windows": layer.windows,
            "span": layer.members.shape[1],
        }
        for layer in layers
    ]


def _row_figures(heads: Tensor, prefix: int) -> Tensor:
    """(heads, ..., tokens) to (heads + 1, ..., 3)."""
    heads = torch.cat([heads, heads.mean(0, keepdim=True)])
    held = heads.sum(-1)
    within = heads / held.unsqueeze(-1).clamp_min(1e-30)
    return torch.stack([entropy(within), heads[..., :prefix].sum(-1), held], -1)


def _column_figures(heads: Tensor, prefix: int) -> Tensor:
    heads = torch.cat([heads, heads.mean(0, keepdim=True)])
    total = heads.sum(-1)
    return torch.stack([total, heads[..., :prefix].sum(-1) / total.clamp_min(1e-30), total], -1)


def _whole_figures(layer: Layer) -> Tensor:
    figures = torch.zeros(layer.heads + 1, layer.length, 3)
    for window in range(layer.windows):
        members = layer.members[window]
        real = members >= 0
        weights = layer.weights(window)[:, real][:, :, real]
        prefix = int((members[real] < layer.prefix).sum())
        figures[:, members[real]] = _row_figures(weights, prefix)
    return figures
