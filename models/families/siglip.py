"""SigLIP and SigLIP 2 of transformers.

Zhai et al. 2023, arXiv 2303.15343. SigLIP 2: Tschannen et al. 2025, arXiv 2502.14786; its fixed-resolution checkpoints
have SigLIP's architecture, its NaFlex checkpoints take patches of any grid instead of an image. There is no CLS: a
learned latent gathers the patches in an attention pool (Zhai et al. 2021, arXiv 2106.04560). Each pair of image and
text is judged alone, by sigmoid(exp(t') · cos + b), so that probabilities of several texts need not sum to 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import Siglip2Model, Siglip2VisionModel, SiglipModel, SiglipVisionModel

from models.backbone import Affinity, Backbone, Family, Layer, Parts, TextScores
from models.patches import patchify
from models.positions import table_affinity
from models.recorder import record
from models.sequence import batch_and_grid, layers_of, tokenised
from models.towers import Tower

Network = SiglipModel | SiglipVisionModel | Siglip2Model | Siglip2VisionModel


class LatentPool(nn.Module):
    """The network's own attention pool, with its attention sent through the kernel that the recorder sees.

    `nn.MultiheadAttention` computes it where nobody looks. The weights are shared with the network; the output is the
    same to rounding.
    """

    def __init__(self, head: Any) -> None:
        super().__init__()
        self.head = head

    def forward(self, tokens: Tensor) -> Tensor:
        """(images, tokens, channels) after the last norm to (images, channels)."""
        attention: nn.MultiheadAttention = self.head.attention
        weights, biases = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)
        sources = self.head.probe.expand(len(tokens), -1, -1), tokens, tokens
        query, key, value = (
            F.linear(source, weight, bias).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
            for source, weight, bias in zip(sources, weights, biases, strict=True)
        )
        gathered = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        latent = attention.out_proj(gathered)
        return (latent + self.head.mlp(self.head.layernorm(latent)))[:, 0]


class ImageTower(Tower):
    """The image tower of any SigLIP."""

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        batch, grid = batch_and_grid(pixels[None], self.tower, self.patch)
        seen, _ = record(self.blocks, lambda: self._last(batch))
        return layers_of(seen, grid)

    def positions(self) -> tuple[Affinity, ...]:
        embeddings = self.tower.embeddings
        side = embeddings.position_embedding_size if self._flexible else embeddings.image_size // self.patch
        return (table_affinity(embeddings.position_embedding.weight, (side, side), random=self.card.random),)

    @property
    def _flexible(self) -> bool:
        return isinstance(self.tower, Siglip2VisionModel)

    def _last(self, batch: Tensor) -> Tensor:
        """(images, 3, height, width) to the last block's output (images, tokens, channels)."""
        if self._flexible:
            patches = torch.stack([patchify(image, self.patch) for image in batch])
            shapes = torch.tensor(patches.shape[1:3], device=batch.device).expand(len(batch), 2)
            embedded = self.tower.embeddings(patches.flatten(1, 2), spatial_shapes=shapes)
        else:
            embedded = self.tower.embeddings(batch, interpolate_pos_encoding=True)
        return self.tower.encoder(inputs_embeds=embedded).last_hidden_state


class PooledTower(ImageTower):
    """An image tower with its attention pool."""

    @cached_property
    def pool(self) -> LatentPool:
        return LatentPool(self.tower.head)

    def pooled_from(self, layers: Sequence[Layer]) -> Tensor:
        weight = self.tower.head.probe
        tokens = self.tower.post_layernorm(layers[-1].tokens.to(weight)[None])
        seen, _ = record([self.pool], lambda: self.pool(tokens))
        call = seen[0].attention
        assert call.query is not None
        assert call.key is not None
        logits = call.scale * call.query[0].float() @ call.key[0].float().transpose(-2, -1)
        return logits.softmax(-1)[:, 0]


class TwoTowers(PooledTower):
    """Image and text in one space."""

    def image_features(self, pixels: Tensor) -> Tensor:
        """Gradients flow, for class relevance of a text."""
        batch, _ = batch_and_grid(pixels, self.tower, self.patch)
        return F.normalize(self.pool(self.tower.post_layernorm(self._last(batch))), dim=-1)

    @torch.no_grad()
    def text_features(self, texts: Sequence[str]) -> Tensor:
        fed = tokenised(self.tokenizer, texts, self.network)
        return F.normalize(self.network.get_text_features(**fed).pooler_output, dim=-1)

    def text_scores(self, image: Tensor, text: Tensor) -> TextScores:
        scale, bias = math.exp(float(self.network.logit_scale.detach())), float(self.network.logit_bias.detach())
        return TextScores(image.float() @ text.float().T, scale, bias, read_out="sigmoid")

    def text_trace(self, text: str) -> tuple[Layer, ...]:
        """The text tower on one text, padded as it was trained: no prefix, a grid of one row, nothing causal."""
        fed = tokenised(self.tokenizer, [text], self.network)
        tower = self.network.text_model
        seen, _ = record(list(tower.encoder.layers), lambda: tower(**fed))
        return layers_of(seen, grid=(1, fed["input_ids"].shape[1]))


def _open(parts: Parts) -> Backbone:
    network = parts.network
    assert isinstance(network, Network)
    network.eval().set_attn_implementation("sdpa")
    both = isinstance(network, SiglipModel | Siglip2Model)
    tower = network.vision_model if both else network
    kind = ImageTower if not tower.use_head else TwoTowers if both else PooledTower
    return kind(network, parts.card, parts.pixels, parts.tokenizer)


FAMILY = Family("SigLIP", lambda network: isinstance(network, Network), _open)
