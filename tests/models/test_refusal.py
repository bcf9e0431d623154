"""The reason that a person reads is the one that the pass shows, and the pass leaves the network as it was."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch import nn
from transformers import BertConfig, BertModel

from models.refusal import refusal
from tests.models.architectures import REFUSED, Architecture

REASONS = {
    "XCiT": "32 × 32 relate channels",
    "CaiT": "mixes its 4 heads' maps",
    "ViT, two attentions a block": "makes 2 attention calls",
    "ViT, differential attention": "makes 2 attention calls",
    "PVT v2": "3136 queries look at 49 keys",
    "MViT v2": "3136 × 196, not what it relates",
    "Twins": "groups of 49 units",
    "MaxViT": "groups of 64 units",
    "Hiera": "groups of 64 units",
    "CoaT": "not what it relates",
    "ResNet": "made no attention that can be seen",
    "MLP-Mixer": "made no attention that can be seen",
}


@pytest.mark.parametrize("architecture", [pytest.param(each, id=each.title) for each in REFUSED])
def test_the_reason_is_the_true_one(architecture: Architecture) -> None:
    with pytest.raises(ValueError, match=REASONS[architecture.title]):
        architecture.open()


UNESTABLISHED = {
    "efficientvit_m0": "which of them mix its patches is not known",
    "eca_botnext26ts_256": "which of them mix its patches is not known",
    "lambda_resnet26t": "which of them mix its patches is not known",
    "sequencer2d_s": "recurrent layers (36)",
    "halonet_h1": "64 × 196, not what it relates",
    "mobilevitv2_050": "not what it relates",
    "resnest14d": "1 × 64, not what it relates",
}


@pytest.mark.parametrize("name", UNESTABLISHED)
def test_no_reason_is_given_that_was_not_established(name: str) -> None:
    """Softmax over three axes, LSTMs, halos, linear and split attention: sizes alone tell none of them."""
    said = str(refusal(timm.create_model(name)))
    assert UNESTABLISHED[name] in said
    assert "channels" not in said
    assert "patches mix by" not in said


def test_a_class_is_judged_by_what_it_does_not_by_its_name() -> None:
    """The same ResNet called VisionTransformer is no transformer."""
    network = timm.create_model("resnet10t")
    network.__class__ = type("VisionTransformer", (type(network),), {})
    assert "VisionTransformer, made no attention" in str(refusal(network))


def test_the_pass_leaves_the_network_as_found() -> None:
    network: Any = timm.create_model("xcit_nano_12_p16_224", depth=1, img_size=64)
    network.train()
    network.norm.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [part.training for part in network.modules()]
    refusal(network)
    assert [part.training for part in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())


def test_a_network_that_reads_no_pictures_says_so() -> None:
    config = BertConfig(num_hidden_layers=1, hidden_size=12, num_attention_heads=2, intermediate_size=12, vocab_size=20)
    assert "did not take a picture of 224 × 224" in str(refusal(BertModel(config)))


def test_attention_whose_layout_is_unknown_is_no_map() -> None:
    """Square, one window, one call a block, and still nothing says which patch a row stands for."""

    class Shuffled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Conv2d(3, 24, 16, 16)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            tokens = self.embed(pixels).flatten(2).mT.unflatten(-1, (2, 12)).transpose(1, 2)
            order = torch.randperm(tokens.shape[2])
            return nn.functional.scaled_dot_product_attention(*[tokens[:, :, order]] * 3)

    assert "196 × 196, not what it relates" in str(refusal(Shuffled()))
