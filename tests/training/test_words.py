"""The tokenizer follows from the captions alone, in two scripts, and says where a text ends."""

from __future__ import annotations

from tests.training.squares import Squares
from training.words import BATCH, LENGTH, SPECIAL, captions_of, encoded, tower, words

CAPTIONS = ["a red circle left of a blue star", "красный круг слева от синей звезды", "пицца и лиса, a fox"] * 5


def test_equal_captions_give_equal_tokenizers() -> None:
    assert len({words(CAPTIONS).to_str() for _ in range(5)}) == 1


def test_texts_begin_end_and_are_padded() -> None:
    tokenizer = words(CAPTIONS)
    ids, attend = encoded(tokenizer, ["a red star", "синей звезды", "circle " * 100])
    assert ids.shape == attend.shape == (3, LENGTH)
    for row, kept in zip(ids, attend.sum(1).tolist(), strict=True):
        assert row[0] == SPECIAL.index("[START]")
        assert row[kept - 1] == SPECIAL.index("[END]")
        assert (row[kept:] == SPECIAL.index("[PAD]")).all()
    assert not (ids == SPECIAL.index("[UNK]")).any()


def test_a_letter_never_seen_is_unknown_and_case_does_not_matter() -> None:
    tokenizer = words(CAPTIONS)
    assert SPECIAL.index("[UNK]") in encoded(tokenizer, ["日"])[0]
    assert (encoded(tokenizer, ["A Red CIRCLE"])[0] == encoded(tokenizer, ["a red circle"])[0]).all()


def test_the_text_tower_knows_the_same_numbers() -> None:
    tokenizer = words(CAPTIONS)
    config = tower(tokenizer, 64, 2)
    assert config["vocab_size"] > max(tokenizer.get_vocab().values())
    assert config["max_position_embeddings"] == LENGTH
    assert config["eos_token_id"] == tokenizer.token_to_id("[END]")


def test_captions_are_read_until_a_batch_says_nothing_new() -> None:
    """A dataset of few captions, which may come from far away, is not asked for thousands."""
    images = Squares()
    told = list(captions_of(images))
    assert len(told) % BATCH == 0
    assert set(told[-BATCH:]) <= set(told[:-BATCH])
    assert len(told) < 8000
