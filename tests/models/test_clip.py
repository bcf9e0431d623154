"""CLIP against transformers itself, computed eagerly, for the same weights, pictures and texts."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor
from transformers import CLIPConfig, CLIPModel, CLIPVisionModelWithProjection

from models.backbone import Backbone, Pools, ZeroShot
from models.families.clip import FAMILY, TwoTowers
from models.faults import Fault
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

TEXTS = ["a cat", "a photograph of two dogs", "snow"]


def tokenizer(texts: Sequence[str]) -> Mapping[str, Tensor]:
    """Begin, one token a word, end, then padding that is masked away."""
    longest = max(len(text.split()) for text in texts) + 2
    ids = torch.full((len(texts), longest), 98)
    for row, text in zip(ids, texts, strict=True):
        words = [1 + sum(map(ord, word)) % 90 for word in text.split()]
        row[: len(words) + 1] = torch.tensor([97, *words])
    kept = torch.arange(longest) < torch.tensor([[len(text.split()) + 2] for text in texts])
    return {"input_ids": ids, "attention_mask": kept.long()}


@pytest.fixture(scope="module")
def network() -> CLIPModel:
    torch.manual_seed(0)
    text = {**SIZE, "vocab_size": 99, "max_position_embeddings": 16, "bos_token_id": 97, "eos_token_id": 98}
    text["pad_token_id"] = 98
    config = CLIPConfig(
        text_config=text, vision_config={**SIZE, "image_size": 32, "patch_size": 8}, projection_dim=24,
        initializer_factor=6.0,
    )  # fmt: skip
    return CLIPModel(config)


@pytest.fixture
def backbone(network: CLIPModel) -> TwoTowers:
    opened = FAMILY.opens(parts(network, tokenizer))
    assert isinstance(opened, TwoTowers)
    return opened


@pytest.fixture(scope="module")
def eager(network: CLIPModel) -> CLIPModel:
    return eager_twin(network)


@SHAPES
def test_trace_is_transformers_own_attention(backbone: TwoTowers, eager: CLIPModel, shape: tuple[int, int]) -> None:
    image = torch.randn(3, *shape)
    layers = backbone.trace(image)
    with torch.no_grad():
        own = eager.vision_model(image[None], interpolate_pos_encoding=True, output_attentions=True)
    assert_attention(layers, own, (shape[0] // 8, shape[1] // 8), ("CLS",))
    torch.testing.assert_close(layers[-1].tokens, own.last_hidden_state[0], atol=1e-5, rtol=1e-5)


def test_text_trace_is_causal_and_transformers_own(backbone: TwoTowers, eager: CLIPModel) -> None:
    layers = backbone.text_trace(TEXTS[1])
    with torch.no_grad():
        own = eager.text_model(**tokenizer([TEXTS[1]]), output_attentions=True)
    assert_attention(layers, own, (1, 7))
    for layer in layers:
        assert not layer.matrix().triu(1).any()
        assert layer.attention_from(0)[:, 0].tolist() == [1.0] * 4


def test_padding_is_no_part_of_a_texts_trace(backbone: TwoTowers, network: CLIPModel) -> None:
    def padded(texts: Sequence[str]) -> Mapping[str, Tensor]:
        """To the length of a longer text that is then dropped."""
        return {name: values[:1] for name, values in tokenizer([*texts, TEXTS[1]]).items()}

    opened = FAMILY.opens(parts(network, padded))
    assert isinstance(opened, TwoTowers)
    for layer, expected in zip(opened.text_trace("snow"), backbone.text_trace("snow"), strict=True):
        assert layer.grid == (1, 3)
        torch.testing.assert_close(layer.matrix(), expected.matrix())


def test_probabilities_are_transformers_own(backbone: TwoTowers, eager: CLIPModel) -> None:
    images = torch.randn(2, 3, 32, 40)
    with torch.no_grad():
        own = eager(pixel_values=images, interpolate_pos_encoding=True, **tokenizer(TEXTS))
    found = scores(backbone, own, images, TEXTS)
    torch.testing.assert_close(found.probabilities, own.logits_per_image.softmax(-1), atol=1e-5, rtol=0)
    assert (found.read_out, found.bias) == ("softmax", 0.0)
    assert found.scale == pytest.approx(eager.logit_scale.exp().item())


def test_a_text_means_the_same_alone_and_padded_beside_longer_ones(backbone: TwoTowers) -> None:
    together = backbone.text_features(TEXTS)
    alone = torch.cat([backbone.text_features([text]) for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_positions_are_the_learned_table_with_cls_apart(backbone: TwoTowers, network: CLIPModel) -> None:
    assert_learned_table(backbone, network.vision_model.embeddings.position_embedding.weight.detach(), prefix=1)


def test_the_image_tower_alone_reads_the_same(backbone: TwoTowers, network: CLIPModel) -> None:
    projected = CLIPVisionModelWithProjection(network.vision_model.config)
    projected.vision_model.load_state_dict(network.vision_model.state_dict())
    image = torch.randn(3, 32, 32)
    expected = backbone.trace(image)[-1].tokens
    for tower in (copy.deepcopy(network.vision_model), projected):
        alone = FAMILY.opens(parts(tower))
        assert isinstance(alone, Backbone)
        assert not isinstance(alone, ZeroShot)
        assert torch.equal(alone.trace(image)[-1].tokens, expected)
    assert isinstance(backbone, ZeroShot)
    assert not isinstance(backbone, Pools)


def test_a_network_that_was_loaded_as_eager_is_seen_through_the_kernel(eager: CLIPModel) -> None:
    opened = FAMILY.opens(parts(copy.deepcopy(eager), tokenizer))
    assert isinstance(opened, TwoTowers)
    assert_seen_through_the_kernel((*opened.trace(torch.randn(3, 32, 32)), *opened.text_trace("snow")))


def test_texts_without_tokeniser_and_no_texts_are_faults(backbone: TwoTowers, network: CLIPModel) -> None:
    mute = FAMILY.opens(parts(network))
    assert isinstance(mute, TwoTowers)
    with pytest.raises(Fault, match="tokeniser"):
        mute.text_features(TEXTS)
    with pytest.raises(Fault, match="at least one"):
        backbone.text_features([])
    with pytest.raises(Fault, match="multiples"):
        backbone.image_features(torch.randn(1, 3, 32, 33))
