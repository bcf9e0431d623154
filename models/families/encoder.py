"""Plain vision transformers of transformers: ViT, DeiT, DINO, DINOv2 with and without registers, DINOv3.

The same papers as in `models.families.vit`; another library's names for where blocks and tokens are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from models.backbone import Affinity, Backbone, Family, Layer, Parts
from models.card import Card
from models.pixels import Pixels, check_shape
from models.positions import rotary_affinity, table_affinity
from models.recorder import record
from models.sequence import layers_of

_ENCODERS = (
    transformers.ViTModel,
    transformers.DeiTModel,
    transformers.Dinov2Model,
    transformers.Dinov2WithRegistersModel,
    transformers.DINOv3ViTModel,
)
_CLASSIFIERS = (
    transformers.ViTForImageClassification,
    transformers.DeiTForImageClassification,
    transformers.DeiTForImageClassificationWithTeacher,
    transformers.Dinov2ForImageClassification,
    transformers.Dinov2WithRegistersForImageClassification,
)
_SEES_PATCHES = (transformers.Dinov2ForImageClassification, transformers.Dinov2WithRegistersForImageClassification)
"""Classify CLS and the mean over patches together."""

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

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        batch = self._batch(pixels[None])
        seen, _ = record(self.blocks, lambda: self.encoder(batch, interpolate_pos_encoding=True))
        return layers_of(seen, (pixels.shape[1] // self.patch, pixels.shape[2] // self.patch), self.names)

    def positions(self) -> tuple[Affinity, ...]:
        side = self.encoder.config.image_size
        height, width = (side, side) if isinstance(side, int) else side
        grid = (height // self.patch, width // self.patch)
        if hasattr(self.encoder, "rope_embeddings"):
            cosines, sines = self.encoder.rope_embeddings(torch.zeros(1, 3, height, width, device=self.network.device))
            return (rotary_affinity(torch.cat([sines, cosines], dim=-1), grid, half=True),)
        table = self.encoder.embeddings.position_embeddings[0]
        apart = len(table) - grid[0] * grid[1]
        return (table_affinity(table[apart:], grid, prefix=table[:apart], random=self.card.random),)

    def _batch(self, pixels: Tensor) -> Tensor:
        check_shape(pixels.shape[-2:], (self.patch, self.patch))
        return pixels.to(self.network.device, self.network.dtype)


class Classifier(Encoder):
    """An encoder that ends in scores of classes."""

    def class_logits(self, pixels: Tensor) -> Tensor:
        return self.network(self._batch(pixels), interpolate_pos_encoding=True).logits

    @torch.no_grad()
    def class_logits_from(self, layers: Sequence[Layer]) -> Tensor:
        last, network = layers[-1], self.network
        tokens = self.encoder.layernorm(last.tokens.to(network.device, network.dtype).unsqueeze(0))
        if isinstance(network, transformers.DeiTForImageClassificationWithTeacher):
            return ((network.cls_classifier(tokens[:, 0]) + network.distillation_classifier(tokens[:, 1])) / 2)[0]
        if isinstance(network, _SEES_PATCHES):
            return network.classifier(torch.cat([tokens[:, 0], tokens[:, last.prefix :].mean(dim=1)], dim=1))[0]
        return network.classifier(tokens[:, 0])[0]


def _open(parts: Parts) -> Backbone:
    network: Any = parts.network
    network.eval().set_attn_implementation("sdpa")
    classifies = isinstance(network, _CLASSIFIERS) and bool(network.config.num_labels)
    return (Classifier if classifies else Encoder)(network, parts.card, parts.pixels)


FAMILY = Family("ViT (transformers)", lambda network: isinstance(network, (*_ENCODERS, *_CLASSIFIERS)), _open)
