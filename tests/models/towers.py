"""A small CLIP or SigLIP held against transformers itself: what both families must agree on."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from models.backbone import Backbone, Layer, Parts, TextScores, ZeroShot
from models.card import Card
from models.pixels import Pixels

CARD = Card("test/towers", "small towers", "two towers", random=True)
PIXELS = Pixels((32, 32), 8, 8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
SIZE: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}


def parts(network: Any, tokenizer: Any = None) -> Parts:
    return Parts(network, CARD, PIXELS, tokenizer)


def eager_twin(network: Any) -> Any:
    """The same weights, their attention computed openly."""
    twin = copy.deepcopy(network).eval()
    twin.set_attn_implementation("eager")
    return twin


def assert_attention(layers: tuple[Layer, ...], own: Any, grid: tuple[int, int], names: tuple[str, ...] = ()) -> None:
    """`own`: what a tower of transformers returned with its attentions."""
    assert len(layers) == len(own.attentions) == 3
    for layer, attention in zip(layers, own.attentions, strict=True):
        assert (layer.grid, layer.prefix, layer.names) == (grid, len(names), names)
        torch.testing.assert_close(layer.matrix(), attention[0], atol=1e-5, rtol=0)


def scores(backbone: ZeroShot, own: Any, images: Tensor, texts: list[str]) -> TextScores:
    """Of the network's features, which are those that transformers made for the same."""
    with torch.no_grad():
        image, text = backbone.image_features(images), backbone.text_features(texts)
    torch.testing.assert_close(image, own.image_embeds, atol=1e-5, rtol=0)
    torch.testing.assert_close(text, own.text_embeds, atol=1e-5, rtol=0)
    found = backbone.text_scores(image, text)
    torch.testing.assert_close(found.logits, own.logits_per_image, atol=1e-4, rtol=0)
    return found


def assert_seen_through_the_kernel(layers: tuple[Layer, ...]) -> None:
    """A network that was loaded as eager is recorded by its queries and keys all the same."""
    assert all(layer.queries is not None and layer.logits is None for layer in layers)


def assert_learned_table(backbone: Backbone, table: Tensor, prefix: int) -> None:
    (affinity,) = backbone.positions()
    assert (affinity.kind, affinity.grid) == ("untrained table", (4, 4))
    assert affinity.table is not None
    assert torch.equal(affinity.table, table[prefix:])
    assert (affinity.prefix is None) == (prefix == 0)
    assert affinity.prefix is None or torch.equal(affinity.prefix, table[:prefix])


SHAPES = pytest.mark.parametrize("shape", [(32, 32), (24, 56)])
"""Inputs in pixels: as the table was made, and not square."""
