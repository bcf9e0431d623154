"""Swin and SwinV2 of transformers: encoders and classifiers. Those that paint are read by `simmim`.

Swin: Liu et al. 2021, arXiv 2103.14030. SwinV2: 2111.09883.

transformers pads before the cyclic shift where timm pads after it, and returns the attention of each stage's last block
only, so both are read from the blocks themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.swin.modeling_swin import SwinForImageClassification, SwinLayer, SwinModel
from transformers.models.swinv2.modeling_swinv2 import Swinv2ForImageClassification, Swinv2Model

from models.backbone import Affinity, Backbone, Family, Layer, Parts
from models.card import Card
from models.families.swin import continuous_bias
from models.faults import Fault
from models.pixels import Pixels, check_shape
from models.positions import bias_affinity, table_affinity
from models.recorder import Seen, record
from models.windows import window_bands, window_members

_CLASSIFIERS = (SwinForImageClassification, Swinv2ForImageClassification)
_ENCODERS = (SwinModel, Swinv2Model)


class Swin:
    """A window transformer of transformers, one `Layer` a block."""

    def __init__(self, parts: Parts) -> None:
        self.network: Any = parts.network.eval()
        self.encoder: Any = self.network if isinstance(self.network, _ENCODERS) else self.network.base_model
        self.card: Card = parts.card
        self._one_at_a_time = threading.RLock()
        self._windows = [(block.window_size, block.shift_size) for block in self._windowed]
        self.pixels: Pixels = replace(parts.pixels, least=self._least())

    @property
    def module(self) -> nn.Module:
        return self.network

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return [block for stage in self.encoder.encoder.layers for block in stage.blocks]

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        seen, windows = record(self.blocks, lambda: self._run(self.encoder, pixels.unsqueeze(0))[1])
        return self._layers(pixels, seen, windows)

    def positions(self) -> tuple[Affinity, ...]:
        with torch.no_grad():
            table = self.encoder.embeddings.position_embeddings
            grid = self.encoder.embeddings.patch_grid
            found = [] if table is None else [table_affinity(table[0], grid, random=self.card.random)]
            return (*found, *(_bias(number, block) for number, block in enumerate(self.blocks)))

    def _run(self, network: Callable, pixels: Tensor, **options: Any) -> tuple[Any, list[tuple[int, int]]]:
        """The network's answer to (images, 3, height, width), and the window and shift that each block used."""
        self._check(pixels.shape[-2:])
        weight = next(self.network.parameters())
        with self._one_at_a_time, self._as_built():
            answer = network(pixels.to(weight.device, weight.dtype), interpolate_pos_encoding=True, **options)
            return answer, [(int(block.window_size), int(block.shift_size)) for block in self._windowed]

    def _layers(self, pixels: Tensor, seen: Sequence[Seen], windows: Sequence[tuple[int, int]]) -> tuple[Layer, ...]:
        return tuple(_layer(*each) for each in zip(seen, self._grids(pixels.shape[-2:]), windows, strict=True))

    @property
    def _windowed(self) -> list[Any]:
        return list(self.blocks)

    @contextmanager
    def _as_built(self) -> Iterator[None]:
        """A transformers Swin block forgets its shift for good once an image has been no larger than its window, and
        what a later image gets depends on it; here each image meets the blocks as they were built."""
        try:
            yield
        finally:
            for block, (window, shift) in zip(self._windowed, self._windows, strict=True):
                block.window_size, block.shift_size = window, shift

    def _check(self, shape: Sequence[int]) -> None:
        check_shape(shape, self.encoder.embeddings.patch_embeddings.patch_size)
        for (window, _), grid in zip(self._windows, self._grids(shape), strict=True):
            if min(grid) < window:
                raise Fault(
                    "An image of {height} × {width} pixels was fed, but a stage of this network would see "
                    "{rows} × {columns} patches, less than one window of {window}; feed a larger one.",
                    height=shape[0], width=shape[1], rows=grid[0], columns=grid[1], window=window,
                )  # fmt: skip

    def _least(self) -> int:
        """Pixels of the smallest side whose patches fill a window at every stage."""
        patch = self.encoder.embeddings.patch_embeddings.patch_size[0]
        stages = [stage for stage, layer in enumerate(self.encoder.encoder.layers) for _ in layer.blocks]
        return max(window * patch * 2**stage for (window, _), stage in zip(self._windows, stages, strict=True))

    def _grids(self, shape: Sequence[int]) -> list[tuple[int, int]]:
        """(rows, columns) that each block sees; an odd side is padded by one before it is halved."""
        patch = self.encoder.embeddings.patch_embeddings.patch_size
        rows, columns = shape[0] // patch[0], shape[1] // patch[1]
        grids = []
        for stage in self.encoder.encoder.layers:
            grids += [(rows, columns)] * len(stage.blocks)
            rows, columns = (rows + 1) // 2, (columns + 1) // 2
        return grids


class Classifier(Swin):
    """A Swin that ends in scores of classes."""

    def class_logits(self, pixels: Tensor) -> Tensor:
        return self._run(self.network, pixels)[0].logits

    @torch.no_grad()
    def class_logits_from(self, layers: Sequence[Layer]) -> Tensor:
        tokens = self.encoder.layernorm(layers[-1].tokens.to(self.encoder.layernorm.weight).unsqueeze(0))
        return self.network.classifier(self.encoder.pooler(tokens.transpose(1, 2)).flatten(1))[0]


def _layer(seen: Seen, grid: tuple[int, int], window: tuple[int, int]) -> Layer:
    call = seen.attention
    assert seen.output is not None
    lie = grid, (window[0], window[0]), (window[1], window[1])
    members, bands = window_members(*lie, padding="before"), window_bands(*lie)
    return Layer(
        grid=grid, queries=call.query, keys=call.key, bias=call.bias, scale=call.scale,
        members=members.to(seen.output.device), prefix=0, tokens=seen.output[0], logits=call.logits,
        bands=bands.to(seen.output.device),
    )  # fmt: skip


def _bias(number: int, block: Any) -> Affinity:
    if isinstance(block, SwinLayer):
        module = block.attention.relative_position_bias
        return bias_affinity("relative bias", module()[0], module.window_size, number, "window")
    attention = block.attention.self
    bias = continuous_bias(
        attention.continuous_position_bias_mlp, attention.relative_coords_table, attention.relative_position_index
    )
    return bias_affinity("continuous bias", bias, tuple(attention.window_size), number, "window")


def _open(parts: Parts) -> Backbone:
    classifies = isinstance(parts.network, _CLASSIFIERS) and isinstance(parts.network.classifier, nn.Linear)
    return Classifier(parts) if classifies else Swin(parts)


FAMILY = Family("Swin (transformers)", lambda network: isinstance(network, (*_ENCODERS, *_CLASSIFIERS)), _open)
