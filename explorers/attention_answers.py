"""What the attention page and its endpoint are told about one picture: rows, rollout, relevance, figures, the lot.

Everything here takes a trace that is there already, except `relevance`, which needs a pass with gradients.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from explorers import maps
from explorers.attention_words import SENTENCES
from explorers.bundle import pack
from explorers.delivery import told
from explorers.gate import gate
from explorers.parameters import shown, within
from explorers.traces import Traced
from models.attention import distance, entropy, fuse, mass_mask, rollout_from, sinks
from models.backbone import Backbone, Classifies, Layer, Pools, ZeroShot
from models.class_names import class_names
from models.faults import Fault, Refusal
from models.relevance import class_relevance

if TYPE_CHECKING:
    from explorers.attention_map import Attention

LARGEST_PHOTOGRAPH = 1600
"""Pixels of the longer side of the photograph that the page draws under its maps."""

BEST = 5


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
        return None, map_, {"target": target}
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


def relevance(seen: Traced, target: int | None, text: str) -> tuple[Tensor, str, list[dict[str, Any]]]:
    """(tokens,) relevance, what it explains, and the network's best classes, if it has any."""
    backbone = seen.backbone
    with gate():
        if text and isinstance(backbone, ZeroShot):
            features = backbone.text_features([text])
            score = partial_text(features)
            return class_relevance(backbone, seen.pixels, score).detach().cpu(), text, []
        if not isinstance(backbone, Classifies):
            raise Refusal(
                "Class relevance was asked for, but {checkpoint} scores no classes; choose a classifier, or give a "
                "text to CLIP or SigLIP.",
                checkpoint=backbone.card.id,
            )
        best, count = _best(backbone, seen.pixels)
        chosen = best[0]["index"] if target is None else within("target", target, 0, count - 1)
        found = class_relevance(seen.backbone, seen.pixels, lambda _, pixels: backbone.class_logits(pixels)[0, chosen])
    return found.detach().cpu(), class_name(backbone, chosen), best


def partial_text(features: Tensor) -> Callable[[Any, Tensor], Tensor]:
    """The score of the image against one text, as `class_relevance` takes it."""
    return lambda backbone, pixels: backbone.text_scores(backbone.image_features(pixels), features).logits[0, 0]


def _best(backbone: Classifies, pixels: Tensor) -> tuple[list[dict[str, Any]], int]:
    with torch.inference_mode():
        shares = backbone.class_logits(pixels[None])[0].float().softmax(-1).cpu()
    top = shares.topk(min(BEST, len(shares)))
    pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
    return [{"index": index, "name": class_name(backbone, index), "share": share} for index, share in pairs], len(
        shares
    )


def class_name(backbone: Any, index: int) -> str:
    """By the network's own list of names where it has one."""
    names = class_names(backbone)
    return names[index] if index < len(names) else f"{index}"


# -- for the page ------------------------------------------------------------------------------------------------------


def written(query: maps.Query, layers: tuple[Layer, ...]) -> str:
    """A query as the permalink writes it."""
    if isinstance(query, str):
        return query
    first = layers[0]
    if query < first.prefix:
        return f"prefix {query}"
    row, column = divmod(query - first.prefix, first.grid[1])
    return f"patch {row},{column}"


def network_facts(seen: Traced) -> dict[str, Any]:
    card, pixels = seen.backbone.card, seen.backbone.pixels
    return {
        "checkpoint": card.id,
        "title": card.title,
        "revision": revision(card),
        "random": card.random,
        "blocks": len(seen.layers),
        "names": list(seen.layers[0].names),
        "shape": seen.shape,
        "picture": seen.digest,
        "patch": pixels.patch,
    }


def revision(card: Any) -> str:
    if card.sha256:
        return f"sha256 {card.sha256[:4]}…{card.sha256[-2:]}"
    return f"revision {card.revision[:7]}" if card.revision else card.id


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
    positions = backbone.positions()
    facts = {
        **network_facts(seen),
        "layers": maps.layer_facts(layers),
        "whole": whole,
        "rows": {written(query, layers): True for query in queries},
        "query": default_query(backbone, layers),
        "classes": isinstance(backbone, Classifies),
        "reads_text": isinstance(backbone, ZeroShot),
        "positions": positions[0].kind if positions else "none",
        "parameters": backbone.card.parameters,
        "multiple": backbone.pixels.multiple,
        "fixed": backbone.pixels.fixed,
        "refused": refusals(layers),
        "sentences": dict(SENTENCES),
        "addresses": dict(addresses),
    }
    return pack(facts, arrays)


def refusals(layers: tuple[Layer, ...]) -> dict[str, Any]:
    """Views that do not exist for this network, each with its reason."""
    if len({layer.grid for layer in layers}) == 1 and max(layer.windows for layer in layers) == 1:
        return {}
    try:
        rollout_from(layers, None)
    except Refusal as refusal:
        return {"rollout": told(refusal)["fault"]}
    return {}


def photograph(seen: Traced) -> bytes:
    """The picture in its own resolution and in the input's shape, as JPEG."""
    height, width = seen.shape
    factor = min(LARGEST_PHOTOGRAPH, max(*seen.image.size, height, width)) / max(height, width)
    size = (round(width * factor), round(height * factor))
    fitted = ImageOps.fit(seen.image, size) if seen.fit == "crop" else seen.image.resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    fitted.save(file, "JPEG", quality=90)
    return file.getvalue()


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
