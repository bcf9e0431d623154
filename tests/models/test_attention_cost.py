"""Formulas of attention's cost, held to what a pass really multiplies and writes."""

from __future__ import annotations

import pytest
import timm
import torch

from models.attention_cost import Attention, counted, predicted
from models.card import Card
from models.faults import Fault
from models.loading import open_network
from models.pixels import Pixels


def test_the_lecture_s_question():
    """How big is the matrix of R × R pixels, and the memory for 512 × 512 and 32 × 32 with 16 heads and 48 layers?"""
    assert Attention(9, 9, patch=1, prefix=0, heads=1).entries == 9**4
    large = Attention(512, 512, patch=1, prefix=0, channels=1024, heads=16, layers=48)
    assert large.matrix_bytes("fp32") == 192 * 2**40
    small = Attention(32, 32, patch=1, prefix=0, channels=1024, heads=16, layers=48)
    assert small.matrix_bytes("fp32") == 3 * 2**30
    assert small.layer_bytes("fp16", "materialised") == 32 * 2**20
    assert small.layer_bytes("fp16", "fused") == 64 * 2**10


def test_windows_make_the_cost_linear():
    """Swin, equations 1 and 2: global attention grows sixteenfold where windows grow fourfold."""
    size = {"patch": 4, "prefix": 0, "channels": 96, "heads": 3, "layers": 1}
    near, far = Attention(224, 224, **size, window=7), Attention(448, 448, **size, window=7)
    assert far.attention_multiplications == 4 * near.attention_multiplications == 4 * 2 * 49 * 56 * 56 * 96
    wide = Attention(448, 448, **size).attention_multiplications
    assert wide == 16 * Attention(224, 224, **size).attention_multiplications == 2 * (112 * 112) ** 2 * 96


@pytest.mark.parametrize("kernel", ["materialised", "fused"])
def test_prediction_equals_what_a_plain_network_does(kernel):
    network = timm.create_model("vit_tiny_patch16_224", depth=3)
    backbone = open_network(network, Card("random/v", "v", "ViT", random=True), _pixels(224, 16))
    pixels = torch.randn(3, 224, 224)
    layers = backbone.trace(pixels)
    said, done = predicted(backbone, layers, kernel), counted(lambda: backbone.trace(pixels), kernel)
    assert (said.attention, said.matrices) == (done.attention, done.matrices)
    assert said.weights + 196 * 768 * 192 == done.weights, "the rest is the patch projection"
    formula = Attention(channels=192, heads=3, layers=3)
    assert formula.attention_multiplications == done.attention
    assert formula.projection_multiplications + formula.mlp_multiplications == said.weights
    assert formula.layers * formula.layer_bytes("fp32", kernel) == done.matrices


def test_prediction_equals_what_a_swin_does():
    """A 60-pixel side makes 15 patches, no multiple of 4: padded windows are computed and must be counted."""
    network = timm.create_model(
        "swin_tiny_patch4_window7_224", img_size=64, window_size=4, depths=(2, 2), embed_dim=24, num_heads=(2, 4),
        strict_img_size=False,
    )  # fmt: skip
    backbone = open_network(network, Card("random/s", "s", "Swin", random=True), _pixels(64, 4))
    for side in (64, 60):
        pixels = torch.randn(3, side, side)
        said, done = predicted(backbone, backbone.trace(pixels)), counted(lambda: backbone.trace(pixels))  # noqa: B023
        assert (said.attention, said.matrices) == (done.attention, done.matrices)


def test_a_picture_smaller_than_a_patch_is_refused():
    with pytest.raises(Fault, match="no whole"):
        Attention(8, 224)


def _pixels(side: int, patch: int) -> Pixels:
    return Pixels((side, side), patch, patch, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
