"""A picture as networks that paint hidden patches are fed it, and what a batch of masks will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from explorers import fed_words, lent
from explorers.cache import Cache
from explorers.forecast import check_time
from explorers.gate import gate
from explorers.slices import Slices
from models.backbone import Reconstruction, Reconstructs
from models.faults import Fault, Refusal
from models.feeding import framed
from models.masking import hidden_count, mask_of, refitted
from models.memory import peak_bytes

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from explorers.explorer import Sentence
    from models.backbone import Backbone
    from models.fit import Fit

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
    how:        in one sentence, how the picture was brought to that shape
    """

    backbone: Any
    pixels: Tensor
    grid: tuple[int, int]
    how: Sentence

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
    return Fed(backbone, pixels, grid, fed_words.fed(colours, (image.height, image.width), (height, width), fit))


def labs_of(
    networks: Sequence[Backbone], image: Image.Image, side: int | None = None, fit: Fit = "whole"
) -> tuple[Fed, ...]:
    """A picture for the first network at `side`, and for the others at their own. All see the same of it: where one
    takes a single shape, or their squares do not fit one another, each is fed the shape that it was trained at; and
    what the first one's authors cut away, the others are not shown either."""
    for bent in (False, True):
        first = fed(networks[0], image, None if bent else side, fit, bent)
        view, how = _seen_by(first, image, fit)
        labs = (first, *(fed(network, view, None, how, bent) for network in networks[1:]))
        height, width = first.shape
        alike = all(height * lab.shape[1] == width * lab.shape[0] for lab in labs)
        if alike and min(_shared(labs)) >= LEAST_COMMON:
            break
    return labs


def _seen_by(first: Fed, image: Image.Image, fit: Fit) -> tuple[Image.Image, Fit]:
    """What the first network was shown of the image, and how the others are fed it."""
    if fit != "trained":
        return image, fit
    box = first.backbone.pixels.box((image.height, image.width), first.shape, fit)
    return framed(image, box, (round(box[3] - box[1]), round(box[2] - box[0]))), "whole"


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
