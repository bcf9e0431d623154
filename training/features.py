"""Pictures as a network reads them, so many at once, and how many of its blocks may stay as they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from torch import Tensor

from models.backbone import Backbone
from models.faults import Fault
from training.augment import normalise

PASSED = 64
"""Pictures of 224 × 224 pixels or fewer that pass at once where no gradient is wanted; of larger ones fewer."""

PATIENCE = 5.0
"""Seconds after which the log is told how far a long pass is."""

log = logging.getLogger(__name__)


def at_once(side: int) -> int:
    """So many pictures of `side` × `side` pixels pass at once."""
    return max(1, min(PASSED, PASSED * 224**2 // side**2))


def parts(count: int, size: int, what: str) -> Iterator[slice]:
    """`count` pictures in slices of `size`; what takes long says how far it is."""
    said = time.monotonic()
    for start in range(0, count, size):
        if time.monotonic() - said > PATIENCE:
            said = time.monotonic()
            log.info("%s: %d of %d pictures", what, start, count)
        yield slice(start, min(start + size, count))


def fed(backbone: Backbone, images: Tensor) -> Tensor:
    """Pictures in [0, 1] as `backbone` reads them, on its device."""
    device = next(backbone.module.parameters()).device
    return normalise(images.to(device), backbone.pixels.mean, backbone.pixels.std)


def check_grows(backbone: Backbone, frozen: int) -> None:
    """Raises where more blocks are to be frozen than there are."""
    if frozen > len(backbone.blocks):
        raise Fault(
            "The first {frozen} blocks were to stay as they are, but the network has {blocks}; choose at most as many.",
            frozen=frozen, blocks=len(backbone.blocks),
        )  # fmt: skip
