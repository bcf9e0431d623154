"""A small byte-pair encoding of our own captions, English and Russian, for the text towers of CLIP and SigLIP.

Sennrich et al. 2016, arXiv 1508.07909. Trained on what the dataset says, saved beside the weights as `tokenizer.json`
with its padding and truncation inside, so that whoever opens a run writes texts exactly as it learnt them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor

from training.datasets import Dataset

PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[START]", "[END]"
SPECIAL = (PAD, UNKNOWN, START, END)

VOCABULARY = 4000
LENGTH = 32
"""Tokens of a text, start and end included; longer texts are cut."""

CAPTIONS = 8000
"""So many captions of the dataset are read to learn the pieces, at most."""

BATCH = 64


def words(captions: Iterable[str]) -> Tokenizer:
    """A tokenizer whose pieces are those that `captions` use most; letters it never saw become `[UNK]`.

    A word begins with a mark of its own, not with a suffix at its end: suffixed letters get their numbers in the order
    of a hash table, so equal captions would give unequal tokenizers.
    """
    made = Tokenizer(models.BPE(unk_token=UNKNOWN))
    made.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=list(SPECIAL), show_progress=False)
    made.train_from_iterator(captions, trainer)
    made.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(word, SPECIAL.index(word)) for word in (START, END)]
    )
    made.enable_truncation(LENGTH)
    made.enable_padding(pad_id=SPECIAL.index(PAD), pad_token=PAD, length=LENGTH)
    return made


def captions_of(dataset: Dataset, count: int = CAPTIONS) -> Iterable[str]:
    """Captions in the order in which training with seed 0 meets them, until a whole batch says nothing new."""
    known: set[str] = set()
    for step in range(-(-count // BATCH)):
        told = dataset.batch(step, seed=0, count=BATCH, device="cpu").captions or ()
        yield from told
        if known.issuperset(told):
            return
        known.update(told)


def encoded(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Ids and attention mask, both (texts, LENGTH) int64, 1 where there is a token."""
    rows = tokenizer.encode_batch(list(texts))
    return torch.tensor([row.ids for row in rows]), torch.tensor([row.attention_mask for row in rows])


def tower(tokenizer: Tokenizer, width: int, depth: int) -> dict[str, int]:
    """The text tower's config, as transformers' CLIP and SigLIP both read it."""
    return {
        "vocab_size": tokenizer.get_vocab_size(), "hidden_size": width, "num_hidden_layers": depth,
        "num_attention_heads": width // 32, "intermediate_size": 4 * width, "max_position_embeddings": LENGTH,
        "pad_token_id": SPECIAL.index(PAD), "bos_token_id": SPECIAL.index(START), "eos_token_id": SPECIAL.index(END),
    }  # fmt: skip
