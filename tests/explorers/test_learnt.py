"""Whether a bundled network says first what it never learnt, and begins with what it answers rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorers.beginnings import beginning
from explorers.learnt import outside, page_facts, unread
from explorers.mask_lab import reconstruct
from explorers.retrieve import retrieve
from explorers.zero_shot import zero_shot

PICTURES = Path(__file__).resolve().parents[2] / "assets" / "pictures"
COFFEE, SHAPES, EMOJI = PICTURES / "coffee.jpg", PICTURES / "drawn" / "shapes.jpg", PICTURES / "drawn" / "emoji.jpg"

ALONE = "This network learnt drawn shapes alone: what it says of any other picture means nothing."


@pytest.mark.parametrize(
    ("checkpoint", "picture", "strange"),
    [
        ("bundled/clip", COFFEE, True),
        ("bundled/clip", EMOJI, True),
        ("bundled/clip", SHAPES, False),
        ("bundled/clip-emoji", COFFEE, True),
        ("bundled/clip-emoji", EMOJI, False),
        ("bundled/clip?random", COFFEE, False),
        ("registry/dinov2-small", COFFEE, False),
    ],
)
def test_a_picture_of_another_kind_is_told(checkpoint: str, picture: Path, strange: bool) -> None:
    assert bool(outside(checkpoint, file=picture)) is strange


def test_the_same_picture_under_another_name_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "mine.jpg").write_bytes(SHAPES.read_bytes())
    assert outside("bundled/clip", file=tmp_path / "mine.jpg") == []


def test_words_that_no_caption_held_are_named_once_in_their_order() -> None:
    assert unread("bundled/clip", ["red star", "Голубая звезда", "cup of a звезда"]) == ["голубая", "звезда", "cup"]
    assert unread("bundled/clip-emoji", ["a fox", "fire engine", "синий"]) == ["синий"], "emoji's names are read"
    assert unread("bundled/mae", ["fox"]) == [], "who reads nothing misreads nothing"


def test_of_a_photograph_the_first_sentence_says_that_it_means_nothing() -> None:
    found = zero_shot(str(COFFEE), "bundled/clip", labels=["cup of coffee", "red star"], templates=["a {}"])
    said = [sentence.said() for sentence in found.caption[:2]]
    assert said[0] == ALONE
    assert "cup, coffee" in said[1]
    assert "red" not in said[1].partition(":")[2].split(";")[0]
    assert reconstruct(str(COFFEE), "bundled/mae").caption[0].said() == ALONE


def test_a_matrix_and_a_gallery_of_another_kind_are_told() -> None:
    found = zero_shot(str(SHAPES), "bundled/clip", labels=["red star"], templates=["a {}"], matrix="examples")
    assert found.caption[0].said() == ALONE, "the matrix holds photographs"
    searched = retrieve(checkpoint="bundled/clip", text="голубая звезда")
    assert "голубая, звезда" in searched.caption[0].said(), "it reads English, and finds blue crosses all the same"
    assert retrieve(checkpoint="bundled/clip", text="a red star", gallery="photographs").caption[0].said() == ALONE


@pytest.mark.parametrize(
    ("checkpoint", "picture", "there"),
    [
        ("bundled/clip", SHAPES, {"red square", "green heart"}),
        ("bundled/siglip", SHAPES, {"red square", "green heart"}),
        ("bundled/clip-emoji", EMOJI, {"fox"}),
    ],
)
def test_the_first_label_of_a_first_view_is_in_the_picture(checkpoint: str, picture: Path, there: set[str]) -> None:
    begun = beginning(checkpoint)
    assert begun.picture == picture.stem
    found = zero_shot(str(picture), checkpoint, labels=list(begun.labels), templates=[begun.templates[0]]).facts
    assert found["labels"][found["order"][0]] in there
    assert found["outside"] == [], "it has read every word of its first labels"


@pytest.mark.parametrize(
    ("checkpoint", "text"),
    [
        ("bundled/clip", "a cyan star in the middle"),
        ("bundled/siglip", "a cyan star in the middle"),
        ("bundled/clip-emoji", "a red apple"),
    ],
)
def test_the_first_text_of_retrieval_finds_what_it_names(checkpoint: str, text: str) -> None:
    found = retrieve(checkpoint=checkpoint, text=text).facts
    assert found["hits"][0]["same"]
    assert found["outside"] == []


def test_who_learnt_photographs_begins_among_photographs() -> None:
    assert beginning("registry/dinov2-small").gallery == beginning("timm/vit_x").gallery == "photographs"
    assert beginning("run/mine").gallery == "shapes", "what is trained here learns from what is drawn here"


def test_the_page_knows_the_words() -> None:
    told = page_facts("bundled/clip", SHAPES)
    assert told
    assert told["inside"]
    assert "crescent" in told["vocabulary"]
    assert "coffee" not in told["vocabulary"]
    assert page_facts("registry/dinov2-small", SHAPES) is None
