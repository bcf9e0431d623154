"""What a network painted under one mask, under many, and at every ratio, in numbers and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorers.attention_answers import revision
from explorers.mask_fed import TUNED, Fed, foreseen
from models.baselines import mean_of_visible, nearest_visible
from models.doubt import Doubt, masks_of
from models.fidelity import Statistics, coloured, pasted, patch_error, psnr, shown
from models.masking import hidden_count, mask_of, refitted
from models.patches import patchify, unpatchify

RATIOS = tuple(round(0.05 * step, 2) for step in range(1, 20))

WORST = 5
"""Patches named in the list of the worst."""

Arrays = dict[str, np.ndarray]


def answer(lab: Fed, mask: Tensor, by: Statistics = "own") -> tuple[Arrays, dict[str, Any]]:
    """One mask's panels, errors and rivals.

    mask:           (rows, columns) 1 hidden, on the network's own grid
    image:          uint8 (height, width, 3) what the network was fed
    prediction:     likewise, every patch as the network paints it
    pasted:         likewise, hidden patches from the prediction, all others bit-equal to `image`
    mean, nearest:  likewise, the two answers that need no network
    error:          (rows, columns) in the loss's own space
    map:            (rows, columns) mean squared in [0, 1] colours; that of the rivals in mean_error, nearest_error
    """
    found = lab.reconstruct(mask[None])[0]
    colours, hidden = lab.backbone.pixels, found.mask.cpu()
    truth = shown(colours, lab.pixels)
    painted = {"prediction": coloured(found, lab.pixels, by), **_rivals(lab.pixels, hidden)}
    rgb = {name: colours.rgb(values) for name, values in painted.items()}
    errors = {name: patch_error(truth, shown(colours, values), lab.grid) for name, values in painted.items()}
    joined = pasted(torch.from_numpy(lab.rgb), torch.from_numpy(rgb["prediction"]), hidden)
    arrays: Arrays = {
        "mask": hidden.to(torch.uint8).numpy(), "image": lab.rgb, **rgb, "pasted": joined.numpy(),
        "error": found.error.float().cpu().numpy(), "map": errors["prediction"].numpy(),
        "mean_error": errors["mean"].numpy(), "nearest_error": errors["nearest"].numpy(),
    }  # fmt: skip
    ratios = {name: decibels(psnr(error, hidden)) for name, error in errors.items()}
    facts = {
        "psnr": {"network": ratios["prediction"], "nearest": ratios["nearest"], "mean": ratios["mean"]},
        "loss": found.loss, "normalised": found.normalised, "statistics": by, "measure": _measure(lab, found),
        "hidden": int(hidden.sum()), "visible": int((1 - hidden).sum()), "patches": hidden.numel(), "grid": lab.grid,
        "worst": worst(errors["prediction"], hidden), **about(lab),
    }  # fmt: skip
    return arrays, facts


def about(lab: Fed) -> dict[str, Any]:
    """What the network and its input are called."""
    card = lab.backbone.card
    return {
        "checkpoint": card.id, "title": card.title, "revision": revision(card), "random": card.random,
        "shape": lab.shape, "stretched": lab.stretched,
        "tuned": bool(TUNED.search(f"{card.id} {card.title} {card.training}")),
    }  # fmt: skip


def worst(error: Tensor, mask: Tensor, count: int = WORST) -> list[dict[str, Any]]:
    """Hidden patches of greatest error, greatest first: row and column from 0, and the error."""
    places = mask.bool().nonzero().tolist()
    ranked = sorted(places, key=lambda place: -float(error[place[0], place[1]]))[:count]
    return [{"row": row, "column": column, "error": float(error[row, column])} for row, column in ranked]


def decibels(value: float) -> float:
    """Finite, as JSON needs: two pictures of equal bytes are at most 1 / 255 apart, 48 dB."""
    return min(value, 99.0)


def doubt_arrays(sums: Doubt) -> Arrays:
    """doubt_mean, doubt_deviation: (height, width, 3) in [0, 1]; doubt_map: (rows, columns), mean deviations."""
    deviation = sums.deviation
    return {
        "doubt_mean": sums.mean.permute(1, 2, 0).contiguous().numpy(),
        "doubt_deviation": deviation.permute(1, 2, 0).contiguous().numpy(),
        "doubt_map": patchify(deviation, sums.patch).mean(-1).numpy(),
    }


def doubt(lab: Fed, ratio: float, count: int, seed: int, by: Statistics) -> tuple[Arrays, dict[str, Any]]:
    """All of it at once; the page does it batch by batch."""
    hidden = hidden_count(ratio, lab.grid[0] * lab.grid[1])
    masks, sums = masks_of(lab.grid, hidden, count, seed), Doubt(lab.grid, lab.shape)
    batch, _ = foreseen(lab, hidden, count)
    for some in masks.split(batch):
        add(sums, lab, some, by)
    return doubt_arrays(sums), doubt_facts(sums, hidden, count)


def add(sums: Doubt, lab: Fed, masks: Tensor, by: Statistics) -> None:
    for found in lab.reconstruct(masks):
        sums.add(found, lab.pixels, lab.backbone.pixels, by)


def doubt_facts(sums: Doubt, hidden: int, count: int) -> dict[str, Any]:
    mean = float(sums.deviation.mean())
    times = {"least": int(sums.times.min()), "most": int(sums.times.max())}
    return {"masks": count, "hidden": hidden, **times, "deviation": f"{mean:.2g}"}


def curve(lab: Fed, kind: str, seeds: int, seed: int, by: Statistics) -> Arrays:
    """ratios (19,) from 5 to 95 %; curve, curve_nearest (19, seeds): `curve_point` at each."""
    known = kind if kind in ("random", "block", "grid") else "random"
    points = [curve_point([lab], known, ratio, seeds, seed, by) for ratio in RATIOS]
    errors, copied = (np.array([point[part][0] for point in points]) for part in (0, 1))
    return {"ratios": np.array(RATIOS), "curve": errors, "curve_nearest": copied}


def curve_point(
    labs: Sequence[Fed], kind: str, ratio: float, seeds: int, seed: int, by: Statistics
) -> tuple[list[list[float]], list[list[float]]]:
    """Mean squared error over hidden patches in [0, 1] colours, for each network and each of `seeds` masks; and the
    nearest visible patch's, on the first network's input. All networks get the same masks."""
    grid = common_grid(labs)
    hidden = hidden_count(ratio, grid[0] * grid[1])
    masks = torch.stack([mask_of(kind, grid, hidden, seed + turn) for turn in range(seeds)])  # pyright: ignore[reportArgumentType]
    return [_mean_errors(lab, masks, by) for lab in labs], [_copied(labs[0], masks)]


def common_grid(labs: Sequence[Fed]) -> tuple[int, int]:
    """The coarsest of the networks' grids."""
    return min(lab.grid[0] for lab in labs), min(lab.grid[1] for lab in labs)


def _mean_errors(lab: Fed, masks: Tensor, by: Statistics) -> list[float]:
    truth, errors = shown(lab.backbone.pixels, lab.pixels), []
    for found in lab.reconstruct(masks):
        painted = shown(lab.backbone.pixels, coloured(found, lab.pixels, by))
        errors.append(float(patch_error(truth, painted, lab.grid)[found.mask.cpu().bool()].mean()))
    return errors


def _copied(lab: Fed, masks: Tensor) -> list[float]:
    truth, errors = shown(lab.backbone.pixels, lab.pixels), []
    for mask in (refitted(mask, lab.grid) for mask in masks):
        copied = shown(lab.backbone.pixels, _rivals(lab.pixels, mask)["nearest"])
        errors.append(float(patch_error(truth, copied, lab.grid)[mask.bool()].mean()))
    return errors


def _rivals(pixels: Tensor, mask: Tensor) -> Mapping[str, Tensor]:
    side = pixels.shape[1] // mask.shape[0]
    patches = patchify(pixels.cpu(), side)
    made = {"mean": mean_of_visible(patches, mask), "nearest": nearest_visible(patches, mask)}
    return {name: unpatchify(values, side) for name, values in made.items()}


def _measure(lab: Fed, found: Any) -> str:
    """Which error the network learned by: SimMIM's is absolute, MAE's squared."""
    if found.normalised:
        return "squared, normalised"
    apart = (found.prediction - found.target).float()
    squared = torch.allclose(apart.square().mean(-1), found.error.float(), rtol=1e-3)
    return "squared" if squared else "absolute"
