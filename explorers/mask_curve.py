"""Error against the hidden share, for networks that are given the same masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from explorers.mask_answers import Arrays, painted_rivals
from explorers.mask_fed import Fed
from explorers.mask_hiding import Hiding
from models.fidelity import Statistics, coloured, patch_error, shown
from models.masking import refitted

RATIOS = tuple(round(0.05 * step, 2) for step in range(1, 20))


def curve(labs: Sequence[Fed], hiding: Hiding, seeds: int, by: Statistics) -> Arrays:
    """ratios (19,) from 5 to 95 %; curve (networks, 19, seeds), curve_nearest (19, seeds): `curve_point` at each."""
    points = [curve_point(labs, hiding, ratio, seeds, by) for ratio in RATIOS]
    errors, copied = (np.array([point[part] for point in points]) for part in (0, 1))
    return {"ratios": np.array(RATIOS), "curve": errors.swapaxes(0, 1), "curve_nearest": copied}


def curve_point(
    labs: Sequence[Fed], hiding: Hiding, ratio: float, seeds: int, by: Statistics
) -> tuple[list[list[float]], list[float]]:
    """Mean squared error over hidden patches in [0, 1] colours, for each network and each of `seeds` masks; and the
    nearest visible patch's, on the first network's input. All networks get the same masks. A grid mask knows no seed,
    so there is one of it."""
    turns = range(1 if hiding.kind == "grid" else seeds)
    masks = torch.stack([hiding.at(ratio, turn) for turn in turns])
    return [_mean_errors(lab, masks, by) for lab in labs], _copied(labs[0], masks)


def _mean_errors(lab: Fed, masks: Tensor, by: Statistics) -> list[float]:
    truth, errors = shown(lab.backbone.pixels, lab.pixels), []
    for found in lab.reconstruct(masks):
        painted = shown(lab.backbone.pixels, coloured(found, lab.pixels, by))
        errors.append(float(patch_error(truth, painted, lab.grid)[found.mask.cpu().bool()].mean()))
    return errors


def _copied(lab: Fed, masks: Tensor) -> list[float]:
    truth, errors = shown(lab.backbone.pixels, lab.pixels), []
    for mask in (refitted(mask, lab.grid) for mask in masks):
        copied = shown(lab.backbone.pixels, painted_rivals(lab.pixels, mask)["nearest"])
        errors.append(float(patch_error(truth, copied, lab.grid)[mask.bool()].mean()))
    return errors
