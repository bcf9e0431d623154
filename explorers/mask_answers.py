"""What a network painted under one mask, in numbers and colours, beside two answers that need no network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorers.attention_answers import revision
from explorers.desk_facts import network_notes
from explorers.fed_words import told
from explorers.mask_fed import Fed
from models.backbone import Reconstruction, mean_error
from models.baselines import mean_of_visible, nearest_visible
from models.fidelity import Statistics, coloured, pasted, patch_error, psnr, shown
from models.patches import patchify, unpatchify

WORST = 5
"""Patches named in the list of the worst."""

TUNED = re.compile(r"\bgan\b|ganloss|adversarial", re.IGNORECASE)
"""How cards name checkpoints whose decoder was tuned against a discriminator."""

RIVALS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"mean": mean_of_visible, "nearest": nearest_visible}

Arrays = dict[str, np.ndarray]


def answer(lab: Fed, mask: Tensor, by: Statistics = "own") -> tuple[Arrays, dict[str, Any]]:
    """One mask's panels, errors and rivals.

    mask:           (rows, columns) 1 hidden, on the network's own grid
    image:          uint8 (height, width, 3) what the network was fed
    prediction:     likewise, every patch as the network paints it
    pasted:         likewise, hidden patches from the prediction, all others bit-equal to `image`
    mean, nearest:  likewise, the two answers that need no network
    map:            (rows, columns) mean squared in [0, 1] colours; that of the rivals in mean_map, nearest_map
    error:          (rows, columns) in the loss's own space; that of the rivals, which are made in that space too, in
                    mean_error, nearest_error
    """
    found = lab.reconstruct(mask[None])[0]
    colours, hidden = lab.backbone.pixels, found.mask.cpu()
    truth = shown(colours, lab.pixels)
    painted = {"prediction": coloured(found, lab.pixels, by), **painted_rivals(lab.pixels, hidden)}
    rgb = {name: colours.rgb(values) for name, values in painted.items()}
    maps = {name: patch_error(truth, shown(colours, values), lab.grid) for name, values in painted.items()}
    errors = rival_errors(found)
    joined = pasted(torch.from_numpy(lab.rgb), torch.from_numpy(rgb["prediction"]), hidden)
    arrays: Arrays = {
        "mask": hidden.to(torch.uint8).numpy(), "image": lab.rgb, **rgb, "pasted": joined.numpy(),
        "map": maps["prediction"].numpy(), "error": found.error.float().cpu().numpy(),
        **{f"{name}_map": maps[name].numpy() for name in RIVALS},
        **{f"{name}_error": errors[name].numpy() for name in RIVALS},
    }  # fmt: skip
    facts = {
        "psnr": {"network": decibels(psnr(maps["prediction"], hidden)), **_each(maps, hidden, psnr)},
        "losses": {"network": found.loss, **_each(errors, hidden, _over)},
        "loss": found.loss, "normalised": found.normalised, "statistics": by, "measure": _measure(found),
        "hidden": int(hidden.sum()), "visible": int((1 - hidden).sum()), "patches": hidden.numel(), "grid": lab.grid,
        "worst": worst(maps["prediction"], hidden), **about(lab),
    }  # fmt: skip
    return arrays, facts


def about(lab: Fed) -> dict[str, Any]:
    """What the network and its input are called."""
    card = lab.backbone.card
    return {
        "checkpoint": card.id, "title": card.title, "revision": revision(card), "random": card.random,
        "notes": network_notes(card),
        "shape": lab.shape, "fed": told(lab.how),
        "tuned": bool(TUNED.search(f"{card.id} {card.title} {card.training}")),
    }  # fmt: skip


def worst(error: Tensor, mask: Tensor, count: int = WORST) -> list[dict[str, Any]]:
    """Hidden patches of greatest error, greatest first: row and column from 0, and the error."""
    places = mask.bool().nonzero().tolist()
    ranked = sorted(places, key=lambda place: -float(error[place[0], place[1]]))[:count]
    return [{"row": row, "column": column, "error": float(error[row, column])} for row, column in ranked]


def painted_rivals(pixels: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """By name (3, height, width) as `pixels`; mask (rows, columns)."""
    side = pixels.shape[1] // mask.shape[0]
    patches = patchify(pixels.float().cpu(), side)
    return {name: unpatchify(made(patches, mask), side) for name, made in RIVALS.items()}


def rival_errors(found: Reconstruction) -> dict[str, Tensor]:
    """By name (rows, columns): what the loss would say of the mean of visible patches, and of the nearest one, where
    patches are what the loss compares: pixels, or pixels without each patch's own mean and deviation."""
    target, mask = found.target.float().cpu(), found.mask.cpu()
    return {name: mean_error(made(target, mask), target, found.absolute) for name, made in RIVALS.items()}


def decibels(value: float) -> float:
    """Finite, as JSON needs: two pictures of equal bytes are at most 1 / 255 apart, 48 dB."""
    return min(value, 99.0)


def _each(values: Mapping[str, Tensor], mask: Tensor, figure: Callable[[Tensor, Tensor], float]) -> dict[str, float]:
    return {name: decibels(figure(values[name], mask)) for name in ("nearest", "mean")}


def _over(error: Tensor, mask: Tensor) -> float:
    return float(error[mask.bool()].double().mean())


def _measure(found: Reconstruction) -> str:
    return "absolute" if found.absolute else "squared, normalised" if found.normalised else "squared"
