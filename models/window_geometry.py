"""Windows as a picture sees them: their size and shift, what the mask keeps apart, and how far a token reaches.

Read from what a trace holds and never from a module's attributes, so that every windowed network answers alike.
Swin: Liu et al. 2021, arXiv 2103.14030, figures 2 to 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.backbone import Layer
from models.faults import Refusal


@dataclass(frozen=True)
class Geometry:
    """window: (rows, columns) of tokens; shift: (rows, columns) by which the windows are moved down and right."""

    window: tuple[int, int]
    shift: tuple[int, int]


def geometry(layer: Layer) -> Geometry:
    """Raises `Refusal` for a layer whose every token sees every token."""
    if layer.windows == 1 and layer.prefix:
        raise Refusal(
            "Windows were asked for, but every token of this network looks at every token; choose a Swin, or see its "
            "attention."
        )
    first = layer.members[0].tolist()
    start, across = divmod(first[0], layer.grid[1])
    wide = next(
        (place for place, token in enumerate(first) if place and not _follows(token, first[place - 1], layer)), 0
    )
    wide = wide or len(first)
    return Geometry((len(first) // wide, wide), (start, across))


def _follows(token: int, before: int, layer: Layer) -> bool:
    """Whether `token` is the right neighbour of `before`, around the edge too; padding follows anything."""
    columns = layer.grid[1]
    return (
        token < 0 or before < 0 or (token // columns == before // columns and (token - before) % columns == 1 % columns)
    )


def regions(layer: Layer) -> Tensor:
    """(rows, columns) number of the region whose tokens may look at one another: windows, cut where the mask cuts."""
    number = torch.zeros(layer.length, dtype=torch.long)
    count = 0
    for window in range(layer.windows):
        members = layer.members[window]
        groups = torch.zeros_like(members) if layer.bands is None else layer.bands[window]
        for group in groups[members >= 0].unique().tolist():
            number[members[(groups == group) & (members >= 0)]] = count
            count += 1
    return number.view(layer.grid)


def windows_of(layer: Layer) -> Tensor:
    """(rows, columns) number of the window that computes each token, mask or no mask."""
    number = torch.zeros(layer.length, dtype=torch.long)
    for window in range(layer.windows):
        members = layer.members[window]
        number[members[members >= 0]] = window
    return number.view(layer.grid)


def rolled(layer: Layer) -> Tensor:
    """(rows, columns) the token that lies at each place after the cyclic roll, as windows are cut from it."""
    index = torch.arange(layer.length).view(layer.grid)
    down, right = geometry(layer).shift
    return torch.roll(index, (-down, -right), (0, 1))


def receptive_field(layers: Sequence[Layer], token: int) -> list[Tensor]:
    """Which tokens can have reached `token` of the last block: one (rows, columns) bool for each block's input.

    Within a block a token reaches its region; between stages 2 × 2 tokens are merged into one.
    """
    last = layers[-1]
    reached = torch.zeros(last.length, dtype=torch.bool)
    reached[token] = True
    reached = reached.view(last.grid)
    fields: list[Tensor] = []
    for layer in reversed(layers):
        if tuple(reached.shape) != layer.grid:
            reached = _unmerged(reached, layer.grid)
        region = regions(layer)
        reached = torch.isin(region, region[reached].unique())
        fields.append(reached)
    return fields[::-1]


def _unmerged(reached: Tensor, grid: tuple[int, int]) -> Tensor:
    """The finer grid that a merged one was made of; odd grids were padded at their lower and right edge."""
    down, right = -(-grid[0] // reached.shape[0]), -(-grid[1] // reached.shape[1])
    return reached.repeat_interleave(down, 0).repeat_interleave(right, 1)[: grid[0], : grid[1]]


def stages(layers: Sequence[Layer]) -> list[list[int]]:
    """Blocks of each stage, by their grids."""
    found: list[list[int]] = []
    for block, layer in enumerate(layers):
        if block == 0 or layer.grid != layers[block - 1].grid:
            found.append([])
        found[-1].append(block)
    return found
