"""Which tokens a score rests on: gradient × attention, followed through the blocks.

Chefer, Gur and Wolf 2021, arXiv 2103.15679, equations 5 and 6 for self-attention alone: in each block, first to last,
Ā = mean over heads of relu(∂score/∂A ⊙ A) and R ← R + Ā R, beginning with the identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbone import Backbone, Layer
from models.faults import Refusal
from models.recorder import Seen, record

RELEVANCE_ENTRIES = 150_000_000
"""Attention weights over all blocks above which relevance is refused: they are 600 MB in single precision, and their
graph holds about three times that."""

Score = Callable[[Backbone, Tensor], Tensor]
"""(backbone, pixels (1, 3, height, width)) to the scalar that is explained, such as one class's logit."""


@runtime_checkable
class ReadsThroughPool(Protocol):
    """A backbone whose answer is gathered by a latent query in this module, with one visible attention call."""

    @property
    def pool(self) -> nn.Module: ...


def class_relevance(backbone: Backbone, pixels: Tensor, score: Score) -> Tensor:
    """Relevance of every token of the input to `score`: (tokens,), at least 0, prefix tokens first.

    pixels: (3, height, width), normalised

    The row of R that is returned is the one that the network itself reads. Behind an attention pool it is Ā of the
    pool's latent times R. Otherwise it is the mean over those tokens of the last block that the score depends on: CLS
    alone, or the patches where they are averaged. A token's own entry of the identity stays in: CLS holds at least 1
    in the row of CLS.

    Refused where the network cuts its tokens into windows or merges them (Swin), above `RELEVANCE_ENTRIES` attention
    weights, and where the score does not depend on attention at all. The network's own `grad`s are never touched.
    """
    _require_readable(backbone.trace(pixels))
    pool = [backbone.pool] if isinstance(backbone, ReadsThroughPool) else []
    fed = pixels[None].detach().requires_grad_()
    with torch.enable_grad():
        seen, value = record([*backbone.blocks, *pool], lambda: score(backbone, fed), gradients=True)
    return relevance_row(value, seen[: len(backbone.blocks)], seen[len(backbone.blocks) :])


def relevance_row(
    value: Tensor, blocks: Sequence[Seen], pool: Sequence[Seen] = (), identity: bool = True
) -> Tensor:  # fmt: skip
    """The row of R that the network reads, (tokens,), for a scalar `value` that `record(…, gradients=True)` returned
    with what `blocks` did, and the attention pool behind them where there is one. Refused as in `class_relevance`.

    identity: whether the tokens that are read keep their own entry of the identity, behind which words would vanish
    """
    last = blocks[-1].output
    weights = [_weights(block) for block in [*blocks, *pool] if block.calls]
    if last is None or not value.requires_grad:
        raise _not_through_attention()
    *by_block, by_token = _gradients(value, [*weights, last])
    cams = [_mean_positive(weight, gradient) for weight, gradient in zip(weights, by_block, strict=True)]
    relevance = torch.eye(last.shape[1], device=last.device)
    for cam in cams[: len(blocks)]:
        relevance = relevance + cam @ relevance
    if len(cams) == len(blocks):
        read = _tokens_read(by_token)
        return read @ relevance - (0 if identity else read)
    skipped = last.shape[1] - cams[-1].shape[1]  # a pool may leave prefix tokens out
    return F.pad(cams[-1][0], (skipped, 0)) @ relevance


def _require_readable(layers: Sequence[Layer]) -> None:
    if len({layer.grid for layer in layers}) > 1 or max(layer.windows for layer in layers) > 1:
        raise Refusal(
            "Class relevance was asked for, but this network attends within windows or merges its patches between "
            "stages, so that no product over its blocks exists; look at single blocks instead."
        )
    entries = sum(layer.heads * layer.length**2 for layer in layers)
    if entries > RELEVANCE_ENTRIES:
        raise Refusal(
            "Class relevance was asked for {tokens} tokens, whose gradients need {entries} attention weights, more "
            "than {limit}; choose a smaller input size.",
            tokens=layers[0].length, entries=entries, limit=RELEVANCE_ENTRIES,
        )  # fmt: skip


def _weights(block: Seen) -> Tensor:
    weights = block.attention.weights
    assert weights is not None
    return weights


def _gradients(value: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(value, list(wanted), allow_unused=True)
    if not any(gradient is not None and gradient.any() for gradient in found):
        raise _not_through_attention()
    return [torch.zeros_like(of) if gradient is None else gradient for of, gradient in zip(wanted, found, strict=True)]


def _not_through_attention() -> Refusal:
    return Refusal(
        "Class relevance was asked for, but the score does not depend on the network's attention; choose a class or a "
        "text of this network."
    )


def _mean_positive(weights: Tensor, gradient: Tensor) -> Tensor:
    """Equation 5: (1, heads, queries, keys) to (queries, keys)."""
    return (gradient * weights).detach().float().relu().mean(1)[0]


def _tokens_read(gradient: Tensor) -> Tensor:
    """(1, tokens, channels) to (tokens,), summing to 1 over the tokens that the score depends on."""
    read = gradient[0].abs().amax(-1) > 0
    return read.float() / read.sum()
