"""What networks say besides attention: of positions, of hidden patches, of texts. Axes as in `models.backbone`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

PositionKind = Literal[
    "learned table", "untrained table", "sin-cos table", "rotary", "relative bias", "continuous bias"
]


@dataclass(frozen=True)
class Affinity:
    """How positions relate before any image is seen.

    kind:    which of the five kinds of knowing where; a table that nobody trained is told apart
    block:   the block it acts in (from 0), or None where one serves all: a table is added before the first block
    grid:    (rows, columns) of positions
    values:  (heads, queries, keys); for tables one head of cosines in [-1, 1], for biases logits, for rotary the kernel
             q·k of equal unit vectors in [-1, 1]: the mean over frequency bands first, then each band; only the means,
             one for each attention head, where heads have frequencies of their own
    table:   (positions, channels) the table itself, without prefix rows, where there is one
    prefix:  (prefix, channels) the table's rows of prefix tokens, where it has them
    scope:   "picture" when `grid` is the whole patch grid, "window" when it is one window
    bands:   (bands, 2) radians that one row and one column turn each rotary band
    """

    kind: PositionKind
    block: int | None
    grid: tuple[int, int]
    values: Tensor
    table: Tensor | None = None
    prefix: Tensor | None = None
    scope: Literal["picture", "window"] = "picture"
    bands: Tensor | None = None


@dataclass(frozen=True)
class Reconstruction:
    """A masked autoencoder's answer for one image and one mask.

    mask:        (rows, columns) int, 1 hidden and 0 visible, in the unit that the network masks
    prediction:  (rows, columns, patch · patch · 3) in the space that the loss was trained in
    target:      the same axes and space
    error:       (rows, columns) mean squared (MAE) or mean absolute (SimMIM) difference in that space
    loss:        the network's own loss, as its authors compute it
    normalised:  True where the loss compares patches after removing each patch's own mean and deviation
    absolute:    True where `error` is the mean absolute difference, not the mean squared one
    """

    mask: Tensor
    prediction: Tensor
    target: Tensor
    error: Tensor
    loss: float
    normalised: bool
    absolute: bool = False

    def detached(self) -> Reconstruction:
        """The same answer on the CPU."""
        names = ("mask", "prediction", "target", "error")
        return replace(self, **{name: getattr(self, name).detach().cpu() for name in names})


def mean_error(prediction: Tensor, target: Tensor, absolute: bool) -> Tensor:
    """(rows, columns) of patches (rows, columns, values): the mean absolute difference, or the mean squared one."""
    apart = prediction - target
    return (apart.abs() if absolute else apart.square()).mean(-1)


@dataclass(frozen=True)
class TextScores:
    """What a two-tower network says of images and texts.

    cosine:         (images, texts) in [-1, 1]
    scale, bias:    learned temperature exp(t) and bias (0 in CLIP): logits = scale · cosine + bias
    read_out:       "softmax" over texts (CLIP) or "sigmoid" a pair (SigLIP)
    """

    cosine: Tensor
    scale: float
    bias: float
    read_out: Literal["softmax", "sigmoid"]

    @property
    def logits(self) -> Tensor:
        return self.scale * self.cosine + self.bias

    @property
    def probabilities(self) -> Tensor:
        """(images, texts) in [0, 1]: rows sum to 1 for softmax; each pair stands alone for sigmoid."""
        return self.logits.softmax(-1) if self.read_out == "softmax" else self.logits.sigmoid()
