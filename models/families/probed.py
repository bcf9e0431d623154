"""Networks with a classifier that was learnt here on their features, by a probe or by fine-tuning.

The network inside is read by its own family and can do whatever that says; it also classifies, by the head beside it.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor

from models.backbone import Backbone, Family, Layer, Parts
from models.faults import Refusal
from models.features import Features
from models.probed import Probed


class Classifier:
    """What stands before the class by which a family reads the network inside."""

    probed: Probed
    features: Features

    def class_logits(self, pixels: Tensor) -> Tensor:
        return self.probed.logits(self.features(pixels.to(next(self.probed.parameters()))))

    @torch.no_grad()
    def class_logits_from(self, layers: Sequence[Layer]) -> Tensor:
        tokens = layers[-1].tokens.to(next(self.probed.parameters()))
        return self.probed.logits(self.probed.pooled(tokens.unsqueeze(0)))[0]


def _open(parts: Parts) -> Backbone:
    from models.families import family_of

    probed = parts.network
    assert isinstance(probed, Probed)
    probed.eval()
    family = family_of(probed.network)
    if family is None:
        raise Refusal(
            "A network with a classifier of its own was to be opened, but no family here reads the {kind} inside; "
            "update Patchlight.",
            kind=type(probed.network).__name__,
        )  # fmt: skip
    return _classifying(family.opens(replace(parts, network=probed.network)), probed)


def _classifying(backbone: Backbone, probed: Probed) -> Backbone:
    """`backbone` with all that it can do, and the head of `probed`."""
    other: Any = copy.copy(backbone)
    object.__setattr__(other, "__class__", _kind(type(backbone)))  # some families' classes are frozen
    object.__setattr__(other, "probed", probed)
    object.__setattr__(other, "features", Features(backbone, probed.pooled))
    return other


@cache
def _kind(kind: type) -> type:
    return type(f"Probed{kind.__name__}", (Classifier, kind), {})


FAMILY = Family("Probed", lambda network: isinstance(network, Probed), _open)
