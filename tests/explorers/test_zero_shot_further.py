"""Words, matrix and labelled set as their users ask for them, with a small two-tower network of random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from explorers import traces
from explorers.beginnings import beginning, readers
from explorers.bundle import unpack
from explorers.explorer import Finding
from explorers.frame import Desk, examples
from explorers.zero_shot import zero_shot
from explorers.zero_shot_matrix import pairs
from explorers.zero_shot_page import Asked, listed, matrix_answer, numbers, opening, set_answer, word_answer
from explorers.zero_shot_sets import labelled_set
from models.faults import Fault
from models.image import open_image
from models.measured import measured
from tests.explorers.test_zero_shot import CAT, checkpoint  # noqa: F401  a fixture
from training.datasets.emoji import drawings
from training.shapes import phrase

RED = (200, 20, 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two labels of five pictures, one of which is no picture."""
    for label, colour in (("red", RED), ("dark_blue", (10, 10, 120))):
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(5):
            Image.new("RGB", (40 + number, 30), colour).save(tmp_path / "set" / label / f"{number}.png")
    (tmp_path / "set" / "red" / "4.png").write_bytes(b"no picture")
    return tmp_path / "set"


def asked(checkpoint: str, **values: Any) -> Finding:  # noqa: F811
    return zero_shot(CAT, checkpoint, **{"labels": ["a cat", "a dog"], "templates": ["{}"], **values})


def test_words_of_the_chosen_label(checkpoint: str) -> None:  # noqa: F811
    found = asked(checkpoint, templates=["a photo of {}"], words=True, label=1)
    without = asked(checkpoint, labels=["photo of a dog"])
    assert found.facts["word"]["words"] == ["a", "photo", "of", "a", "dog"]
    fall = float(found.arrays["cosine"][1] - without.arrays["cosine"][0])
    assert float(found.arrays["word_left_out"][0]) == pytest.approx(fall, abs=1e-6)
    place, named = int(found.arrays["word_left_out"].argmax()), found.facts["word"]
    left = " ".join([*named["words"][:place], *named["words"][place + 1 :]])
    rest = float(asked(checkpoint, labels=[left]).arrays["cosine"][0])
    assert float(named["rest"]) == pytest.approx(rest, abs=1e-3), "what is said to be left is left"
    desk = Desk(checkpoint=checkpoint, picture="cat", fit="trained")
    shown = unpack(word_answer(desk, Asked(labels="a photo of a dog")))[1]
    assert np.array_equal(shown["gradient"], found.arrays["word_gradient"])


def test_a_matrix_is_the_single_scores_side_by_side(checkpoint: str) -> None:  # noqa: F811
    """Each cut to a square first."""
    names, labels = ["cat", "rocket", "coffee"], ["a cat", "two boats"]
    desk = Desk(checkpoint=checkpoint, picture="cat", fit="trained")
    question = Asked(matrix="own", pictures="\n".join(names), labels="\n".join(labels), templates="a photo of {}")
    facts, arrays = unpack(matrix_answer(desk, question))
    assert arrays["cosine"].shape == (3, 2)
    assert arrays["small"].shape == (3, 96, 96, 3)
    assert not facts["paired"], "three pictures and two texts have no diagonal"
    square = ImageOps.fit(open_image(examples()["rocket"]), (32, 32), Image.Resampling.BICUBIC)
    network: Any = traces.backbone(checkpoint)
    feature = network.image_features(network.pixels(square)[None])
    expected = feature @ network.text_features(["a photo of a cat", "a photo of two boats"]).T
    assert np.allclose(arrays["cosine"][1], expected.detach().numpy(), atol=1e-5)


def test_drawn_pairs_are_of_combinations_that_training_leaves_out(checkpoint: str) -> None:  # noqa: F811
    found, again, other = (asked(checkpoint, matrix="drawn", drawing=seed) for seed in (3, 3, 4))
    told = found.facts["pairs"]
    assert np.array_equal(found.arrays["matrix"], again.arrays["matrix"])
    assert told["texts"] != other.facts["pairs"]["texts"]
    assert len(set(told["texts"])) == 8
    assert told["rows"] == int((found.arrays["matrix"].argmax(1) == np.arange(8)).sum())
    assert "drawn with seed 3" in found.said()


def test_emoji_of_a_matrix_are_of_the_style_that_is_kept_for_the_test(checkpoint: str) -> None:  # noqa: F811
    found, other = (asked(checkpoint, matrix="emoji", drawing=seed) for seed in (3, 4))
    texts = found.facts["pairs"]["texts"]
    assert len(set(texts)) == len(found.arrays["matrix"]) == 8
    assert texts != other.facts["pairs"]["texts"]
    assert set(pairs("emoji", 32, 3).texts) == set(texts), "whole captions, in no template"
    assert any(name in text for text in texts for name in drawings("test").english)
    assert "chosen with seed 3" in found.said()


def test_a_bundled_network_begins_with_what_it_learnt_from() -> None:
    """A network of shapes and one of emoji know the names that they are first asked about."""
    emoji, shapes = (beginning(f"bundled/{name}") for name in ("clip-emoji", "clip"))
    known = {name.partition(" ")[2] for name in drawings("train").english}
    assert set(emoji.labels) <= known
    assert set(shapes.labels) <= {phrase(kind, "en").partition(" ")[2] for kind in range(64)}
    assert (emoji.gallery, emoji.labelled, emoji.matrix) == ("emojione", "emojione", "emoji")
    assert (shapes.gallery, shapes.labelled, shapes.matrix) == ("shapes", "shapes", "drawn")
    assert {emoji.picture, shapes.picture} <= set(examples())
    assert beginning("bundled/clip-emoji?random") == emoji, "a twin is asked the same"
    assert beginning("timm/vit_tiny_patch16_224").labels == ()
    offers = {one["id"]: one["picture"] for one in readers()}
    assert offers["bundled/clip-emoji"] == "emoji"


def test_a_set_of_shapes_is_labelled_by_its_captions() -> None:
    """Among all 64 names and among the 16 that occur, the same pictures have the same names; no network is needed."""
    whole, held = (labelled_set(name, 40, 64) for name in ("shapes", "held"))
    assert (len(whole.labels), len(held.labels)) == (64, 16)
    assert [whole.labels[one] for one in whole.truth] == [held.labels[one] for one in held.truth]
    assert np.array_equal(np.asarray(whole.image(7)), np.asarray(held.image(7)))
    russian = labelled_set("held", 40, 64, "ru")
    assert "красное сердце" in russian.labels
    assert {phrase(kind, "en").partition(" ")[2] for kind in range(64)} == set(whole.labels)


@pytest.mark.parametrize("style", ["twemoji", "emojione"])
def test_every_emoji_is_its_own_label(style: str) -> None:
    found = labelled_set(style, 50, 32)
    assert len(found) == len(set(found.labels)) <= 50
    assert len(found) > 40
    assert not any(label.startswith("a ") for label in found.labels)
    assert np.asarray(found.image(3)).std() > 5, "something is drawn"


def test_a_set_is_scored_in_parts_as_in_one(checkpoint: str, folder: Path) -> None:  # noqa: F811
    desk = Desk(checkpoint=checkpoint, picture="cat", fit="trained")
    for name, count in (("held", 40), (str(folder), 16)):
        whole = asked(checkpoint, set=name, scored=count, templates=["a {}", "{}"])
        parts, start, of, skipped = [], 0, 1, 0
        while start < of:
            question = Asked(set=name, scored=count, start=start, templates="a {}\n{}")
            facts, arrays = unpack(set_answer(desk, question))
            parts.append(arrays)
            start, of, skipped = start + facts["step"], facts["of"], skipped + facts["skipped"]
        cosine, truth = (np.concatenate([part[key] for part in parts]) for key in ("cosine", "truth"))
        assert np.allclose(cosine, whole.arrays["set_cosine"], atol=1e-6)
        right = int((cosine.argmax(1) == truth).sum())
        told = whole.facts["scored"]
        assert (told["right"], told["pictures"], told["skipped"]) == (right, len(truth), skipped)
    assert skipped == 1, "the file that is no picture"
    assert told["names"] == ["dark blue", "red"]
    assert "could not be read: 1" in whole.said()


def test_a_new_template_asks_texts_alone(checkpoint: str) -> None:  # noqa: F811
    passes = [0]
    traces.backbone(checkpoint).blocks[0].register_forward_hook(lambda *_: passes.__setitem__(0, passes[0] + 1))
    desk = Desk(checkpoint=checkpoint, picture="cat", fit="trained")
    first = unpack(set_answer(desk, Asked(set="held", scored=16, templates="a {}")))[1]["cosine"]
    once = passes[0]
    second = unpack(set_answer(desk, Asked(set="held", scored=16, templates="two {}")))[1]["cosine"]
    assert passes[0] == once > 0
    assert not np.allclose(first, second)


@pytest.mark.parametrize(("made", "said"), [
    ((), "none lies there"),
    (("loose.png",), "lie in 0 folders"),
    (("one/a.png", "one/b.png"), "lie in 1 folders"),
    (("one/a.png", "two/b.png", "loose.png"), "none beside them"),
])  # fmt: skip
def test_folders_that_are_no_labelled_set(tmp_path: Path, made: tuple[str, ...], said: str) -> None:
    for name in made:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), RED).save(tmp_path / name)
    with pytest.raises(Fault, match=said):
        labelled_set(str(tmp_path), 16, 32)


@pytest.mark.parametrize(("held", "parts"), [
    ("test", ("train", "val", "test")), ("valid", ("Train", "valid")), ("train", ("train",)), ("test", (".", "test")),
])  # fmt: skip
def test_parts_of_a_set_are_no_labels_and_what_was_kept_back_is_scored(
    tmp_path: Path, held: str, parts: tuple[str, ...]
) -> None:
    """The labels were `train` and `val`, and pictures that the network had learnt from were among those scored."""
    for part in parts:
        for label, count in (("one", 3 if part == held else 20), ("two", 2)):
            (tmp_path / part / label).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (16, 16), RED).save(tmp_path / part / label / f"{number}.png")
    found = labelled_set(str(tmp_path), 100, 32)
    assert found.labels == ("one", "two")
    assert found.truth == (0, 0, 0, 1, 1)


def test_no_folder_of_a_public_server_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(labelled_set(str(folder), 16, 32)) == 10
    monkeypatch.setenv("PATCHLIGHT_PUBLIC", "1")
    with pytest.raises(Fault, match="there is none"):
        labelled_set(str(folder), 16, 32)


def test_the_held_out_figure_is_the_one_beside_the_weights() -> None:
    """Whatever it is: read from the file, and none for a network that nobody measured."""
    known = measured("bundled/clip")
    assert known is not None
    name, top = known.ending(", top 1") or ("", {})
    facts = unpack(opening(Desk(checkpoint="bundled/clip", picture="shapes")))[0]
    assert facts["measured"]["top"] == f"{100 * top['value']:.1f}"
    assert f"among {facts['measured']['texts']}," in name
    assert facts["start"]["labels"]
    assert measured("bundled/clip?random") is None
    assert measured("timm/vit_tiny_patch16_224") is None


def test_the_numbers_of_a_readers_own_matrix_hold_all_of_it(checkpoint: str, tmp_path: Path) -> None:  # noqa: F811
    desk = Desk(checkpoint=checkpoint, picture="cat", fit="trained")
    question = Asked(matrix="own", pictures="cat\nrocket", labels="a cat\ntwo boats", templates="{}")
    (tmp_path / "found.npz").write_bytes(numbers(desk, question))
    with np.load(tmp_path / "found.npz") as found:
        assert np.allclose(found["matrix"], unpack(matrix_answer(desk, question))[1]["cosine"])
        assert "diagonal" in str(found["caption"])


def test_long_lists_are_fetched() -> None:
    desk = Desk()
    imagenet, emoji = (unpack(listed(desk, Asked(set=name)))[0]["labels"] for name in ("imagenet", "emoji"))
    assert len(imagenet) == 1000
    assert 500 < len(emoji) == len(set(emoji)) <= 1000


def test_pictures_of_others_are_never_opened(checkpoint: str, tmp_path: Path) -> None:  # noqa: F811
    secret = tmp_path / "secret.png"
    Image.new("RGB", (8, 8), RED).save(secret)
    with pytest.raises(Fault, match=r"secret\.png' is not there"):
        matrix_answer(Desk(checkpoint=checkpoint), Asked(matrix="own", pictures=str(secret), labels="a"))
