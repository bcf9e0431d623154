"""What the two-tower families have in common: how an image tower of transformers is found and walked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from models.card import Card
from models.pixels import Pixels


@dataclass(frozen=True)
class Tower:
    """An image tower, alone or beside a text tower.

    tokenizer: texts to the text tower's keyword arguments, where there is one
    """

    network: Any
    card: Card
    pixels: Pixels
    tokenizer: Callable[[Sequence[str]], Mapping[str, Tensor]] | None = None

    @property
    def module(self) -> nn.Module:
        return self.network

    @property
    def tower(self) -> Any:
        return getattr(self.network, "vision_model", self.network)

    @property
    def patch(self) -> int:
        return self.tower.config.patch_size

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return list(self.tower.encoder.layers)
