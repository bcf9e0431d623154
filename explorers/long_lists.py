"""Lists of labels that are too long to travel with every picture: of ImageNet, or of the bundled emoji."""

from __future__ import annotations

from models.class_names import imagenet_names
from training.datasets.emoji import drawings

MOST_LABELS = 1000
"""Labels that can be compared at once."""


def long_list(name: str) -> list[str]:
    if name == "imagenet":
        return list(imagenet_names())
    names = dict.fromkeys(name.removeprefix("a ").removeprefix("an ") for name in drawings("validation").english)
    return list(names)[:MOST_LABELS]
