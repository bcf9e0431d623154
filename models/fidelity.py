"""How far a reconstruction is from the picture, in colours that people see, and which statistics made those colours.

A network trained with `norm_pix_loss` (MAE, arXiv 2111.06377, section 4.1) predicts each patch without its own mean and
deviation. To be seen it must be given some, and there are two honest names for that:

    own    one mean and one deviation for all patches, those of visible patches on average: nothing hidden is used
    true   each hidden patch's own, taken from the picture: brightness and contrast of the answer leak into it
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from models.backbone import Reconstruction
from models.patches import patchify, statistics, unpatchify
from models.pixels import Pixels

Statistics = Literal["own", "true"]


def coloured(found: Reconstruction, pixels: Tensor, by: Statistics = "own") -> Tensor:
    """The prediction of every patch as normalised pixels (3, height, width).

    pixels: (3, height, width), what the network was fed
    by:     whose mean and deviation each patch gets, where the network predicts neither; else it changes nothing
    """
    rows, _ = found.mask.shape
    side = pixels.shape[1] // rows
    patches = found.prediction.float().cpu()
    if found.normalised:
        mean, deviation = statistics(patchify(pixels.float().cpu(), side))
        if by == "own":
            visible = found.mask.cpu() == 0
            mean, deviation = mean[visible].mean(), deviation[visible].mean()
        patches = patches * deviation + mean
    return unpatchify(patches, side)


def shown(pixels: Pixels, normalised: Tensor) -> Tensor:
    """Normalised pixels (3, height, width) as the colours of a screen, cut to [0, 1]."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (pixels.mean, pixels.std))
    return (normalised.float().cpu() * std + mean).clamp(0, 1)


def patch_error(picture: Tensor, other: Tensor, grid: tuple[int, int]) -> Tensor:
    """Mean squared difference of each patch, (rows, columns) in [0, 1]; both pictures (3, height, width) in [0, 1]."""
    side = picture.shape[1] // grid[0]
    return patchify((picture - other).square(), side).mean(-1)


def psnr(error: Tensor, mask: Tensor) -> float:
    """Peak signal-to-noise ratio over hidden patches in dB, 10 · log10(1 / mean squared error); infinite for none.

    error: (rows, columns) of `patch_error`
    """
    mean = float(error[mask.cpu().bool()].double().mean())
    return math.inf if mean == 0 else -10 * math.log10(mean)


def pasted(picture: Tensor, prediction: Tensor, mask: Tensor) -> Tensor:
    """`prediction` where hidden, else every bit of `picture`: (height, width, 3) each; mask (rows, columns)."""
    side = picture.shape[0] // mask.shape[0]
    hidden = mask.cpu().bool().repeat_interleave(side, 0).repeat_interleave(side, 1)
    return torch.where(hidden[..., None], prediction, picture)
