"""Texts reach each text tower as its authors fed it: SigLIP looks at its padding, so a wrong pad changes scores."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import sentencepiece
import torch
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

from models.backbone import ZeroShot
from models.faults import Fault
from models.loading import load
from tests.models.letters import write_clip, write_siglip

TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 1}
VISION = {**TOWER, "image_size": 32, "patch_size": 16}
FED = '{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 3}'


def siglip(place: Path, words: int) -> Path:
    config = SiglipConfig(
        text_config={**TOWER, "vocab_size": words, "max_position_embeddings": 12, "projection_size": 32},
        vision_config=VISION,
    )
    SiglipModel(config).save_pretrained(place)
    (place / "preprocessor_config.json").write_text(FED)
    return place


def opened(place: Path) -> ZeroShot:
    backbone = load(f"file/{place}", "cpu")
    assert isinstance(backbone, ZeroShot)
    return backbone


def numbers(backbone: ZeroShot, *texts: str) -> torch.Tensor:
    fed = backbone.tokenizer(texts)  # pyright: ignore[reportAttributeAccessIssue]
    assert list(fed) == ["input_ids"]
    return fed["input_ids"]


def test_siglip_reads_lower_case_without_punctuation_padded_to_its_full_length(tmp_path: Path) -> None:
    model = io.BytesIO()
    sentences = iter(["a photo of a cat", "a photo of a dog", "the quick brown fox jumps over the lazy dog"] * 50)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=sentences, model_writer=model, vocab_size=60, pad_id=0, eos_id=1, bos_id=-1, unk_id=2,
        hard_vocab_limit=False, minloglevel=9,
    )  # fmt: skip
    (tmp_path / "spiece.model").write_bytes(model.getvalue())
    backbone = opened(siglip(tmp_path, 64))
    shouted, said = numbers(backbone, "A CAT!?", "a cat")
    assert torch.equal(shouted, said)
    assert said.shape == (12,)
    assert (said[-3:] == 1).all()
    assert said[0] != 1
    assert numbers(backbone, "a photo of a dog and the lazy fox over the quick cat").shape == (1, 12)


def test_siglip_2_reads_lower_case_and_pads_on_the_right(tmp_path: Path) -> None:
    write_siglip(tmp_path)
    backbone = opened(siglip(tmp_path, 64))
    shouted, said = numbers(backbone, "A Cat", "a cat")
    assert torch.equal(shouted, said)
    assert said.tolist() == [6, 5, 8, 6, 25, 1, 0, 0, 0, 0, 0, 0]


def test_clip_reads_77_tokens_and_answers_alike_however_much_is_padded(tmp_path: Path) -> None:
    write_clip(tmp_path)
    text = {**TOWER, "vocab_size": 54, "max_position_embeddings": 77, "bos_token_id": 52, "eos_token_id": 53}
    CLIPModel(CLIPConfig(text_config=text, vision_config=VISION, projection_dim=16)).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(FED)
    backbone = opened(tmp_path)
    fed = backbone.tokenizer(["A cat"])  # pyright: ignore[reportAttributeAccessIssue]
    ids = fed["input_ids"][0]
    assert ids.shape == (77,)
    assert ids[:6].tolist() == [52, 26, 2, 0, 45, 53]
    whole = backbone.text_features(["a cat", "a dog"])
    assert whole.shape == (2, 16)
    assert torch.allclose(whole.norm(dim=-1), torch.ones(2), atol=1e-5)
    assert torch.allclose(whole[:1], backbone.text_features(["A CAT"]), atol=1e-6)


def test_a_text_tower_without_its_tokeniser_is_said(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="has no tokeniser"):
        load(f"file/{siglip(tmp_path, 64)}", "cpu")
