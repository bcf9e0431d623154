"""What a run's network makes of its fixed pictures after so many steps: one frame of the strip that tells its life.

Made here from the weights on the disk, never in the process that learns: nobody looking costs nothing. Each frame is
made once, one at a time through the gate, and kept as bytes.

    attention       codes uint8 (pictures, rows, columns), peaks float32 (pictures,); see `bundle.coded`
    reconstruction  made uint8 (pictures, height, width, 3), mask uint8 (rows, columns), 1 hidden
    positions       map float32 (positions, positions) in [-1, 1], or logits
    similarity      map float32 (views, views) of the fixed batch, as the objective itself compares them; same uint8
                    (views, views), 1 for pairs that belong together, where the objective says which
    teacher         map float32 (pictures, scores), what DINO's teacher answers
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

import models
from explorers import maps
from explorers.attention_answers import default_query
from explorers.bundle import coded, pack
from explorers.cache import Cache
from explorers.gate import gate
from explorers.training_live import SHOWN
from models.backbone import Reconstructs
from models.card_catalogue import runs_folder
from models.faults import Fault
from models.fidelity import coloured
from models.masking import hidden_count, mask_of
from models.weights import tensors
from training.snapshots import place

if TYPE_CHECKING:
    from models.backbone import Backbone

BYTES = 64 * 2**20
"""Frames that are kept for all who look."""

HIDDEN = 0.75
"""Share of a picture that a masked autoencoder must rebuild here (MAE, arXiv 2111.06377, section 4.1)."""

_frames: Cache[bytes] = Cache(BYTES, len, most=4096)


def frame(name: str, step: int, kind: str) -> bytes:
    """One frame of the run called `name`, packed for the page. Raises `Fault`."""
    snapshot = place(runs_folder() / name, step)
    if snapshot is None:
        raise Fault("The run {name} keeps no network of step {step}; choose another step.", name=name, step=step)
    written = (snapshot / "model.safetensors").stat().st_mtime_ns
    return _frames.get((name, step, kind, written), lambda: _made(name, step, kind, snapshot))


def _made(name: str, step: int, kind: str, snapshot: Path) -> bytes:
    if kind in SHOWN:
        return _shown(snapshot, kind)
    network = models.load(f"run/{name}@{step}")
    if kind == "positions":
        return _positions(network)
    pixels = _fed(network, pictures(runs_folder() / name))
    if kind == "attention":
        return _attention(network, pixels)
    if kind == "reconstruction":
        return _reconstruction(network, pixels)
    raise Fault("A frame of the kind {kind} was asked for, but there is none; ask for attention.", kind=kind)


def attention(network: Backbone, pixels: Tensor) -> tuple[Tensor, str]:
    """Where the token that stands for the picture looks in the last block, mean of heads: (rows, columns), and which
    token that is.

    pixels: (3, height, width) normalised
    """
    with gate():
        layers = tuple(layer.detached() for layer in network.trace(pixels))
    query = default_query(network, layers)
    token: maps.Query = int(query.split()[1]) if query.startswith("prefix") else query  # pyright: ignore
    row = maps.rows(network, layers, token, "from", len(layers) - 1).mean(0)
    return row[layers[-1].prefix :].reshape(layers[-1].grid), query.partition(" ")[0]


def _attention(network: Backbone, pixels: Tensor) -> bytes:
    found, queries = zip(*(attention(network, one) for one in pixels), strict=True)
    seen = torch.stack(found)
    codes, peaks = coded(seen.flatten(1).numpy())
    return pack({"query": queries[0]}, {"codes": codes.reshape(seen.shape), "peaks": peaks})


def _reconstruction(network: Backbone, pixels: Tensor) -> bytes:
    if not isinstance(network, Reconstructs):
        raise Fault("A reconstruction was asked for, but {name} rebuilds nothing; ask for attention.",
                    name=network.card.title)  # fmt: skip
    grid = network.mask_grid((pixels.shape[2], pixels.shape[3]))
    mask = mask_of("random", grid, hidden_count(HIDDEN, grid[0] * grid[1]), 0)
    made = []
    for one in pixels:
        with gate():
            found = network.reconstruct(one, mask)
        made.append(network.pixels.rgb(coloured(found, one)))
    return pack({"grid": grid}, {"made": np.stack(made), "mask": mask.numpy().astype(np.uint8)})


def _positions(network: Backbone) -> bytes:
    found = network.positions()
    if not found:
        raise Fault("Positions were asked for, but {name} has none; ask for attention.", name=network.card.title)
    first = found[0]
    whole = first.values[0] if first.bands is not None else first.values.mean(0)
    return pack({"grid": first.grid, "kind": first.kind}, {"map": whole.float().cpu().numpy()})


def _shown(snapshot: Path, kind: str) -> bytes:
    file = snapshot / "shown.safetensors"
    told = tensors(file) if file.is_file() else {}
    if kind not in told:
        raise Fault("{kind} was asked for, but this run does not write it; ask for attention.", kind=kind)
    drawn = {"map": told[kind].float().numpy()}
    if kind == "similarity" and "same" in told:
        drawn["same"] = told["same"].to(torch.uint8).numpy()
    return pack({}, drawn)


# -- fixed pictures ----------------------------------------------------------------------------------------------------


def pictures(folder: Path) -> Tensor:
    """The run's fixed pictures: (pictures, 3, height, width) uint8. Raises `Fault`."""
    file = folder / "views.safetensors"
    if not file.is_file():
        raise Fault("The run {name} has written no pictures to look at yet; wait a moment.", name=folder.name)
    return _stored(file, file.stat().st_mtime_ns)["pictures"]


def views(folder: Path) -> bytes:
    """The fixed pictures, and the views that the network is shown of them: uint8 (count, height, width, 3) each.

    masks/mask: uint8 (count, rows, columns), 1 hidden, where an objective masks its views itself
    """
    pictures(folder)
    file = folder / "views.safetensors"
    stored = _stored(file, file.stat().st_mtime_ns)
    drawn = {name: value if name.startswith("masks/") else value.permute(0, 2, 3, 1) for name, value in stored.items()}
    captions = folder / "captions.json"
    told = json.loads(captions.read_text(encoding="utf-8")) if captions.is_file() else []
    return pack({"captions": told}, {name: value.contiguous().numpy() for name, value in drawn.items()})


def _fed(network: Backbone, images: Tensor) -> Tensor:
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (network.pixels.mean, network.pixels.std))
    return (images.float() / 255 - mean) / deviation


@lru_cache(maxsize=8)
def _stored(file: Path, _written: int) -> dict[str, Tensor]:
    return tensors(file)
