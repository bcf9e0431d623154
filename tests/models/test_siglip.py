"""SigLIP and SigLIP 2 against transformers itself, computed eagerly, for the same weights, pictures and texts."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    Siglip2Config,
    Siglip2Model,
    SiglipConfig,
    SiglipModel,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from models.backbone import Backbone, Pools, ZeroShot
from models.families.siglip import FAMILY, TwoTowers
from models.patches import patchify
from tests.models.towers import (
    SHAPES,
    SIZE,
    assert_attention,
    assert_learned_table,
    assert_seen_through_the_kernel,
    eager_twin,
    parts,
    scores,
)

TEXTS = ["a cat", "two dogs", "snow"]
IDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
TEXT = {**SIZE, **IDS, "vocab_size": 99, "max_position_embeddings": 8, "projection_size": 32}
VISION: dict[str, Any] = {**SIZE, "image_size": 32, "patch_size": 8}


def tokenizer(texts: Sequence[str]) -> Mapping[str, Tensor]:
    """One token a word, always padded to 8, nothing masked: as SigLIP was trained."""
    ids = torch.zeros(len(texts), 8, dtype=torch.long)
    for row, text in zip(ids, texts, strict=True):
        words = [3 + sum(map(ord, word)) % 90 for word in text.split()]
        row[: len(words) + 1] = torch.tensor([*words, 2])
    return {"input_ids": ids}


def fixed() -> SiglipModel:
    return SiglipModel(SiglipConfig(text_config=TEXT, vision_config=VISION))


def flexible() -> Siglip2Model:
    vision = {**SIZE, "num_patches": 16, "patch_size": 8}
    return Siglip2Model(Siglip2Config(text_config=TEXT, vision_config=vision))


def fed(network: Any, images: Tensor) -> dict[str, Any]:
    """What the image tower's own forward takes for images (images, 3, height, width)."""
    if isinstance(network, SiglipModel):
        return {"pixel_values": images, "interpolate_pos_encoding": True}
    patches = torch.stack([patchify(image, 8) for image in images])
    shapes = torch.tensor([patches.shape[1:3]] * len(images))
    mask = torch.ones(patches.flatten(1, 2).shape[:2])
    return {"pixel_values": patches.flatten(1, 2), "spatial_shapes": shapes, "pixel_attention_mask": mask}


@pytest.fixture(scope="module", params=[fixed, flexible])
def network(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    made = request.param()
    with torch.no_grad():
        made.logit_scale.fill_(2.0)
        made.logit_bias.fill_(-1.5)
        made.vision_model.head.attention.in_proj_bias.normal_()
        made.vision_model.head.attention.out_proj.bias.normal_()
    return made


@pytest.fixture
def backbone(network: Any) -> TwoTowers:
    opened = FAMILY.opens(parts(network, tokenizer))
    assert isinstance(opened, TwoTowers)
    return opened


@pytest.fixture(scope="module")
def eager(network: Any) -> Any:
    return eager_twin(network)


@SHAPES
def test_trace_is_transformers_own_attention(backbone: TwoTowers, eager: Any, shape: tuple[int, int]) -> None:
    image = torch.randn(3, *shape)
    layers = backbone.trace(image)
    with torch.no_grad():
        own = eager.vision_model(**fed(eager, image[None]), output_attentions=True)
    assert_attention(layers, own, (shape[0] // 8, shape[1] // 8))


@pytest.mark.parametrize("shape", [(32, 32), (16, 40)])
def test_the_latents_row_is_its_own_attention(backbone: TwoTowers, eager: Any, shape: tuple[int, int]) -> None:
    """`nn.MultiheadAttention` says itself where the probe looks."""
    image = torch.randn(3, *shape)
    row = backbone.pooled_from(backbone.trace(image))
    with torch.no_grad():
        tokens = eager.vision_model(**fed(eager, image[None])).last_hidden_state
        head = eager.vision_model.head
        _, own = head.attention(head.probe, tokens, tokens, average_attn_weights=False)
    torch.testing.assert_close(row, own[0, :, 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(row.sum(-1), torch.ones(4))
    assert row.std() > 1e-3, "uniform rows would agree without being read"


def test_probabilities_are_transformers_own(backbone: TwoTowers, eager: Any) -> None:
    images = torch.randn(2, 3, 32, 40)
    with torch.no_grad():
        own = eager(**fed(eager, images), **tokenizer(TEXTS))
    found = scores(backbone, own, images, TEXTS)
    torch.testing.assert_close(found.probabilities, own.logits_per_image.sigmoid(), atol=1e-5, rtol=0)
    assert (found.read_out, found.bias) == ("sigmoid", -1.5)


def test_text_trace_sees_every_token_padding_included(backbone: TwoTowers, eager: Any) -> None:
    layers = backbone.text_trace(TEXTS[1])
    with torch.no_grad():
        own = eager.text_model(**tokenizer([TEXTS[1]]), output_attentions=True)
    assert_attention(layers, own, (1, 8))


def test_positions_are_the_learned_table_without_prefix(backbone: TwoTowers, network: Any) -> None:
    assert_learned_table(backbone, network.vision_model.embeddings.position_embedding.weight.detach(), prefix=0)


def test_the_pool_leaves_the_network_as_it_was(backbone: TwoTowers, network: Any) -> None:
    names = set(network.state_dict())
    backbone.pooled_from(backbone.trace(torch.randn(3, 32, 32)))
    assert set(network.state_dict()) == names
    assert not network.training


def test_abilities_follow_from_what_the_network_has(backbone: TwoTowers) -> None:
    assert isinstance(backbone, Backbone)
    assert isinstance(backbone, Pools)
    assert isinstance(backbone, ZeroShot)
    tower = FAMILY.opens(parts(SiglipVisionModel(SiglipVisionConfig(**VISION))))
    assert isinstance(tower, Pools)
    assert not isinstance(tower, ZeroShot)
    headless = FAMILY.opens(parts(SiglipVisionModel(SiglipVisionConfig(**VISION, vision_use_head=False))))
    assert isinstance(headless, Backbone)
    assert not isinstance(headless, Pools)


def test_a_network_that_was_loaded_as_eager_is_seen_through_the_kernel(eager: Any) -> None:
    opened = FAMILY.opens(parts(copy.deepcopy(eager), tokenizer))
    assert_seen_through_the_kernel(opened.trace(torch.randn(3, 32, 32)))
