"""Where things stand in a picture: drawn at random, and of several drafts the one that hides least is kept."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.datasets._paint import Pose

DRAFTS = 32
TILT = 0.25
"""Radians that an object may lean."""

LARGEST = torch.tensor([0.95, 0.7, 0.54, 0.46, 0.42])
"""Share of the frame's side that the largest object may take, by the number of objects."""


@dataclass(frozen=True)
class Layout:
    """Objects of some pictures, the pictures with most objects first, in each picture the largest object first.

    counts:   (pictures,) objects in each
    centres:  (pictures, objects, 2) row and column as shares of the frame
    sizes:    (pictures, objects) side as a share of the frame's
    angles:   (pictures, objects) radians, counter-clockwise
    """

    counts: Tensor
    centres: Tensor
    sizes: Tensor
    angles: Tensor

    @property
    def present(self) -> Tensor:
        """(pictures, objects) bool"""
        return torch.arange(self.sizes.shape[1]) < self.counts[:, None]

    def pose(self, slot: int, mirrored: Tensor | None = None) -> Pose:
        """How the objects number `slot` stand, of the pictures that have so many; those come first."""
        here = slice(0, int(self.present[:, slot].sum()))
        flip = torch.zeros_like(self.present) if mirrored is None else mirrored
        return Pose(self.centres[here, slot], self.sizes[here, slot], self.angles[here, slot], flip[here, slot])


def layout(count: int, objects: tuple[int, int], generator: torch.Generator, smallest: float = 0.2) -> Layout:
    """Draws a number of objects, sizes evenly on a logarithmic scale, and places that keep each inside the frame.

    smallest: side of the smallest object as a share of the frame's; where so many so large ones have no room, all are
              as large as there is room for
    """
    fewest, most = objects
    counts = torch.randint(fewest, most + 1, (count,), generator=generator).sort(descending=True).values
    upper = LARGEST[(counts - 1).clamp(max=len(LARGEST) - 1)][:, None].log()
    lower = torch.full_like(upper, smallest).log().minimum(upper)
    spread = torch.rand(count, most, generator=generator)
    absent = torch.arange(most) >= counts[:, None]
    sizes = (lower + spread * (upper - lower)).exp().masked_fill(absent, 0).sort(dim=1, descending=True).values
    drafts = torch.rand(count, DRAFTS, most, 2, generator=generator)
    room = (1 - sizes)[:, None, :, None]
    centres = sizes[:, None, :, None] / 2 + drafts * room
    best = _overlap(centres, sizes).argmin(1)
    angles = (torch.rand(count, most, generator=generator) * 2 - 1) * TILT
    return Layout(counts, centres[torch.arange(count), best], sizes, angles)


def _overlap(centres: Tensor, sizes: Tensor) -> Tensor:
    """(pictures, drafts): how far the discs of all pairs reach into each other."""
    gap = (centres[:, :, :, None] - centres[:, :, None]).norm(dim=-1)
    reach = (sizes[:, :, None] + sizes[:, None]) / 2
    both = (sizes[:, :, None] > 0) & (sizes[:, None] > 0) & ~torch.eye(sizes.shape[1], dtype=torch.bool)
    return ((reach[:, None] - gap).clamp(min=0) * both[:, None]).sum((2, 3))
