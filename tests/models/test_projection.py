"""Filters of the patch projection are the ones that the network uses."""

from __future__ import annotations

import pytest
import timm
import torch

from models.backbone import Backbone
from models.card import Card
from models.faults import Refusal
from models.loading import open_network
from models.patches import patchify
from models.pixels import Pixels
from models.projection import filters, principal, tiles

GREY = (0.5, 0.5, 0.5)


def opened(name: str, patch: int, **options: object) -> Backbone:
    torch.manual_seed(0)
    network = timm.create_model(name, **options).eval()  # pyright: ignore[reportArgumentType]
    return open_network(
        network, Card("random/x", "x", "ViT", random=True), Pixels((224, 224), patch, patch, GREY, GREY)
    )


def test_tokens_of_patches_are_the_network_s_own():
    backbone = opened("vit_tiny_patch16_224", 16, depth=1)
    pixels = torch.randn(3, 224, 224)
    own = backbone.module.patch_embed(pixels[None])[0]  # pyright: ignore
    patches = patchify(pixels, 16).unflatten(2, (16, 16, 3)).permute(0, 1, 4, 2, 3)
    assert torch.allclose(filters(backbone).tokens(patches).flatten(0, 1), own, atol=1e-5)


def test_components_are_ordered_and_signed():
    weights = opened("vit_tiny_patch16_224", 16, depth=1)
    found, explained = principal(filters(weights).weights, 28)
    assert found.shape == (28, 3, 16, 16)
    assert explained.tolist() == sorted(explained.tolist(), reverse=True)
    assert torch.equal(found.flatten(1).amax(1), found.flatten(1).abs().amax(1))
    assert torch.allclose(found.flatten(1) @ found.flatten(1).T, torch.eye(28), atol=1e-5)


def test_zero_is_middle_grey():
    assert tiles(torch.tensor([0.0, 2.0, -2.0]).repeat(3, 1).view(1, 3, 1, 3))[0, 0, :, 0].tolist() == [128, 255, 0]


def test_a_stem_of_several_steps_is_refused():
    network = opened("vit_tiny_patch16_224", 16, depth=1)
    network.module.patch_embed.proj = torch.nn.Sequential(  # pyright: ignore
        torch.nn.Conv2d(3, 96, 8, 8), torch.nn.Conv2d(96, 192, 2, 2)
    )
    with pytest.raises(Refusal, match="several steps"):
        filters(network)
