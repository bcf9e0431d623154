"""One table over all architectures: what a picture claims is what the network did, or it is refused."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch import Tensor

from models.backbone import Backbone, Layer, Pools, ZeroShot
from models.card import Card
from models.card_catalogue import catalogue
from models.faults import Refusal
from models.loading import open_network
from models.pixels import Pixels
from tests.conftest import HUB
from tests.models import conformance
from tests.models.architectures import HALF, REFUSED, SHOWN, Architecture
from tests.models.eager import eager_weights, recorded_weights

TOLERANCE = {"rtol": 0, "atol": 1e-5}
CASES = [pytest.param(each, id=each.title) for each in SHOWN]
SHAPES = [
    pytest.param(each, shape, id=f"{each.title}-{shape}") for each in SHOWN for shape in (each.size, *each.others)
]
REAL = "vit_small_patch14_dinov2.lvd142m"
REAL_HERE = [REAL] if (HUB / f"models--timm--{REAL}").is_dir() else []


def noise(shape: tuple[int, int], seed: int = 0) -> Tensor:
    return torch.randn(3, *shape, generator=torch.Generator().manual_seed(seed))


def plain_output(backbone: Backbone, pixels: Tensor) -> Tensor:
    """The image's features where a text tower stands beside it, else whatever the network answers; MAE rolls dice."""
    torch.manual_seed(0)
    with torch.no_grad():
        if isinstance(backbone, ZeroShot):
            return backbone.image_features(pixels[None])
        answer = backbone.module(pixels[None])
    return answer if isinstance(answer, Tensor) else answer[0]


def hold_to_the_network(backbone: Backbone, pixels: Tensor) -> None:
    """Weights are the network's own; rows sum to 1; columns are entries of rows; members cover each token once."""
    layers = backbone.trace(pixels)
    assert len(layers) == len(backbone.blocks)
    for layer, own in zip(layers, eager_weights(backbone, pixels), strict=True):
        weights = recorded_weights(layer)
        torch.testing.assert_close(weights, own, **TOLERANCE)
        real = layer.members[layer.members >= 0]
        assert sorted(real.tolist()) == list(range(layer.length))
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1], dtype=weights.dtype), **TOLERANCE)
        for token in (0, layer.length // 2, layer.length - 1):
            hold_row_and_column(layer, weights, token)


def hold_row_and_column(layer: Layer, weights: Tensor, token: int) -> None:
    window, place = (layer.members == token).nonzero()[0].tolist()
    row, column = layer.attention_from(token), layer.attention_to(token)
    here = layer.members[window]
    padded = weights[window, :, place][:, here < 0].sum(-1)
    torch.testing.assert_close(row.sum(-1) + padded, torch.ones(layer.heads, dtype=row.dtype), **TOLERANCE)
    assert not row[:, ~layer.window_of(token)].any()
    for index, other in enumerate(here.tolist()):
        if other >= 0:
            torch.testing.assert_close(row[:, other], weights[window, :, place, index], **TOLERANCE)
            torch.testing.assert_close(column[:, other], weights[window, :, index, place], **TOLERANCE)


@pytest.mark.parametrize(("architecture", "shape"), SHAPES)
def test_maps_are_the_networks_own(architecture: Architecture, shape: tuple[int, int]) -> None:
    backbone = architecture.open()
    assert backbone.trace(noise(shape))[0].grid == (shape[0] // architecture.patch, shape[1] // architecture.patch)
    hold_to_the_network(backbone, noise(shape))


@pytest.mark.parametrize("architecture", CASES)
def test_tracing_leaves_the_network_as_found(architecture: Architecture) -> None:
    backbone, pixels = architecture.open(), noise(architecture.size)
    before, weights, state = plain_output(backbone, pixels), {**backbone.module.state_dict()}, state_of(backbone)
    weights = {name: value.clone() for name, value in weights.items()}
    first = backbone.trace(pixels)
    for shape in architecture.others:
        backbone.trace(noise(shape))
    second = backbone.trace(pixels)
    torch.testing.assert_close(plain_output(backbone, pixels), before, rtol=0, atol=0)
    assert state_of(backbone) == state
    assert all(torch.equal(value, weights[name]) for name, value in backbone.module.state_dict().items())
    for one, two in zip(first, second, strict=True):
        assert torch.equal(one.tokens, two.tokens)
        assert torch.equal(recorded_weights(one), recorded_weights(two))


def state_of(backbone: Backbone) -> list[tuple]:
    """Mode, hooks and switches of every part."""
    return [
        (
            part.training, len(part._forward_hooks), len(part._forward_pre_hooks),
            getattr(part, "fused_attn", None), getattr(part, "window_size", None), getattr(part, "shift_size", None),
        )
        for part in backbone.module.modules()
    ]  # fmt: skip


@pytest.mark.parametrize("architecture", CASES)
def test_last_tokens_are_what_the_network_goes_on_with(architecture: Architecture) -> None:
    """`tokens` of the last block, through the network's last norm, is the network's own last hidden state."""
    backbone, pixels = architecture.open(), noise(architecture.size)
    tokens = backbone.trace(pixels)[-1].tokens
    network: Any = backbone.module
    if hasattr(network, "forward_features") and hasattr(network, "norm"):
        own = network.forward_features(pixels[None]).detach().flatten(1, -2)[0]
        torch.testing.assert_close(network.norm(tokens).detach(), own, **TOLERANCE)
    elif hasattr(network, "forward_features"):  # a neck of convolutions, or nothing more, over channels first
        neck = getattr(network, "neck", torch.nn.Identity())
        square = tokens.unflatten(0, backbone.trace(pixels)[-1].grid).permute(2, 0, 1)[None]
        own = network.forward_features(pixels[None]).detach()
        torch.testing.assert_close(neck(square).detach(), own, **TOLERANCE)
    assert tokens.isfinite().all()


@pytest.mark.parametrize("architecture", CASES)
def test_the_pools_latent_sums_to_one(architecture: Architecture) -> None:
    backbone = architecture.open()
    if isinstance(backbone, Pools):
        layers = backbone.trace(noise(architecture.size))
        row = backbone.pooled_from(layers)
        assert row.shape[-1] == layers[-1].length
        torch.testing.assert_close(row.sum(-1), torch.ones(len(row)), **TOLERANCE)


@pytest.mark.parametrize("architecture", [pytest.param(each, id=each.title) for each in REFUSED])
def test_what_has_no_map_is_refused(architecture: Architecture) -> None:
    with pytest.raises(Refusal, match="asked for"):
        architecture.open()


@pytest.mark.parametrize("name", REAL_HERE)
def test_the_real_dinov2_shows_its_own_attention(name: str) -> None:
    """In double precision: its logits pass 200, and its own softmax in single is up to 2e-5 from the exact one."""
    network = timm.create_model(name, pretrained=True, dynamic_img_size=True).eval()
    backbone = open_network(network, Card(f"timm/{name}", "DINOv2", "DINOv2"), Pixels((518, 518), 14, 14, HALF, HALF))
    single = [recorded_weights(layer) for layer in backbone.trace(noise((70, 126)))]
    backbone.module.double()
    for shape in ((112, 112), (70, 126)):
        hold_to_the_network(backbone, noise(shape).double())
    for layer, weights in zip(backbone.trace(noise((70, 126))), single, strict=True):
        torch.testing.assert_close(recorded_weights(layer).float(), weights, rtol=0, atol=5e-5)


def test_every_timm_network_of_the_catalogue_has_its_row() -> None:
    """A checkpoint that is offered, of a class that this table never tried, could show anything."""
    tried = {type(each.network()) for each in SHOWN}
    for card in catalogue():
        if card.source == "timm":
            name = card.id.partition("/")[2].partition(".")[0]
            shallow: dict[str, Any] = {"depths": (1,) * 4} if name.startswith("swin") else {"depth": 1}
            with torch.device("meta"):
                assert type(timm.create_model(name, pretrained=False, **shallow)) in tried, card.id


def test_the_page_is_what_the_code_does() -> None:
    """docs/conformance.md would tell of another state of the code; `make conformance` writes it anew."""
    assert conformance.PAGE.read_text(encoding="utf-8") == conformance.page()
