"""Relevance of words against transformers' own attention and gradients, and against the prompt without each word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

from models.backbone import ZeroShot
from models.card import Card
from models.faults import Fault
from models.loading import open_network
from models.pixels import Pixels
from models.word_relevance import owner_of_pieces, piece_relevance, word_relevance
from training.words import encoded, tower, words

PIXELS = Pixels((32, 32), 8, 8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
SIZE = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}
IMAGE = {**SIZE, "image_size": 32, "patch_size": 8}
PROMPT = "a photo of an unusual cat."
TOKENIZER = words(["a photo of a cat", "a photo of two dogs", "an usual thing"])


class Tokenizer:
    """The project's own pieces: several for a word that it never met, one for the full stop."""

    def __init__(self, masks: bool) -> None:
        self.masks = masks

    def __call__(self, texts: Sequence[str]) -> Mapping[str, Tensor]:
        ids, mask = encoded(TOKENIZER, texts)
        return {"input_ids": ids, **({"attention_mask": mask} if self.masks else {})}


@pytest.fixture(params=["CLIP", "SigLIP"])
def network(request: pytest.FixtureRequest) -> ZeroShot:
    torch.manual_seed(0)
    text = {**SIZE, **tower(TOKENIZER, 64, 3)}
    if request.param == "CLIP":
        towers: Any = CLIPModel(CLIPConfig(text_config=text, vision_config=IMAGE, projection_dim=24))
    else:
        towers = SiglipModel(SiglipConfig(text_config={**text, "projection_size": 64}, vision_config=IMAGE))
    for weight in towers.parameters():
        torch.nn.init.normal_(weight, std=0.2) if weight.ndim > 1 else None
    found = open_network(
        towers, Card(f"test/{request.param}", "", request.param), PIXELS, Tokenizer(request.param == "CLIP")
    )
    assert isinstance(found, ZeroShot)
    return found


@pytest.fixture
def picture(network: ZeroShot) -> Tensor:
    torch.manual_seed(1)
    return network.image_features(torch.randn(1, 3, 32, 32))[0].detach()


def test_a_word_is_worth_what_the_cosine_loses_without_it(network: ZeroShot, picture: Tensor) -> None:
    found = word_relevance(network, PROMPT, picture)
    assert found.words == ("a", "photo", "of", "an", "unusual", "cat.")
    both = network.text_features([PROMPT, "a photo of an unusual"]) @ picture
    assert found.cosine == pytest.approx(float(both[0]), abs=1e-6)
    assert float(found.left_out[-1]) == pytest.approx(float(both[0] - both[1]), abs=1e-6)


def test_gradient_times_attention_is_transformers_own(network: ZeroShot, picture: Tensor) -> None:
    """Equations 5 and 6 written out over the attention that the eager network returns."""
    towers: Any = network.module  # pyright: ignore[reportAttributeAccessIssue]
    fed = network.tokenizer([PROMPT])  # pyright: ignore[reportAttributeAccessIssue]
    found = piece_relevance(network, PROMPT, picture)
    towers.set_attn_implementation("eager")
    seen = towers.text_model(**fed, output_attentions=True)
    score = F.normalize(towers.text_projection(seen.pooler_output) if hasattr(towers, "text_projection")
                        else seen.pooler_output, dim=-1)[0] @ picture  # fmt: skip
    gradients = torch.autograd.grad(score, seen.attentions)
    relevance = torch.eye(fed["input_ids"].shape[1])
    for weights, gradient in zip(seen.attentions, gradients, strict=True):
        relevance = relevance + (gradient * weights)[0].relu().mean(0) @ relevance
    end = int((fed["input_ids"][0] == 3).nonzero()[0]) if "attention_mask" in fed else -1
    expected = relevance[end].detach()
    expected[end] -= 1
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)
    assert found.max() > 1e-4


def test_every_piece_has_its_word(network: ZeroShot) -> None:
    found = owner_of_pieces(network, PROMPT.split()).tolist()
    lengths = [sum(TOKENIZER.encode(word).attention_mask) - 2 for word in PROMPT.split()]
    assert max(lengths) > 1, "a word of several pieces is among them"
    written = [at for at, length in enumerate(lengths) for _ in range(length)]
    assert found == [-1, *written, *[-1] * (len(found) - len(written) - 1)]


def test_words_start_and_end_share_the_whole(network: ZeroShot, picture: Tensor) -> None:
    found, whole = word_relevance(network, PROMPT, picture), piece_relevance(network, PROMPT, picture).sum()
    assert float(found.gradient.sum() / whole) == pytest.approx(1 - found.apart, abs=1e-5)


def test_a_word_behind_the_last_position_has_no_relevance(network: ZeroShot, picture: Tensor) -> None:
    found = word_relevance(network, " ".join(["photo"] * 50), picture)
    assert (found.gradient[35:] == 0).all()
    assert found.gradient[:20].max() > 0


@pytest.mark.parametrize("prompt", ["", " ", "a " * 61])
def test_too_few_and_too_many_words_are_one_sentence(network: ZeroShot, picture: Tensor, prompt: str) -> None:
    with pytest.raises(Fault, match="give one of 1 to 60"):
        word_relevance(network, prompt, picture)
