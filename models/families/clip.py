"""CLIP of transformers, both towers or the image tower alone.

Radford et al. 2021, arXiv 2103.00020: an image and a text each become one unit vector, and exp(t) times their cosine,
softmax over texts, says which text belongs. The image tower is a ViT with CLS; the text tower is causal and answers at
its end-of-text token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPModel, CLIPVisionModel, CLIPVisionModelWithProjection

from models.backbone import Affinity, Backbone, Family, Layer, Parts, TextScores
from models.positions import table_affinity
from models.recorder import record
from models.sequence import batch_and_grid, layers_of, tokenised
from models.towers import Tower

Network = CLIPModel | CLIPVisionModel | CLIPVisionModelWithProjection


class ImageTower(Tower):
    """The image tower of any CLIP."""

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        batch, grid = batch_and_grid(pixels[None], self.tower, self.patch)
        seen, _ = record(self.blocks, lambda: self.tower(batch, interpolate_pos_encoding=True))
        return layers_of(seen, grid, names=("CLS",))

    def positions(self) -> tuple[Affinity, ...]:
        embeddings: Any = self.tower.embeddings
        side = embeddings.image_size // self.patch
        table = embeddings.position_embedding.weight
        return (table_affinity(table[1:], (side, side), prefix=table[:1], random=self.card.random),)


class TwoTowers(ImageTower):
    """Image and text in one space."""

    def image_features(self, pixels: Tensor) -> Tensor:
        """Gradients flow, for class relevance of a text."""
        batch, _ = batch_and_grid(pixels, self.network, self.patch)
        return F.normalize(self.network.get_image_features(batch, interpolate_pos_encoding=True).pooler_output, dim=-1)

    @torch.no_grad()
    def text_features(self, texts: Sequence[str]) -> Tensor:
        fed = tokenised(self.tokenizer, texts, self.network)
        return F.normalize(self.network.get_text_features(**fed).pooler_output, dim=-1)

    def text_scores(self, image: Tensor, text: Tensor) -> TextScores:
        scale = math.exp(float(self.network.logit_scale.detach()))
        return TextScores(image.float() @ text.float().T, scale, bias=0.0, read_out="softmax")

    def text_trace(self, text: str) -> tuple[Layer, ...]:
        """The text tower on one text: no prefix, a grid of one row, the causal mask in `bias`.

        Padding is left out: it lies behind the text, where a causal tower never looks.
        """
        fed = tokenised(self.tokenizer, [text], self.network)
        ids = fed["input_ids"]
        ids = ids[:, fed.get("attention_mask", torch.ones_like(ids))[0].bool()]
        tower = self.network.text_model
        seen, _ = record(list(tower.encoder.layers), lambda: tower(input_ids=ids))
        return layers_of(seen, grid=(1, ids.shape[1]))


def _open(parts: Parts) -> Backbone:
    network = parts.network
    assert isinstance(network, Network)
    network.eval().set_attn_implementation("sdpa")
    kind = TwoTowers if isinstance(network, CLIPModel) else ImageTower
    return kind(network, parts.card, parts.pixels, parts.tokenizer)


FAMILY = Family("CLIP", lambda network: isinstance(network, Network), _open)
