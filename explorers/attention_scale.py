"""Which value of an attention map takes the last colour, from the bytes that the page draws: both print one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from explorers import maps
from explorers.traces import Traced
from models.attention import fuse

if TYPE_CHECKING:
    from explorers.attention_map import Attention

SHARE = 0.99
"""Of the patches above 0 that "clipped" leaves uncut; as in assets/stage/rows.js."""


def scale_facts(seen: Traced, asked: Attention, query: maps.Query, block: int, patches: Tensor) -> dict[str, Any]:
    """`scale`, the value of the last colour, and `scaling`, what that is.

    patches: (patches,) the map as it was computed, which travels exactly for rollout and class relevance
    scaling: "shared", "clipped", or "own" for the greatest value, which is also the 99th percentile of fewer than 101
             patches above 0
    """
    whole = asked.view in ("rollout", "class")
    if asked.scaling == "shared" and not whole:
        return {"scaling": "shared", "scale": _greatest_of_all(seen, asked, query)}
    values = patches.numpy() if whole else _drawn(seen, asked, query, block)
    greatest, cut = float(values.max()), cut_at(values)
    if asked.scaling == "clipped" and cut < greatest:
        return {"scaling": "clipped", "scale": cut}
    return {"scaling": "own", "scale": greatest}


def cut_at(values: np.ndarray) -> float:
    """The 99th percentile of what is above 0: what a window hides is no part of it. 0 where nothing is."""
    rising = np.sort(values[values > 0])
    return float(rising[int(SHARE * len(rising))]) if len(rising) else 0.0


def _drawn(seen: Traced, asked: Attention, query: maps.Query, block: int) -> np.ndarray:
    heads = torch.from_numpy(_sent(seen, asked, query, block))
    return (fuse(heads, asked.fusion) if asked.head is None else heads[asked.head]).numpy()


def _greatest_of_all(seen: Traced, asked: Attention, query: maps.Query) -> float:
    return max(float(_sent(seen, asked, query, block).max()) for block in maps.blocks_of(query, seen.layers))


def _sent(seen: Traced, asked: Attention, query: maps.Query, block: int) -> np.ndarray:
    assert asked.view in ("from", "to")
    return maps.sent(seen.backbone, seen.layers, query, asked.view, block)[:, seen.layers[block].prefix :]
