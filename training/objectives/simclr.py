"""SimCLR: two views of a picture must find each other among all views of the batch.

Chen et al. 2020, arXiv 2002.05709, equation 1 (NT-Xent). Over the 2n unit vectors z of a batch, j the partner of i,

    L = -1/2n · Σ_i log( exp(z_i·z_j / τ) / Σ_{k≠i} exp(z_i·z_k / τ) )
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.augment import Look, crops, normalise, recolour
from training.datasets import Batch
from training.gather import everyone, own
from training.health import rank, spread
from training.networks import Network, vit
from training.objective import Figures, Method, Plan, Result, Views
from training.settings import option

LOOK = Look(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, jitter=0.8, grey=0.2, blur=0.5)
"""Appendix A at half the colour strength, as its authors use for small pictures."""


@dataclass(frozen=True)
class Options:
    temperature: float = option(0.2, "τ", least=0.01, most=10)
    projection: int = option(128, "channels of the projection head's output", least=2)
    crop: float = option(0.2, "smallest share of a picture's area that a view keeps", least=0.01, most=1)


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """The loss, and the share of views whose partner is nearest; first, second: unit (images, channels)."""
    count = len(first)
    others = torch.cat([everyone(first), everyone(second)])
    here = torch.arange(own(count).start, own(count).stop, device=first.device)
    same = torch.cat([here, here + len(others) // 2])
    partner = torch.cat([here + len(others) // 2, here])
    logits = torch.cat([first, second]) @ others.T / temperature
    itself = F.one_hot(same, len(others)).bool()
    logits = logits.masked_fill(itself, -torch.inf)
    return F.cross_entropy(logits, partner), (logits.argmax(1) == partner).float().mean()


class SimCLR:
    def __init__(self, network: Network, options: Options) -> None:
        self.network, self.options = network, options
        channels = int(network.module.num_features)  # pyright: ignore[reportArgumentType]
        head = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, options.projection))
        self.module = nn.ModuleDict({"network": network.module, "head": head})

    def views(self, batch: Batch) -> Views:
        return {name: self._view(batch.images) for name in ("first", "second")}

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        features = self.module["network"](torch.cat([views["first"], views["second"]]))
        projected = self.module["head"](features).float()
        with torch.autocast(projected.device.type, enabled=False):
            first, second = F.normalize(projected, dim=-1).chunk(2)
            loss, found = nt_xent(first, second, self.options.temperature)
        seen = features[: len(first)].detach()
        return loss, {"partner found": found, "feature deviation": spread(seen), "rank": rank(seen)}

    def shows(self, views: Views) -> dict[str, Tensor]:
        """similarity: (2n, 2n) cosines of the projections, first views before second ones; same: 1 for partners."""
        both = torch.cat([views["first"], views["second"]])
        projected = F.normalize(self.module["head"](self.module["network"](both)).float(), dim=-1)
        partners = torch.eye(len(both), dtype=torch.uint8, device=both.device).roll(len(both) // 2, dims=1)
        return {"similarity": projected @ projected.T, "same": partners}

    def after_step(self, progress: float) -> None:
        pass

    def result(self) -> Result:
        return Result(self.module["network"], self.network.config, self.network.pixels, "SimCLR")

    def _view(self, images: Tensor) -> Tensor:
        pixels = recolour(crops(images, self.network.pixels.size[0], scale=(self.options.crop, 1)), LOOK)
        return normalise(pixels, self.network.pixels.mean, self.network.pixels.std)


def build(plan: Plan) -> SimCLR:
    return SimCLR(vit(plan.size, plan.side, plan.patch), plan.options)


METHOD = Method(
    name="simclr",
    title="SimCLR",
    about="find the other view of the same picture in the batch",
    options=Options,
    builds=build,
    whole=True,
    idle=("accumulate",),
    settings={"rate": 1e-3, "decay": 0.05, "batch": 128},
)
