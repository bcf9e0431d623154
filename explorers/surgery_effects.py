"""What changed positions do to one picture: attention, features and answers, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from explorers import maps
from explorers.attention_answers import class_name, default_query, query_of
from explorers.gate import gate
from models.backbone import Backbone, Classifies, Layer, Pools, ZeroShot
from models.positions import cosine
from models.structure import components, structure
from models.surgery import Change, feature_cosine, operated, resized_table

if TYPE_CHECKING:
    from explorers.traces import Traced

BEST = 5
"""Classes whose probabilities are told: the first ones before, and the first ones after."""

Shares = dict[str, float]


@dataclass(frozen=True)
class Effect:
    """layers: after the change, on the CPU; shares: probability by class or text, empty where there is none"""

    layers: tuple[Layer, ...]
    shares: Shares


def effect(seen: Traced, change: Change, texts: Sequence[str]) -> Effect:
    """One pass under changed positions, and one more where the network answers with classes or texts."""
    with gate():
        with operated(seen.backbone, change, seen.pixels):
            layers = tuple(layer.detached() for layer in seen.backbone.trace(seen.pixels))
        return Effect(layers, _under(seen, change, texts))


def _under(seen: Traced, change: Change, texts: Sequence[str]) -> Shares:
    if not answers(seen.backbone, texts):
        return {}
    with operated(seen.backbone, change, seen.pixels):
        return shares(seen.backbone, seen.pixels, texts)


def answers(backbone: Backbone, texts: Sequence[str]) -> bool:
    return isinstance(backbone, Classifies) or (isinstance(backbone, ZeroShot) and bool(texts))


@torch.no_grad()
def shares(backbone: Backbone, pixels: Tensor, texts: Sequence[str]) -> Shares:
    """Probability by class, or by text, in [0, 1]; a text's features do not hang on the picture's positions."""
    if isinstance(backbone, ZeroShot) and texts:
        scores = backbone.text_scores(backbone.image_features(pixels[None]), backbone.text_features(texts))
        return dict(zip(texts, scores.probabilities[0].tolist(), strict=True))
    assert isinstance(backbone, Classifies)
    found = backbone.class_logits(pixels[None])[0].float().softmax(-1)
    return {class_name(backbone, index): share for index, share in enumerate(found.tolist())}


def told_shares(before: Shares, after: Shares) -> list[dict[str, Any]]:
    """The best of both, most probable before first."""
    best = {name for side in (before, after) for name in sorted(side, key=side.__getitem__, reverse=True)[:BEST]}
    order = sorted(best, key=before.__getitem__, reverse=True)
    return [{"name": name, "before": before[name], "after": after[name]} for name in order]


def rows(seen: Traced, layers: Sequence[Layer], query: str) -> list[Tensor]:
    """(tokens,) of each block: where the read-out looks, the mean over heads."""
    asked = query_of(query, seen)
    found = [maps.rows(seen.backbone, layers, asked, "from", block) for block in maps.blocks_of(asked, layers)]
    return [row.mean(0) for row in found]


def read_out(seen: Traced) -> str:
    """A query that exists in every block: CLS where there is one, else the mean over patches."""
    query = default_query(seen.backbone, seen.layers)
    return "mean" if query == "pool" and isinstance(seen.backbone, Pools) else query


def arrays(seen: Traced, found: Effect, query: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Attention and features, and what is said of them.

    before.i, after.i:  (rows, columns) where the read-out looks in block i, mean over heads, on patches only
    cosine:             (rows, columns) of each patch's last features with those before
    """
    told: dict[str, Any] = {"query": query, "moved": []}
    made: dict[str, np.ndarray] = {}
    pairs = zip(rows(seen, seen.layers, query), rows(seen, found.layers, query), strict=True)
    for block, (before, after) in enumerate(pairs):
        layer = seen.layers[block]
        made[f"before.{block}"] = before[layer.prefix :].reshape(layer.grid).float().numpy()
        made[f"after.{block}"] = after[layer.prefix :].reshape(layer.grid).float().numpy()
        told["moved"].append(float((after - before).abs().sum() / 2))
    last = seen.layers[-1]
    alike = feature_cosine(last, found.layers[-1])
    made["cosine"] = alike[last.prefix :].reshape(last.grid).numpy()
    told |= {"patches": float(alike[last.prefix :].mean()), "lowest": float(alike[last.prefix :].min())}
    told["cls"] = float(alike[0]) if "CLS" in last.names[:1] else None
    return made, told


def resizing(seen: Traced) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The table as trained and as the picture meets it.

    table, resized:  uint8 (rows, columns, 3), first three components of each as red, green and blue
    """
    own = next((part for part in seen.backbone.positions() if part.table is not None), None)
    with gate():
        table = resized_table(seen.backbone, seen.pixels)
    if own is None or own.table is None or table is None:
        return {}, {"resized": None}
    grid = seen.layers[0].grid
    both = {
        "from": own.grid, "to": grid, "offset before": structure(own.values[0], own.grid).offset,
        "offset after": structure(cosine(table), grid).offset,
    }  # fmt: skip
    pictures = {"table": components(own.table).rgb(own.grid), "resized": components(table).rgb(grid)}
    return {name: picture.numpy() for name, picture in pictures.items()}, {"resized": both}
