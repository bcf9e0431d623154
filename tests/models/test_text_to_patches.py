"""Texts, templates and patches against the definitions they come from, on small CLIP and SigLIP with random weights."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

from models.backbone import Backbone, ZeroShot
from models.card import Card
from models.faults import Fault
from models.label_lists import imagenet_templates, presets, wordings
from models.loading import open_network
from models.pixels import Pixels
from models.prompts import ensemble, filled, left_out
from models.text_bank import BATCH, text_features
from models.text_to_patches import WAYS, patch_features, patch_map, picture_feature

PIXELS = Pixels((32, 32), 8, 8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
SIZE = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
IMAGE = {**SIZE, "image_size": 32, "patch_size": 8}


class Tokenizer:
    """A token a word, and how many texts it was given."""

    def __init__(self) -> None:
        self.texts = 0

    def __call__(self, texts: Sequence[str]) -> Mapping[str, Tensor]:
        self.texts += len(texts)
        ids = torch.full((len(texts), 16), 98)
        for row, text in zip(ids, texts, strict=True):
            words = [1 + sum(map(ord, word)) % 90 for word in text.split()][:14]
            row[: len(words)] = torch.tensor(words)
        return {"input_ids": ids}


def opened(family: str) -> Backbone:
    torch.manual_seed(0)
    text = {**SIZE, "vocab_size": 99, "max_position_embeddings": 16, "bos_token_id": 97, "eos_token_id": 98}
    if family == "CLIP":
        config = CLIPConfig(text_config=text, vision_config=IMAGE, projection_dim=24, initializer_factor=6.0)
        network: CLIPModel | SiglipModel = CLIPModel(config)
    else:
        network = SiglipModel(SiglipConfig(text_config={**text, "projection_size": 32}, vision_config=IMAGE))
        for weight in network.parameters():
            torch.nn.init.normal_(weight, std=0.2) if weight.ndim > 1 else None
    return open_network(network, Card(f"test/{family}", family, family), PIXELS, Tokenizer())


@pytest.fixture(params=["CLIP", "SigLIP"])
def network(request: pytest.FixtureRequest) -> Backbone:
    return opened(request.param)


@pytest.fixture
def pixels() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(3, 32, 40)


def test_a_trace_holds_the_pictures_feature(network: Backbone, pixels: Tensor) -> None:
    """Else a picture would cost two passes."""
    assert isinstance(network, ZeroShot)
    found = picture_feature(network, network.trace(pixels))
    torch.testing.assert_close(found, network.image_features(pixels[None])[0].detach(), atol=1e-5, rtol=0)


def test_patch_tokens_are_read_as_transformers_reads_the_summary(pixels: Tensor) -> None:
    network = opened("CLIP")
    tower: Any = copy.deepcopy(network.module).eval()
    with torch.no_grad():
        last = tower.vision_model(pixels[None], interpolate_pos_encoding=True).last_hidden_state[0, 1:]
        expected = F.normalize(tower.visual_projection(tower.vision_model.post_layernorm(last)), dim=-1)
    found = patch_features(network, network.trace(pixels), "tokens")
    torch.testing.assert_close(found.flatten(0, 1), expected, atol=1e-5, rtol=0)


def test_the_value_path_is_the_network_where_every_token_attends_to_itself(network: Backbone, pixels: Tensor) -> None:
    """The last block's attention replaced by the identity, in the network's own forward pass."""
    layers, block, kept = network.trace(pixels), network.blocks[-1], []
    forward, attend = block.forward, F.scaled_dot_product_attention

    def identity(*given: Any, **named: Any) -> Any:
        F.scaled_dot_product_attention = lambda query, key, value, *_, **__: value
        try:
            return forward(*given, **named)
        finally:
            F.scaled_dot_product_attention = attend

    block.forward = identity
    block.register_forward_hook(lambda _module, _given, made: kept.append(made))
    with torch.no_grad():
        network.image_features(pixels[None])  # pyright: ignore[reportAttributeAccessIssue]
    tokens = (kept[0] if isinstance(kept[0], Tensor) else kept[0][0])[0]
    assert not torch.allclose(tokens, layers[-1].tokens)
    found = patch_features(network, [*layers[:-1], replace(layers[-1], tokens=tokens)], "tokens")
    torch.testing.assert_close(found, patch_features(network, layers, "values"), atol=1e-5, rtol=0)


def test_maps_are_on_the_patch_grid_and_differ_with_the_text(network: Backbone, pixels: Tensor) -> None:
    assert isinstance(network, ZeroShot)
    layers, texts = network.trace(pixels), text_features(network, ["a red cat", "seven boats"])
    for way in WAYS:
        one, other = (patch_map(network, layers, pixels, text, way) for text in texts)
        assert one.shape == layers[-1].grid == (4, 5)
        assert not torch.allclose(one, other), way
        assert one.min() >= (0 if way == "gradient" else -1)


def test_a_text_is_read_once(network: Backbone) -> None:
    assert isinstance(network, ZeroShot)
    tokenizer = network.tokenizer  # pyright: ignore[reportAttributeAccessIssue]
    labels = [f"label {number}" for number in range(2 * BATCH + 3)]
    first = text_features(network, labels)
    assert tokenizer.texts == len(labels)
    again = text_features(network, [*reversed(labels), "label 5", "new"])
    assert tokenizer.texts == len(labels) + 1, "one label was new"
    assert torch.equal(again[:-2].flip(0), first)
    assert torch.equal(again[-2], first[5]), "a duplicate is the same text"
    expected = network.text_features(["new", "label 7"])
    torch.testing.assert_close(torch.stack([again[-1], first[7]]), expected, atol=1e-5, rtol=0)


def test_an_ensemble_is_the_mean_of_unit_vectors(network: Backbone) -> None:
    assert isinstance(network, ZeroShot)
    templates, labels = ["a {}", "the {} here", "{}"], ["cat", "two dogs"]
    texts = filled(templates, labels)
    assert texts == ["a cat", "a two dogs", "the cat here", "the two dogs here", "cat", "two dogs"]
    features = text_features(network, texts).unflatten(0, (3, 2))
    mean = (features[0, 1] + features[1, 1] + features[2, 1]) / 3
    torch.testing.assert_close(ensemble(features)[1], mean / mean.norm())
    torch.testing.assert_close(left_out(features)[1], ensemble(features[[0, 2]]))
    torch.testing.assert_close(ensemble(features[:1])[0], features[0, 0])


@pytest.mark.parametrize(("templates", "labels", "found"), [
    (["a {}"], [], "there is none; give at least one"),
    (["a {}"], ["cat", "  "], "Label 2 was given, but it is empty"),
    (["a {}"], ["x" * 10_000], "it has 10000 characters where 500"),
    (["a photo"], ["cat"], "has 0 places for the label"),
    (["{} and {}"], ["cat"], "has 2 places for the label"),
    ([], ["cat"], "there is none; give {}"),
])  # fmt: skip
def test_what_cannot_be_asked_is_one_sentence(templates: list[str], labels: list[str], found: str) -> None:
    with pytest.raises(Fault, match=found.replace("{", r"\{")):
        filled(templates, labels)


def test_the_lists_are_whole() -> None:
    assert len(set(imagenet_templates())) == 80
    sizes = {name: len(set(labels)) for name, labels in presets().items()}
    assert sizes == {"cifar10": 10, "eurosat": 10, "food101": 101, "photographs": 6, "shapes": 64}
    for labels in presets().values():
        filled(imagenet_templates(), labels)


def test_templates_are_the_authors_own() -> None:
    """Their notebook's list, in its order: sha256 of the lines as taken from github.com/openai/CLIP, commit d05afc4."""
    lines = "\n".join(imagenet_templates())
    assert (
        hashlib.sha256(lines.encode()).hexdigest() == "4f976686fb651bb5803d4689dcd849f75efe0ef19a3c801355bc9a6f03c8a5af"
    )


def test_a_label_said_otherwise_begins_with_itself() -> None:
    found = wordings("red square")
    assert found[0] == "red square"
    assert {"scarlet square", "red box", "red", "square"} <= set(found)
    assert len(set(found)) == len(found)
    assert wordings("zyzzyva") == ("zyzzyva",)
