"""Plain vision transformers of transformers: ViT, DeiT, DINO, DINOv2 with and without registers, DINOv3, BEiT,
Data2Vec, I-JEPA and MSN.

The same papers as in `models.families.vit`; another library's names for where blocks and tokens are kept. Data2Vec:
Baevski et al. 2022, arXiv 2202.03555. I-JEPA: Assran et al. 2023, 2301.08243. MSN: Assran et al. 2022, 2204.07141.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from transformers.models.beit.modeling_beit import BeitRelativePositionBias
from transformers.models.data2vec.modeling_data2vec_vision import Data2VecVisionRelativePositionBias

from models.backbone import Affinity, Backbone, Family, Layer, Parts
from models.card import Card
from models.faults import Refusal
from models.pixels import Pixels, check_shape
from models.positions import bias_affinity, rotary_affinity, table_affinity
from models.recorder import record
from models.sequence import layers_of

_BEITS = (transformers.BeitModel, transformers.Data2VecVisionModel)
"""Resize their own table, and only from a square; may pool patches before the last norm."""

_ENCODERS = (
    *_BEITS, transformers.DINOv3ViTModel, transformers.DeiTModel, transformers.Dinov2Model,
    transformers.Dinov2WithRegistersModel, transformers.IJepaModel, transformers.ViTMSNModel, transformers.ViTModel,
)  # fmt: skip
_CLASSIFIERS = (
    transformers.BeitForImageClassification, transformers.Data2VecVisionForImageClassification,
    transformers.DeiTForImageClassification, transformers.DeiTForImageClassificationWithTeacher,
    transformers.Dinov2ForImageClassification, transformers.Dinov2WithRegistersForImageClassification,
    transformers.IJepaForImageClassification, transformers.ViTForImageClassification,
    transformers.ViTMSNForImageClassification,
)  # fmt: skip
_SEES_PATCHES = (transformers.Dinov2ForImageClassification, transformers.Dinov2WithRegistersForImageClassification)
"""Classify CLS and the mean over patches together."""

_BIASES = (BeitRelativePositionBias, Data2VecVisionRelativePositionBias)

_TOKENS = {"cls_token": "CLS", "distillation_token": "distillation", "register_tokens": "register"}
"""Parameters of the embeddings that stand before the patches, in the order in which all of them are laid out."""


@dataclass(frozen=True)
class Encoder:
    """A plain vision transformer of transformers."""

    network: Any
    card: Card
    pixels: Pixels

    @property
    def module(self) -> nn.Module:
        return self.network

    @property
    def encoder(self) -> Any:
        return next(part for part in self.network.modules() if isinstance(part, _ENCODERS))

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """Kept as `layers`, or one door further on as `encoder.layer` (DINOv2) and `model.layer` (DINOv3)."""
        if hasattr(self.encoder, "layers"):
            return list(self.encoder.layers)
        return list((self.encoder.encoder if hasattr(self.encoder, "encoder") else self.encoder.model).layer)

    @property
    def names(self) -> tuple[str, ...]:
        found = []
        for parameter, name in _TOKENS.items():
            tokens = getattr(self.encoder.embeddings, parameter, None)
            count = 0 if tokens is None else tokens.shape[1]
            found += [f"{name} {number + 1}" for number in range(count)] if name == "register" else [name] * count
        return tuple(found)

    @property
    def patch(self) -> int:
        return self.encoder.config.patch_size

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels that it was trained at."""
        side = self.encoder.config.image_size
        return (side, side) if isinstance(side, int) else (side[0], side[1])

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        batch = self._batch(pixels[None])
        seen, _ = record(self.blocks, lambda: self._run(self.encoder, batch))
        return layers_of(seen, (pixels.shape[1] // self.patch, pixels.shape[2] // self.patch), self.names)

    @torch.no_grad()
    def positions(self) -> tuple[Affinity, ...]:
        height, width = self.size
        grid = (height // self.patch, width // self.patch)
        if hasattr(self.encoder, "rope_embeddings"):
            cosines, sines = self.encoder.rope_embeddings(torch.zeros(1, 3, height, width, device=self.network.device))
            return (rotary_affinity(torch.cat([sines, cosines], dim=-1), grid, half=True),)
        return (*self._table(grid), *self._relative(grid))

    def _table(self, grid: tuple[int, int]) -> Iterator[Affinity]:
        if self.encoder.embeddings.position_embeddings is not None:
            table = self.encoder.embeddings.position_embeddings[0]
            apart = len(table) - grid[0] * grid[1]
            yield table_affinity(table[apart:], grid, prefix=table[:apart], random=self.card.random)

    def _relative(self, grid: tuple[int, int]) -> Iterator[Affinity]:
        """BEiT's biases between patches, of each block or shared by all."""
        block_of = {id(part): number for number, block in enumerate(self.blocks) for part in block.modules()}
        biases: list[Any] = [part for part in self.encoder.modules() if isinstance(part, _BIASES)]
        for part in biases:
            bias = part(grid)[0, :, len(self.names) :, len(self.names) :]
            yield bias_affinity("relative bias", bias, grid, block_of.get(id(part)))

    def _run(self, network: nn.Module, batch: Tensor) -> Any:
        """The network's answer; its table is resized only where the picture is of another size than the table."""
        return network(batch, interpolate_pos_encoding=tuple(batch.shape[-2:]) != self.size)

    def _batch(self, pixels: Tensor) -> Tensor:
        check_shape(pixels.shape[-2:], (self.patch, self.patch), self.size if self.pixels.fixed else None)
        return pixels.to(self.network.device, self.network.dtype)


class Classifier(Encoder):
    """An encoder that ends in scores of classes."""

    def class_logits(self, pixels: Tensor) -> Tensor:
        return self._run(self.network, self._batch(pixels)).logits

    @torch.no_grad()
    def class_logits_from(self, layers: Sequence[Layer]) -> Tensor:
        last, network = layers[-1], self.network
        tokens = self.encoder.layernorm(last.tokens.to(network.device, network.dtype).unsqueeze(0))
        if isinstance(network, transformers.DeiTForImageClassificationWithTeacher):
            return ((network.cls_classifier(tokens[:, 0]) + network.distillation_classifier(tokens[:, 1])) / 2)[0]
        if isinstance(network, _SEES_PATCHES):
            return network.classifier(torch.cat([tokens[:, 0], tokens[:, last.prefix :].mean(dim=1)], dim=1))[0]
        if isinstance(self.encoder, _BEITS):
            pooler: Any = self.encoder.pooler
            return network.classifier(pooler(tokens))[0]
        if not last.prefix:
            return network.classifier(tokens.mean(dim=1))[0]
        return network.classifier(tokens[:, 0])[0]


def _open(parts: Parts) -> Backbone:
    network: Any = parts.network
    network.eval().set_attn_implementation("sdpa")
    classifies = isinstance(network, _CLASSIFIERS) and bool(network.config.num_labels)
    backbone = (Classifier if classifies else Encoder)(network, parts.card, parts.pixels)
    return backbone if _resizes(backbone) else replace(backbone, pixels=replace(backbone.pixels, fixed=True))


def _resizes(backbone: Encoder) -> bool:
    """transformers takes every table that it resizes for a square; any other is fed at its own size alone, and BEiT's,
    which passes through the resizing at that size too, not at all."""
    height, width = backbone.size
    if height == width or getattr(backbone.encoder.embeddings, "position_embeddings", None) is None:
        return True
    if isinstance(backbone.encoder, _BEITS):
        raise Refusal(
            "The network has a position table for {height} × {width} pixels, but its code in transformers takes every "
            "table for a square; open it from timm.",
            height=height, width=width,
        )  # fmt: skip
    return False


FAMILY = Family("ViT (transformers)", lambda network: isinstance(network, (*_ENCODERS, *_CLASSIFIERS)), _open)
