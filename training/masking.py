"""Which patches a network may see: random masks of masked autoencoders, and tokens dropped for speed."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def random_mask(count: int, grid: tuple[int, int], ratio: float, device: torch.device, unit: int = 1) -> Tensor:
    """(images, rows, columns) float, 1 hidden: in each picture the same number of squares of `unit` × `unit` patches.

    As in SimMIM the number of hidden squares is rounded up, as in MAE with unit 1 the visible ones are rounded down.
    """
    rows, columns = grid[0] // unit, grid[1] // unit
    visible = int(rows * columns * (1 - ratio))
    order = torch.rand(count, rows * columns, device=device).argsort(1).argsort(1)
    mask = (order >= visible).float().view(count, rows, columns)
    return mask.repeat_interleave(unit, 1).repeat_interleave(unit, 2)


def patchify(images: Tensor, patch: int) -> Tensor:
    """(images, 3, height, width) to (images, patches, patch · patch · 3), values by row, column, then channel."""
    count, channels, height, width = images.shape
    cut = images.reshape(count, channels, height // patch, patch, width // patch, patch)
    return cut.permute(0, 2, 4, 3, 5, 1).reshape(count, -1, patch * patch * channels)


def drop_tokens(embeddings: nn.Module, share: float, prefix: int) -> None:
    """While it trains, `embeddings` gives only a random 1 - share of each picture's patches; prefix tokens stay.

    Li et al. 2023, arXiv 2212.00794 (FLIP): twice the pictures a second at nearly the same accuracy.
    """

    def thin(module: nn.Module, _: object, tokens: Tensor) -> Tensor:
        if not module.training:
            return tokens
        count, length, channels = tokens.shape
        kept = int((length - prefix) * (1 - share))
        chosen = torch.rand(count, length - prefix, device=tokens.device).argsort(1)[:, :kept] + prefix
        patches = tokens.gather(1, chosen.unsqueeze(-1).expand(-1, -1, channels))
        return torch.cat([tokens[:, :prefix], patches], dim=1)

    if share:
        embeddings.register_forward_hook(thin)
