"""Tokens that a network uses as scratch paper. Axis words are those of `models.backbone`."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from models.backbone import Layer

SINK_DEVIATIONS = 3.5
"""Modified z-score above which Iglewicz and Hoaglin (1993) call a value an outlier."""

SINK_RATIO = 2.0
"""A sink's norm is also at least this many medians: where all norms are alike, the z-score alone finds outliers in
rounding."""


@dataclass(frozen=True)
class Sinks:
    """Tokens of outlying norm in one block's output, and the attention that they draw.

    tokens: (sinks,) indices, prefix tokens included, ascending
    norms:  (tokens,) L2 norm of every token
    limit:  norm above which a token is called a sink
    share:  (heads,) in [0, 1], share of the patches' mean attention in this block that falls on sinks
    even:   the share that they would have if attention were uniform
    """

    tokens: Tensor
    norms: Tensor
    limit: float
    share: Tensor
    even: float


def sinks(layer: Layer) -> Sinks:
    """Tokens that the network uses as scratch paper: Darcet et al. 2023 (arXiv 2309.16588), figures 3 and 4.

    The paper's cut-off (norm 150) belongs to one network. Here a token is a sink where its norm exceeds both the median
    over patches by `SINK_DEVIATIONS` robust deviations (1.4826 · median absolute deviation) and `SINK_RATIO` medians.
    """
    norms = layer.tokens.float().norm(dim=-1)
    patches = norms[layer.prefix :]
    median = patches.median()
    deviation = 1.4826 * (patches - median).abs().median()
    limit = max(float(median + SINK_DEVIATIONS * deviation), float(SINK_RATIO * median))
    found = (norms > limit).nonzero().squeeze(1)
    return Sinks(found, norms, limit, layer.attention_mean()[:, found].sum(-1), len(found) / layer.length)
