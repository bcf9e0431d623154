"""Tokenisers of one letter a token, written as CLIP's and SigLIP 2's publishers write theirs."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

LETTERS = [chr(code) for code in range(97, 123)]


def write_clip(place: Path) -> None:
    """Letters 0 to 25, those that end a word 26 to 51, start of text 52, end of text 53."""
    words = {letter: number for number, letter in enumerate([*LETTERS, *(letter + "</w>" for letter in LETTERS)])}
    words |= {"<|startoftext|>": 52, "<|endoftext|>": 53}
    (place / "vocab.json").write_text(json.dumps(words))
    (place / "merges.txt").write_text("#version: 0.2\n")


def write_siglip(place: Path) -> None:
    """Padding 0, end of text 1, a space 5, letters from 6 on."""
    words = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "<mask>": 4, "▁": 5}
    words |= {letter: 6 + number for number, letter in enumerate(LETTERS)}
    tokenizer = Tokenizer(models.BPE(words, [], unk_token="<unk>", byte_fallback=False))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    tokenizer.save(str(place / "tokenizer.json"))
    (place / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "GemmaTokenizer", "padding_side": "left", "add_eos_token": True})
    )
