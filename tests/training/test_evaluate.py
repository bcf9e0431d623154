"""Every figure is right where the answer is known, and stands beside its baseline."""

from __future__ import annotations

import torch

from models.card import Card
from models.loading import open_network
from tests.training.squares import Squares
from training.evaluate import evaluate, from_centre, neighbours, overlap, probe, table, wilson
from training.networks import mae, vit


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


def test_an_untrained_network_is_no_better_than_its_baselines() -> None:
    network = vit("nano", 32, 8)
    backbone = open_network(network.module, Card("x", "x", "ViT"), network.pixels)
    found = {figure.name: figure for figure in evaluate(backbone, Squares(), Squares(), 96)}
    assert found["k-NN accuracy"].baseline > 0.9
    assert found["k-NN accuracy"].low <= found["k-NN accuracy"].value <= found["k-NN accuracy"].high
    assert found["positions explained by offset, R²"].value < 0.3
    assert "attention on objects, IoU" in table(list(found.values()))


def test_a_masked_autoencoder_is_held_against_the_nearest_patch() -> None:
    network = mae("nano", 32, 8, width=32, depth=1, normalised=False, ratio=0.75)
    backbone = open_network(network.module, Card("x", "x", "MAE"), network.pixels)
    found = {figure.name: figure for figure in evaluate(backbone, Squares(), Squares(), 32)}
    assert found["hidden patches' error / nearest visible patch's"].value > 1
    assert found["positions explained by offset, R²"].value > 0.99
