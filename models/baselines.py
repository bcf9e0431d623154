"""What anybody could paint without a network: a reconstruction that does no better has learned nothing of the picture.

Patches are laid out as in `models.patches`; both answers depend on visible patches only.
"""

from __future__ import annotations

import torch
from torch import Tensor

CHANNELS = 3


def mean_of_visible(patches: Tensor, mask: Tensor) -> Tensor:
    """Every patch in the mean colour of the visible ones.

    patches: (rows, columns, patch · patch · 3)
    mask:    (rows, columns), 1 hidden
    """
    visible = patches[mask == 0].unflatten(-1, (-1, CHANNELS))
    return visible.mean((0, 1)).repeat(patches.shape[-1] // CHANNELS).expand_as(patches)


def nearest_visible(patches: Tensor, mask: Tensor) -> Tensor:
    """Every patch replaced by the visible one nearest to it, the first in reading order of equally near ones.

    Axes as in `mean_of_visible`. A visible patch is its own nearest.
    """
    places = (mask.to(patches.device) == 0).nonzero()
    everywhere = torch.cartesian_prod(*(torch.arange(side, device=patches.device) for side in mask.shape))
    apart = (everywhere[:, None] - places[None]).square().sum(-1)
    row, column = places[apart.argmin(1)].unbind(-1)
    return patches[row, column].view_as(patches)
