"""Windows, shift, mask and receptive field, held to the authors' own code and to counting."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
import timm
import torch
import transformers

from models.backbone import Backbone, Layer
from models.card import Card
from models.faults import Refusal
from models.loading import open_network
from models.pixels import Pixels
from models.window_geometry import geometry, receptive_field, regions, rolled, stages, windows_of

GREY = (0.5, 0.5, 0.5)


@cache
def swin(side: int = 64, window: int = 4) -> Backbone:
    torch.manual_seed(0)
    network = timm.create_model(
        "swin_tiny_patch4_window7_224", img_size=side, window_size=window, depths=(2, 2), embed_dim=24,
        num_heads=(2, 4), strict_img_size=False,
    )  # fmt: skip
    for name, tensor in network.named_parameters():
        if "relative_position_bias_table" in name:
            torch.nn.init.normal_(tensor)
    return open_network(network, Card("random/s", "s", "Swin", random=True), Pixels((side, side), 4, 4, GREY, GREY))


def test_window_and_shift_are_the_network_s_own():
    backbone = swin()
    for layer, block in zip(backbone.trace(torch.randn(3, 64, 96)), backbone.blocks, strict=True):
        found = geometry(layer)
        assert found.window == tuple(block.window_size)  # pyright: ignore[reportArgumentType]
        assert found.shift == tuple(block.shift_size)  # pyright: ignore[reportArgumentType]


def test_bias_is_the_authors_table_read_at_every_pair_s_offset():
    """The authors' index of a pair (Δrow + M − 1) · (2M − 1) + Δcolumn + M − 1, written out for every pair."""
    backbone = swin()
    for affinity, block in zip(backbone.positions(), backbone.blocks, strict=True):
        table, side = block.attn.relative_position_bias_table, affinity.grid[0]  # pyright: ignore
        for query in range(side * side):
            for key in range(side * side):
                down, right = query // side - key // side, query % side - key % side
                expected = table[(down + side - 1) * (2 * side - 1) + right + side - 1]  # pyright: ignore
                assert torch.equal(affinity.values[:, query, key], expected.detach())


def test_regions_are_the_authors_nine():
    """Swin's mask: a shifted grid has three by three bands, cut at -window and at -shift from its end."""
    layer = swin().trace(torch.randn(3, 64, 64))[1]
    down = torch.tensor([0] * 12 + [1] * 2 + [2] * 2)
    band = torch.roll(3 * down.unsqueeze(1) + down, (2, 2), (0, 1))
    window, region = windows_of(layer), regions(layer)
    same_window = window.flatten().unsqueeze(1) == window.flatten()
    same_band = band.flatten().unsqueeze(1) == band.flatten()
    assert torch.equal(region.flatten().unsqueeze(1) == region.flatten(), same_window & same_band)


def test_roll_brings_the_shifted_corner_to_the_origin():
    layer = swin().trace(torch.randn(3, 64, 64))[1]
    assert rolled(layer)[0, 0] == 2 * 16 + 2
    assert sorted(rolled(layer).flatten().tolist()) == list(range(256))


def test_receptive_field_is_what_gradients_reach():
    """Oracle: a token's gradient is non-zero exactly at the patches that its field names."""
    backbone = swin()
    pixels = torch.randn(1, 3, 64, 64, requires_grad=True)
    out = backbone.module.forward_features(pixels)  # pyright: ignore[reportCallIssue]
    (gradient,) = torch.autograd.grad(out[0, 1, 5].sum(), pixels)
    touched = gradient[0].abs().sum(0).unflatten(0, (16, 4)).unflatten(2, (16, 4)).sum((1, 3)) > 0
    layers = backbone.trace(pixels[0].detach())
    field = receptive_field(layers, 1 * 8 + 5)
    assert torch.equal(field[0], touched)
    assert 0 < field[0].sum() < 256
    assert stages(layers) == [[0, 1], [2, 3]]


def test_a_plain_network_has_no_windows():
    network = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1)
    backbone = open_network(network, Card("random/v", "v", "ViT", random=True), Pixels((32, 32), 16, 16, GREY, GREY))
    with pytest.raises(Refusal, match="choose a Swin"):
        geometry(backbone.trace(torch.zeros(3, 32, 32))[0])


def _padded(layer: Layer, window: tuple[int, int]) -> tuple[int, int]:
    rows, columns = (side + -side % step for side, step in zip(layer.grid, window, strict=True))
    return rows, columns


@pytest.mark.parametrize("scale", [10, 100])
@pytest.mark.parametrize("shape", [(64, 64), (72, 104)], ids=["whole windows", "padded"])
def test_the_mask_is_never_read_back_from_logits(shape: tuple[int, int], scale: float) -> None:
    """At SwinV2's largest temperature its logits fall below any threshold by themselves."""
    torch.manual_seed(0)
    network = timm.create_model(
        "swinv2_tiny_window8_256", img_size=64, window_size=4, depths=(2, 2), embed_dim=24, num_heads=(2, 4),
        strict_img_size=False,
    )  # fmt: skip
    card = Card("random/s", "s", "Swin", random=True)
    backbone = open_network(network, card, Pixels((64, 64), 4, 8, GREY, GREY))
    with torch.no_grad():
        for block in backbone.blocks:
            block.attn.logit_scale.fill_(math.log(scale))  # pyright: ignore
    cut = 0
    for layer, block in zip(backbone.trace(torch.randn(3, *shape)), backbone.blocks, strict=True):
        mask = block.get_attn_mask(torch.zeros(1, *_padded(layer, block.window_size), 1))  # pyright: ignore
        apart = torch.zeros(1) if mask is None else mask != 0
        assert layer.bands is not None
        together = layer.bands[:, :, None] == layer.bands[:, None]
        assert torch.equal(together, ~apart.bool().expand_as(together))
        assert len(regions(layer).unique()) == len({*zip(*_places(layer), strict=True)})
        cut += int(apart.any())
    assert cut, "no block was shifted: nothing was tested"


def _places(layer: Layer) -> tuple[list[int], list[int]]:
    """Window and band of every real token."""
    assert layer.bands is not None
    real = layer.members >= 0
    window = torch.arange(layer.windows)[:, None].expand_as(real)
    return window[real].tolist(), layer.bands[real].tolist()


@pytest.mark.parametrize("kind", ["Swin", "Swinv2"])
@pytest.mark.parametrize("shape", [(64, 64), (72, 104)], ids=["whole windows", "padded"])
def test_transformers_mask_is_the_layers(kind: str, shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    sizes = {
        "image_size": 64,
        "patch_size": 4,
        "embed_dim": 24,
        "depths": (2, 2),
        "num_heads": (2, 4),
        "window_size": 4,
    }
    network = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**sizes))
    backbone = open_network(network, Card("random/s", "s", "Swin", random=True), Pixels((64, 64), 4, 8, GREY, GREY))
    cut = 0
    for layer, block in zip(backbone.trace(torch.randn(3, *shape)), backbone.blocks, strict=True):
        made: Any = block
        mask = made.get_attn_mask(*_padded(layer, (4, 4)), torch.float32, torch.device("cpu"))
        apart = torch.zeros(1) if mask is None else mask != 0
        assert layer.bands is not None
        together = layer.bands[:, :, None] == layer.bands[:, None]
        assert torch.equal(together, ~apart.bool().expand_as(together))
        cut += int(apart.any())
    assert cut, "no block was shifted: nothing was tested"
