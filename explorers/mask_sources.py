"""What attention has to say to masks: where the object is, and where a hidden patch takes its guess from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from PIL import Image

from explorers.gate import gate
from explorers.parameters import shown, within
from models.attention import mass_mask
from models.backbone import Decodes
from models.faults import Fault
from models.masking import refitted

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from models.backbone import Backbone

FINDER = "registry/dinov2-small"
"""Its attention keeps to objects (arXiv 2104.14294, 2304.07193); where it is not here the network's own is asked."""


def object_of(own: Backbone, pixels: Tensor, grid: tuple[int, int]) -> tuple[Tensor, str]:
    """Squares of `grid` of which more than half holds the object, (rows, columns) int, and the title of who found it.

    The object is the smallest set of patches that holds 60 % of the last block's attention (DINO, arXiv 2104.14294,
    figure 4), CLS's where there is one, else the mean over patches.
    """
    from explorers.traces import backbone
    from models.catalogue import card_of, is_cached

    known = card_of(FINDER)
    finder = backbone(FINDER) if known is not None and is_cached(known) else own
    fed = pixels if finder is own else finder.pixels(Image.fromarray(own.pixels.rgb(pixels)))
    with gate():
        layer = finder.trace(fed)[-1]
    row = (layer.attention_from(0) if layer.prefix else layer.attention_mean()).mean(0)[layer.prefix :]
    held = mass_mask(row).view(1, 1, *layer.grid).float().cpu()
    fine = held.repeat_interleave(grid[0], 2).repeat_interleave(grid[1], 3)
    return (F.adaptive_avg_pool2d(fine, grid)[0, 0] > 0.5).int(), finder.card.title


def sources_of(network: Decodes, pixels: Tensor, mask: Tensor, patch: int) -> tuple[Tensor, Tensor]:
    """Where a patch takes its answer from: (encoder blocks, patches) and (decoder blocks, patches), heads' mean.

    A visible patch's row in the encoder, which sees visible patches only; zeros for a hidden one, which is not there.
    In the decoder any patch's row, a hidden one's being its mask token's.
    """
    with gate():
        encoder, decoder = network.trace_masked(pixels, mask)
    hidden = bool(mask.flatten()[patch])
    silent = torch.zeros(len(encoder), mask.numel())
    rows = [layer.attention_from(layer.prefix + patch).mean(0)[layer.prefix :].cpu() for layer in decoder]
    if hidden:
        return silent, torch.stack(rows)
    seen = [layer.attention_from(layer.prefix + patch).mean(0)[layer.prefix :].cpu() for layer in encoder]
    return torch.stack(seen), torch.stack(rows)


def rows_of(network: Backbone, pixels: Tensor, mask: Tensor, place: str) -> dict[str, np.ndarray]:
    """encoder_from and decoder_from, (blocks, rows, columns), of a place written ROW,COLUMN. Raises `Fault`."""
    grid = pixels.shape[1] // network.pixels.patch, pixels.shape[2] // network.pixels.patch
    if not isinstance(network, Decodes):
        raise Fault(
            "{title} was asked where a patch takes its answer from, but its decoder has no attention; open an MAE.",
            title=network.card.title,
        )
    row, comma, column = place.partition(",")
    if not (comma and row.isdecimal() and column.isdecimal()):
        raise Fault("The patch {place} was asked for; give ROW,COLUMN counted from 0.", place=shown(place))
    index = within("patch", int(row), 0, grid[0] - 1) * grid[1] + within("patch", int(column), 0, grid[1] - 1)
    seen, painted = sources_of(network, pixels, refitted(mask, grid), index)
    return {"encoder_from": seen.unflatten(1, grid).numpy(), "decoder_from": painted.unflatten(1, grid).numpy()}
