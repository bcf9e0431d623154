"""Formulas of attention's cost, held to what a pass really multiplies and writes."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch.overrides import TorchFunctionMode

from explorers.patch_parts import own
from explorers.traces import trace
from models.attention_cost import Attention, counted, predicted
from models.backbone import Backbone
from models.card import Card
from models.faults import Fault
from models.loading import open_network
from models.pixels import Pixels
from tests.conftest import ROOT
from tests.models.architectures import SHOWN, Architecture

CAT = ROOT / "assets" / "pictures" / "cat.jpg"


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


class Linears(TorchFunctionMode):
    """Multiplications of every `linear` with one of these weights, whether its module or its weight alone was used."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.weights = {weight.data_ptr() for block in backbone.blocks for weight in block.parameters()}
        self.done = 0

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        if func is torch.nn.functional.linear:
            given, weight = args[0], args[1] if len(args) > 1 else kwargs["weight"]
            self.done += given.numel() // weight.shape[1] * weight.numel() * (weight.data_ptr() in self.weights)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("architecture", SHOWN, ids=lambda one: one.title)
def test_products_with_weights_are_those_that_a_pass_makes(architecture: Architecture) -> None:
    """Projections of padded windows are computed and must be counted; SwinV2's table of offsets is read once, not once
    a token; an MLP is as wide as it is, not four times the token."""
    backbone = architecture.open()
    for shape in (architecture.size, *architecture.others):
        with Linears(backbone) as linears:
            layers = backbone.trace(torch.randn(3, *shape))
        assert predicted(backbone, layers).weights == linears.done, shape


def test_the_calculator_takes_the_mlp_from_the_network() -> None:
    """SO-150M's MLP is 2304 wide for 896 channels; 4.0 for every network said 2.08e10 multiplications for 1.34e10."""
    traced = trace("timm/vit_so150m_patch16_reg4_gap_256?random", CAT)
    asked = own(traced)
    assert asked.mlp == 2304 / 896
    assert asked.mlp_multiplications == 18 * 2 * 2304 * 896 * len(traced.layers[0].tokens)


def test_a_picture_smaller_than_a_patch_is_refused():
    with pytest.raises(Fault, match="no whole"):
        Attention(8, 224)


def _pixels(side: int, patch: int) -> Pixels:
    return Pixels((side, side), patch, patch, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
