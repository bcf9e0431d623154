"""What happens when the places of patches are taken away, exchanged or blurred, in one forward pass.

    with surgery.operated(backbone, Change("shuffle"), pixels):
        layers = backbone.trace(pixels)

Every change speaks of places on the grid that the picture makes: patch i is told the place of patch `places(...)[i]`.
In a Swin the grid is one window, in every block. How a change reaches each kind of position:

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
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from models.backbone import Backbone, Layer
from models.faults import Fault, Refusal
from models.meeting import Meant, Meeting, followed

Kind = Literal["identity", "zero", "shuffle", "transpose", "mirror", "swap", "noise"]

Grid = tuple[int, int]


@dataclass(frozen=True)
class Change:
    """kind:           `zero` tells every patch the same place: rows of zeros, one rotation for all, one bias for all
    strength:       of noise: its standard deviation, in those of the table's own numbers; in patches where positions
                    are rotary, since a turn by chance would not be the turn of any place
    seed:           of shuffle and noise
    first, second:  patches whose places are swapped, counted row by row from 0
    """

    kind: Kind = "identity"
    strength: float = 0.5
    seed: int = 0
    first: int = 0
    second: int = 1

    def places(self, grid: Grid) -> Tensor:
        """(patches,) the patch whose place each patch of `grid` is told. Raises `Fault`."""
        own = torch.arange(grid[0] * grid[1])
        if self.kind == "shuffle":
            return torch.randperm(len(own), generator=self._chance())
        if self.kind == "mirror":
            return own.view(grid).flip(1).flatten()
        if self.kind == "transpose":
            return _transposed(own, grid)
        if self.kind == "swap":
            return self._swapped(own)
        return own

    def table(self, rows: Tensor, grid: Grid) -> Tensor:
        """What becomes of the table's rows of patches (..., patches, channels)."""
        if self.kind == "zero":
            return torch.zeros_like(rows)
        if self.kind == "noise":
            return self.noisy(rows)
        return rows.index_select(-2, self.places(grid).to(rows.device))

    def rotation(self, rows: Tensor, grid: Grid) -> Tensor:
        """What becomes of sines or of cosines (..., patches, channels)."""
        if self.kind == "zero":
            return rows[..., :1, :].expand_as(rows)
        places = self._near(grid) if self.kind == "noise" else self.places(grid)
        return rows.index_select(-2, places.to(rows.device))

    def noisy(self, values: Tensor) -> Tensor:
        chance = torch.randn(values.shape, generator=self._chance()).to(values)
        return values + self.strength * values.std() * chance

    def _near(self, grid: Grid) -> Tensor:
        """(patches,) a patch about `strength` patches away in each direction, within the grid."""
        place = torch.stack(torch.meshgrid(*map(torch.arange, grid), indexing="ij"))
        moved = place + (self.strength * torch.randn(place.shape, generator=self._chance())).round().long()
        row, column = moved[0].clamp(0, grid[0] - 1), moved[1].clamp(0, grid[1] - 1)
        return (row * grid[1] + column).flatten()

    def _swapped(self, own: Tensor) -> Tensor:
        for patch in (self.first, self.second):
            if not 0 <= patch < len(own):
                raise Fault(
                    "The place of patch {patch} was to be swapped, but there are patches 0 to {last}; choose two of "
                    "those.",
                    patch=patch, last=len(own) - 1,
                )  # fmt: skip
        places = own.clone()
        places[[self.first, self.second]] = own[[self.second, self.first]]
        return places

    def _chance(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)


def _transposed(own: Tensor, grid: Grid) -> Tensor:
    if grid[0] != grid[1]:
        raise Fault(
            "Rows and columns were to be exchanged, but this picture makes {rows} rows and {columns} columns; choose a "
            "square picture.",
            rows=grid[0], columns=grid[1],
        )  # fmt: skip
    return own.view(grid).T.flatten()


@contextmanager
def operated(backbone: Backbone, change: Change, pixels: Tensor) -> Iterator[Meeting]:
    """Within, and in this thread alone, passes of `pixels` (..., height, width) run with changed positions.

    What met the picture is in the yielded `Meeting`. Raises `Refusal` where no position did.
    """
    grid = backbone.pixels.grid((pixels.shape[-2], pixels.shape[-1]))
    patches = grid[0] * grid[1]

    def changed(meant: Meant, values: Tensor) -> Tensor:
        if not _is_whole(values, patches):
            return values
        apart = values.shape[-2] - patches
        act = change.table if meant == "table" else change.rotation
        rows = act(values[..., apart:, :], grid)
        return torch.cat([values[..., :apart, :], rows], dim=-2) if apart else rows

    sources = list(followed(backbone.module))
    meeting = Meeting(sources, changed, exchanged(backbone.module, change))
    with meeting:
        yield meeting
    missed = {meant for _, meant in sources} - {meant for meant, values in meeting.met if _is_whole(values, patches)}
    if missed or not (meeting.met or meeting.used):
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
    found: list[Tensor] = []

    def read(meant: Meant, values: Tensor) -> Tensor:
        if meant == "table" and _is_whole(values, patches):
            found.append(values.detach().reshape(-1, values.shape[-1])[-patches:].float().cpu())
            raise _Met
        return values

    sources = [source for source in followed(backbone.module) if source[1] == "table"]
    if sources:
        with suppress(_Met), Meeting(sources, read):
            backbone.trace(pixels)
    return found[0] if found else None


def exchanged(network: nn.Module, change: Change) -> Iterator[tuple[Tensor, Tensor]]:
    """Tensors that biases between patches are made of, and those that stand for them while operated."""
    for module in network.modules():
        index = getattr(module, "relative_position_index", None)
        if not isinstance(index, Tensor):
            continue
        yield index, _reindexed(index, change, _window(module, index))
        if change.kind in ("zero", "noise"):
            table = getattr(module, "relative_position_bias_table", None)
            weight = table if isinstance(table, Tensor) else _last_weight(module)
            yield weight, torch.zeros_like(weight) if change.kind == "zero" else change.noisy(weight)


def _window(module: Any, index: Tensor) -> Grid:
    """The window or grid whose positions `index` pairs: the modules of timm and transformers both say it."""
    size = module.window_size
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _reindexed(index: Tensor, change: Change, window: Grid) -> Tensor:
    """`index` (queries, keys), with a row and a column for CLS before the patches where there is one."""
    pairs = index.view(int(index.numel() ** 0.5), -1)
    apart = len(pairs) - window[0] * window[1]
    places = torch.cat([torch.arange(apart), change.places(window) + apart]).to(index.device)
    return pairs[places][:, places].view_as(index)


def _last_weight(module: nn.Module) -> Tensor:
    """Of the small network that makes SwinV2's continuous bias; all zeros make one bias for all pairs."""
    for part in module.modules():
        if isinstance(part, nn.Sequential) and isinstance(part[-1], nn.Linear):
            return cast("Tensor", part[-1].weight)
    raise Refusal("A bias between patches was to be changed, but its numbers were not found; choose another network.")


def feature_cosine(before: Layer, after: Layer) -> Tensor:
    """Cosine of each token of a block's output with the same token after the change: (tokens,) in [-1, 1]."""
    return torch.nn.functional.cosine_similarity(before.tokens.float(), after.tokens.float(), dim=-1)
