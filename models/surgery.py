"""What happens when the places of patches are taken away, exchanged or blurred, in one forward pass.

    with surgery.operated(backbone, Change("shuffle"), pixels):
        layers = backbone.trace(pixels)

Places are those of the picture's grid (see `models/change.py`), in a Swin those of one window, in every block. How a
change reaches each kind of position:

    learned and sin-cos table   its rows, after the network's own resizing; rows of prefix tokens stay
    rotary                      the rows of sines and cosines that queries and keys are turned by
    relative bias               the index into the bias table, by queries and keys alike
    continuous bias             likewise; taking it away or blurring it acts on the last layer of its small network

Nothing of the network is written to (see `models/meeting.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.backbone import Backbone
from models.change import Change, Grid
from models.faults import Refusal
from models.focus import focused
from models.meeting import Meant, Meeting, followed


@contextmanager
def operated(backbone: Backbone, change: Change, pixels: Tensor) -> Iterator[Meeting]:
    """Within, and in this thread alone, passes of `pixels` (..., height, width) run with changed positions.

    What met the picture is in the yielded `Meeting`. Raises `Refusal` where no position did.
    """
    grid = backbone.pixels.grid((pixels.shape[-2], pixels.shape[-1]))
    patches = grid[0] * grid[1]
    whole = partial(_is_whole, patches=patches)

    def changed(meant: Meant, values: Tensor) -> Tensor:
        if not whole(values):
            return values
        apart = values.shape[-2] - patches
        act = change.table if meant == "table" else change.rotation
        rows = act(values[..., apart:, :], grid)
        return torch.cat([values[..., :apart, :], rows], dim=-2) if apart else rows

    sources = list(followed(backbone.module))
    meeting = Meeting(sources, changed, whole, exchanged(backbone.module, change, grid))
    with focused(meeting, backbone.blocks):
        yield meeting
    missed = {meant for _, meant in sources} - {meant for meant, values in meeting.met if whole(values)}
    if missed or meeting.unused or not (meeting.met or meeting.used):
        raise Refusal(
            "The positions of this network were to be changed, but not all of them were seen to meet the picture; "
            "choose a network that knows where its patches are."
        )


def _is_whole(values: Tensor, patches: int) -> bool:
    """Whether what met the picture holds a row for each patch, and not just prefix rows or bare frequencies."""
    return values.ndim > 1 and values.shape[-2] >= patches


class _Met(Exception):
    """The table has met the picture; the rest of the pass is not needed."""


def resized_table(backbone: Backbone, pixels: Tensor) -> Tensor | None:
    """The position table as the picture meets it, resized by the network's own code: (patches, channels), or None for a
    network without a table. Runs no block."""
    patches = math.prod(backbone.pixels.grid((pixels.shape[-2], pixels.shape[-1])))
    whole = partial(_is_whole, patches=patches)
    found: list[Tensor] = []

    def read(meant: Meant, values: Tensor) -> Tensor:
        if meant == "table" and whole(values):
            found.append(values.detach().reshape(-1, values.shape[-1])[-patches:].float().cpu())
            raise _Met
        return values

    sources = [source for source in followed(backbone.module) if source[1] == "table"]
    if sources:
        with suppress(_Met), Meeting(sources, read, whole):
            backbone.trace(pixels)
    return found[0] if found else None


def exchanged(network: nn.Module, change: Change, grid: Grid) -> Iterator[tuple[Tensor, Tensor]]:
    """Tensors that biases between patches are made of, and those that stand for them while operated."""
    for module in network.modules():
        index, window = _index(module, grid)
        if index is None:
            continue
        yield index, _reindexed(index, change.places(window))
        if change.kind in ("zero", "noise"):
            table = getattr(module, "relative_position_bias_table", None)
            weight = table if isinstance(table, Tensor) else _last_weight(module)
            yield weight, torch.zeros_like(weight) if change.kind == "zero" else change.noisy(weight)


def _index(module: Any, grid: Grid) -> tuple[Tensor | None, Grid]:
    """A module's index of pairs of positions, and the window or grid that those are of: a buffer in timm and in a Swin
    of transformers, made once for each grid and kept in a BEiT of transformers. None for any other module."""
    index = module._buffers.get("relative_position_index")
    if index is None:
        made = getattr(module, "generate_relative_position_index", None)
        return (None if made is None else made(grid)), grid
    size = module.window_size
    return index, ((size, size) if isinstance(size, int) else (int(size[0]), int(size[1])))


def _reindexed(index: Tensor, places: Tensor) -> Tensor:
    """`index` (queries, keys), with a row and a column for CLS before the patches where there is one."""
    pairs = index.view(int(index.numel() ** 0.5), -1)
    apart = len(pairs) - len(places)
    places = torch.cat([torch.arange(apart), places + apart]).to(index.device)
    return pairs[places.unsqueeze(1), places].view_as(index)


def _last_weight(module: nn.Module) -> Tensor:
    """Of the small network that makes SwinV2's continuous bias; all zeros make one bias for all pairs."""
    for part in module.modules():
        if isinstance(part, nn.Sequential) and isinstance(part[-1], nn.Linear):
            return cast("Tensor", part[-1].weight)
    raise Refusal("A bias between patches was to be changed, but its numbers were not found; choose another network.")
