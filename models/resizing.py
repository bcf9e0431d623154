"""One picture on two grids: what of attention and features is the same once both lie on one.

A cell of the coarser grid takes of each finer cell as much as lies within it: of attention its mass, so that a map goes
on summing to what it summed to; of features the mean.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Grid = tuple[int, int]


def common(first: Grid, second: Grid) -> Grid:
    """The coarser of two grids over the same picture, rows and columns each: nothing has to be made up for it."""
    return min(first[0], second[0]), min(first[1], second[1])


def on_grid(values: Tensor, grid: Grid, kind: Literal["mass", "mean"] = "mass") -> Tensor:
    """Values (..., rows, columns) of cells over a picture as those of another grid over the same picture."""
    if tuple(values.shape[-2:]) == grid:
        return values
    down, across = (_overlaps(of, to).to(values) for of, to in zip(values.shape[-2:], grid, strict=True))
    if kind == "mean":
        down, across = (part / part.sum(1, keepdim=True) for part in (down, across))
    return down @ values @ across.T


def _overlaps(of: int, to: int) -> Tensor:
    """(to, of) share of each of `of` cells of a line that lies in each of `to` cells of the same line."""
    edges, others = to * torch.arange(of + 1), of * torch.arange(to + 1)  # whole numbers, of length of · to
    low = torch.maximum(edges[:-1], others[:-1, None])
    high = torch.minimum(edges[1:], others[1:, None])
    return (high - low).clamp(min=0) / to


def moved(before: Tensor, after: Tensor, prefix: int, grids: tuple[Grid, Grid]) -> Tensor:
    """Share in [0, 1] of each row's mass that lies elsewhere: (..., tokens) twice to (...), half the sum of absolute
    differences (total variation), tokens before the first patch counted as places of their own."""
    grid = common(*grids)
    apart = (before[..., :prefix] - after[..., :prefix]).abs().sum(-1)
    maps = [
        on_grid(rows[..., prefix:].unflatten(-1, own), grid) for rows, own in zip((before, after), grids, strict=True)
    ]
    return (apart + (maps[0] - maps[1]).abs().sum((-2, -1))) / 2


def features_cosine(before: Tensor, after: Tensor, grids: tuple[Grid, Grid]) -> Tensor:
    """Cosine of patches' features (patches, channels) at each cell of the common grid: (rows, columns) in [-1, 1]."""
    grid = common(*grids)
    laid = [
        on_grid(tokens.float().T.unflatten(-1, own), grid, "mean")
        for tokens, own in zip((before, after), grids, strict=True)
    ]
    return torch.nn.functional.cosine_similarity(laid[0], laid[1], dim=0)
