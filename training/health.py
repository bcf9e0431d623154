"""Meters that tell healthy learning from a good-looking collapse."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PICTURES = 8
"""Taken at once by `copied_error` on the CPU."""


@torch.no_grad()
def judged(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Cross-entropy, and the share of pictures whose largest logit is their class's; logits (images, classes)."""
    right = (logits.argmax(-1) == labels).float().mean()
    return {"loss": F.cross_entropy(logits.float(), labels), "accuracy": right}


@torch.no_grad()
def entropy(probabilities: Tensor) -> Tensor:
    """Mean over rows of -Σ p ln p, in nats, as a share of its maximum ln(columns): 1 is uniform, 0 is one-hot."""
    values = -torch.special.xlogy(probabilities, probabilities).sum(-1).mean()
    return values / torch.log(torch.tensor(float(probabilities.shape[-1])))


@torch.no_grad()
def divergence(rows: Tensor) -> Tensor:
    """Mean KL in nats of each row of probabilities from their mean: near 0 where every picture gets the same answer."""
    mean = rows.mean(0, keepdim=True)
    return (torch.special.xlogy(rows, rows) - torch.special.xlogy(rows, mean)).sum(-1).mean()


@torch.no_grad()
def spread(features: Tensor) -> Tensor:
    """Deviation of unit features over pictures, times √channels: 1 for isotropic features, 0 after collapse.

    Chen and He 2021, arXiv 2011.10566, section 4.1.
    """
    unit = F.normalize(features.float(), dim=-1)
    return unit.std(0).mean() * unit.shape[1] ** 0.5


@torch.no_grad()
def rank(features: Tensor) -> Tensor:
    """RankMe: exp of the entropy of the singular values of (pictures, channels).

    Garrido et al. 2023, arXiv 2210.02885, equation 1; between 1 and min(pictures, channels).
    """
    values = torch.linalg.svdvals(features.float())
    share = values / values.sum().clamp(min=1e-12) + 1e-7
    return torch.exp(-(share * share.log()).sum())


@torch.no_grad()
def matched(logits: Tensor) -> Tensor:
    """Share of rows of a square matrix whose largest entry stands on the diagonal."""
    return (logits.argmax(1) == torch.arange(logits.shape[0], device=logits.device)).float().mean()


@torch.no_grad()
def nearest_visible(patches: Tensor, mask: Tensor, grid: tuple[int, int]) -> Tensor:
    """Each patch replaced by the visible one nearest to it, the first in reading order of equally near ones.

    patches: (images, patches, values) · mask: (images, patches), 1 hidden · returns the shape of patches
    """
    rows, columns = grid
    place = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).to(patches)
    far = torch.cdist(place, place).unsqueeze(0) + mask.to(patches).unsqueeze(1) * 1e6
    nearest = far.argmin(-1)
    return patches.gather(1, nearest.unsqueeze(-1).expand_as(patches))


@torch.no_grad()
def hidden_error(prediction: Tensor, patches: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference over hidden patches; axes as in `nearest_visible`."""
    error = F.mse_loss(prediction.float(), patches.float(), reduction="none").mean(-1)
    return (error * mask).sum() / mask.sum()


@torch.no_grad()
def copied_error(patches: Tensor, mask: Tensor, grid: tuple[int, int]) -> Tensor:
    """`hidden_error` of `nearest_visible`; on the CPU a few pictures at a time, where fresh memory costs most."""
    some = PICTURES if patches.device.type == "cpu" else len(patches)
    parts = zip(patches.split(some), mask.split(some), strict=True)
    sums = [hidden_error(nearest_visible(own, hidden, grid), own, hidden) * hidden.sum() for own, hidden in parts]
    return torch.stack(sums).sum() / mask.sum()
