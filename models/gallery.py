"""Many pictures as one network sees them: how each is fed, and batches of unit vectors that fit into memory.

A network with a text tower puts pictures and texts into one space (CLIP, arXiv 2103.00020; SigLIP, arXiv 2303.15343).
Of any other a summary token is taken, by whatever function the caller hands over as `encode`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from models.backbone import ZeroShot
from models.faults import Fault
from models.pixels import Pixels

Encode = Callable[[Tensor], Tensor]
"""Pixels (images, 3, height, width) to vectors (images, channels)."""

BATCH = 32
"""Pictures of one pass; halved as often as memory asks for it."""

USUAL_SIDE = 224
"""Pixels; a network that takes any size is fed at most this many unless told: a gallery is many passes."""


def input_shape(pixels: Pixels, side: int | None = None) -> tuple[int, int]:
    """(height, width) at which every picture of a gallery is fed; all alike, so that they fit into one batch."""
    if side is None and not pixels.fixed:
        side = min(max(pixels.size), USUAL_SIDE)
    return pixels.shape(pixels.size, side)


def fed(pixels: Pixels, image: Image.Image, shape: tuple[int, int]) -> Tensor:
    """The picture's middle, cut to the proportions of `shape` as CLIP's authors cut it: (3, height, width)."""
    height, width = shape
    middle = ImageOps.fit(image, (width, height), Image.Resampling[pixels.interpolation.upper()])
    return pixels(middle, None if pixels.fixed else max(shape))


@torch.no_grad()
def features(encode: Encode, batch: Tensor) -> Tensor:
    """Unit vectors (images, channels) on the CPU in single precision. Where memory runs out the batch is halved."""
    try:
        return F.normalize(encode(batch).float(), dim=-1).cpu()
    except (torch.OutOfMemoryError, MemoryError) as full:
        if len(batch) == 1:
            raise Fault(
                "A picture of {height} × {width} pixels was to be embedded, but memory ran out; choose a smaller input "
                "size, or a smaller network.",
                height=batch.shape[-2], width=batch.shape[-1],
            ) from full  # fmt: skip
    half = len(batch) // 2
    return torch.cat([features(encode, batch[:half]), features(encode, batch[half:])])


def joint(network: ZeroShot) -> Encode:
    """Pictures into the space that they share with texts."""
    return network.image_features
