"""The tab's own numbers against transformers' forward pass on the same weights, towers of true size included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

from explorers import traces
from explorers.attention_map import attention
from explorers.bundle import unpack
from explorers.frame import Desk
from explorers.zero_shot import zero_shot
from explorers.zero_shot_page import Asked, cosines, opening
from models.card import Card
from models.loading import load, open_network
from models.pixels import Pixels

LABELS = ["a cat", "A DOG", "two boats on a lake", "кошка", "🐱", "a cat"]
HALF = (0.5, 0.5, 0.5)
TRUE_SIZE: dict[str, tuple[Callable[[], Any], int, int]] = {
    "CLIP": (lambda: CLIPModel(CLIPConfig()), 77, 32),
    "SigLIP": (lambda: SiglipModel(SiglipConfig()), 64, 16),
}
"""How each is made (ViT-B and a text tower of 12 blocks), tokens of a text, patch."""


def tokenizer(length: int, masked: bool) -> Callable[[Sequence[str]], Mapping[str, Tensor]]:
    """A number a letter, padded to the full length; CLIP's texts end in 49407."""

    def tokenise(texts: Sequence[str]) -> Mapping[str, Tensor]:
        ids = torch.full((len(texts), length), 49407 if masked else 1)
        mask = torch.zeros(len(texts), length, dtype=torch.long)
        for row, text in enumerate(texts):
            letters = [3 + ord(letter) % 900 for letter in text.lower()][: length - 1]
            ids[row, : len(letters)] = torch.tensor(letters)
            mask[row, : len(letters) + 1] = 1
        return {"input_ids": ids, **({"attention_mask": mask} if masked else {})}

    return tokenise


@pytest.fixture(params=["CLIP", "SigLIP", "bundled"])
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network that the page finds under some id."""
    if request.param == "bundled":
        return load("bundled/clip")
    torch.manual_seed(0)
    make, length, patch = TRUE_SIZE[request.param]
    pixels = Pixels((224, 224), patch, patch, HALF, HALF)
    name = f"test/{request.param}"
    made = open_network(
        make(), Card(name, name, request.param), pixels, tokenizer(length, request.param == "CLIP")
    )  # fmt: skip
    monkeypatch.setattr(traces.models, "load", lambda checkpoint, **_: made)
    return made


def test_probabilities_are_transformers_own(opened: Any) -> None:
    desk = Desk(checkpoint=opened.card.id, picture="shapes")
    facts, arrays = unpack(opening(desk))
    cosine = unpack(cosines(desk, Asked(labels="\n".join(LABELS), templates="{}")))[1]["cosine"]
    logits = facts["scale"] * cosine + facts["bias"]
    pixels = traces.trace(opened.card.id, desk.file).pixels
    with torch.no_grad():
        own = opened.network.eval()(pixel_values=pixels[None], **opened.tokenizer(LABELS)).logits_per_image[0]
    assert np.allclose(logits, own.numpy(), atol=1e-4)
    if facts["read_out"] == "softmax":
        powers = np.exp(logits - logits.max())
        found, expected = powers / powers.sum(), own.softmax(-1)
    else:
        found, expected = 1 / (1 + np.exp(-logits)), own.sigmoid()
    assert np.abs(found - expected.numpy()).max() < 1e-5
    assert found[0] == found[-1], "a duplicate has the same score"
    assert arrays["image"].shape[:2] == tuple(facts["shape"])


@pytest.mark.parametrize("checkpoint", ["bundled/clip", "bundled/siglip"])
def test_a_text_is_explained_alike_on_every_tab(checkpoint: str) -> None:
    """Attention and Zero-shot ask the same question; once one explained the logit and the other the cosine."""
    asked = {"fit": "whole", "checkpoint": checkpoint}
    picture = "assets/pictures/drawn/shapes.jpg"
    one = attention(picture, view="class", text="a red circle", **asked)
    other = zero_shot(picture, labels=["a red circle"], templates=["{}"], patches="gradient", **asked)
    np.testing.assert_allclose(one.arrays["map"], other.arrays["heat"], rtol=1e-4, atol=1e-7)
    assert "the cosine with “a red circle”" in one.said()
