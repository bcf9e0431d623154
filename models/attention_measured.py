"""What attention of one block takes here: run on random numbers, within its windows and over its whole grid."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from models.attention_cost import BYTES, counted
from models.backbone import Layer

MOST_BYTES = 2**30
"""Of matrices that are written for a measurement."""

REPEATS = 3


@dataclass(frozen=True)
class Taken:
    """multiplications: of scores and weighted sum, counted
    matrices:        bytes that were written for them, counted
    seconds:         the shortest of a few runs"""

    multiplications: int
    matrices: int
    seconds: float


def windowed(layer: Layer) -> Taken:
    """The layer's attention as it is, window by window."""
    return _taken(len(layer.members), layer.heads, layer.members.shape[1], layer.tokens.shape[-1])


def whole(layer: Layer) -> Taken | None:
    """The same tokens, each looking at every other; None where the matrices would not fit in `MOST_BYTES`."""
    if layer.heads * layer.length**2 * BYTES["fp32"] > MOST_BYTES:
        return None
    return _taken(1, layer.heads, layer.length, layer.tokens.shape[-1])


@torch.no_grad()
def _taken(batch: int, heads: int, tokens: int, channels: int) -> Taken:
    query, key, value = torch.randn(3, batch, heads, tokens, channels // heads)

    def attend() -> None:
        scaled_dot_product_attention(query, key, value)

    done = counted(attend)
    with sdpa_kernel(SDPBackend.MATH):
        return Taken(done.attention, done.matrices, min(_seconds(attend) for _ in range(REPEATS)))


def _seconds(act: Callable[[], None]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start
