"""What a checkpoint is, in the words and numbers that stand beside every picture made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Note:
    """A sentence that stands under every picture of a network: what its weights do not tell, and by whose word it was
    taken. English, a key of the text catalogue, with the facts that fill its `{placeholders}`."""

    template: str
    facts: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Card:
    """One checkpoint. Fields that only the loaded network can tell are None in the catalogue.

    id:            `<source>/<name>`, as `models.load` takes it
    title:         for people: "DINOv2 ViT-S/14"
    family:        "ViT", "Swin", "DINO", "MAE", "CLIP" ...: how it was trained or built, as people group it
    training:      one sentence on data and objective; English, a key of the text catalogue
    licence:       SPDX name, or what the publisher calls it
    parameters:    count of the loaded network's numbers
    patch, side:   pixels
    download:      size in bytes of what must be fetched, None if unknown
    gated:         True where the publisher asks for an account and consent
    revision:      commit or version of the publisher; sha256 of the weights file once it lies on the disk
    classes:       names of a classifier's classes, in order, where the checkpoint says them
    notes:         what is not in the weights and was said by the reader or taken as usual; under every picture
    random:        True for untrained networks; the page says "random weights" wherever such a picture stands
    """

    id: str
    title: str
    family: str
    training: str = ""
    licence: str = ""
    parameters: int | None = None
    patch: int | None = None
    side: int | None = None
    download: int | None = None
    gated: bool = False
    revision: str | None = None
    sha256: str | None = None
    classes: tuple[str, ...] = ()
    random: bool = False
    abilities: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def source(self) -> str:
        """The part of the id before the first slash."""
        return self.id.partition("/")[0]
