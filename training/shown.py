"""What a run shows beside its figures: the same few pictures from its first step to its last.

views.safetensors    pictures (8, 3, rows, columns) uint8, and views/<name> of the same pictures as the network sees
                     them, augmented, with mean and deviation taken back; masks/<name> where a view is a mask
captions.json        captions of the fixed batch, in order, where there are any
shown.safetensors    in each snapshot: what `Shows.shows` says of the fixed batch of 32
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from models.disk import replace_file
from models.faults import Fault
from models.pixels import Pixels
from training.datasets import Batch, Dataset
from training.objective import Objective, Shows, Views
from training.recipe import Recipe, dataset

BATCH = 32
"""Pictures that stay the same for the whole run, so that a matrix of pairs is 32 × 32."""

PICTURES = 8
"""The first of them, which are drawn."""

SEED = 1 << 20
"""Far from the seeds that people choose, so that no update of an endless dataset meets these pictures."""


def fixed(made: Recipe, images: Dataset) -> Batch:
    """The pictures to watch: of the validation split where the set is finite and has enough there, else of `images`."""
    if made.streaming:
        return images.batch(0, seed=made.engine.seed, count=made.engine.batch, device="cpu")[:BATCH]
    if images.length is None:
        return images.batch(0, seed=SEED, count=BATCH, device="cpu")
    with contextlib.suppress(Fault):
        apart = dataset(made, "validation")
        images = apart if (apart.length or 0) >= PICTURES else images
    return images.batch(0, seed=SEED, count=min(BATCH, images.length or BATCH), device="cpu")


def views_of(objective: Objective, batch: Batch) -> Views:
    """The same augmentation of the same pictures, whenever it is asked for; leaves the caller's chance alone."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(SEED)
        return objective.views(batch)


def write_views(folder: Path, objective: Objective, batch: Batch, pixels: Pixels) -> None:
    """views.safetensors and captions.json."""
    few = batch[:PICTURES]
    drawn = {"pictures": _bytes(few.images)} | _drawn(views_of(objective, few), pixels)
    replace_file(folder / "views.safetensors", save(drawn))
    if batch.captions is not None:
        replace_file(folder / "captions.json", json.dumps(list(batch.captions), ensure_ascii=False).encode())


def write_shown(folder: Path, objective: Objective, views: Views) -> None:
    """shown.safetensors, where the objective shows something; learning goes on as if nobody had looked."""
    if not isinstance(objective, Shows):
        return
    device = next(objective.module.parameters()).device
    objective.module.eval()
    with torch.no_grad(), torch.random.fork_rng([device] if device.type == "cuda" else []):
        shown = objective.shows({name: value.to(device) for name, value in views.items()})
    objective.module.train()
    replace_file(folder / "shown.safetensors", save({name: value.cpu().contiguous() for name, value in shown.items()}))


def _drawn(views: Views, pixels: Pixels) -> dict[str, Tensor]:
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (pixels.mean, pixels.std))
    pictures = {
        f"views/{name}": _bytes(view * deviation + mean)
        for name, view in views.items()
        if view.ndim == 4 and view.shape[1] == 3
    }
    return pictures | {f"masks/{name}": view.byte().contiguous() for name, view in views.items() if name == "mask"}


def _bytes(images: Tensor) -> Tensor:
    return (images.float().clamp(0, 1) * 255).round().byte().contiguous()
