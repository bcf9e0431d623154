"""Which patches does a text fit? Three ways to compare it with patches of a network that was trained on whole pictures.

    tokens    each patch of the last block read as the network reads its summary token, compared by cosine. The network
              was never asked for this, and its late patches are known to hold what lies elsewhere.
    values    the same, with the last block's attention left out: every patch keeps its own value (MaskCLIP, Zhou et
              al. 2022, arXiv 2112.01071, section 3.2; residual and MLP are kept).
    gradient  gradient × attention of the text's cosine (Chefer et al. 2021; see `models.relevance`).

A CLIP is read by its last norm and projection. A SigLIP has no projection: a patch is read by the attention pool as if
it were the only one, which then attends to it wholly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from models.backbone import Backbone, Layer, ZeroShot
from models.faults import Refusal
from models.relevance import ReadsThroughPool, Score, class_relevance

Way = Literal["tokens", "values", "gradient"]
WAYS: tuple[Way, ...] = ("tokens", "values", "gradient")


def picture_feature(network: Backbone, layers: Sequence[Layer]) -> Tensor:
    """`image_features` of a traced picture without a second pass: unit vector (channels,) on the CPU."""
    last = layers[-1]
    tokens = last.tokens if isinstance(network, ReadsThroughPool) else last.tokens[:1]
    return _read(network, tokens[None])[0]


def patch_features(network: Backbone, layers: Sequence[Layer], way: Way) -> Tensor:
    """Every patch in the joint space, "tokens" or "values": unit vectors (rows, columns, channels) on the CPU."""
    last = layers[-1]
    tokens = last.tokens if way == "tokens" else _value_path(network, layers)
    return _read(network, tokens[last.prefix :, None]).unflatten(0, last.grid)


def patch_map(network: Backbone, layers: Sequence[Layer], pixels: Tensor, text: Tensor, way: Way) -> Tensor:
    """How much each patch has to do with `text`, a unit vector (channels,) of the joint space: (rows, columns).

    A cosine in [-1, 1] for tokens and values, a relevance of at least 0 for the gradient. `pixels`: (3, height, width).
    """
    if way != "gradient":
        return patch_features(network, layers, way) @ text

    relevance = class_relevance(network, pixels, cosine_with(text))
    return relevance[layers[-1].prefix :].unflatten(0, layers[-1].grid).cpu()


def cosine_with(text: Tensor) -> Score:
    """What a picture's relevance for `text`, a unit vector (channels,), is the relevance of, wherever it is asked: the
    cosine. The logit's gradient is larger by the temperature, which the sum over blocks does not only scale."""

    def cosine(backbone: Backbone, fed: Tensor) -> Tensor:
        assert isinstance(backbone, ZeroShot)
        feature = backbone.image_features(fed)[0]
        return feature.float() @ text.to(feature.device)

    return cosine


@torch.no_grad()
def _read(network: Backbone, tokens: Tensor) -> Tensor:
    """Sequences (pictures, tokens, channels) of last-block tokens to unit vectors (pictures, joint channels)."""
    towers: Any = network.module
    tower = towers.vision_model
    normed = tower.post_layernorm(tokens.to(tower.post_layernorm.weight))
    pooled = network.pool(normed) if isinstance(network, ReadsThroughPool) else towers.visual_projection(normed[:, 0])
    return F.normalize(pooled.float(), dim=-1).cpu()


@torch.no_grad()
def _value_path(network: Backbone, layers: Sequence[Layer]) -> Tensor:
    """The last block's output where every token attends to itself alone: (tokens, channels)."""
    if len(layers) < 2:
        raise Refusal(
            "The value path of the last block was asked for, but this network has {blocks} blocks where two are "
            "needed; compare its tokens instead.",
            blocks=len(layers),
        )
    block: Any = network.blocks[-1]
    tokens = layers[-2].tokens.to(block.layer_norm1.weight)
    tokens = tokens + block.self_attn.out_proj(block.self_attn.v_proj(block.layer_norm1(tokens)))
    return tokens + block.mlp(block.layer_norm2(tokens))
