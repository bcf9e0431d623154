"""Changed positions: exact where they must be, felt where they must be, and nobody else's business."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any, get_args

import pytest
import timm
import torch
from timm.layers.pos_embed import resample_abs_pos_embed
from torch import Tensor, nn
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    Siglip2VisionConfig,
    Siglip2VisionModel,
    SiglipVisionConfig,
    SiglipVisionModel,
    SwinConfig,
    SwinForMaskedImageModeling,
    ViTMAEConfig,
    ViTMAEForPreTraining,
)

from models.backbone import Backbone, Classifies, Layer
from models.card import Card
from models.change import Change, Kind
from models.faults import Fault, Refusal
from models.loading import open_network
from models.patches import patchify, unpatchify
from models.pixels import Pixels
from models.recorder import record
from models.surgery import operated, resized_table
from tests.models.architectures import SHOWN, Architecture

SMALL: Any = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 16,
}  # fmt: skip
WINDOWS: Any = {"embed_dim": 24, "depths": (2, 2), "num_heads": (2, 4)}


def timm_network(name: str, side: int, **options: Any) -> Callable[[], nn.Module]:
    return lambda: timm.create_model(name, img_size=side, **options)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int, int]] = {
    "ViT": (timm_network("vit_tiny_patch16_224", 96, depth=2, dynamic_img_size=True), 96, 16),
    "DINOv2": (timm_network("vit_small_patch14_reg4_dinov2", 98, depth=2, dynamic_img_size=True), 98, 14),
    "DINOv3": (timm_network("vit_small_patch16_dinov3", 96, depth=2, dynamic_img_size=True), 96, 16),
    "EVA-02": (timm_network("eva02_tiny_patch14_224", 98, depth=2, dynamic_img_size=True), 98, 14),
    "RoPE-mixed": (timm_network("vit_small_patch16_rope_mixed_224", 96, depth=2, dynamic_img_size=True), 96, 16),
    "BEiT": (timm_network("beit_base_patch16_224", 96, depth=2, embed_dim=96, num_heads=3), 96, 16),
    "CLIP": (lambda: CLIPVisionModel(CLIPVisionConfig(image_size=96, **SMALL)), 96, 16),
    "SigLIP": (lambda: SiglipVisionModel(SiglipVisionConfig(image_size=96, **SMALL)), 96, 16),
    "SigLIP 2": (lambda: Siglip2VisionModel(Siglip2VisionConfig(num_patches=36, **SMALL)), 96, 16),
    "MAE": (lambda: ViTMAEForPreTraining(ViTMAEConfig(image_size=96, **SMALL)), 96, 16),
    "Swin": (timm_network("swin_tiny_patch4_window7_224", 56, strict_img_size=False, **WINDOWS), 56, 4),
    "SwinV2": (timm_network("swinv2_tiny_window8_256", 64, strict_img_size=False, **WINDOWS), 64, 4),
    "SimMIM": (
        lambda: SwinForMaskedImageModeling(SwinConfig(image_size=96, patch_size=4, window_size=6, **WINDOWS)), 96, 4),
}  # fmt: skip
WITH_CLS = ["ViT", "DINOv2", "DINOv3", "EVA-02", "RoPE-mixed", "BEiT", "CLIP", "MAE"]


@cache
def opened(name: str) -> Backbone:
    """Random weights, strong enough for positions to be felt; what starts at zero, such as SwinV2's norms, too."""
    make, side, patch = NETWORKS[name]
    torch.manual_seed(0)
    network = make().eval()
    for tensor in network.parameters():
        if tensor.ndim > 1 or not tensor.any():
            nn.init.normal_(tensor, std=0.08)
    grey = (0.5, 0.5, 0.5)
    return open_network(
        network, Card("random/toy", name, name, random=True), Pixels((side, side), patch, patch, grey, grey)
    )


def picture(name: str, side: int | None = None) -> Tensor:
    return torch.randn(3, *[side or NETWORKS[name][1]] * 2, generator=torch.Generator().manual_seed(1))


def tokens(layers: tuple[Layer, ...]) -> Tensor:
    return layers[-1].tokens


@pytest.mark.parametrize("name", NETWORKS)
def test_identity_changes_nothing_and_every_other_change_is_felt_and_gone(name: str):
    backbone, pixels = opened(name), picture(name)
    weights = {key: (value, value.clone()) for key, value in backbone.module.state_dict(keep_vars=True).items()}
    plain = tokens(backbone.trace(pixels))
    for kind in get_args(Kind):
        with operated(backbone, Change(kind, first=0, second=3), pixels):
            changed = tokens(backbone.trace(pixels))
        assert torch.equal(changed, plain) == (kind == "identity"), kind
        assert torch.equal(tokens(backbone.trace(pixels)), plain), f"{kind} was left behind"
    for key, (value, copy) in weights.items():
        assert torch.equal(value, copy), f"{key} was written to"
        assert backbone.module.state_dict(keep_vars=True)[key] is value, f"{key} was exchanged in the shared module"


@pytest.mark.parametrize("name", WITH_CLS)
@pytest.mark.parametrize("kind", ["shuffle", "transpose", "mirror", "swap"])
def test_moving_patches_and_positions_together_leaves_cls_as_it_was(name: str, kind: Kind):
    """Attention is a set operation: only a change that tells a patch another place than its row says would be felt."""
    backbone, pixels = opened(name), picture(name)
    patch, grid = backbone.pixels.patch, backbone.pixels.grid((pixels.shape[1], pixels.shape[2]))
    change = Change(kind, first=2, second=11)
    moved = patchify(pixels, patch).flatten(0, 1)[change.places(grid)].unflatten(0, grid)
    with operated(backbone, change, pixels):
        together = tokens(backbone.trace(unpatchify(moved, patch)))
        alone = tokens(backbone.trace(pixels))
    plain = tokens(backbone.trace(pixels))
    assert torch.allclose(together[0], plain[0], atol=1e-5)
    assert not torch.allclose(alone[1:], plain[1:], atol=1e-5)


def test_the_table_is_resized_as_the_network_does_it():
    backbone, pixels = opened("ViT"), torch.zeros(3, 64, 160)
    own = resample_abs_pos_embed(backbone.module.pos_embed, [4, 10], old_size=[6, 6])  # pyright: ignore
    assert torch.equal(resized_table(backbone, pixels), own[0, 1:])  # pyright: ignore[reportArgumentType]
    assert resized_table(opened("Swin"), picture("Swin")) is None


def test_swapping_happens_on_the_picture_s_own_grid():
    """On the table's own grid, resizing would smear the swap over the neighbours."""
    backbone, pixels = opened("ViT"), picture("ViT", 160)
    with operated(backbone, Change("swap", first=0, second=99), pixels):
        swapped = backbone.trace(pixels)
    shift = (backbone.trace(pixels)[0].tokens - swapped[0].tokens)[1:].norm(dim=-1)
    assert set(shift.topk(2).indices.tolist()) == {0, 99}


def test_one_place_for_all_takes_rotary_away():
    """With one rotation for all, q·k is what it is without any: the same as a network whose positions are all 0."""
    backbone, pixels = opened("RoPE-mixed"), picture("RoPE-mixed")
    rows = torch.arange(36).roll(7)
    moved = patchify(pixels, 16).flatten(0, 1)[rows].unflatten(0, (6, 6))
    with operated(backbone, Change("zero"), pixels):
        here = backbone.trace(pixels)[0].attention_from(0)
        elsewhere = backbone.trace(unpatchify(moved, 16))[0].attention_from(0)
    assert backbone.module.pos_embed is None, "this network knows position by rotation alone"
    assert torch.allclose(elsewhere[:, 1:], here[:, 1:][:, rows], atol=1e-6)


def test_two_viewers_never_see_each_other_s_surgery():
    backbone, pixels = opened("ViT"), picture("ViT")
    plain, wrong = tokens(backbone.trace(pixels)), []
    started, stop = threading.Event(), threading.Event()

    def watch() -> None:
        started.set()
        while not stop.is_set():
            with torch.no_grad():
                wrong.append(not torch.equal(backbone.module.forward_features(pixels[None])[0], features))  # pyright: ignore

    with torch.no_grad():
        features = backbone.module.forward_features(pixels[None])[0]  # pyright: ignore[reportCallIssue]
    viewer = threading.Thread(target=watch)
    viewer.start()
    started.wait()
    with operated(backbone, Change("shuffle"), pixels):
        for _ in range(20):
            assert not torch.equal(tokens(backbone.trace(pixels)), plain)
    stop.set()
    viewer.join()
    assert wrong
    assert not any(wrong)


UNSEEN = {"NaFlexViT, rows and columns", "SwinV2-CR", "SAM, image encoder", "SAM, image encoder, as a classifier"}
"""Their positions are made anew in each pass, from parts that nothing follows yet."""


OPERATED = [each for each in SHOWN if each.title not in UNSEEN]


@pytest.mark.parametrize("architecture", [pytest.param(each, id=each.title) for each in SHOWN if each not in OPERATED])
def test_what_nothing_follows_is_refused(architecture: Architecture) -> None:
    """Rather than changing some of the positions and saying that it was all of them."""
    backbone, pixels = architecture.open(), torch.randn(3, *architecture.size)
    with pytest.raises(Refusal, match="not all of them were seen"), operated(backbone, Change("shuffle"), pixels):
        backbone.trace(pixels)


@pytest.mark.parametrize("architecture", [pytest.param(each, id=each.title) for each in OPERATED])
@pytest.mark.parametrize("kind", ["identity", "shuffle"])
def test_a_class_is_answered_from_the_same_pass(architecture: Architecture, kind: Kind):
    """Bit for bit what the network answers in a pass of its own: no norm, pool or head is left out or done twice."""
    backbone, pixels = architecture.open(), torch.randn(3, *architecture.size, generator=torch.manual_seed(0))
    if not isinstance(backbone, Classifies):
        pytest.skip("answers with no class")
    with operated(backbone, Change(kind), pixels):
        layers = backbone.trace(pixels)
    with operated(backbone, Change(kind), pixels):  # recorded, since a Swin of timm's own accord adds up otherwise
        _, alone = record(backbone.blocks, lambda: backbone.class_logits(pixels[None])[0])
    assert torch.equal(backbone.class_logits_from(layers), alone)


def test_refusals():
    grid = (4, 7)
    with pytest.raises(Fault, match="square picture"):
        Change("transpose").places(grid)
    with pytest.raises(Fault, match="patches 0 to 27"):
        Change("swap", first=0, second=28).places(grid)
    blind = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1, pos_embed="none")
    backbone = open_network(
        blind, Card("random/blind", "blind", "ViT", random=True), Pixels((32, 32), 16, 16, (0, 0, 0), (1, 1, 1))
    )
    with pytest.raises(Refusal, match="knows where"), operated(backbone, Change("zero"), torch.zeros(3, 32, 32)):
        backbone.trace(torch.zeros(3, 32, 32))


SHAPES = [
    pytest.param(each, shape, id=f"{each.title}-{shape}") for each in OPERATED for shape in (each.size, *each.others)
]


@pytest.mark.parametrize(("architecture", "shape"), SHAPES)
def test_every_architecture_at_every_size(architecture: Architecture, shape: tuple[int, int]):
    """The first pass is watched whole, later ones only where positions were seen: a block that was left out, or one
    whose tables are kept by size from an earlier pass, would differ between them."""
    backbone, pixels = architecture.open(), torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    plain = backbone.trace(pixels)[-1].tokens
    found = []
    for change in (Change("shuffle"), Change("shuffle"), Change("identity")):
        with operated(backbone, change, pixels):
            found.append(backbone.trace(pixels)[-1].tokens)
    assert not torch.equal(found[0], plain)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[2], plain)
    assert torch.equal(backbone.trace(pixels)[-1].tokens, plain)
