"""Every figure is right where the answer is known, and stands beside its baseline."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import torch

from models.backbone import TextScores
from models.card import Card
from models.loading import open_network
from tests.training.squares import Squares
from training.datasets import Batch
from training.evaluate import evaluate, from_centre, neighbours, overlap, positions, probe
from training.figures import table, wilson
from training.matching import retrieval, zero_shot
from training.networks import mae, swin_masked, vit


def clusters(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.arange(90) % 3
    return torch.eye(8)[labels] * 4 + torch.randn(90, 8, generator=generator), labels


def test_neighbours_and_probe_find_clusters_and_not_noise() -> None:
    generator = torch.Generator().manual_seed(0)
    (known, labels), (asked, answers) = clusters(generator), clusters(generator)
    for judge in (neighbours, probe):
        assert (judge(known, labels, asked) == answers).float().mean() > 0.9
        shuffled = labels[torch.randperm(90, generator=generator)]
        assert (judge(known, shuffled, asked) == answers).float().mean() < 0.6


def test_wilson_against_the_textbook() -> None:
    """Ten of ten: the lower end is n / (n + z²)."""
    low, high = wilson(1.0, 10)
    assert abs(low - 10 / (10 + 1.96**2)) < 1e-6
    assert abs(high - 1) < 1e-9
    low, high = wilson(0.5, 100)
    assert (round(low, 4), round(high, 4)) == (0.4038, 0.5962)


def test_overlap_of_a_disc_with_itself_and_with_its_outside() -> None:
    disc = -from_centre((8, 8))
    inside = torch.zeros(64, dtype=torch.bool)
    inside[disc.topk(16).indices] = True
    assert overlap(disc, inside) == 1
    assert overlap(-disc, inside) == 0
    assert from_centre((3, 5)).argmin() == 7


class Knowing:
    """Two towers whose joint space is the picture's first pixel and the number in the text."""

    def __init__(self) -> None:
        self.module, self.pixels = torch.nn.Linear(1, 1), vit("nano", 32, 8).pixels

    def image_features(self, pixels: torch.Tensor) -> torch.Tensor:
        number = (pixels[:, 0, 0, 0] * 0.5 + 0.5) * 1000
        return torch.nn.functional.one_hot(number.round().long(), 1000).float()

    def text_features(self, texts: list[str]) -> torch.Tensor:
        return torch.nn.functional.one_hot(torch.tensor([int(text.split()[-1]) for text in texts]), 1000).float()

    def text_scores(self, image: torch.Tensor, text: torch.Tensor) -> TextScores:
        return TextScores(image @ text.T, 10.0, 0.0, "softmax")


def told(numbers: list[int]) -> Batch:
    pictures = torch.tensor(numbers).view(-1, 1, 1, 1).expand(-1, 3, 2, 2) / 1000
    return Batch(
        pictures, labels=torch.tensor(numbers) % 8, concepts=torch.tensor(numbers),
        captions=tuple(f"a picture of {number}" for number in numbers),
    )  # fmt: skip


def test_a_network_that_knows_every_caption_finds_each_among_a_hundred() -> None:
    """Rounds of a hundred different meanings: a meaning that comes twice within a round is asked once."""
    right: Any = Knowing()
    first, fifth = retrieval(right, told([*range(150), *range(150), 7]))
    assert (first.name, first.value, first.baseline, first.pictures) == ("caption among 100, top 1", 1.0, 0.01, 300)
    assert fifth.baseline == 0.05
    wrong = told(list(range(100)))
    shifted = dataclasses.replace(wrong, images=wrong.images.roll(1, 0))
    assert next(iter(retrieval(right, shifted))).value == 0


def test_classes_are_asked_by_their_names_alone() -> None:
    first, fifth = zero_shot(cast(Any, Knowing()), told(list(range(8))), [str(number) for number in range(8)])
    assert (first.name, first.value, first.baseline) == ("zero-shot accuracy, 8 classes, top 1", 1.0, 1 / 8)
    assert fifth.baseline == 5 / 8


def test_an_untrained_network_is_no_better_than_its_baselines() -> None:
    network = vit("nano", 32, 8)
    backbone = open_network(network.module, Card("x", "x", "ViT"), network.pixels)
    found = {figure.name: figure for figure in evaluate(backbone, Squares(), Squares(), 96, untrained=backbone)}
    assert found["k-NN accuracy"].baseline > 0.9
    assert found["k-NN accuracy"].low <= found["k-NN accuracy"].value <= found["k-NN accuracy"].high
    assert found["positions explained by offset, R²"].value < 0.3
    assert all(figure.untrained == figure.value for figure in found.values())
    assert {name for name, figure in found.items() if figure.seen is None} == {"positions explained by offset, R²"}
    assert "attention on objects, IoU" in table(list(found.values()))


class Paired:
    """Grey pictures whose brightness tells the class, the other way round where `swapped`: what was learnt by heart is
    always wrong there."""

    classes = ("dark", "bright")
    length = None
    skipped = ()
    captioned = False

    def __init__(self, swapped: bool) -> None:
        self.swapped = swapped

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        generator = torch.Generator().manual_seed(1000 * (seed or 0) + step)
        labels = torch.randint(2, (count,), generator=generator)
        images = (0.1 + 0.8 * labels.float()).view(-1, 1, 1, 1) + 0.05 * torch.rand(
            count, 3, 32, 32, generator=generator
        )
        return Batch(images.to(device), labels=1 - labels if self.swapped else labels)


def test_figures_of_what_was_seen_stand_beside_those_of_what_was_not() -> None:
    """Wrong if they came from the same pictures, or from those that were learnt from."""
    network = vit("nano", 32, 8)
    backbone = open_network(network.module, Card("x", "x", "ViT"), network.pixels)
    found = {figure.name: figure for figure in evaluate(backbone, Paired(False), Paired(True), 64)}
    for name in ("k-NN accuracy", "linear probe accuracy"):
        assert (found[name].value, found[name].seen) == (0.0, 1.0)
    few = Paired(False)
    few.length = 100  # pyright: ignore[reportAttributeAccessIssue]
    assert all(figure.seen is None for figure in evaluate(backbone, few, Paired(True), 64)), "no pictures are left over"


def test_a_masked_autoencoder_is_held_against_the_nearest_patch() -> None:
    network = mae("nano", 32, 8, width=32, depth=1, normalised=False, ratio=0.75)
    backbone = open_network(network.module, Card("x", "x", "MAE"), network.pixels)
    found = {figure.name: figure for figure in evaluate(backbone, Squares(), Squares(), 32)}
    assert found["hidden patches' error / nearest visible patch's"].value > 1
    assert found["positions explained by offset, R²"].value > 0.99


def test_positions_that_are_all_alike_give_no_figure() -> None:
    """A Swin's table of biases begins at zero: nothing varies, so nothing is explained, and NaN is no JSON."""
    network = swin_masked("nano", 32, 4)
    for name, table_of_biases in network.module.named_parameters():
        if "bias_table" in name:
            torch.nn.init.zeros_(table_of_biases)
    backbone = open_network(network.module, Card("x", "x", "SimMIM"), network.pixels)
    assert [*positions(backbone)] == []
