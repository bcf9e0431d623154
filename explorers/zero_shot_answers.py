"""What a two-tower network says of a traced picture and of labels, without a page. One pass a picture, one a text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from explorers import lent
from explorers.gate import gate
from explorers.text_features import text_features
from explorers.traces import Traced
from models.backbone import Backbone, ZeroShot
from models.faults import Fault
from models.prompts import ensemble, filled, left_out
from models.text_to_patches import Way, picture_feature

LABELS = 1000


@dataclass(frozen=True)
class Compared:
    """A picture against labels.

    labels, templates:  as they were given
    texts:              (templates, different labels, channels) unit vectors
    places:             of each label among the different ones, so that labels that are the same have the same score
    picture:            (channels,) unit vector
    """

    labels: tuple[str, ...]
    templates: tuple[str, ...]
    texts: Tensor
    places: tuple[int, ...]
    picture: Tensor
    network: ZeroShot

    @property
    def text(self) -> Tensor:
        """One unit vector a label, (labels, channels)."""
        return ensemble(self.texts)[[*self.places]]

    def arrays(self) -> dict[str, np.ndarray]:
        """As `zero_shot.explore` documents them."""
        places = [*self.places]
        scores = self.network.text_scores(self.picture[None], ensemble(self.texts))
        scores = replace(scores, cosine=scores.cosine[:, places])
        each = ((self.texts @ self.picture)[:, places], (left_out(self.texts) @ self.picture)[:, places])
        return {
            "cosine": scores.cosine[0].numpy(),
            "logits": scores.logits[0].numpy(),
            "softmax": replace(scores, read_out="softmax").probabilities[0].numpy(),
            "sigmoid": replace(scores, read_out="sigmoid").probabilities[0].numpy(),
            "each": each[0].numpy(),
            "left_out": each[1].numpy(),
        }


def compared(seen: Traced, labels: Sequence[str], templates: Sequence[str]) -> Compared:
    """The traced picture against `labels`, each in all of `templates`. Raises `Fault`."""
    different = list(dict.fromkeys(labels))
    texts = filled(templates, different)
    network = able(seen.backbone)
    features = text_features(network, texts)
    picture = feature_of(seen)
    shaped = features.unflatten(0, (len(templates), len(different)))
    places = tuple(different.index(label) for label in labels)
    return Compared(tuple(labels), tuple(templates), shaped, places, picture, network)


def feature_of(seen: Traced) -> Tensor:
    """(channels,) unit vector of the traced picture in the space that it shares with texts."""
    with gate():
        return picture_feature(seen.backbone, seen.layers)


def heat(seen: Traced, text: Tensor, way: Way) -> Tensor:
    """(rows, columns) of `models.text_to_patches.patch_map` for one label's vector."""
    with gate():
        return lent.patch_map(seen.backbone, seen.layers[-2:], seen.pixels, text, way)


def ends(values: np.ndarray) -> tuple[str, str]:
    """Least and greatest, to three digits of the larger one."""
    found = float(values.min()), float(values.max())
    digits = min(8, max(0, 2 - math.floor(math.log10(max(map(abs, found)) or 1))))
    low, high = ("0" if abs(end) < 0.5 * 10**-digits else f"{end:.{digits}f}" for end in found)
    return low, high


def able(backbone: Backbone) -> ZeroShot:
    """The network, or a `Fault` where it has no text tower."""
    if not isinstance(backbone, ZeroShot):
        raise Fault(
            "Texts were to be compared with pictures, but {title} has no text tower; choose a CLIP or a SigLIP.",
            title=backbone.card.title,
        )
    return backbone


def learned(network: ZeroShot, picture: Tensor) -> dict[str, Any]:
    """Temperature, bias and read-out that the network was trained with."""
    scores = network.text_scores(picture[None], picture[None])
    return {"scale": scores.scale, "bias": scores.bias, "read_out": scores.read_out}
