"""One question about a picture's attention, answered: which token asks, and the map with the facts behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from explorers import maps
from explorers.attention_relevance import class_name, relevance
from explorers.attention_scale import scale_facts
from explorers.desk_facts import network_facts, photograph, revision
from explorers.parameters import shown, within
from explorers.traces import Traced
from models.attention import fuse, mass_mask, rollout_from
from models.backbone import Backbone, Layer, Pools, ZeroShot
from models.faults import Fault, Refusal

if TYPE_CHECKING:
    from explorers.attention_map import Attention

__all__ = [
    "answer", "class_name", "default_query", "network_facts", "photograph", "query_of", "relevance", "revision",
    "rollout", "written",
]  # fmt: skip


def default_query(backbone: Backbone, layers: tuple[Layer, ...]) -> str:
    """The token that stands for the picture: CLS, else the attention pool's latent, else the mean over patches."""
    names = layers[0].names
    if "CLS" in names:
        return f"prefix {names.index('CLS')}"
    return "pool" if isinstance(backbone, Pools) else "mean"


def query_of(text: str, seen: Traced) -> maps.Query:
    """A query as the permalink writes it, checked against the picture: a token of the first block, "mean" or "pool"."""
    first = seen.layers[0]
    text = default_query(seen.backbone, seen.layers) if text == "auto" else text
    if text == "mean" or (text == "pool" and isinstance(seen.backbone, Pools)):
        return text  # pyright: ignore[reportReturnType]
    if found := re.fullmatch(r"prefix (\d{1,6})", text):
        if first.prefix == 0:
            raise Fault("A prefix token was asked for, but this network has none; ask for patch ROW,COLUMN or mean.")
        return within("query", int(found[1]), 0, first.prefix - 1)
    if found := re.fullmatch(r"patch (\d{1,6}),(\d{1,6})", text):
        row = within("query", int(found[1]), 0, first.grid[0] - 1)
        column = within("query", int(found[2]), 0, first.grid[1] - 1)
        return first.prefix + row * first.grid[1] + column
    raise Fault(
        "The query {query} was asked for; give auto, prefix 0, patch ROW,COLUMN, mean, or pool where there is one.",
        query=shown(text),
    )


def answer(seen: Traced, asked: Attention) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and facts of one question; see `attention_map.explore`."""
    layers = seen.layers
    block = within("layer", asked.layer if asked.layer >= 0 else len(layers) - 1, 0, len(layers) - 1)
    layer = layers[0] if asked.view in ("rollout", "class") else layers[block]
    if asked.head is not None:
        within("head", asked.head, 0, layer.heads - 1)
    query = query_of(asked.query, seen)
    facts = {"query": written(query, layers), "view": asked.view, "block": block, "head": asked.head}
    facts |= {
        "fusion": asked.fusion,
        "discard": asked.discard,
        "share": asked.share,
        "mark": asked.mark,
        **network_facts(seen),
    }
    heads, map_, more = _map(seen, asked, query, block)
    patches = map_[layer.prefix :]
    mask = mass_mask(patches, asked.share)
    facts |= {
        "peak": float(patches.max()),
        **scale_facts(seen, asked, query, block, patches),
        "kept": int(mask.sum()),
        "patches": len(patches),
        "grid": layer.grid,
        **more,
    }
    arrays = {"map": patches.reshape(layer.grid).numpy(), "prefix": map_[: layer.prefix].numpy()}
    arrays["mask"] = mask.reshape(layer.grid).numpy()
    if heads is not None:
        arrays["heads"] = heads[:, layer.prefix :].reshape(-1, *layer.grid).numpy()
    return arrays, facts


def _map(seen: Traced, asked: Attention, query: maps.Query, block: int) -> tuple[Tensor | None, Tensor, dict[str, Any]]:
    """(heads, tokens) where there are heads, (tokens,), and what else the caption needs."""
    layers = seen.layers
    if asked.view == "class":
        map_, target, _ = relevance(seen, asked.target, asked.text)
        return None, map_, {"target": target, "reads_text": isinstance(seen.backbone, ZeroShot)}
    if asked.view == "rollout":
        return None, rollout(seen, query, asked, block), {}
    if query == "pool" and block != len(layers) - 1:
        raise Fault("The attention pool reads the last block only; leave the layer as it is, or ask another query.")
    if asked.view == "to" and isinstance(query, str):
        raise Refusal("Who looks at it was asked of a read-out that is no token; choose a prefix token or a patch.")
    heads = maps.rows(seen.backbone, layers, query, asked.view, block)
    map_ = fuse(heads, asked.fusion) if asked.head is None else heads[asked.head]
    prefix = layers[block].prefix
    more = {"heads": len(heads), "prefix_share": float(map_[:prefix].sum()), "sum": float(map_.sum())}
    more |= {"prefix": prefix, "windowed": layers[block].windows > 1 and isinstance(query, int)}
    return heads, map_, more


def rollout(seen: Traced, query: maps.Query, asked: Attention, block: int) -> Tensor:
    """(tokens,) rollout from `query` through blocks 0 to `block`."""
    start = None if query == "mean" else query
    if query == "pool":
        assert isinstance(seen.backbone, Pools)
        start = seen.backbone.pooled_from(seen.layers).detach().cpu().mean(0)
    return rollout_from(seen.layers[: block + 1], start, asked.fusion, asked.discard)  # pyright: ignore


def written(query: maps.Query, layers: tuple[Layer, ...]) -> str:
    """A query as the permalink writes it."""
    if isinstance(query, str):
        return query
    first = layers[0]
    if query < first.prefix:
        return f"prefix {query}"
    row, column = divmod(query - first.prefix, first.grid[1])
    return f"patch {row},{column}"
