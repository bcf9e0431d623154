"""What a network paints where, over many masks: a picture of predictions only, and how much they differ.

Each patch is predicted only when it is hidden, by masks that hide it together with ever different others. The mean
over them is the picture as the network believes it; the deviation says how much that belief hangs on what was visible.
It is the spread of one network's answers, not a probability of being right.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.backbone import Reconstruction
from models.fidelity import Statistics, coloured, shown
from models.patches import patchify, unpatchify
from models.pixels import Pixels

LEAST, MOST = 8, 64
"""Masks."""


class Doubt:
    """Adds up reconstructions of one picture, batch by batch.

    grid:   (rows, columns) of masks
    shape:  (height, width) of the picture in pixels
    """

    def __init__(self, grid: tuple[int, int], shape: tuple[int, int]) -> None:
        self.patch = shape[0] // grid[0]
        size = (*grid, 3 * self.patch**2)
        self._sum, self._squares = torch.zeros(size, dtype=torch.double), torch.zeros(size, dtype=torch.double)
        self.times = torch.zeros(grid, dtype=torch.int)

    def add(self, found: Reconstruction, pixels: Tensor, colours: Pixels, by: Statistics = "own") -> None:
        """One mask's answer; patches that it left visible count for nothing."""
        hidden = found.mask.cpu().bool()
        painted = patchify(shown(colours, coloured(found, pixels, by)), self.patch).double()[hidden]
        self._sum[hidden] += painted
        self._squares[hidden] += painted.square()
        self.times += hidden

    @property
    def bytes(self) -> int:
        return self._sum.nbytes + self._squares.nbytes + self.times.nbytes

    @property
    def mean(self) -> Tensor:
        """(3, height, width) in [0, 1]: every patch as predicted when hidden, on average."""
        return unpatchify(self._sum / self.times[..., None], self.patch).float()

    @property
    def deviation(self) -> Tensor:
        """(3, height, width): standard deviation over masks, in the same unit."""
        times = self.times[..., None]
        variance = (self._squares - self._sum.square() / times).clamp_min(0) / (times - 1)
        return unpatchify(variance.sqrt(), self.patch).float()
