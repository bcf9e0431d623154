"""Which squares are hidden: by kind, painted, or where attention finds the object; and how that goes on to other
ratios, seeds and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorers.mask_fed import Fed, common_grid
from explorers.mask_sources import object_of
from models.coverage import masks_of
from models.masking import Kind, checked, hidden_count, mask_of, read, refitted

if TYPE_CHECKING:
    from torch import Tensor

    from explorers.mask_lab import Masking


@dataclass(frozen=True)
class Hiding:
    """kind:     random, block, grid, or painted, which an object is too
    grid:     (rows, columns) of squares
    hidden:   how many of them
    seed:     0 and up
    painted:  (rows, columns) int, where the kind is painted
    finder:   title of the network whose attention found the object
    """

    kind: Kind
    grid: tuple[int, int]
    hidden: int
    seed: int
    painted: Tensor | None = None
    finder: str | None = None

    @property
    def share(self) -> float:
        return self.hidden / (self.grid[0] * self.grid[1])

    def mask(self) -> Tensor:
        """(rows, columns) int."""
        return self.of(self.hidden)

    def of(self, hidden: int, turn: int = 0) -> Tensor:
        """The mask with so many squares hidden: nested, and a painted shape shrunk or grown; `turn` moves the seed."""
        return mask_of(self.kind, self.grid, hidden, self.seed + turn, self.painted)

    def at(self, ratio: float, turn: int = 0) -> Tensor:
        return self.of(hidden_count(ratio, self.grid[0] * self.grid[1]), turn)

    def many(self, count: int) -> Tensor:
        """(masks, rows, columns): masks of this kind and size that hide every square. Raises `Fault`."""
        return masks_of(self.grid, self.hidden, count, self.seed, self.kind, self.painted)


def hiding_of(labs: Sequence[Fed], asked: Masking) -> Hiding:
    """What `asked` hides, on the grid that all networks share. Raises `Fault`."""
    grid, patches = common_grid(labs), _patches(common_grid(labs))
    if asked.mask:
        mask = read(asked.mask)
        mask = checked(mask if tuple(mask.shape) == grid else refitted(mask, grid), grid).int()
        return Hiding("painted", grid, int(mask.sum()), asked.seed, mask)
    if asked.kind == "object" or asked.kind == "outside":
        found, finder = object_of(labs[0].backbone, labs[0].pixels, grid)
        mask = checked(found if asked.kind == "object" else 1 - found, grid).int()
        return Hiding("painted", grid, int(mask.sum()), asked.seed, mask, finder)
    return Hiding(asked.kind, grid, hidden_count(asked.ratio, patches), asked.seed)


def _patches(grid: tuple[int, int]) -> int:
    return grid[0] * grid[1]
