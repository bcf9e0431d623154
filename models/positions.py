"""What a network knows of position before any image: the five kinds as `Affinity`, and their structure in numbers.

Learned table: ViT, arXiv 2010.11929, figure 7 (centre). Sin-cos: MAE, 2111.06377, after Vaswani et al., 1706.03762.
Rotary: Su et al., 2104.09864. Relative bias: Swin, 2103.14030, equation 4. Continuous bias: SwinV2, 2111.09883.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from models.backbone import Affinity
from models.faults import Fault

LONGEST_WAVE = 10000.0
"""Base of the frequencies in Vaswani et al., section 3.5, kept by MAE."""

NEARLY = 0.005
"""By how much a table kept in half precision may differ from the one that it holds."""


def table_affinity(
    table: Tensor,
    grid: tuple[int, int],
    prefix: Tensor | None = None,
    random: bool = False,
) -> Affinity:
    """Cosine between each two rows of a position table (positions, channels); `prefix` rows are kept apart. The fixed
    table is recognised, whatever network it is of; any other is untrained where the weights are `random`."""
    rows = table.detach().float().cpu()
    apart = None if prefix is None or not len(prefix) else prefix.detach().float().cpu()
    kind = "sin-cos table" if is_sincos(rows, grid) else "untrained table" if random else "learned table"
    return Affinity(kind, None, grid, cosine(rows).unsqueeze(0), rows, apart)


def is_sincos(table: Tensor, grid: tuple[int, int]) -> bool:
    """Whether rows (positions, channels) are MAE's fixed table, rows or columns first."""
    half, odd = divmod(table.shape[1], 2)
    if odd or half % 2 or len(table) != grid[0] * grid[1]:
        return False
    fixed = sincos_table(grid, 2 * half)
    return any(torch.allclose(table, fixed.roll(turn, 1), rtol=0, atol=NEARLY) for turn in (0, half))


def sincos_table(grid: tuple[int, int], channels: int) -> Tensor:
    """MAE's fixed table (positions, channels): sines and cosines of the row, then those of the column (the
    authors' own code has the halves the other way round; similarities are the same)."""
    if channels % 4:
        raise Fault(
            "A sin-cos table of {channels} channels was asked for, but rows and columns each need pairs of sine and "
            "cosine; choose a multiple of 4.",
            channels=channels,
        )  # fmt: skip
    waves = LONGEST_WAVE ** -(torch.arange(channels // 4, dtype=torch.float64) / (channels // 4))
    row = torch.arange(grid[0]).repeat_interleave(grid[1])
    column = torch.arange(grid[1]).repeat(grid[0])
    angles = [torch.outer(place.double(), waves) for place in (row, column)]
    return torch.cat([part for angle in angles for part in (angle.sin(), angle.cos())], dim=1).float()


def cosine(table: Tensor) -> Tensor:
    """(positions, channels) to (positions, positions) in [-1, 1]; rows of zeros have cosine 0."""
    unit = torch.nn.functional.normalize(table, dim=-1)
    return unit @ unit.T


def rotary_affinity(embedding: Tensor, grid: tuple[int, int], half: bool, block: int | None = None) -> Affinity:
    """Kernel q·k of equal unit vectors under a rotary embedding.

    embedding:  (positions, 2 · dim), sines then cosines as timm lays them out, shared by all heads; or
                (heads, positions, 2 · dim) where each head has frequencies of its own
    half:       True where a pair is (i, i + dim / 2), False where it is (2i, 2i + 1)

    Shared by all heads: values are the mean over bands (a vector spread evenly over them), then each band alone.
    Apart for each head: values are the mean over bands for each head.
    """
    sines, cosines = embedding.detach().float().cpu().chunk(2, -1)
    pairs = slice(0, sines.shape[-1] // 2) if half else slice(0, None, 2)
    sines, cosines = sines[..., pairs], cosines[..., pairs]
    whole = (sines @ sines.transpose(-2, -1) + cosines @ cosines.transpose(-2, -1)) / sines.shape[-1]
    if embedding.ndim == 3:
        return Affinity("rotary", block, grid, whole)
    bands = torch.einsum("qb,kb->bqk", sines, sines) + torch.einsum("qb,kb->bqk", cosines, cosines)
    return Affinity("rotary", block, grid, torch.cat([whole.unsqueeze(0), bands]), bands=_turns(sines, cosines, grid))


def _turns(sines: Tensor, cosines: Tensor, grid: tuple[int, int]) -> Tensor:
    """(bands, 2) radians in (-π, π] by which one step down and one step right turn each band."""
    angles = torch.atan2(sines, cosines).unflatten(0, grid)
    down = angles[1, 0] - angles[0, 0] if grid[0] > 1 else torch.zeros_like(angles[0, 0])
    right = angles[0, 1] - angles[0, 0] if grid[1] > 1 else torch.zeros_like(angles[0, 0])
    steps = torch.stack([down, right], dim=-1)
    return torch.atan2(steps.sin(), steps.cos())


def bias_affinity(
    kind: Literal["relative bias", "continuous bias"],
    bias: Tensor,
    grid: tuple[int, int],
    block: int | None,
    scope: Literal["picture", "window"] = "picture",
) -> Affinity:
    """What a block adds to its logits for each pair of positions, (heads, queries, keys)."""
    return Affinity(kind, block, grid, bias.detach().float().cpu(), scope=scope)


def offset_r2(values: Tensor, grid: tuple[int, int]) -> float:
    """Share of the variance of `values` (positions, positions), off the diagonal, that the offset (|Δrow|, |Δcolumn|)
    explains: 1 where similarity is a function of the offset alone, about 0 for a random table, NaN where all are
    equal."""
    down, right = (part.flatten() for part in _offsets(grid))
    off = (down + right) > 0
    group = (down * grid[1] + right)[off]
    seen = values.detach().cpu().double().flatten()[off]
    count = torch.zeros(grid[0] * grid[1], dtype=torch.float64).index_add_(0, group, torch.ones_like(seen))
    total = torch.zeros_like(count).index_add_(0, group, seen)
    return _explained(seen, (total / count.clamp(min=1))[group])


def distance_r2(values: Tensor, grid: tuple[int, int]) -> float:
    """Share of the variance of `values` (positions, positions), off the diagonal, that a straight line in the
    distance between two positions, in patches, explains; NaN where all are equal."""
    down, right = (part.flatten().double() for part in _offsets(grid))
    distance = torch.sqrt(down**2 + right**2)
    off = distance > 0
    distance, seen = distance[off], values.detach().cpu().double().flatten()[off]
    centred = distance - distance.mean()
    slope = (centred * (seen - seen.mean())).sum() / (centred**2).sum()
    return _explained(seen, seen.mean() + slope * centred)


def _offsets(grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """|Δrow| and |Δcolumn| of each pair of positions, row by row: (positions, positions)."""
    row = torch.arange(grid[0]).repeat_interleave(grid[1])
    column = torch.arange(grid[1]).repeat(grid[0])
    return (row.unsqueeze(1) - row).abs(), (column.unsqueeze(1) - column).abs()


def _explained(seen: Tensor, predicted: Tensor) -> float:
    spread = (seen - seen.mean()).square().sum()
    return float(1 - (seen - predicted).square().sum() / spread) if spread else math.nan
