"""Texts through a network's text tower, in slices: other visitors get their turn between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from explorers import lent
from explorers.cache import also
from explorers.slices import Slices
from models import text_bank

if TYPE_CHECKING:
    from torch import Tensor

    from models.backbone import ZeroShot

MOST = 1024
"""Texts of one slice; each goes through the tower in smaller batches."""


also(text_bank.clear)


def text_features(network: ZeroShot, texts: Sequence[str]) -> Tensor:
    """Unit vectors (texts, channels) on the CPU, each text read once however often it stands there. Raises `Fault`."""
    different = list(dict.fromkeys(texts))
    slices = Slices(MOST, len(different))
    found = torch.cat([*slices(different, lambda some: lent.text_features(network, some))])
    if len(different) == len(texts):
        return found
    places = {text: place for place, text in enumerate(different)}
    return found[[places[text] for text in texts]]
