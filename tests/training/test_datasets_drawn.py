"""Is what is drawn what is said? Masks against outlines, captions against contents, words against grammar."""

from __future__ import annotations

import re

import pytest
import torch

from training import captions
from training.datasets import Source, open_dataset
from training.datasets._contract import Split, stream
from training.datasets._layout import layout
from training.datasets._paint import Canvas, Pose, pyramid
from training.datasets._silhouettes import coverage
from training.datasets.emoji import drawings
from training.datasets.scenes import Scenes
from training.datasets.shapes import Shapes, chosen_alike, combinations, relation_of
from training.shapes import COLOURS, RELATIONS, SHAPES, phrase, placed, related

PHRASES = {
    language: {phrase(kind, language): kind for kind in range(len(COLOURS) * len(SHAPES))} for language in ("en", "ru")
}


def pose(row: float, column: float, size: float, angle: float = 0.0, mirrored: bool = False) -> Pose:
    return Pose(torch.tensor([[row, column]]), torch.tensor([size]), torch.tensor([angle]), torch.tensor([mirrored]))


def solid(red: int, green: int, blue: int) -> tuple[torch.Tensor, ...]:
    """An opaque square drawing of one colour."""
    return pyramid(torch.tensor([red, green, blue, 255], dtype=torch.uint8)[None, :, None, None].expand(1, 4, 64, 64))


def test_a_square_is_painted_where_it_was_put() -> None:
    """Row and column exchanged, or a centre that is a corner, would show here."""
    canvas = Canvas(torch.zeros(1, 3, 40, 40))
    canvas.paint(solid(255, 0, 0), torch.tensor([0]), pose(0.25, 0.7, 0.2))
    expected = torch.zeros(40, 40, dtype=torch.int8)
    expected[6:14, 24:32] = 1
    assert torch.equal(canvas.masks[0], expected)
    assert torch.allclose(canvas.images[0, :, 8:12, 26:30], torch.tensor([1.0, 0, 0])[:, None, None].expand(3, 4, 4))
    assert canvas.images[0, :, :4].sum() == 0


def test_later_paint_owns_the_pixels_it_hides() -> None:
    canvas = Canvas(torch.zeros(2, 3, 32, 32))
    canvas.paint(solid(255, 0, 0), torch.tensor([0]), pose(0.5, 0.5, 0.75))
    canvas.paint(solid(0, 0, 255), torch.tensor([0]), pose(0.5, 0.5, 0.25))
    assert canvas.masks[0, 16, 16] == 2
    assert canvas.images[0, :, 16, 16].tolist() == [0, 0, 1]
    assert canvas.masks[0, 16, 6] == 1
    assert canvas.masks[1].sum() == 0


def test_an_angle_turns_counter_clockwise_and_a_mirror_exchanges_left_and_right() -> None:
    """Drawn: a bar along the upper edge of which the left half is thicker."""
    drawing = torch.zeros(1, 4, 64, 64, dtype=torch.uint8)
    drawing[:, :, :16] = 255
    drawing[:, :, 16:32, :32] = 255
    painted = {}
    for name, how in {"still": {}, "turned": {"angle": torch.pi / 2}, "mirrored": {"mirrored": True}}.items():
        canvas = Canvas(torch.zeros(1, 3, 64, 64))
        canvas.paint(pyramid(drawing), torch.tensor([0]), pose(0.5, 0.5, 1.0, **how))
        painted[name] = canvas.masks[0]
    assert torch.equal(painted["turned"], painted["still"].rot90())
    assert torch.equal(painted["mirrored"], painted["still"].flip(1))


@pytest.mark.parametrize("size", [0.2, 0.45, 0.95])
def test_masks_are_where_alpha_is_above_half(size: float) -> None:
    """Against painting an image of nothing but alpha: white on black is alpha itself."""
    levels = drawings("test").levels
    white = tuple(torch.cat([level[:, 3:].expand(-1, 3, -1, -1), level[:, 3:]], dim=1) for level in levels)
    which = torch.arange(0, 1000, 50)
    spots = Pose(torch.full((20, 2), 0.5), torch.full((20,), size), torch.full((20,), 0.2), torch.zeros(20).bool())
    canvas = Canvas(torch.zeros(20, 3, 96, 96))
    canvas.paint(white, which, spots)
    assert torch.equal(canvas.masks == 1, canvas.images[:, 0] > 0.5)
    assert (canvas.masks == 1).flatten(1).any(1).float().mean() > 0.9


@pytest.mark.parametrize("kind", range(len(SHAPES)))
def test_outlines_are_centred_upright_and_inside_their_frame(kind: int) -> None:
    alpha = coverage(torch.tensor([kind]), pose(0.5, 0.5, 0.8), 100)[0]
    inside = (alpha > 0.5).nonzero()
    assert inside.min() >= 8
    assert inside.max() <= 91
    assert 0.1 < (alpha > 0.5).float().mean() < 0.6
    middle = (inside.amin(0) + inside.amax(0)).float() / 2
    assert (middle - 49.5).abs().max() <= 8
    if SHAPES[kind].english != "crescent":
        assert torch.allclose(alpha, alpha.flip(1), atol=1e-4), "left and right differ"
    if SHAPES[kind].english == "triangle":
        assert (alpha[:50] > 0.5).sum() < (alpha[50:] > 0.5).sum(), "a corner is up"


def test_areas_are_those_of_geometry() -> None:
    """An outline of the wrong size or distance would be seen as a wrong area."""
    side, scale = 200, 0.8 * 200 / 2
    still = Pose(torch.full((3, 2), 0.5), torch.full((3,), 0.8), torch.zeros(3), torch.zeros(3).bool())
    areas = coverage(torch.arange(3), still, side).sum((1, 2))
    height = 0.55 * 3
    expected = torch.tensor([torch.pi * 0.95**2, 1.6**2, height**2 / 3**0.5]) * scale**2
    assert torch.allclose(areas, expected, rtol=0.01)


def test_every_object_stays_inside_the_frame() -> None:
    plan = layout(500, (1, 5), torch.Generator().manual_seed(0))
    half = plan.sizes[..., None] / 2
    assert ((plan.centres - half >= -1e-6) & (plan.centres + half <= 1 + 1e-6)).all()
    assert set(plan.counts.tolist()) == {1, 2, 3, 4, 5}
    assert (plan.counts.diff() <= 0).all()
    assert (plan.sizes.diff(dim=1) <= 0).all(), "largest first, so that small things are never hidden"
    assert torch.equal(plan.sizes > 0, plan.present)
    spread = plan.centres[plan.present]
    assert (spread < 0.3).any(0).all()
    assert (spread > 0.7).any(0).all()


SPLIT_NAMES: tuple[Split, ...] = ("train", "validation", "test")


def test_held_out_combinations_are_never_trained_on() -> None:
    """Else the zero-shot test would test memory."""
    parts: dict[Split, set[int]] = {split: set(combinations(split)) for split in SPLIT_NAMES}
    assert not parts["train"] & (parts["validation"] | parts["test"])
    for held in (parts["validation"], parts["test"]):
        for name in range(8):
            assert len([kind for kind in held if kind // 8 == name]) == 2, "else a colour would tell its shape"
            assert len([kind for kind in held if kind % 8 == name]) == 2, "else a shape would tell its colour"
    assert set.union(*parts.values()) == set(range(64))
    assert {kind // 8 for kind in parts["train"]} == {kind % 8 for kind in parts["train"]} == set(range(8))
    for name in ("shapes", "scenes"):
        for split, allowed in parts.items():
            seen = set()
            data = open_dataset(Source(name, side=16, split=split, objects=(1, 5)))
            for step in range(4):
                told = data.batch(step, seed=1, count=64, device="cpu").captions or ()
                seen |= {PHRASES["en"][found] for text in told for found in shapes_in(text)}
            assert seen
            assert seen <= allowed, (name, split)


def test_alike_pictures_share_their_colours_and_nothing_else() -> None:
    """Else colours alone would tell hard negatives apart, or what is held out would be trained on."""
    kinds = chosen_alike("train", 60, 2, 8, torch.Generator().manual_seed(0))
    assert set(kinds.flatten().tolist()) <= set(combinations("train"))
    for group in kinds.split(8):
        assert len((group // 8).unique(dim=0)) == 1
        assert len((group % 8).unique(dim=0)) > 1
    assert (kinds[:, 0] // 8 != kinds[:, 1] // 8).all()
    apart, alike = (Shapes(Source("shapes", side=16, objects=(1, 2), alike=so)) for so in (1, 8))
    told = [data.batch(0, seed=1, count=16, device="cpu").captions for data in (apart, alike)]
    assert told[0] != told[1]


def shapes_in(caption: str) -> list[str]:
    """Coloured shapes that a caption names; emoji have "a red circle" and "a blue square" too, and are not meant."""
    own = {drawing for split in SPLIT_NAMES for drawing in drawings(split).english}
    things = re.split(
        r", | and | to the left of | to the right of | above | below | at the | on the | in the ", caption
    )
    return [thing.removeprefix("a picture of ") for thing in things if thing in PHRASES["en"] and thing not in own]


def test_scene_captions_name_what_is_there() -> None:
    """Every object by its name, nothing else, in the order of size."""
    for language in ("en", "ru"):
        scenes = Scenes(Source("scenes", side=32, split="validation", language=language))
        batch = scenes.batch(2, seed=9, count=40, device="cpu")
        generator = torch.Generator().manual_seed(stream(9, 2))
        plan = layout(40, (1, 5), generator)
        things = scenes._things(40, 5, generator)
        assert batch.captions is not None
        for caption, row, count in zip(batch.captions, things.tolist(), plan.counts.tolist(), strict=True):
            told = [scenes._name(thing, 1.0, language) for thing in row[:count]]
            assert len(set(row[:count])) == count
            assert caption.removeprefix("a picture of ").removeprefix("на картинке ") == captions.listed(told, language)


def test_synonyms_are_words_of_one_emoji_alone() -> None:
    """Asked for, they replace about a quarter of the names; never a word that two concepts share."""
    plain, other = (
        Scenes(Source("scenes", side=8, objects=(1, 1), synonyms=synonyms)).batch(0, seed=1, count=1000, device="cpu")
        for synonyms in (False, True)
    )
    assert plain.captions is not None
    assert other.captions is not None
    changed = [(new, old) for new, old in zip(other.captions, plain.captions, strict=True) if new != old]
    assert 0.08 < len(changed) / 1000 < 0.25
    emoji = drawings("train")
    owners: dict[str, set[int]] = {}
    for words, concept in zip(emoji.synonyms, emoji.concepts.tolist(), strict=True):
        for word in words:
            owners.setdefault(word, set()).add(concept)
    assert all(len(concepts) == 1 for concepts in owners.values())
    assert {new.removeprefix("a picture of ") for new, _ in changed} <= set(owners)


def test_a_smallest_size_is_kept() -> None:
    """One object of at least half the frame; where five so large ones have no room, they are as large as fits."""
    one = layout(400, (1, 1), torch.Generator().manual_seed(0), smallest=0.55).sizes
    assert 0.55 <= float(one.min()) < 0.6
    assert 0.9 < float(one.max()) <= 0.95
    five = layout(400, (5, 5), torch.Generator().manual_seed(0), smallest=0.55).sizes
    assert float((five - 0.42).abs().max()) < 1e-6


def test_shape_captions_say_where_things_are() -> None:
    """Read back: the caption's first and second shape stand in the masks as the caption says."""
    shapes = Shapes(Source("shapes", side=64, objects=(2, 2)))
    batch = shapes.batch(0, seed=4, count=64, device="cpu")
    assert batch.boxes is not None
    assert batch.objects is not None
    assert batch.captions is not None
    for caption, boxes, objects in zip(batch.captions, batch.boxes, batch.objects.tolist(), strict=True):
        number, words = next((n, text) for n, (text, _, _) in enumerate(RELATIONS) if f" {text} " in caption)
        first, second = (PHRASES["en"][part] % 8 for part in caption.split(f" {words} "))
        if first == second:
            continue
        middles = {kind: ((box[:2] + box[2:]) / 2).tolist() for kind, box in zip(objects, boxes, strict=True)}
        across = middles[first][1] - middles[second][1]
        down = middles[first][0] - middles[second][0]
        assert [across, -across, down, -down][number] < 4, caption


def test_equal_meanings_share_a_number_and_different_ones_do_not() -> None:
    """A contrastive loss would push equals apart, or pull strangers together."""
    for name in ("shapes", "scenes"):
        data = open_dataset(Source(name, side=16, objects=(1, 2)))
        meanings: dict[frozenset, int] = {}
        for step in range(5):
            batch = data.batch(step, seed=0, count=64, device="cpu")
            assert batch.concepts is not None
            for caption, number in zip(batch.captions or (), batch.concepts.tolist(), strict=True):
                meanings.setdefault(frozenset([caption.removeprefix("a picture of ")]), number)
                assert meanings[frozenset([caption.removeprefix("a picture of ")])] == number
    left, right = [0.5, 0.2], [0.5, 0.8]
    assert relation_of(left, right) == 0
    assert relation_of(right, left) == 1


ENDINGS = {
    "nominative": {"masculine": "(ый|ой|ий)", "feminine": "(ая|яя)", "neuter": "(ое|ее)"},
    "genitive": {"masculine": "(ого|его)", "feminine": "(ой|ей)", "neuter": "(ого|его)"},
    "instrumental": {"masculine": "(ым|им)", "feminine": "(ой|ей)", "neuter": "(ым|им)"},
}
GENDER = {"круг": "masculine", "квадрат": "masculine", "треугольник": "masculine", "звезда": "feminine",
          "сердце": "neuter", "крест": "masculine", "кольцо": "neuter", "полумесяц": "masculine"}  # fmt: skip
NOUN_ENDINGS = {
    "genitive": {"masculine": "а", "feminine": "ы", "neuter": "а"},
    "instrumental": {"masculine": "(ом|ем)", "feminine": "ой", "neuter": "(ом|ем)"},
}


@pytest.mark.parametrize("case", list(ENDINGS))
def test_russian_agrees_in_all_combinations(case) -> None:
    """Gender of the noun decides the adjective's ending, in each case that a relation asks for."""
    for kind in range(64):
        adjective, noun = phrase(kind, "ru", case).split()
        gender = GENDER[SHAPES[kind % 8].nominative]
        assert re.fullmatch(rf"[а-яё]+{ENDINGS[case][gender]}", adjective), (adjective, noun)
        if case != "nominative":
            stem = SHAPES[kind % 8].nominative.rstrip("аео")
            assert re.fullmatch(rf"{stem}{NOUN_ENDINGS[case][gender]}", noun), noun
    assert len({phrase(kind, "ru", case) for kind in range(64)}) == 64


def test_russian_as_a_reader_would_write_it() -> None:
    blue, star, ring, cyan, square = 5, 3, 6, 4, 1
    assert phrase(blue * 8 + star, "ru") == "синяя звезда"
    assert phrase(cyan * 8 + ring, "ru") == "голубое кольцо"
    assert related(0, 0, blue * 8 + star, "ru") == "красный круг слева от синей звезды"
    assert related(cyan * 8, 2, blue * 8 + square, "ru") == "голубой круг над синим квадратом"
    assert related(0, 3, blue * 8 + ring, "ru") == "красный круг под синим кольцом"
    assert placed(blue * 8 + ring, 0, "ru") == "синее кольцо слева вверху"
    assert placed(8, 8, "en") == "an orange circle at the bottom right"
    assert captions.listed(["лиса", "машина", "пицца"], "ru") == "лиса, машина и пицца"
    assert captions.listed(["a fox", "a pizza"], "en") == "a fox and a pizza"


@pytest.mark.parametrize(
    ("label", "frame", "text"),
    [
        ("fox", "", "a fox"), ("eagle", "", "an eagle"), ("unicorn", "", "a unicorn"),
        ("hourglass", "", "an hourglass"),
        ("grapes", "", "grapes"), ("bus", "", "a bus"), ("popcorn", "", "popcorn"),
        ("Statue of Liberty", "", "the Statue of Liberty"),
        ("potable water", "sign", "a “potable water” sign"), ("up arrow", "sign", "an up arrow"),
        ("six o’clock", "", "a clock showing six o’clock"), ("wheel of dharma", "sign", "a wheel of dharma"),
    ],
)  # fmt: skip
def test_english_articles(label: str, frame: str, text: str) -> None:
    assert captions.english(label, frame) == text


@pytest.mark.parametrize(
    ("label", "frame", "text"),
    [
        ("пицца", "", "пицца"), ("не верит", "смайлик", "смайлик «не верит»"), ("голова лягушки", "", "лягушка"),
        ("значок «гнев»", "значок", "значок «гнев»"), ("шесть часов", "", "циферблат «шесть часов»"),
        ("полседьмого", "", "циферблат «полседьмого»"), ("желтое сердце", "", "жёлтое сердце"),
        ("полицейский", "", "полицейский"),
    ],
)  # fmt: skip
def test_russian_names_are_nouns(label: str, frame: str, text: str) -> None:
    assert captions.russian(label, frame) == text
