"""What a position table is made of, in numbers: how far offset, rows and columns explain who resembles whom.

The figure that lectures show is ViT's, arXiv 2010.11929, figure 7 (centre); these numbers say what the eye sees there.
The fixed table that they are held against is MAE's, arXiv 2111.06377, after Vaswani et al., 1706.03762, section 3.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from models.faults import Refusal
from models.positions import cosine, distance_r2, offset_r2, sincos_table


@dataclass(frozen=True)
class Structure:
    """Shares of the variance of similarity, off the diagonal, as R² in [0, 1]; about 0 for a random table, NaN where
    there is no variance.

    offset:    explained by (|Δrow|, |Δcolumn|) together
    distance:  explained by a straight line in the distance, in patches
    row:       explained by |Δrow| alone
    column:    explained by |Δcolumn| alone
    """

    offset: float
    distance: float
    row: float
    column: float


def structure(values: Tensor, grid: tuple[int, int]) -> Structure:
    """`values` (positions, positions): any similarity, bias or kernel between positions of `grid`."""
    row, column = (torch.arange(grid[0]).repeat_interleave(grid[1]), torch.arange(grid[1]).repeat(grid[0]))
    return Structure(
        offset_r2(values, grid), distance_r2(values, grid), _difference_r2(values, row), _difference_r2(values, column)
    )


def _difference_r2(values: Tensor, place: Tensor) -> float:
    """Share of variance off the diagonal that the mean for each |Δplace| explains; `place` (positions,) int."""
    off = ~torch.eye(len(place), dtype=torch.bool)
    group = (place.unsqueeze(1) - place).abs()[off]
    seen = values.detach().cpu().double()[off]
    count = torch.bincount(group).clamp(min=1)
    mean = torch.bincount(group, weights=seen) / count
    spread = (seen - seen.mean()).square().sum()
    return float(1 - (seen - mean[group]).square().sum() / spread) if spread else math.nan


def random_table(grid: tuple[int, int], channels: int, seed: int = 0) -> Tensor:
    """Independent normal numbers (positions, channels): a table that knows nothing of position."""
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(grid[0] * grid[1], channels, generator=chance)


def rivals(grid: tuple[int, int], channels: int) -> dict[str, Structure]:
    """Structure of the cosine similarity of tables of the same shape, to compare with."""
    tables = {"random": random_table(grid, channels), "sin-cos": sincos_table(grid, channels - channels % 4 or 4)}
    return {name: structure(cosine(table), grid) for name, table in tables.items()}


@dataclass(frozen=True)
class Components:
    """scores:    (positions, components), signed so that each component's largest absolute score is positive
    explained: (components,) share of the table's variance"""

    scores: Tensor
    explained: Tensor

    def rgb(self, grid: tuple[int, int]) -> Tensor:
        """First three components as red, green, blue, each stretched over its own range: uint8 (rows, columns, 3)."""
        scores = torch.nn.functional.pad(self.scores, (0, 3))[:, :3]
        low, high = scores.amin(0), scores.amax(0)
        stretched = (scores - low) / (high - low).clamp(min=torch.finfo(scores.dtype).tiny)
        return (255 * stretched).round().byte().view(*grid, 3)


def components(table: Tensor, count: int = 3) -> Components:
    """Principal components of `table` (positions, channels), its mean over positions removed."""
    centred = table.detach().float().cpu() - table.detach().float().cpu().mean(0)
    left, strength, _ = torch.linalg.svd(centred, full_matrices=False)
    scores = (left * strength)[:, :count]
    largest = scores.gather(0, scores.abs().argmax(0, keepdim=True))
    explained = strength.square() / strength.square().sum().clamp(min=torch.finfo(strength.dtype).tiny)
    return Components(scores * torch.where(largest < 0, -1.0, 1.0), explained[:count])


def norms(table: Tensor, grid: tuple[int, int]) -> Tensor:
    """Euclidean length of each position's vector: (rows, columns)."""
    return table.detach().float().cpu().norm(dim=-1).view(grid)


def spectrum(table: Tensor, grid: tuple[int, int]) -> Tensor:
    """Share of the table's power, mean over positions removed, at each spatial frequency: (rows, columns), sums to 1.

    Frequency zero stands at (rows // 2, columns // 2); one step from it is one wave over the whole grid.
    """
    centred = table.detach().float().cpu() - table.detach().float().cpu().mean(0)
    power = torch.fft.fft2(centred.T.unflatten(1, grid)).abs().square().sum(0)
    return torch.fft.fftshift(power / power.sum().clamp(min=torch.finfo(power.dtype).tiny))


Measure = Literal["cosine", "dot", "distance"]


def compared(table: Tensor, measure: Measure) -> Tensor:
    """Cosine, dot product or Euclidean distance of each two rows of `table` (positions, channels)."""
    if measure == "cosine":
        return cosine(table)
    if measure == "dot":
        return table @ table.T
    return torch.cdist(table, table, compute_mode="donot_use_mm_for_euclid_dist")


def span(values: Tensor) -> tuple[float, float]:
    """Least and greatest of (..., positions, positions), each position's relation with itself left out."""
    off = ~torch.eye(values.shape[-1], dtype=torch.bool)
    seen = values[..., off] if values.shape[-1] > 1 else values
    return float(seen.min()), float(seen.max())


def offset_kernel(values: Tensor, grid: tuple[int, int]) -> Tensor:
    """Values (heads, queries, keys) that follow from key minus query alone, by that offset: (heads, 2 rows − 1,
    2 columns − 1), no offset in the middle. Raises `Refusal` where they do not."""
    rows, columns = grid
    down, right = torch.meshgrid(torch.arange(1 - rows, rows), torch.arange(1 - columns, columns), indexing="ij")
    query = (-down).clamp(min=0) * columns + (-right).clamp(min=0)
    key = down.clamp(min=0) * columns + right.clamp(min=0)
    kernel = values[:, query, key]
    step = max(1, rows * columns // 64)
    for asked in range(0, rows * columns, step):
        row, column = divmod(asked, columns)
        part = kernel[:, rows - 1 - row : 2 * rows - 1 - row, columns - 1 - column : 2 * columns - 1 - column]
        if not torch.allclose(part.flatten(1), values[:, asked], atol=1e-4):
            raise Refusal(
                "A kernel by offset was asked for, but these positions relate by more than their offset; see them as a "
                "table."
            )
    return kernel
