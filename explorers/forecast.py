"""What a pass over a picture will take, told before it begins: size, tokens, memory, time.

A network that never ran in this process is run once over a blank input of a quarter of the patches; that pass tells
how memory grows exactly, and the time until the first real one has been measured.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorers.call import check_stretch, public
from explorers.cost import Cost, Law, Ledger
from explorers.gate import gate
from models.card import Card
from models.faults import Fault
from models.image import size_of

if TYPE_CHECKING:
    from models.backbone import Backbone, Layer
    from models.fit import Fit

LARGEST_TRIAL = 224
"""Pixels of a trial's longer side, at most."""

LEAST_TRIAL = 6
"""Patches (before merging) along a trial's longer side; fewer would measure Python."""

ledger = Ledger()


def cost(known: Backbone | Card, shape: tuple[int, int]) -> Cost:
    """What tracing an input of (height, width) pixels will cost. A network that never ran is run once, small; of a card
    alone, only the grid can be told until its network has run."""
    if isinstance(known, Card):
        if known.patch is None:
            raise Fault("{checkpoint} does not say how large its patches are; load it first.", checkpoint=known.id)
        law, patch = ledger.law(known.id), known.patch
    else:
        law, patch = ledger.law(known.card.id) or _tried(known, shape), known.pixels.patch
    grid = (shape[0] // patch, shape[1] // patch)
    return Cost(grid) if law is None else law.cost(grid, shape[0] * shape[1])


def check_time(network: Backbone, shape: tuple[int, int]) -> None:
    """Refuses, on a public page, an input of (height, width) pixels whose pass would hold the accelerator too long."""
    if public():
        check_stretch(cost(network, shape).seconds)


def foreseen(network: Backbone, file: Path, side: int | None, fit: Fit = "whole") -> dict[str, Any]:
    """What the page is told of a network and a picture that are about to meet. Raises `Fault`."""
    pixels, card = network.pixels, network.card
    shape = pixels.shape(size_of(file), side, fit)
    expected = cost(network, shape)
    return {
        "checkpoint": card.id, "title": card.title, "parameters": card.parameters, "shape": shape,
        "patch": pixels.patch, "multiple": pixels.multiple, "fixed": pixels.fixed,
        "cost": {"tokens": expected.tokens, "bytes": expected.bytes, "seconds": expected.seconds},
    }  # fmt: skip


def has_run(network: Backbone) -> bool:
    """Whether this process knows what the network's passes cost."""
    return ledger.law(network.card.id) is not None


def note(network: Backbone, layers: Sequence[Layer], seconds: float, trial: bool = False) -> Law:
    """Remember that a pass took `seconds`."""
    parameters = sum(weight.numel() for weight in network.module.parameters())
    return ledger.note(network.card.id, layers, parameters, seconds, trial)


def _tried(network: Backbone, shape: tuple[int, int]) -> Law | None:
    """The law of a small first pass; None where even that finds no memory, which the real pass frees or explains."""
    import torch  # a network is loaded, so this costs nothing any more

    pixels = network.pixels
    side = None if pixels.fixed else max(LEAST_TRIAL * pixels.multiple, min(max(shape) // 2, LARGEST_TRIAL))
    blank = torch.zeros(pixels.channels, *pixels.shape(shape, side))
    with gate():
        if known := ledger.law(network.card.id):
            return known
        start = time.perf_counter()
        try:
            layers = network.trace(blank)
        except (torch.OutOfMemoryError, MemoryError):
            return None
        return note(network, layers, time.perf_counter() - start, trial=True)
