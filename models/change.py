"""A change of places, in numbers: which place each patch is told, and what becomes of tables and of rotations.

Every change speaks of places on the grid that the picture makes: patch i is told the place of patch `places(...)[i]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

from models.faults import Fault

Kind = Literal["identity", "zero", "shuffle", "transpose", "mirror", "swap", "noise"]

Grid = tuple[int, int]


@dataclass(frozen=True)
class Change:
    """kind:           `zero` tells every patch the same place: rows of zeros, one rotation for all, one bias for all
    strength:       of noise: its standard deviation, in those of the table's own numbers; in patches where positions
                    are rotary, since a turn by chance would not be the turn of any place
    seed:           of shuffle and noise
    first, second:  patches whose places are swapped, counted row by row from 0
    """

    kind: Kind = "identity"
    strength: float = 0.5
    seed: int = 0
    first: int = 0
    second: int = 1

    @lru_cache(maxsize=64)  # noqa: B019 - changes are small values; a pass asks for the same places in every block
    def places(self, grid: Grid) -> Tensor:
        """(patches,) the patch whose place each patch of `grid` is told. Raises `Fault`."""
        own = torch.arange(grid[0] * grid[1])
        if self.kind == "shuffle":
            return torch.randperm(len(own), generator=self._chance())
        if self.kind == "mirror":
            return own.view(grid).flip(1).flatten()
        if self.kind == "transpose":
            return _transposed(own, grid)
        if self.kind == "swap":
            return self._swapped(own)
        return own

    def table(self, rows: Tensor, grid: Grid) -> Tensor:
        """What becomes of the table's rows of patches (..., patches, channels)."""
        if self.kind == "zero":
            return torch.zeros_like(rows)
        if self.kind == "noise":
            return self.noisy(rows)
        return rows.index_select(-2, self.places(grid).to(rows.device))

    def rotation(self, rows: Tensor, grid: Grid) -> Tensor:
        """What becomes of sines or of cosines (..., patches, channels)."""
        if self.kind == "zero":
            return rows[..., :1, :].expand_as(rows)
        places = self._near(grid) if self.kind == "noise" else self.places(grid)
        return rows.index_select(-2, places.to(rows.device))

    def noisy(self, values: Tensor) -> Tensor:
        chance = torch.randn(values.shape, generator=self._chance()).to(values)
        return values + self.strength * values.std() * chance

    @lru_cache(maxsize=64)  # noqa: B019 - likewise
    def _near(self, grid: Grid) -> Tensor:
        """(patches,) a patch about `strength` patches away in each direction, within the grid."""
        place = torch.stack(torch.meshgrid(*map(torch.arange, grid), indexing="ij"))
        moved = place + (self.strength * torch.randn(place.shape, generator=self._chance())).round().long()
        row, column = moved[0].clamp(0, grid[0] - 1), moved[1].clamp(0, grid[1] - 1)
        return (row * grid[1] + column).flatten()

    def _swapped(self, own: Tensor) -> Tensor:
        for patch in (self.first, self.second):
            if not 0 <= patch < len(own):
                raise Fault(
                    "The place of patch {patch} was to be swapped, but there are patches 0 to {last}; choose two of "
                    "those.",
                    patch=patch, last=len(own) - 1,
                )  # fmt: skip
        places = own.clone()
        places[[self.first, self.second]] = own[[self.second, self.first]]
        return places

    def _chance(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)


def _transposed(own: Tensor, grid: Grid) -> Tensor:
    if grid[0] != grid[1]:
        raise Fault(
            "Rows and columns were to be exchanged, but this picture makes {rows} rows and {columns} columns; choose a "
            "square picture.",
            rows=grid[0], columns=grid[1],
        )  # fmt: skip
    return own.view(grid).T.flatten()
