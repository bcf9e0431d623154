"""Plain vision transformers: prefix tokens, grids, heads and pools are the network's own, at any size."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from timm.layers import resample_abs_pos_embed
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from models.backbone import Backbone, Classifies, Layer, Parts, Pools
from models.card import Card
from models.families import vit
from models.faults import Fault, Refusal
from models.pixels import Pixels
from tests.models.architectures import HALF, SHOWN, SMALL

PARAMETERS = {
    "CLS": ("cls_token",), "distillation": ("dist_token", "distillation_token"),
    "register": ("reg_token", "register_tokens"),
}  # fmt: skip
TITLES = {each.title: each for each in SHOWN}


def noise(*shape: int) -> Tensor:
    return torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))


def opened(name: str, random: bool = True, **options: Any) -> Backbone:
    torch.manual_seed(0)
    network = timm.create_model(name, **{**SMALL, "img_size": 64, "dynamic_img_size": True, **options})
    return vit.FAMILY.opens(
        Parts(network, Card("test/vit", name, "ViT", random=random), Pixels((64, 64), 16, 16, HALF, HALF))
    )


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("ViT, supervised", ("CLS",)),
        ("ViT, mean-pooled, without CLS", ()),
        ("DeiT, distilled", ("CLS", "distillation")),
        ("DINOv2 with registers", ("CLS", "register 1", "register 2", "register 3", "register 4")),
        ("DINOv3", ("CLS", "register 1", "register 2", "register 3", "register 4")),
        ("SigLIP, image tower (timm)", ()),
        ("EVA-02", ("CLS",)),
        ("BEiT", ("CLS",)),
        ("DeiT, distilled (transformers)", ("CLS", "distillation")),
        ("DINOv3 (transformers)", ("CLS", "register 1", "register 2", "register 3", "register 4")),
        ("DINOv2 with registers (transformers)", ("CLS", "register 1", "register 2", "register 3", "register 4")),
    ],
)
def test_prefix_tokens_are_named(title: str, names: tuple[str, ...]) -> None:
    for layer in TITLES[title].open().trace(noise(*TITLES[title].size)):
        assert layer.names == names
        assert layer.prefix == len(names)
        assert layer.length == len(names) + 16


@pytest.mark.parametrize(
    "title",
    ["DeiT, distilled", "DINOv2 with registers", "DINOv3", "DeiT, distilled (transformers)",
     "DINOv2 with registers (transformers)", "DINOv3 (transformers)"],
)  # fmt: skip
def test_prefix_tokens_lie_in_the_order_of_their_names(title: str) -> None:
    """Change one token's parameter: the first block's row of that name, and no other prefix, asks differently."""
    backbone = TITLES[title].open()
    network: Any = backbone.module
    before = backbone.trace(noise(*TITLES[title].size))[0]
    for place, name in enumerate(before.names):
        kind, _, number = name.partition(" ")
        home = getattr(backbone, "encoder", network)
        home = getattr(home, "embeddings", home)
        tokens = next(getattr(home, each) for each in PARAMETERS[kind] if hasattr(home, each))
        with torch.no_grad():
            row = tokens[0, int(number or 1) - 1]
            kept = row.clone()
            row.neg_()
            after = backbone.trace(noise(*TITLES[title].size))[0]
            row.copy_(kept)
        assert before.queries is not None
        assert after.queries is not None
        changed = (before.queries != after.queries).flatten(3).any(-1).any(1)[0]
        assert changed.nonzero().flatten().tolist() == [place]


def test_patches_lie_row_by_row() -> None:
    """Paint over the patch in row 1, column 3 of a 3 × 5 grid: with one block, only its own query changes."""
    backbone = opened("vit_tiny_patch16_224", depth=1)
    painted = noise(48, 80)
    painted[:, 16:32, 48:64] += 1
    (before,), (after,) = backbone.trace(noise(48, 80)), backbone.trace(painted)
    assert before.queries is not None
    assert after.queries is not None
    assert (before.queries != after.queries)[0, 0].any(-1).nonzero().flatten().tolist() == [1 + 1 * 5 + 3]


def test_another_grid_gets_the_networks_own_interpolation() -> None:
    """Tokens before the first block, recovered by switching its position table off, differ by timm's resized table."""
    backbone = opened("vit_tiny_patch16_224", depth=1)
    network: Any = backbone.module
    network.blocks[0] = torch.nn.Identity()
    entered = network.blocks[0].register_forward_hook
    seen: list[Tensor] = []
    entered(lambda _, inputs, __: seen.append(inputs[0]))
    table = network.pos_embed.detach().clone()
    with torch.no_grad():
        network.forward_features(noise(48, 80)[None])
        network.pos_embed.zero_()
        network.forward_features(noise(48, 80)[None])
    resized = resample_abs_pos_embed(table, new_size=[3, 5], old_size=[4, 4], num_prefix_tokens=1)
    torch.testing.assert_close(seen[0] - seen[1], resized, rtol=0, atol=1e-6)


def test_3137_tokens_work_and_memory_is_linear() -> None:
    """No tensor of tokens squared is ever made, by the trace or by a row, and what is kept grows with the tokens."""
    backbone = opened("vit_small_patch16_224", depth=2, img_size=224)
    kept, largest = [], []
    for side in (448, 896):
        pixels = noise(side, side)
        with Largest() as made:
            layers = backbone.trace(pixels)
            for layer in layers:
                torch.testing.assert_close(layer.attention_from(0).sum(-1), torch.ones(3))
        kept.append(sum(stored(layer) for layer in layers))
        largest.append(made.entries)
    assert layers[0].length == 3137
    tokens = 3137 / 785
    assert kept[1] / kept[0] == pytest.approx(tokens, rel=0.01)
    assert largest[1] / largest[0] == pytest.approx(tokens, rel=0.01)
    assert largest[1] < 3137**2


def stored(layer: Layer) -> int:
    """Bytes that live as long as the layer does; views of one storage count once."""
    held = [layer.queries, layer.keys, layer.bias, layer.members, layer.tokens, layer.logits]
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage() for tensor in held if tensor is not None}
    return sum(storage.nbytes() for storage in storages.values())


class Largest(TorchDispatchMode):
    """The most entries that any one tensor had."""

    entries = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple) else (result,):
            if isinstance(tensor, Tensor):
                self.entries = max(self.entries, tensor.numel())
        return result


def test_only_a_classifier_classifies() -> None:
    assert isinstance(opened("vit_tiny_patch16_224"), Classifies)
    assert not isinstance(opened("vit_tiny_patch16_224", num_classes=0), Classifies)


def test_clips_projection_is_no_classifier() -> None:
    """In trained CLIP towers timm's head is the projection, its bias exactly zero: relevance of "class 17" of it would
    be a picture of nothing. A classifier fine-tuned on CLIP has learned a bias."""
    assert not isinstance(opened("vit_base_patch16_clip_224", random=False, num_classes=512), Classifies)
    tuned = timm.create_model("vit_base_patch16_clip_224", **SMALL, img_size=64, num_classes=10)
    with torch.no_grad():
        tuned.head.bias.normal_()  # pyright: ignore
    parts = Parts(tuned, Card("test/vit", "tuned", "CLIP"), Pixels((64, 64), 16, 16, HALF, HALF))
    assert isinstance(vit.FAMILY.opens(parts), Classifies)


@pytest.mark.parametrize(
    "title", ["ViT, supervised", "DeiT, distilled", "BEiT", "Perception Encoder", "ViT (transformers)"]
)
def test_class_logits_are_the_networks_and_grow_gradients(title: str) -> None:
    backbone = TITLES[title].open()
    assert isinstance(backbone, Classifies)
    pixels = noise(*TITLES[title].size)[None].requires_grad_()
    logits = backbone.class_logits(pixels)
    answer = backbone.module(pixels)
    torch.testing.assert_close(logits, getattr(answer, "logits", answer), rtol=0, atol=0)
    logits[0, 0].backward()
    assert pixels.grad is not None
    assert pixels.grad.any()


@pytest.mark.parametrize("title", ["SigLIP, image tower (timm)", "Perception Encoder"])
def test_the_pools_row_is_its_own_softmax(title: str) -> None:
    """From the pool's own weights, longhand, over the tokens that it really sees."""
    backbone = TITLES[title].open()
    assert isinstance(backbone, Pools)
    network: Any = backbone.module
    pixels, pool = noise(*TITLES[title].size), network.attn_pool
    with torch.no_grad():
        tokens = network.forward_features(pixels[None])
        query = pool.q_norm(pool.q(pool.latent).unflatten(-1, (pool.num_heads, -1)))[0, 0]
        key = pool.k_norm(pool.kv(tokens).unflatten(-1, (2, pool.num_heads, -1))[0, :, 0])
        own = (torch.einsum("hd,nhd->hn", query, key) * pool.scale).softmax(-1)
    torch.testing.assert_close(backbone.pooled_from(backbone.trace(pixels)), own, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(40, 64), (64, 63), (0, 64)])
def test_a_shape_of_broken_patches_is_a_fault(shape: tuple[int, int]) -> None:
    with pytest.raises(Fault, match="multiples of the patch's 16"):
        opened("vit_tiny_patch16_224").trace(noise(*shape))


def test_a_network_of_one_size_says_so() -> None:
    with pytest.raises(Fault, match="takes 64 × 64 only"):
        opened("vit_tiny_patch16_224", dynamic_img_size=False).trace(noise(64, 96))


@pytest.mark.parametrize("name", ["vit_small_patch16_18x2_224", "vit_dwee_patch16_reg1_gap_256"])
def test_two_attentions_in_one_block_are_refused(name: str) -> None:
    """Two side by side, or the difference of two: neither is "the" map of the block. Said before a picture is fed."""
    with pytest.raises(Refusal, match="makes 2 attention calls"):
        opened(name)


def test_tokens_that_no_parameter_accounts_for_are_refused() -> None:
    network: Any = timm.create_model("vit_tiny_patch16_224", **SMALL, img_size=64)
    network.num_prefix_tokens = 2
    with pytest.raises(Refusal, match="says that there are 2 and has CLS"):
        vit.FAMILY.opens(Parts(network, Card("test/vit", "odd", "ViT"), Pixels((64, 64), 16, 16, HALF, HALF)))
