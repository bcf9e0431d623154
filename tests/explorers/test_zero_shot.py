"""The zero-shot explorer as its users call it, with a small two-tower network of random weights in a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorers import traces
from explorers.bundle import unpack
from explorers.explorer import Finding
from explorers.frame import Desk
from explorers.zero_shot import zero_shot
from explorers.zero_shot_answers import ends
from explorers.zero_shot_page import Asked, cosines, heated, opening
from models.card import Card
from models.create import create
from models.faults import Fault
from models.pixels import Pixels
from models.weights import save
from training.words import tower, words

CAT = Path("assets/pictures/cat.jpg")
LABELS = ["a cat", "a dog", "two boats"]
HALF = (0.5, 0.5, 0.5)
SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


@pytest.fixture(params=["CLIPModel", "SiglipModel"])
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A network that nobody trained, opened from its folder as a trained one is, by its own tokeniser."""
    torch.manual_seed(7)
    tokenizer, clip = words([*LABELS, "a photo of an old thing"]), request.param == "CLIPModel"
    text = {**SIZE, **tower(tokenizer, 32, 2), **({} if clip else {"projection_size": 32})}
    config = {"text_config": text, "vision_config": {**SIZE, "image_size": 32, "patch_size": 8}}
    config |= {"projection_dim": 24} if clip else {}
    described = {"library": "transformers", "class": request.param, "config": config}
    card, pixels = Card("run/small", "Small", "CLIP" if clip else "SigLIP"), Pixels((32, 32), 8, 8, HALF, HALF)
    save(tmp_path / "small", create(described), described, card, pixels, tokenizer.to_str())
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    return "run/small"


def asked(checkpoint: str, **values: Any) -> Finding:
    return zero_shot(CAT, checkpoint, **{"labels": LABELS, **values})


def test_both_read_outs_are_of_the_same_logits(checkpoint: str) -> None:
    found = asked(checkpoint)
    cosine, logits = found.arrays["cosine"], found.arrays["logits"]
    assert np.allclose(logits, found.facts["scale"] * cosine + found.facts["bias"], atol=1e-4)
    powers = np.exp(logits - logits.max())
    assert np.allclose(found.arrays["softmax"], powers / powers.sum(), atol=1e-5)
    assert np.allclose(found.arrays["sigmoid"], 1 / (1 + np.exp(-logits)), atol=1e-5)
    own = {"softmax": "by softmax", "sigmoid": "by sigmoid"}[found.facts["read_out"]]
    assert own in found.said()
    assert "softmax" in found.facts["read_out"] or "100" not in found.said().partition(";")[0]


def test_a_share_that_is_not_nothing_is_never_printed_as_nothing() -> None:
    """A sigmoid's shares are tiny where nothing fits: "0.0 %" would say that the network excludes it."""
    found = asked("bundled/siglip", labels=["red square", "blue circle"])
    assert 0 < found.arrays["sigmoid"].max() < 0.0005, "a photograph of a cat is neither"
    assert "with < 0.1 % by sigmoid" in found.said()
    assert "< 0,1 %" in found.said("ru")
    assert "0.0 %" not in found.said()


def test_order_and_duplicates_change_nothing(checkpoint: str) -> None:
    plain = dict(zip(LABELS, asked(checkpoint).arrays["cosine"], strict=True))
    doubled = asked(checkpoint, labels=[*reversed(LABELS), LABELS[0]])
    assert doubled.facts["labels"][-1] == LABELS[0]
    expected = [plain[label] for label in doubled.facts["labels"]]
    assert np.allclose(doubled.arrays["cosine"], expected, atol=1e-6)
    assert doubled.arrays["softmax"][2] == doubled.arrays["softmax"][3]


def test_a_picture_costs_one_image_pass_and_a_new_label_one_text(checkpoint: str) -> None:
    """Counted in the towers themselves."""
    backbone = traces.backbone(checkpoint)
    counts = {"images": 0, "texts": 0}
    network: Any = backbone.module
    for name, part in (("images", network.vision_model), ("texts", network.text_model)):
        part.register_forward_hook(
            lambda *call, name=name: counts.update({name: counts[name] + len(call[-1].last_hidden_state)}),
            with_kwargs=False,
        )
    blocks = [0]
    backbone.blocks[0].register_forward_hook(lambda *_: blocks.__setitem__(0, blocks[0] + 1))
    many = [f"a dog {number}" for number in range(1000)]
    desk = Desk(checkpoint=checkpoint, picture="cat", fit="trained")
    first = unpack(opening(desk))[0]
    assert (blocks[0], counts["texts"], first["title"]) == (1, 0, "Small")
    question = Asked(labels="\n".join(many), templates="a {}")
    everything = unpack(cosines(desk, question))[1]["cosine"]
    assert (blocks[0], counts["texts"]) == (1, 1000)
    cosines(desk, question.model_copy(update={"labels": "\n".join([*many[:-1], "new"])}))
    assert (blocks[0], counts["texts"]) == (1, 1001)
    other = Desk(checkpoint=checkpoint, picture="coffee")
    opening(other)
    moved = unpack(cosines(other, question))[1]["cosine"]
    assert (blocks[0], counts["texts"]) == (2, 1001)
    assert not np.allclose(moved, everything)


def test_maps_are_the_endpoints_and_the_twins_are_others(checkpoint: str) -> None:
    desk = Desk(checkpoint=checkpoint, picture="cat", fit="trained")
    for way in ("tokens", "values", "gradient"):
        question = Asked(labels="a dog", templates="a {}", patches=way)
        shown, twin = (
            unpack(heated(desk, question.model_copy(update={"twin": random})))[1]["map"] for random in (False, True)
        )
        found = asked(checkpoint, labels=["a dog"], templates=["a {}"], patches=way)
        assert np.allclose(found.arrays["heat"], shown, atol=1e-5)
        assert not np.allclose(shown, twin), way


def test_emoji_and_right_to_left_text_are_labels_as_any(checkpoint: str) -> None:
    found = asked(checkpoint, labels=["🐱", "قطة", "חתול", "кошка"])
    assert np.isfinite(found.arrays["cosine"]).all()
    assert found.facts["labels"] == ["🐱", "قطة", "חתול", "кошка"]


@pytest.mark.parametrize(("values", "said"), [
    ({"labels": []}, "there is none; give at least one"),
    ({"labels": ["x"] * 5000}, "give a list of at most 1000 values"),
    ({"labels": ["x" * 10_000]}, "it has 10000 characters where 500"),
    ({"labels": "a cat"}, "The parameter labels was given"),
    ({"templates": ["a photo"]}, "has 0 places for the label"),
    ({"patches": "tokens", "label": 7}, "allow 0 to 2"),
    ({"temperature": 1.0}, "there is no such parameter"),
])  # fmt: skip
@pytest.mark.parametrize("checkpoint", ["CLIPModel"], indirect=True)
def test_what_cannot_be_asked_is_one_sentence(checkpoint: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(Fault, match=said):
        asked(checkpoint, **values)


@pytest.mark.parametrize(("labels", "said"), [
    (["red cat", "blue dog", "red dog", "blue cat"], True),
    (["a cat", "a dog", "two boats"], False),
    (["red cat", "red cat"], False),
    (["cat", "cat food"], False),
])  # fmt: skip
def test_labels_that_only_binding_tells_apart_are_named(checkpoint: str, labels: list[str], said: bool) -> None:
    """Every word of the first label is in others; a duplicate is no other label, a single word binds nothing."""
    assert ("2210.01936" in asked(checkpoint, labels=labels).said()) == said


@pytest.mark.parametrize(("values", "told"), [
    ([1.6e-6, 0.0188], ("0", "0.0188")), ([-0.0803, -0.0247], ("-0.0803", "-0.0247")), ([0.0, 0.0], ("0", "0")),
    ([-3.0, 1234.5], ("-3", "1234")),
])  # fmt: skip
def test_ends_of_a_scale_have_the_digits_of_the_larger_one(values: list[float], told: tuple[str, str]) -> None:
    assert ends(np.array(values)) == told


def test_one_label_says_what_softmax_is_worth(checkpoint: str) -> None:
    found = asked(checkpoint, labels=["a cat"])
    assert "the only label" in found.said()
    assert found.arrays["softmax"].tolist() == [1.0]


def test_a_network_without_texts_says_so_and_names_some_that_have_them() -> None:
    desk = Desk(checkpoint="timm/vit_tiny_patch16_224?random", picture="cat", side=32)
    facts = unpack(opening(desk))[0]
    assert facts["refused"]
    assert "has no text tower" in facts["fault"]["template"]
    assert facts["able"]
