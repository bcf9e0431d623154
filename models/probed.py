"""A network and the linear classifier that was learnt on its features: what a probe or a fine-tuning leaves.

He et al. 2022, arXiv 2111.06377, appendix A.2: a batch norm without weights, then one linear layer. The network keeps
everything else that it can do, and whatever classifier it had before, which nobody asks any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from torch import Tensor, nn

from models.features import Pooling


class Probed(nn.Module):
    """`network`, and `head`, which turns its vectors (images, channels) into logits (images, classes)."""

    def __init__(self, network: nn.Module, pooled: Pooling, classes: int) -> None:
        super().__init__()
        self.network, self.pooled = network, pooled
        self.head = nn.Sequential(
            nn.BatchNorm1d(pooled.channels, affine=False), nn.Linear(pooled.channels, classes)
        )  # fmt: skip

    def logits(self, features: Tensor) -> Tensor:
        """(images, channels) float32 to (images, classes), in the precision of the weights."""
        return self.head(features.to(next(self.head.parameters()).dtype))


def described(network: Mapping[str, Any], pooled: Pooling, classes: tuple[str, ...]) -> dict[str, Any]:
    """What `models.create` builds a `Probed` from; `network`: the description of the one inside."""
    return {"library": "probe", "network": dict(network), "features": asdict(pooled), "classes": list(classes)}
