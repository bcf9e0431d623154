"""One vector a picture from any network that the explorers can read, in batches, with gradient where it is wanted."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbone import Backbone
from models.faults import Fault
from training.augment import normalise

PASSED = 64
"""Pictures passed at once where no gradient is wanted."""

DOORS = ("vision_model", "vit", "swin")
"""Where transformers keeps the part of a larger network that reads pictures."""


class Features(nn.Module):
    """Pixels (images, 3, height, width) to (images, channels): CLS of the last block, or the mean of its patches.

    Each vector is centred and scaled by itself, as the last norm of these networks does up to a learned factor.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.network = backbone.module
        self.last = [backbone.blocks[-1]]
        height, width = backbone.pixels.size
        layer = backbone.trace(torch.zeros(3, height, width, device=next(backbone.module.parameters()).device))[-1]
        self.first = 0 if "CLS" in layer.names else None
        self.prefix, self.channels = layer.prefix, layer.tokens.shape[-1]

    def forward(self, pixels: Tensor) -> Tensor:
        seen: list[Any] = []
        hook = self.last[0].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        try:
            with unmasked(self.network):
                seeing = eyes(self.network)
                seeing(pixels, **any_size(seeing))
        finally:
            hook.remove()
        tokens = seen[-1] if isinstance(seen[-1], Tensor) else seen[-1][0]
        if tokens.ndim == 4:
            tokens = tokens.flatten(1, 2)
        pooled = tokens[:, self.prefix :].mean(1) if self.first is None else tokens[:, self.first]
        return F.layer_norm(pooled.float(), pooled.shape[-1:])


def fed(backbone: Backbone, images: Tensor) -> Tensor:
    """Pictures in [0, 1] as `backbone` reads them, on its device."""
    device = next(backbone.module.parameters()).device
    return normalise(images.to(device), backbone.pixels.mean, backbone.pixels.std)


def eyes(network: nn.Module) -> nn.Module:
    """The part of `network` that takes pixels alone."""
    return next((getattr(network, door) for door in DOORS if hasattr(network, door)), network)


def any_size(network: nn.Module) -> dict[str, bool]:
    """What a network of transformers must be told before it takes another size than it was trained at."""
    word = "interpolate_pos_encoding"
    return {word: True} if word in inspect.signature(network.forward).parameters else {}


@contextmanager
def unmasked(network: nn.Module) -> Iterator[None]:
    """A masked autoencoder sees every patch for the moment; the order in which it sees them does not matter."""
    config: Any = getattr(network, "config", None)
    if config is None or not hasattr(config, "mask_ratio"):
        yield
        return
    before, config.mask_ratio = config.mask_ratio, 0.0
    try:
        yield
    finally:
        config.mask_ratio = before


def check_grows(backbone: Backbone, frozen: int) -> None:
    """Raises where more blocks are to be frozen than there are."""
    if frozen > len(backbone.blocks):
        raise Fault(
            "The first {frozen} blocks were to stay as they are, but the network has {blocks}; choose at most as many.",
            frozen=frozen, blocks=len(backbone.blocks),
        )  # fmt: skip
