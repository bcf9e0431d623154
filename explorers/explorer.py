"""What an explorer is, and how the page, the endpoint and the shell find every one of them.

An explorer is one file in this room, always in this order: **compute** (tensors to tensors, pure), **draw** (to arrays,
a figure or a canvas payload, pure), **build** (components and their events together), and the constant `EXPLORER`.
Dropping such a file here is all it takes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorers.text import say

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from starlette.routing import BaseRoute

    from explorers.frame import Frame
    from explorers.parameters import Parameters


@dataclass(frozen=True)
class Sentence:
    """One English sentence of the text catalogue and the facts that fill its `{placeholders}`."""

    template: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def said(self, language: str = "en") -> str:
        return say(self.template, language, **self.facts)


def noted(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """What the network's card says that must stand under each of its pictures, by `network_notes`."""
    return tuple(Sentence(**note) for note in facts["notes"])


@dataclass(frozen=True)
class Finding:
    """What an explorer found: numbers, and the sentences that belong under them.

    arrays:   name to array, as written to the `.npz`; each explorer's `explore` documents the axes
    caption:  complete sentences that could stand under a figure in a paper
    facts:    plain values (text, numbers, lists of them) that the caption rests on, for machines
    files:    further files by name, such as a film, made when they are written, from the reader's language
    """

    arrays: Mapping[str, np.ndarray]
    caption: tuple[Sentence, ...]
    facts: Mapping[str, Any]
    files: Mapping[str, Callable[[str], bytes]] = field(default_factory=dict)

    def said(self, language: str = "en") -> str:
        return " ".join(sentence.said(language) for sentence in self.caption)


ABILITIES = {"Classifies": "classifies", "Pools": "pools", "Reconstructs": "reconstructs", "ZeroShot": "zero-shot"}
"""The words of cards for the protocols of `models.backbone`, which cannot be imported before torch is."""


@dataclass(frozen=True)
class Explorer:
    """The one constant of an explorer's file.

    name:        one word: the endpoint's, the shell's and the permalink's
    title:       what the tab says; English, a key of the text catalogue
    order:       place among the tabs, smallest first
    parameters:  the strict declaration that controls, endpoint, shell and permalink read; it always has `checkpoint`
    explore:     (image file or None, checked parameters) to Finding; pure, without a page
    build:       puts components and their events into the frame that the page hands over
    needs:       name of the ability that a network must have ("Classifies", "Reconstructs", "ZeroShot"), or None
    pictureless: True where no image is needed
    optional:    True where an image may be given and need not
    routes:      addresses of its own that the page's scripts fetch, for what outlives a picture; built with the page
    sheet:       a finding as one image for the shell, its words in a language; the map over the picture if None
    """

    name: str
    title: str
    order: int
    parameters: type[Parameters]
    explore: Callable[[Path | None, Any], Finding]
    build: Callable[[Frame], None]
    needs: str | None = None
    pictureless: bool = False
    optional: bool = False
    routes: Callable[[], Sequence[BaseRoute]] | None = None
    sheet: Callable[[Finding, str], Image.Image] | None = None

    @property
    def ability(self) -> str | None:
        """What a card must say of a network that this explorer can show."""
        return None if self.needs is None else ABILITIES[self.needs]

    def run(self, image: str | Path | None = None, checkpoint: str | None = None, **values: object) -> Finding:
        """Explore from Python: unchecked values in, `Finding` out; a `Fault` says in one sentence what is wrong."""
        from explorers.parameters import checked

        given = {**values} if checkpoint is None else {**values, "checkpoint": checkpoint}
        return self.explore(None if image is None else Path(image), checked(self.parameters, given))


@cache
def explorers() -> tuple[Explorer, ...]:
    """Every `EXPLORER` constant of this room's files, in the order of the tabs."""
    room = importlib.import_module("explorers")
    files = (Path(folder) / f"{name}.py" for folder in room.__path__ for _, name, _ in pkgutil.iter_modules([folder]))
    named = (file.stem for file in files if _names_one(file))
    found = (importlib.import_module(f"explorers.{name}").EXPLORER for name in named)
    return tuple(sorted(found, key=lambda explorer: (explorer.order, explorer.name)))


def _names_one(file: Path) -> bool:
    """Read, not imported: the room's other files bring torch with them."""
    return "\nEXPLORER = " in file.read_text(encoding="utf-8")
