"""A picture as networks that paint hidden patches are fed it, and what a batch of masks will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from explorers import lent
from explorers.cache import Cache
from explorers.forecast import check_time
from explorers.gate import gate
from explorers.slices import Slices
from models.backbone import Reconstruction, Reconstructs
from models.faults import Fault, Refusal
from models.masking import hidden_count, mask_of, refitted
from models.memory import peak_bytes

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from models.backbone import Backbone
    from models.pixels import Fit

BATCH = 16
"""Masks that run together at most; the page tells its progress, and can be stopped, between batches."""

ROOM = 2**31
"""Bytes that one batch may need; where 16 masks need more, fewer run together."""

LEAST_COMMON = 3
"""Rows and columns that grids of several networks must share; a coarser mask hides nothing in particular."""


@dataclass(frozen=True)
class Fed:
    """backbone:   a network that reconstructs
    pixels:     (3, height, width) normalised, as it was fed
    grid:       (rows, columns) of a mask
    stretched:  True where the picture's proportions were given up for the network's one shape
    """

    backbone: Any
    pixels: Tensor
    grid: tuple[int, int]
    stretched: bool

    @property
    def shape(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def rgb(self) -> np.ndarray:
        """uint8 (height, width, 3)."""
        return self.backbone.pixels.rgb(self.pixels)

    def reconstruct(self, masks: Tensor) -> tuple[Reconstruction, ...]:
        """One batch of masks (masks, rows, columns) on any grid that fits this network's."""
        own = torch.stack([refitted(mask, self.grid) for mask in masks])
        slices = Slices(BATCH, len(own))
        parts = slices([*own], lambda some: lent.reconstruct(self.backbone, self.pixels, torch.stack([*some])))
        return tuple(found for part in parts for found in part)


def fed(backbone: Backbone, image: Image.Image, side: int | None, fit: Fit, bent: bool = False) -> Fed:
    """`image` for this network: in its proportions where the network takes them, else, or where it is to be `bent`, in
    the shape that the network was trained at. Raises `Refusal` where the network does not reconstruct at all."""
    if not isinstance(backbone, Reconstructs):
        raise refusal(backbone)
    colours = replace(backbone.pixels, fixed=True) if bent else backbone.pixels
    pixels = colours(image, None if bent else side, fit)
    height, width = pixels.shape[1:]
    check_time(backbone, (height, width))
    grid = backbone.mask_grid((height, width))
    stretched = abs(height * image.width - width * image.height) > backbone.pixels.multiple * max(image.size)
    return Fed(backbone, pixels, grid, stretched and fit == "whole")


def labs_of(
    networks: Sequence[Backbone], image: Image.Image, side: int | None = None, fit: Fit = "whole"
) -> tuple[Fed, ...]:
    """A picture for the first network at `side`, and for the others at their own. All see the same of it: where one
    takes a single shape, or their squares do not fit one another, each is fed the shape that it was trained at."""
    labs = tuple(fed(network, image, side if not turn else None, fit) for turn, network in enumerate(networks))
    height, width = labs[0].shape
    alike = all(height * lab.shape[1] == width * lab.shape[0] for lab in labs)
    if alike and min(_shared(labs)) >= LEAST_COMMON:
        return labs
    return tuple(fed(network, image, None, fit, bent=True) for network in networks)


def common_grid(labs: Sequence[Fed]) -> tuple[int, int]:
    """The finest grid whose squares are whole squares of every network's. Raises `Fault` where that is too coarse."""
    shared = _shared(labs)
    if min(shared) < min(LEAST_COMMON, *labs[0].grid):
        raise Fault(
            "{title} hides {rows} × {columns} squares and {other} {other_rows} × {other_columns}, whose edges hardly "
            "meet; compare networks whose grids fit.",
            title=labs[0].backbone.card.title, rows=labs[0].grid[0], columns=labs[0].grid[1],
            other=labs[-1].backbone.card.title, other_rows=labs[-1].grid[0], other_columns=labs[-1].grid[1],
        )  # fmt: skip
    return shared


def _shared(labs: Sequence[Fed]) -> tuple[int, int]:
    return gcd(*(lab.grid[0] for lab in labs)), gcd(*(lab.grid[1] for lab in labs))


def refusal(backbone: Backbone) -> Refusal:
    """Why this network fills in nothing."""
    if backbone.card.family in ("MAE", "SimMIM"):
        return Refusal(
            "{title} holds the encoder alone, but a picture is painted by the decoder; open a checkpoint that kept it.",
            title=backbone.card.title,
        )
    return Refusal(
        "{title} never learned to paint hidden patches; open a masked autoencoder, such as MAE or SimMIM.",
        title=backbone.card.title,
    )


def foreseen(lab: Fed, share: float, count: int) -> tuple[int, int]:
    """Masks in a batch, and the bytes that such a batch will need at most; one mask runs to tell, once for each input
    shape and each twentieth of the hidden share, rounded down: what sees more needs more."""
    hidden = hidden_count(int(20 * share + 1e-9) / 20, lab.grid[0] * lab.grid[1])

    def one() -> int:
        mask = mask_of("random", lab.grid, hidden)
        with gate():
            return peak_bytes(lambda: lab.backbone.reconstruct_each(lab.pixels, mask[None]))

    needed = _ones.get((lab.backbone.card.id, lab.shape, hidden), one, alone=gate.held)
    batch = max(1, min(BATCH, count, ROOM // needed))
    return batch, batch * needed


_ones: Cache[int] = Cache(256, lambda _: 1)
