"""Rules of what the zero-shot tab asks while one looks, without a server: how lists travel, what is no question."""

from __future__ import annotations

import numpy as np
import pytest

from explorers import zero_shot_asked as asking
from explorers.bundle import unpack
from explorers.frame import Desk
from explorers.zero_shot import zero_shot
from explorers.zero_shot_asked import Asked
from models.faults import Fault

DESK = Desk(checkpoint="bundled/clip", picture="cat", fit="trained")
LABELS = ["a red star", "a | blue, circle"]


def test_a_list_travels_a_line_each_whatever_letters_it_holds() -> None:
    question = Asked(labels="\n".join(LABELS), templates="a {}.\nthe {}.", label=1).question(DESK)
    assert question.labels == LABELS
    assert question.templates == ["a {}.", "the {}."]
    assert (question.label, question.checkpoint, question.fit) == (1, "bundled/clip", "trained")


def test_new_labels_are_scored_as_the_endpoint_scores_them() -> None:
    _, arrays = unpack(asking.cosines(DESK, Asked(labels="\n".join(LABELS), templates="a {}.")))
    assert set(arrays) == {"cosine", "each", "left_out"}
    own = zero_shot("assets/pictures/cat.jpg", "bundled/clip", labels=LABELS, templates=["a {}."]).arrays
    assert np.allclose(arrays["cosine"], own["cosine"], atol=1e-6)
    assert arrays["each"].shape == (1, 2)


@pytest.mark.parametrize("wrong", [{"labels": "one\ntwo", "patches": "tokens"}, {"labels": "one"}])
def test_a_map_is_of_one_label_and_in_one_way(wrong: dict[str, str]) -> None:
    with pytest.raises(Fault, match="ask for one label at a time"):
        asking.heated(DESK, Asked.model_validate(wrong))


def test_a_map_of_the_twin_is_of_other_weights_and_tells_its_ends() -> None:
    question = {"labels": LABELS[0], "patches": "tokens"}
    maps = []
    for twin in (False, True):
        facts, arrays = unpack(asking.heated(DESK, Asked.model_validate({**question, "twin": twin})))
        assert facts["low"] == pytest.approx(arrays["map"].min())
        assert facts["high"] == pytest.approx(arrays["map"].max())
        maps.append(arrays["map"])
    assert maps[0].shape == maps[1].shape
    assert not np.allclose(*maps)


def test_only_the_first_line_is_reworded() -> None:
    facts, _ = unpack(asking.reworded(DESK, Asked(labels="cat\ndog")))
    assert facts["label"] == "cat"
    assert facts["wordings"]
    assert unpack(asking.reworded(DESK, Asked()))[0]["label"] == ""


@pytest.mark.parametrize("name", ["/etc/passwd", "../pictures/cat.jpg", "no such picture"])
def test_added_pictures_are_checked_as_the_desks_own_is(name: str) -> None:
    """Wrong if the matrix, or its numbers, read any file of the machine by name."""
    question = Asked(matrix="own", pictures=f"rocket\n{name}", labels="a star")
    for answer in (asking.matrix_answer, asking.numbers):
        with pytest.raises(Fault):
            answer(DESK, question)
