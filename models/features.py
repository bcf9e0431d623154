"""One vector a picture from any network that can be looked into, in batches, with gradient where it is wanted."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbone import Backbone

DOORS = ("vision_model", "vit", "swin")
"""Where transformers keeps the part of a larger network that reads pictures."""


@dataclass(frozen=True)
class Pooling:
    """Which tokens of the last block make the vector.

    cls:      CLS alone, the first of all; else the mean of the patches
    prefix:   tokens before the first patch
    channels: of a token, and so of the vector
    """

    cls: bool
    prefix: int
    channels: int

    def __call__(self, tokens: Tensor) -> Tensor:
        """(images, tokens, channels) to (images, channels) float32, each vector centred and scaled by itself, as the
        last norm of these networks does up to a learned factor."""
        pooled = tokens[:, 0] if self.cls else tokens[:, self.prefix :].mean(1)
        return F.layer_norm(pooled.float(), pooled.shape[-1:])


def pooling(backbone: Backbone) -> Pooling:
    """CLS where the network has one, found by one pass."""
    height, width = backbone.pixels.size
    layer = backbone.trace(torch.zeros(3, height, width, device=next(backbone.module.parameters()).device))[-1]
    return Pooling("CLS" in layer.names, layer.prefix, layer.tokens.shape[-1])


class Features(nn.Module):
    """Pixels (images, 3, height, width) to (images, channels), by `pooled`, which is found where it is not given."""

    def __init__(self, backbone: Backbone, pooled: Pooling | None = None) -> None:
        super().__init__()
        self.network = backbone.module
        self.last = [backbone.blocks[-1]]
        self.pooled = pooled or pooling(backbone)

    def forward(self, pixels: Tensor) -> Tensor:
        seen: list[Any] = []
        hook = self.last[0].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        try:
            with unmasked(self.network):
                seeing = eyes(self.network)
                seeing(pixels, **told(seeing, pixels))
        finally:
            hook.remove()
        tokens = seen[-1] if isinstance(seen[-1], Tensor) else seen[-1][0]
        return self.pooled(tokens.flatten(1, 2) if tokens.ndim == 4 else tokens)


def eyes(network: nn.Module) -> nn.Module:
    """The part of `network` that takes pixels alone."""
    return next((getattr(network, door) for door in DOORS if hasattr(network, door)), network)


def told(network: nn.Module, pixels: Tensor) -> dict[str, Any]:
    """What a network of transformers must be told beside the pixels: that another size than it was trained at will do,
    and to a masked autoencoder, which sorts its patches by noise, that they stay in their order."""
    known = inspect.signature(network.forward).parameters
    words: dict[str, Any] = {}
    if "interpolate_pos_encoding" in known:
        words["interpolate_pos_encoding"] = True
    if "noise" in known:
        config: Any = network.config
        patch = config.patch_size
        count = (pixels.shape[-2] // patch) * (pixels.shape[-1] // patch)
        words["noise"] = torch.arange(count, device=pixels.device).expand(len(pixels), -1)
    return words


@contextmanager
def unmasked(network: nn.Module) -> Iterator[None]:
    """A masked autoencoder sees every patch for the moment."""
    config: Any = getattr(network, "config", None)
    if config is None or not hasattr(config, "mask_ratio"):
        yield
        return
    before, config.mask_ratio = config.mask_ratio, 0.0
    try:
        yield
    finally:
        config.mask_ratio = before
