"""Both sides of a comparison: the picture as it is, under changed positions, or at another size. One pass each at most:
attention, features and the answer are all read from it.

What was worked out is kept for whoever asks for the same of the same picture next, such as another query; a key names
network, picture and change, so that nobody is shown another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor

from explorers.attention_answers import class_name
from explorers.cache import Cache
from explorers.cost import held
from explorers.forecast import check_time
from explorers.gate import gate
from explorers.text_features import text_features
from models.backbone import Backbone, Classifies, Layer, ZeroShot
from models.change import Change
from models.faults import Fault, Refusal
from models.prompts import ensemble, filled
from models.surgery import operated
from models.text_to_patches import picture_feature

if TYPE_CHECKING:
    from explorers.traces import Traced

BEST = 5
"""Classes whose probabilities are told: the first ones before, and the first ones after."""

KEPT = 384 * 2**20
"""Bytes."""

Shares = dict[str, float]


@dataclass(frozen=True)
class Side:
    """pixels: as fed (3, height, width); layers: on the CPU; classes: (classes,) probabilities, or None"""

    pixels: Tensor
    layers: tuple[Layer, ...]
    classes: Tensor | None

    @property
    def grid(self) -> tuple[int, int]:
        return self.layers[0].grid


_sides: Cache[Side] = Cache(KEPT, lambda side: held(side.layers), most=64)


def as_it_is(seen: Traced) -> Side:
    """What was traced already."""
    return _sides.get((seen.key,), lambda: _plain(seen), alone=gate.held)


def changed(seen: Traced, change: Change) -> Side:
    return _sides.get((seen.key, change), lambda: _pass(seen.backbone, seen.pixels, change), alone=gate.held)


def at_size(seen: Traced, shape: tuple[int, int]) -> Side:
    """The same picture fed at (height, width) pixels, stretched or cut as the desk says. Raises `Fault`."""
    network, pixels = seen.backbone, seen.backbone.pixels
    if pixels.fixed:
        raise Refusal(
            "Another input size was asked for, but this network takes {height} × {width} only; choose a network that "
            "takes any size.",
            height=pixels.size[0], width=pixels.size[1],
        )  # fmt: skip
    if any(length % pixels.multiple for length in shape):
        raise Fault(
            "An input of {height} × {width} pixels was asked for, but both sides must be multiples of {multiple}; "
            "choose such a size.",
            height=shape[0], width=shape[1], multiple=pixels.multiple,
        )  # fmt: skip
    if shape == seen.shape:
        return as_it_is(seen)
    check_time(network, shape)
    fed = replace(pixels, size=shape, fixed=True)(seen.image, None, seen.fit)
    return _sides.get((seen.key, shape), lambda: _pass(network, fed), alone=gate.held)


def _plain(seen: Traced) -> Side:
    with gate():
        return Side(seen.pixels, seen.layers, _classes(seen.backbone, seen.layers))


def _pass(network: Backbone, pixels: Tensor, change: Change | None = None) -> Side:
    with gate():
        with nullcontext() if change is None else operated(network, change, pixels):
            layers = tuple(layer.detached() for layer in network.trace(pixels))
        return Side(pixels, layers, _classes(network, layers))


def _classes(network: Backbone, layers: Sequence[Layer]) -> Tensor | None:
    return network.class_logits_from(layers).float().softmax(-1).cpu() if isinstance(network, Classifies) else None


def answers(
    network: Backbone, before: Side, after: Side, labels: Sequence[str], templates: Sequence[str]
) -> list[dict[str, Any]]:
    """Probability of each label where the network reads text, else of its best classes, most probable before first:
    {"name", "before", "after"}; empty where it answers with neither."""
    if isinstance(network, ZeroShot) and labels:
        texts = text_features(network, filled(templates, labels))
        text = ensemble(texts.unflatten(0, (len(templates), len(labels))))
        with gate():
            both = [
                network.text_scores(picture_feature(network, side.layers)[None], text).probabilities[0]
                for side in (before, after)
            ]
        rows = [(label, index) for index, label in enumerate(labels)]
    elif before.classes is not None and after.classes is not None:
        both = [before.classes, after.classes]
        best = {index for share in both for index in share.topk(min(BEST, len(share))).indices.tolist()}
        rows = [(class_name(network, index), index) for index in best]
    else:
        return []
    told = [{"name": name, "before": float(both[0][index]), "after": float(both[1][index])} for name, index in rows]
    return sorted(told, key=lambda one: -one["before"])
