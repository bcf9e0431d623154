"""What can be computed from attention alone: fusion, rollout, entropy, distance, mass masks; sinks from their own file.

Pure functions of `Layer`s. Everything but `rollout` takes memory proportional to tokens: whole-matrix quantities are
summed over slices of queries. Axis words are those of `models.backbone`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from models.backbone import MATRIX_ENTRIES, Layer
from models.faults import Fault, Refusal
from models.sinks import SINK_DEVIATIONS, SINK_RATIO, Sinks, sinks

__all__ = [
    "MASS_SHARE", "SINK_DEVIATIONS", "SINK_RATIO", "Fusion", "Sinks", "distance", "entropy", "fuse", "mass_mask",
    "rollout", "rollout_from", "sinks",
]  # fmt: skip

Fusion = Literal["mean", "max", "min"]

MASS_SHARE = 0.6
"""DINO (Caron et al. 2021, arXiv 2104.14294, figures 1 and 4) keeps 60 % of the mass."""


def fuse(rows: Tensor, fusion: Fusion = "mean") -> Tensor:
    """Heads made one: (heads, ...) to (...). The mean of rows sums to 1; their maximum and minimum do not."""
    if fusion == "mean":
        return rows.mean(0)
    if fusion == "max":
        return rows.amax(0)
    if fusion == "min":
        return rows.amin(0)
    raise Fault("Fusion of heads by {fusion} was asked for; choose mean, max or min.", fusion=fusion)


def rollout(layers: Sequence[Layer], fusion: Fusion = "mean", discard: float = 0.0) -> Tensor:
    """Attention followed from the last block down to the input: (tokens, tokens), rows sum to 1.

    Abnar and Zuidema 2020 (arXiv 2005.00928), equation 1: the product over blocks, last first, of (A + I) / 2, where A
    is the block's attention with its heads fused. As in the authors' code each row is then divided by its own sum,
    which changes something only for the fusions and discards that leave rows of A not summing to 1.

    discard: share in [0, 1) of each row's patches, those with the lowest weight, that is set to zero before the
             identity is added; prefix columns are never dropped. After Gildenblat (2020, "Exploring explainability
             for vision transformers"), who ranks the whole matrix at once and so empties rows that look everywhere.

    Refused where rows of different blocks do not speak of the same tokens (Swin), and above `MATRIX_ENTRIES` numbers.
    """
    _require_one_window(layers)
    last = layers[-1]
    entries = last.heads * last.length**2
    if entries > MATRIX_ENTRIES:
        raise Refusal(
            "The rollout of every token was asked for: {heads} heads of {tokens} tokens make {entries} numbers, more "
            "than {limit}; ask for a smaller input size, or for the rollout of a single token.",
            heads=last.heads, tokens=last.length, entries=entries, limit=MATRIX_ENTRIES,
        )  # fmt: skip
    return _roll(torch.eye(last.length, device=last.tokens.device), layers, fusion, discard)


def rollout_from(
    layers: Sequence[Layer], query: int | Tensor | None, fusion: Fusion = "mean", discard: float = 0.0
) -> Tensor:
    """One row of `rollout`, in memory proportional to tokens: (tokens,), sums to 1.

    query: a token; or (tokens,) weights of a read-out that sum to 1, such as an attention pool's; or None for the mean
           over all patches
    """
    _require_one_window(layers)
    return _roll(_query_row(layers[-1], query)[None], layers, fusion, discard)[0]


def entropy(rows: Tensor) -> Tensor:
    """Shannon entropy of each row in bits: (..., tokens), summing to 1, to (...) in [0, log2 tokens]."""
    return torch.special.entr(rows.float()).sum(-1) / torch.log(rows.new_tensor(2.0, dtype=torch.float32))


def distance(layer: Layer, patch: float | tuple[float, float]) -> Tensor:
    """Mean attention distance of each head: (heads,) in pixels.

    Dosovitskiy et al. 2020 (arXiv 2010.11929), figure 7 right: mean over patch queries of Σ weight · distance, the
    distance being that between patch centres. Prefix tokens have no place in the image: the weights over patches are
    divided by their sum, so that a head which looks at CLS is not taken for a local one.

    patch: side in pixels of one cell of this block's grid (in a Swin: the patch times the merging so far), or its
           height and width
    """
    places = _places(layer)
    places = places * torch.tensor(patch, dtype=places.dtype, device=places.device)
    total = layer.tokens.new_zeros(layer.heads, dtype=torch.float32)
    for window in range(layer.windows):
        members = layer.members[window]
        there = (members >= layer.prefix).float()  # neither prefix tokens nor padding
        spots = places[(members - layer.prefix).clamp_min(0)]
        for start, rows in layer.slices(window):
            here = slice(start, start + rows.shape[1])
            far = torch.cdist(spots[here], spots) * there
            travelled = torch.einsum("hqk,qk->hq", rows.to(far), far)
            mass = (rows.to(far) @ there).clamp_min(torch.finfo(torch.float32).tiny)
            total += (travelled / mass) @ there[here]
    return total / (layer.grid[0] * layer.grid[1])


def mass_mask(row: Tensor, share: float = MASS_SHARE) -> Tensor:
    """The smallest set of patches that holds at least `share` of the mass over patches: (..., patches) bool.

    Caron et al. 2021 (arXiv 2104.14294), figure 4. Of equal weights the earlier patch is taken first.

    row:   (..., patches) weights ≥ 0, prefix tokens already left out
    share: in (0, 1]
    """
    if not 0 < share <= 1:
        raise Fault("A mass share of {share} was asked for; choose a number above 0 and at most 1.", share=share)
    values, order = row.double().sort(dim=-1, descending=True, stable=True)
    before = values.cumsum(-1) - values
    kept = (before < share * values.sum(-1, keepdim=True)) & (values > 0)
    return torch.zeros_like(kept).scatter(-1, order, kept)


def _require_one_window(layers: Sequence[Layer]) -> None:
    if not layers:
        raise Fault("A rollout was asked for without any block; choose at least one.")
    grids = {layer.grid for layer in layers}
    windows = max(layer.windows for layer in layers)
    if len(grids) > 1 or windows > 1:
        raise Refusal(
            "Rollout was asked for, but the tokens of one block of this network are not those of the next (windows: up "
            "to {windows}, different grids: {grids}), so that the product of their attention means nothing; look at "
            "single blocks instead.",
            windows=windows, grids=len(grids),
        )  # fmt: skip


def _query_row(layer: Layer, query: int | Tensor | None) -> Tensor:
    row = torch.zeros(layer.length, device=layer.tokens.device)
    if query is None:
        row[layer.prefix :] = 1 / (layer.length - layer.prefix)
    elif isinstance(query, Tensor):
        row += query.to(row)
    else:
        layer.window_of(query)  # refuses a token that is not there
        row[query] = 1
    return row


def _roll(rows: Tensor, layers: Sequence[Layer], fusion: Fusion, discard: float) -> Tensor:
    """`rows` (rows, tokens) times every block's normalised (A + I) / 2, last block first."""
    if not 0 <= discard < 1:
        raise Fault("A discard of {discard} was asked for; choose a share from 0 to below 1.", discard=discard)
    for layer in reversed(layers):
        rows = _through(rows, layer, fusion, discard)
    return rows


def _through(rows: Tensor, layer: Layer, fusion: Fusion, discard: float) -> Tensor:
    members = layer.members[0]
    local = rows[:, members]
    out = torch.zeros_like(local)
    for start, weights in layer.slices(0):
        stop = start + weights.shape[1]
        fused = _discarded(fuse(weights, fusion), members < layer.prefix, discard).to(rows)
        share = local[:, start:stop] / (fused.sum(-1) + 1)
        out += share @ fused
        out[:, start:stop] += share
    return torch.empty_like(out).index_copy_(1, members, out)


def _discarded(fused: Tensor, kept: Tensor, discard: float) -> Tensor:
    """(queries, keys) without the lowest `discard` share of each row's patches; columns `kept` stay."""
    count = int(discard * int((~kept).sum()))
    if count == 0:
        return fused
    lowest = fused.masked_fill(kept, float("inf")).topk(count, dim=-1, largest=False).indices
    return fused.scatter(-1, lowest, 0.0)


def _places(layer: Layer) -> Tensor:
    """(patches, 2) row and column of every patch, in patches."""
    rows, columns = layer.grid
    index = torch.arange(rows * columns, device=layer.tokens.device)
    return torch.stack([index // columns, index % columns], dim=-1).float()
