"""What a network is first asked about: that which it can know, where it ships with Patchlight and learnt from drawings.

beginning("bundled/clip-emoji").gallery   "emojione": emoji in a style that it never saw
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from explorers.offers import OFFERED, offered
from models.measured import measured

GalleryName = Literal["shapes", "unseen", "twemoji", "emojione", "emoji", "photographs", "folder"]
AnyGallery = Literal["auto", GalleryName]
"""auto: the one that the network begins with."""


@dataclass(frozen=True)
class Beginning:
    """labels:    few, of which some fit the picture; empty where nobody knows what the network has seen
    templates:  to compare, the first to begin with
    gallery:    for retrieval and the embedding map
    labelled:   name of the set that it is scored on
    matrix:     which pictures meet texts
    picture:    name of an example of the kind that it learnt from, or None
    """

    labels: tuple[str, ...]
    templates: tuple[str, ...]
    gallery: GalleryName = "shapes"
    labelled: str = "shapes"
    matrix: Literal["drawn", "emoji", "examples"] = "drawn"
    picture: str | None = None


BEGINNINGS: Mapping[str, Beginning] = {
    "shapes": Beginning(
        ("red square", "green heart", "red heart", "green square", "blue circle", "yellow star"),
        ("a {}", "{}", "a {} in the middle", "a {} at the top right", "a photo of a {}."),
        picture="shapes",
    ),
    "scenes": Beginning(
        ("fox", "cat", "pizza", "rocket", "automobile", "tulip"),
        ("{}", "a {}", "a picture of a {}", "a {} and a star", "a photo of a {}."),
        gallery="emojione", labelled="emojione", matrix="emoji", picture="emoji",
    ),
    "siglip": Beginning(
        ("red square", "green heart", "red heart", "green square", "blue circle", "yellow star"),
        ("{}", "a {}", "a {} in the middle", "a {} at the top right", "a photo of a {}."),
        picture="shapes",
    ),
    "photographs": Beginning(
        (), ("a photo of a {}.", "{}", "a drawing of a {}.", "a bad photo of a {}.", "the origami {}."),
        gallery="photographs", matrix="examples",
    ),
    "": Beginning((), ("a photo of a {}.", "{}", "a drawing of a {}.", "a bad photo of a {}.", "the origami {}.")),
}  # fmt: skip
"""By the pictures that a network learnt from, or by its own name where others of them answer wrongly: SigLIP puts what
is in its picture first only by bare labels. "photographs" for all that others trained, "" for runs that nobody
measured."""


def beginning(checkpoint: str) -> Beginning:
    """A random twin begins with what its network does, so that the two can be compared."""
    plain = checkpoint.partition("?")[0]
    source, _, name = plain.partition("/")
    known = measured(plain)
    if known is None:
        return BEGINNINGS["" if source in ("bundled", "run") else "photographs"]
    return BEGINNINGS.get(name) or BEGINNINGS.get(known.pictures, BEGINNINGS[""])


def readers() -> list[dict[str, Any]]:
    """Networks with a text tower: those on this machine, else those that can be fetched; and the picture to begin with,
    where a bundled one learnt from drawings only."""
    found = offered(lambda card: "zero-shot" in card.abilities or card.family in ("CLIP", "SigLIP"))
    return [{**one, "picture": beginning(one["id"]).picture} for one in found[:OFFERED]]
