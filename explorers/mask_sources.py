"""What attention has to say to masks: where the object is, and where a hidden patch takes its guess from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from PIL import Image

from explorers import lent
from explorers.gate import gate
from explorers.parameters import shown, within
from models.attention import mass_mask
from models.backbone import Decodes
from models.faults import Fault
from models.masking import refitted

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from models.backbone import Backbone, Layer

FINDERS = ("registry/dinov2-small", "bundled/clip-emoji")
"""Attention of the first keeps to objects (arXiv 2104.14294, 2304.07193); where it is not here, the bundled network is
asked whose attention was measured to do so best. That of networks that paint does not."""


def object_of(own: Backbone, pixels: Tensor, grid: tuple[int, int]) -> tuple[Tensor, str]:
    """Squares of `grid` of which more than half holds the object, (rows, columns) int, and the title of who found it.

    The object is the smallest set of patches that holds 60 % of the last block's attention (DINO, arXiv 2104.14294,
    figure 4), CLS's where there is one, else the mean over patches.
    """
    from explorers.traces import backbone
    from models.card_catalogue import card_of, is_cached

    best, here = FINDERS
    known = card_of(best)
    finder = backbone(best if known is not None and is_cached(known) else here)
    with gate():
        layer = lent.trace(finder, finder.pixels(Image.fromarray(own.pixels.rgb(pixels))))[-1]
    row = (layer.attention_from(0) if layer.prefix else layer.attention_mean()).mean(0)[layer.prefix :]
    held = mass_mask(row).view(1, 1, *layer.grid).float().cpu()
    fine = held.repeat_interleave(grid[0], 2).repeat_interleave(grid[1], 3)
    return (F.adaptive_avg_pool2d(fine, grid)[0, 0] > 0.5).int(), finder.card.title


def rows_of(network: Backbone, pixels: Tensor, mask: Tensor, place: str) -> dict[str, np.ndarray]:
    """Where the square at ROW,COLUMN takes its answer from, on the network's grid of squares. Raises `Fault`.

    encoder_from:  (blocks, rows, columns) attention of the square's own tokens in the encoder, mean over them and over
                   heads, added up over each square's tokens; zeros where MAE's encoder never saw the square
    encoder_seen:  (blocks, rows, columns) uint8, 1 where those tokens could look at all: in MAE at visible squares, in
                   a Swin within their windows
    decoder_from:  likewise in the decoder, a hidden square's being its mask token's; only where it has attention
    """
    grid = network.mask_grid((pixels.shape[1], pixels.shape[2]))  # pyright: ignore[reportAttributeAccessIssue]
    row, column = _read(place, grid)
    if not isinstance(network, Decodes):
        raise Fault(
            "{title} was asked where a patch takes its answer from, but it cannot be traced under a mask; open an MAE "
            "or a SimMIM.",
            title=network.card.title,
        )
    own = refitted(mask, grid)
    with gate():
        encoder, decoder = lent.trace_masked(network, pixels, own)
    silent = bool(decoder) and bool(own[row, column])
    found = [(torch.zeros(grid),) * 2 if silent else _row(layer, grid, row, column) for layer in encoder]
    arrays = {
        "encoder_from": torch.stack([looked for looked, _ in found]).numpy(),
        "encoder_seen": torch.stack([seen for _, seen in found]).to(torch.uint8).numpy(),
    }
    if decoder:
        painted = [_row(layer, grid, row, column)[0] for layer in decoder]
        arrays["decoder_from"] = torch.stack(painted).numpy()
    return arrays


def _row(layer: Layer, grid: tuple[int, int], row: int, column: int) -> tuple[Tensor, Tensor]:
    """One block's attention of a square's tokens, and where they could look: both (rows, columns) of `grid`."""
    (high, wide), columns = (layer.grid[0] // grid[0], layer.grid[1] // grid[1]), layer.grid[1]
    tokens = [
        layer.prefix + (row * high + down) * columns + column * wide + right
        for down in range(high)
        for right in range(wide)
    ]
    looked = torch.stack([layer.attention_from(token).mean(0) for token in tokens]).mean(0)[layer.prefix :]
    seen = torch.stack([layer.seen_by(token) for token in tokens]).any(0)[layer.prefix :]
    squares = [values.cpu().float().view(grid[0], high, grid[1], wide) for values in (looked, seen)]
    return squares[0].sum((1, 3)), squares[1].amax((1, 3))


def _read(place: str, grid: tuple[int, int]) -> tuple[int, int]:
    row, comma, column = place.partition(",")
    if not (comma and row.isdecimal() and column.isdecimal()):
        raise Fault("The patch {place} was asked for; give ROW,COLUMN counted from 0.", place=shown(place))
    return within("patch", int(row), 0, grid[0] - 1), within("patch", int(column), 0, grid[1] - 1)
