"""A picture as a network that paints hidden patches is fed it, and masks on its grid."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from explorers.cache import Cache
from explorers.gate import gate
from explorers.mask_sources import object_of
from models.backbone import Reconstruction, Reconstructs
from models.faults import Fault, Refusal
from models.masking import checked, hidden_count, mask_of, read, refitted
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

TUNED = re.compile(r"\bgan\b|ganloss|adversarial", re.IGNORECASE)


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
        with gate():
            return self.backbone.reconstruct_each(self.pixels, own)


def fed(backbone: Backbone, image: Image.Image, side: int | None, fit: Fit, bent: bool = False) -> Fed:
    """`image` for this network: in its proportions where the network takes them, else, or where it is to be `bent`, in
    the shape that the network was trained at. Raises `Refusal` where the network does not reconstruct at all."""
    if not isinstance(backbone, Reconstructs):
        raise refusal(backbone)
    shape = backbone.pixels.shape((image.height, image.width), side)
    colours = replace(backbone.pixels, fixed=True) if bent else backbone.pixels
    try:
        grid = backbone.mask_grid(backbone.pixels.size if bent else shape)
    except Fault:
        if side is not None:
            raise
        grid, colours = backbone.mask_grid(backbone.pixels.size), replace(backbone.pixels, fixed=True)
    pixels = colours(image, None if colours.fixed else side, fit)
    height, width = pixels.shape[1:]
    stretched = abs(height * image.width - width * image.height) > backbone.pixels.multiple * max(image.size)
    return Fed(backbone, pixels, grid, stretched and fit == "whole")


def labs_of(
    backbone: Backbone, other: Backbone | None, image: Image.Image, side: int | None, fit: Fit
) -> tuple[Fed, ...]:
    """A picture for one network or two. Two see the same of it: where one takes a single shape, so does the other."""
    lab = fed(backbone, image, side, fit)
    if other is None:
        return (lab,)
    second = fed(other, image, None, fit)
    (height, width), (rows, columns) = lab.shape, second.shape
    if height * columns == width * rows:
        return lab, second
    return fed(backbone, image, None, fit, bent=True), fed(other, image, None, fit, bent=True)


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


def mask_for(lab: Fed, kind: str, ratio: float, seed: int, text: str, grid: tuple[int, int]) -> Tensor:
    """(rows, columns) of `grid`: `text` where there is one, else by kind. Raises `Fault`."""
    if text:
        mask = read(text)
        return checked(mask if tuple(mask.shape) == grid else refitted(mask, grid), grid).int()
    if kind in ("object", "outside"):
        found, _ = object_of(lab.backbone, lab.pixels, grid)
        return checked(found if kind == "object" else 1 - found, grid).int()
    return mask_of(kind, grid, hidden_count(ratio, grid[0] * grid[1]), seed)  # pyright: ignore[reportArgumentType]


def foreseen(lab: Fed, hidden: int, count: int) -> tuple[int, int]:
    """Masks in a batch, and the bytes that such a batch will need; one mask runs to tell, once for each input shape."""

    def one() -> int:
        mask = mask_of("random", lab.grid, hidden)
        with gate():
            return peak_bytes(lambda: lab.backbone.reconstruct_each(lab.pixels, mask[None]))

    needed = _ones.get((lab.backbone.card.id, lab.shape, hidden), one, alone=gate.held)
    batch = max(1, min(BATCH, count, ROOM // needed))
    return batch, batch * needed


_ones: Cache[int] = Cache(256, lambda _: 1)
