"""Everything that the attention page draws from, packed: all maps of a picture at once, and what is fetched later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from explorers import maps
from explorers.attention_answers import default_query, query_of, rollout, written
from explorers.attention_relevance import relevance
from explorers.attention_words import SENTENCES
from explorers.beginnings import beginning
from explorers.bundle import pack
from explorers.delivery import told
from explorers.desk_facts import desk_facts
from explorers.offers import classifies, offered, reads, windowed
from explorers.parameters import within
from explorers.traces import Traced
from models.attention import distance, entropy, rollout_from, sinks
from models.backbone import Backbone, Classifies, Layer, Pools, ZeroShot
from models.card import Card
from models.faults import Refusal

if TYPE_CHECKING:
    from explorers.attention_map import Attention


def maps_bundle(seen: Traced, addresses: Mapping[str, str]) -> bytes:
    """Everything that the page draws from; see `explorers.maps`."""
    layers, backbone = seen.layers, seen.backbone
    whole = maps.travels_whole(layers)
    queries: list[maps.Query] = ["mean", *(["pool"] if isinstance(backbone, Pools) else [])]
    queries += [] if whole else range(layers[0].prefix)
    arrays = {**(maps.whole_arrays(layers) if whole else {}), **maps.window_arrays(layers)}
    for query in queries:
        rows = maps.row_arrays(backbone, layers, query)
        arrays |= {f"{written(query, layers)}/{name}": array for name, array in rows.items()}
    refused = refusals(backbone, layers)
    facts = {
        **desk_facts(seen),
        "layers": maps.layer_facts(layers),
        "whole": whole,
        "rows": {written(query, layers): True for query in queries},
        "query": default_query(backbone, layers),
        "classes": isinstance(backbone, Classifies),
        "reads_text": isinstance(backbone, ZeroShot),
        "refused": refused,
        "able": {view: offered(*kinds) for view, kinds in ABLE.items() if view in refused},
        "labels": list(beginning(backbone.card.id).labels) if isinstance(backbone, ZeroShot) else [],
        "sentences": dict(SENTENCES),
        "addresses": dict(addresses),
    }
    return pack(facts, arrays)


ABLE: Mapping[str, tuple[Callable[[Card], bool], ...]] = {
    "rollout": (lambda card: not windowed(card),), "class": (classifies, reads),
}  # fmt: skip
"""Which kinds of networks are named, nearest first, where a view does not exist for this one."""


def refusals(backbone: Backbone, layers: tuple[Layer, ...]) -> dict[str, Any]:
    """Views that do not exist for this network, each with its reason."""
    found: dict[str, Any] = {}
    if not isinstance(backbone, (Classifies, ZeroShot)):
        wrong = Refusal("This network gives no score to a class or a text; choose a classifier, CLIP or SigLIP.")
        found["class"] = told(wrong)["fault"]
    if len({layer.grid for layer in layers}) == 1 and max(layer.windows for layer in layers) == 1:
        return found
    try:
        rollout_from(layers, None)
    except Refusal as refusal:
        found["rollout"] = told(refusal)["fault"]
    return found


def row_bundle(seen: Traced, values: Mapping[str, str]) -> bytes:
    """One query in every block; columns for `direction=to`."""
    query = query_of(values.get("query", "auto"), seen)
    direction = "to" if values.get("direction") == "to" else "from"
    if direction == "to" and isinstance(query, str):
        raise Refusal("Who looks at it was asked of a read-out that is no token; choose a prefix token or a patch.")
    return pack({}, maps.row_arrays(seen.backbone, seen.layers, query, direction))


def rollout_bundle(seen: Traced, asked: Attention) -> bytes:
    """Rollouts through every block of a small grid, or through the one that is asked, (tokens,) each."""
    query = query_of(asked.query, seen)
    last = len(seen.layers) - 1
    block = last if asked.layer < 0 else within("layer", asked.layer, 0, last)
    blocks = range(last + 1) if maps.travels_whole(seen.layers) else [block]
    return pack({}, {f"rollout.{one}": rollout(seen, query, asked, one).float().numpy() for one in blocks})


def relevance_bundle(seen: Traced, asked: Attention) -> bytes:
    found, target, best = relevance(seen, asked.target, asked.text)
    index = asked.target if asked.target is not None or not best else best[0]["index"]
    return pack({"name": target, "target": index, "classes": best}, {"relevance": found.float().numpy()})


def figures_bundle(seen: Traced) -> bytes:
    """distance.i, entropy.i: (heads,) of each block, means over patches; and the sinks of each block."""
    arrays: dict[str, np.ndarray] = {}
    told_sinks = []
    for block, layer in enumerate(seen.layers):
        cell = seen.shape[0] / layer.grid[0]
        arrays[f"distance.{block}"] = distance(layer, cell).float().numpy()
        arrays[f"entropy.{block}"] = _mean_entropy(layer).float().numpy()
        found = sinks(layer)
        tokens = [_token_name(layer, token) for token in found.tokens.tolist()]
        told_sinks.append({"block": block, "tokens": tokens, "share": float(found.share.mean()), "even": found.even})
    return pack({"blocks": len(seen.layers), "sinks": told_sinks}, arrays)


def _mean_entropy(layer: Layer) -> Tensor:
    """(heads,) bits, over patch queries."""
    total = torch.zeros(layer.heads)
    for window in range(layer.windows):
        asks = layer.members[window] >= layer.prefix
        for start, rows in layer.slices(window):
            total += entropy(rows[:, asks[start : start + rows.shape[1]]]).sum(-1)
    return total / (layer.grid[0] * layer.grid[1])


def _token_name(layer: Layer, token: int) -> dict[str, Any]:
    if token < layer.prefix:
        return {"name": layer.names[token]}
    row, column = divmod(token - layer.prefix, layer.grid[1])
    return {"name": "", "row": row, "column": column}
