"""NaFlexViT of timm: a plain vision transformer that takes any size and shape, its table resized to the picture's.

It reads pictures as any ViT does; its other way in, patches of several pictures packed side by side, is for training.

NaViT: Dehghani et al. 2023, arXiv 2307.06304, with positions by row and column; NaFlex: SigLIP 2, arXiv 2502.14786;
RADIO: arXiv 2312.06709.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.models.naflexvit import NaFlexVit
from torch import Tensor

from models.backbone import Affinity, Backbone, Family, Parts
from models.families.vit import Classifier, Pooler, PoolingClassifier, ViT, reader_of, rotary
from models.pixels import check_shape
from models.positions import table_affinity


class NaFlex(ViT):
    """Its patches, tokens and table lie in a module of their own."""

    @property
    def embeds(self) -> Any:
        return self.network.embeds

    @property
    def holds_tokens(self) -> Any:
        return self.embeds

    def positions(self) -> tuple[Affinity, ...]:
        table, grid = _table(self.embeds), self.embeds.pos_embed_grid_size
        found = [] if table is None else [table_affinity(table.flatten(0, 1), grid, random=self.card.random)]
        size = self.pixels.size
        return (*found, *rotary(self.network, self.pixels.grid(size)))

    def _batch(self, pixels: Tensor) -> tuple[Tensor, tuple[int, int]]:
        height, width = pixels.shape[-2:]
        check_shape((height, width), self.embeds.patch_size)
        weight = next(self.network.parameters())
        return pixels.to(weight.device, weight.dtype), self.embeds.dynamic_feat_size((height, width))


class NaFlexClassifier(NaFlex, Classifier):
    """One that ends in scores of classes."""


class NaFlexPooler(NaFlex, Pooler):
    """One whose answer a learned query gathers."""


class NaFlexPoolingClassifier(NaFlex, PoolingClassifier):
    """Both."""


def _table(embeds: Any) -> Tensor | None:
    """(rows, columns, channels): as it is, or the sum of one for rows and one for columns; None for neither."""
    with torch.no_grad():
        if embeds.pos_embed is not None:
            return embeds.pos_embed[0]
        if embeds.pos_embed_y is not None:
            return embeds.pos_embed_y[0, :, None] + embeds.pos_embed_x[0, None, :]
    return None


def _open(parts: Parts) -> Backbone:
    return reader_of(parts, NaFlex, NaFlexClassifier, NaFlexPooler, NaFlexPoolingClassifier)


FAMILY = Family("NaFlexViT", lambda network: isinstance(network, NaFlexVit), _open)
