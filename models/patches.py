"""An image as a grid of patches and back, in the layout of masked autoencoders.

Layout of one patch's vector: its rows, then its columns, then the colour channel, as in MAE (He et al. 2021,
arXiv 2111.06377), so that `Reconstruction.prediction` and these functions speak of the same numbers.
"""

from __future__ import annotations

from torch import Tensor

NORM_PIX_EPSILON = 1e-6
"""Added to a patch's variance by MAE's authors before its root is taken."""


def patchify(pixels: Tensor, patch: int) -> Tensor:
    """(3, height, width) to (rows, columns, patch · patch · 3)."""
    channels, height, width = pixels.shape
    tiles = pixels.reshape(channels, height // patch, patch, width // patch, patch)
    return tiles.permute(1, 3, 2, 4, 0).flatten(2)


def unpatchify(patches: Tensor, patch: int) -> Tensor:
    """(rows, columns, patch · patch · 3) to (3, height, width)."""
    rows, columns, _ = patches.shape
    tiles = patches.reshape(rows, columns, patch, patch, -1)
    return tiles.permute(4, 0, 2, 1, 3).reshape(-1, rows * patch, columns * patch)


def statistics(patches: Tensor) -> tuple[Tensor, Tensor]:
    """Each patch's mean and deviation over its pixels and channels together: two of (rows, columns, 1).

    MAE, section 4.1, "normalized pixels": prediction · deviation + mean is a patch in pixels; taken from the true
    picture these two leak part of the answer.
    """
    return patches.mean(-1, keepdim=True), (patches.var(-1, keepdim=True) + NORM_PIX_EPSILON).sqrt()
