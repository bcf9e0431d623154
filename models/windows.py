"""Where each token of a shifted window comes from (Swin, Liu et al. 2021, arXiv 2103.14030, figure 4)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad


def window_members(
    grid: tuple[int, int],
    window: tuple[int, int],
    shift: tuple[int, int] = (0, 0),
    padding: Literal["after", "before"] = "after",
) -> Tensor:
    """(windows, tokens) index in the row-major grid of each window's tokens, -1 for padding.

    A grid that is no multiple of the window is padded at its lower and right edge: `after` the cyclic shift in timm,
    `before` it in transformers. The two differ, so the padding lies elsewhere.
    """
    index = torch.arange(grid[0] * grid[1]).view(grid)
    edge = (0, -grid[1] % window[1], 0, -grid[0] % window[0])
    if padding == "before":
        index = pad(index, edge, value=-1)
    index = torch.roll(index, (-shift[0], -shift[1]), (0, 1))
    if padding == "after":
        index = pad(index, edge, value=-1)
    return _tiled(index, window)


def window_bands(grid: tuple[int, int], window: tuple[int, int], shift: tuple[int, int] = (0, 0)) -> Tensor:
    """(windows, tokens) number of the part of its window in which each token lies: what the cyclic shift brought
    together from both edges of the picture is kept apart, as the authors' mask does it on the padded grid."""
    sides = (side + -side % step for side, step in zip(grid, window, strict=True))
    down, right = (_bands(*axis) for axis in zip(sides, window, shift, strict=True))
    return _tiled(3 * down[:, None] + right, window)


def _bands(length: int, window: int, shift: int) -> Tensor:
    """(length,) 0, then 1 in the last window, 2 in its last `shift` places; 0 throughout where nothing is shifted."""
    place = torch.arange(length)
    return (place >= length - window).long() + (place >= length - shift) if shift else 0 * place


def _tiled(values: Tensor, window: tuple[int, int]) -> Tensor:
    """(rows, columns) of whole windows as (windows, tokens)."""
    tiles = values.unflatten(1, (-1, window[1])).unflatten(0, (-1, window[0])).transpose(1, 2)
    return tiles.reshape(-1, window[0] * window[1])
