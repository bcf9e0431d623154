"""The filters by which patches become tokens, as pictures.

ViT, arXiv 2010.11929, figure 7 (left) shows the first principal components of the learned filters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.backbone import Backbone
from models.faults import Refusal


@dataclass(frozen=True)
class Filters:
    """weights: (channels, 3, patch, patch), one filter for each channel of a token; bias: (channels,) or None"""

    weights: Tensor
    bias: Tensor | None

    def tokens(self, patches: Tensor) -> Tensor:
        """(..., 3, patch, patch) normalised pixels to (..., channels): what a patch becomes before its position."""
        found = patches.flatten(-3) @ self.weights.flatten(1).T
        return found if self.bias is None else found + self.bias


def filters(backbone: Backbone) -> Filters:
    """The projection of patches: the first convolution of colours, its stride its own kernel and the network's patch;
    or a linear layer on whole patches (SigLIP 2). A stem of several convolutions is refused."""
    patch, channels = backbone.pixels.patch, backbone.pixels.channels
    for path, module in backbone.module.named_modules():
        if isinstance(module, nn.Conv2d) and module.in_channels == channels:
            if not module.kernel_size == module.stride == (patch, patch):
                break
            return Filters(module.weight.detach().float().cpu(), _bias(module))
        if isinstance(module, nn.Linear) and "patch_embed" in path and module.in_features == channels * patch * patch:
            rows = module.weight.detach().float().cpu().unflatten(1, (patch, patch, channels))
            return Filters(rows.permute(0, 3, 1, 2), _bias(module))
    raise Refusal(
        "The filters of the patch projection were asked for, but this network makes tokens in several steps; choose a "
        "network that projects patches at once."
    )


def _bias(module: nn.Conv2d | nn.Linear) -> Tensor | None:
    return None if module.bias is None else module.bias.detach().float().cpu()


def principal(weights: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """First `count` principal components of filters (channels, 3, patch, patch), (count, 3, patch, patch), and the
    share of variance that each explains. The largest absolute number of each is positive."""
    flat = weights.flatten(1)
    _, strength, right = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
    right = right[:count]
    sign = right.gather(1, right.abs().argmax(1, keepdim=True)).sign()
    return (right * sign).unflatten(1, weights.shape[1:]), (strength.square() / strength.square().sum())[:count]


def tiles(weights: Tensor) -> Tensor:
    """Filters (n, 3, patch, patch) as uint8 (n, patch, patch, 3); each is stretched by its own largest absolute
    number, with 0 at middle grey."""
    peak = weights.abs().amax((1, 2, 3), keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny)
    return (127.5 + 127.5 * weights / peak).round().byte().expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
