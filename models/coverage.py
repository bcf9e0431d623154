"""Sets of masks that share the hiding fairly, so that every patch is painted when it is hidden, by each kind of mask.

random   lots drawn so that no patch is hidden more than once oftener than another
block    the blocks of many seeds
grid     the same even pattern, shifted; it repeats, so that few of them differ
painted  the same shape, shifted over the picture; what leaves at one edge comes in at the other
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.faults import Fault
from models.masking import Grid, Kind, draws, even, first, mask_of, shuffled

PERIOD = 16
"""Rows and columns by which an even pattern is shifted; no ratio's own pattern is told apart beyond them."""


def masks_of(
    grid: Grid, hidden: int, count: int, seed: int = 0, kind: Kind = "random", painted: Tensor | None = None
) -> Tensor:
    """(masks, rows, columns) int: `count` masks, or as many as differ, that hide every patch at least twice, as a
    deviation needs. Raises `Fault`.

    hidden:   patches that each hides; of "painted" as many as were painted
    painted:  (rows, columns), the shape
    """
    if kind == "random":
        masks = covering(grid, hidden, count, seed) if count * hidden >= 2 * grid[0] * grid[1] else None
    else:
        masks = fairest(_candidates(grid, hidden, count, seed, kind, painted), count, seed)
    if masks is not None and int(masks.sum(0).min()) >= 2:
        return masks
    if masks is not None and len(masks) < count:
        raise Fault(
            "{count} masks of this kind were asked for, but only {found} differ, which hide some patches less than "
            "twice, where a deviation needs two; raise the ratio, or take random masks.",
            count=count, found=len(masks),
        )  # fmt: skip
    raise Fault(
        "{count} masks of {hidden} of {patches} patches were asked for, which hide some of them less than twice, where "
        "a deviation needs two; ask for more masks or a higher ratio.",
        count=count, hidden=hidden, patches=grid[0] * grid[1],
    )  # fmt: skip


def covering(grid: Grid, hidden: int, count: int, seed: int = 0) -> Tensor:
    """(count, rows, columns): random masks of `hidden` patches each; every patch is hidden where they suffice."""
    patches = grid[0] * grid[1]
    drawn, times = draws(seed), torch.zeros(patches, dtype=torch.int)
    masks = torch.zeros(count, patches, dtype=torch.int)
    for mask in masks:
        fair = sorted(shuffled(patches, drawn), key=lambda patch: int(times[patch]))[:hidden]
        mask[fair] = 1
        times += mask
    return masks.view(count, *grid)


def fairest(candidates: Tensor, count: int, seed: int = 0) -> Tensor:
    """The first of (masks, rows, columns), then at most `count` - 1 others, all different: always the one whose patches
    were hidden least so far, by lot where several are."""
    flat = candidates.flatten(1).float()
    lot = torch.tensor(shuffled(len(flat), draws(seed))) / len(flat)
    chosen, times = [0], flat[0].clone()
    free = (flat != flat[0]).any(1)
    while len(chosen) < count and bool(free.any()):
        best = int((flat @ times + lot).masked_fill(~free, torch.inf).argmin())
        chosen.append(best)
        times += flat[best]
        free &= (flat != flat[best]).any(1)
    return candidates[chosen]


def _candidates(grid: Grid, hidden: int, count: int, seed: int, kind: Kind, painted: Tensor | None) -> Tensor:
    if kind == "block":
        return torch.stack([mask_of(kind, grid, hidden, seed + turn) for turn in range(4 * count)])
    if kind == "grid":
        shifts = [(down, right) for down in range(PERIOD) for right in range(PERIOD)]
        return torch.stack([first(even(grid, shift), grid, hidden) for shift in shifts])
    assert painted is not None
    shifts = [(down, right) for down in range(grid[0]) for right in range(grid[1])]
    return torch.stack([painted.int().roll(shift, (0, 1)) for shift in shifts])
