"""Whether a class is called what its network was taught to call it."""

from __future__ import annotations

from typing import Any

import timm
import torch

from models.card import Card
from models.class_names import class_names, imagenet_names
from models.loading import open_network
from models.pixels import Pixels

PIXELS = Pixels((96, 96), 16, 16, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def names(classes: int, random: bool = False) -> tuple[str, ...]:
    network: Any = timm.create_model("test_vit", num_classes=classes, dynamic_img_size=True)
    torch.nn.init.ones_(network.head.bias)  # as if it had been trained
    return class_names(open_network(network, Card("timm/test_vit", "test", "toy", random=random), PIXELS))


def test_imagenets_own_words_at_its_own_indices() -> None:
    found = names(1000)
    assert len(found) == 1000
    assert found[504].startswith("coffee mug")
    assert found[281].startswith("tabby")


def test_imagenets_labels_are_a_thousand_and_told_apart_where_they_can_be() -> None:
    found = imagenet_names()
    assert len(found) == 1000
    assert (found[0], found[281], found[504]) == ("tench", "tabby", "coffee mug")
    assert sorted(name for name in set(found) if found.count(name) > 1) == ["crane"]
    assert max(map(len, found)) < 50


def test_no_name_is_made_up() -> None:
    assert names(7) == (), "nobody says what seven classes are"
    assert names(1000, random=True) == (), "an untrained network's outputs stand for nothing"


def test_a_networks_own_card_comes_first() -> None:
    network: Any = timm.create_model("test_vit", num_classes=2, dynamic_img_size=True)
    torch.nn.init.ones_(network.head.bias)
    card = Card("bundled/toy", "test", "toy", classes=("circle", "square"))
    assert class_names(open_network(network, card, PIXELS)) == ("circle", "square")
