"""SimMIM: hide large squares of a picture, let a Swin see the holes, and rebuild their raw pixels with one layer.

Xie et al. 2022, arXiv 2111.09886. The loss is the mean absolute error over hidden pixels (section 3.4),

    L = Σ_hidden |x̂ - x| / (hidden pixels · 3)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.augment import crops, normalise
from training.datasets import Batch
from training.health import copied_error, hidden_error
from training.masking import patchify, random_mask
from training.networks import Network, swin_masked
from training.objective import Figures, Method, Plan, Result, Views
from training.settings import option


@dataclass(frozen=True)
class Options:
    ratio: float = option(0.6, "share of squares that are hidden (table 2)", least=0.05, most=0.95)
    unit: int = option(16, "side of a hidden square in pixels, a multiple of the patch", least=1)
    crop: float = option(0.67, "smallest share of a picture's area that a crop keeps; 1: no crop", least=0.05, most=1)


def hidden_difference(prediction: Tensor, pixels: Tensor, mask: Tensor) -> Tensor:
    """The loss: prediction and pixels (images, 3, height, width), mask (images, height, width), 1 hidden."""
    mask = mask.unsqueeze(1)
    return ((prediction - pixels).abs() * mask).sum() / (mask.sum() * pixels.shape[1])


class SimMIM:
    def __init__(self, network: Network, options: Options) -> None:
        self.network, self.options = network, options
        self.unit = max(1, options.unit // network.pixels.patch)
        self.module = nn.ModuleDict({"network": network.module})

    def views(self, batch: Batch) -> Views:
        images = crops(batch.images, self.network.pixels.size[0], scale=(self.options.crop, 1))
        mask = random_mask(len(images), self.network.grid, self.options.ratio, images.device, self.unit)
        return {"pixels": normalise(images, self.network.pixels.mean, self.network.pixels.std), "mask": mask}

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        pixels, mask, patch = views["pixels"], views["mask"], self.network.pixels.patch
        answer: Any = self.module["network"](pixel_values=pixels, bool_masked_pos=mask.flatten(1).bool())
        prediction = answer.reconstruction.float()
        loss = hidden_difference(prediction, pixels, mask.repeat_interleave(patch, 1).repeat_interleave(patch, 2))
        return loss, {"error / nearest visible patch": self._against_nearest(prediction, pixels, mask)}

    @torch.no_grad()
    def _against_nearest(self, prediction: Tensor, pixels: Tensor, mask: Tensor) -> Tensor:
        """Squared errors, on squares of the hidden unit, as for MAE."""
        side = self.unit * self.network.pixels.patch
        squares, hidden = mask[:, :: self.unit, :: self.unit].flatten(1), patchify(pixels, side)
        grid = (mask.shape[1] // self.unit, mask.shape[2] // self.unit)
        return hidden_error(patchify(prediction, side), hidden, squares) / copied_error(hidden, squares, grid)

    def after_step(self, progress: float) -> None:
        pass

    def result(self) -> Result:
        return Result(self.module["network"], self.network.config, self.network.pixels, "SimMIM")


def build(plan: Plan) -> SimMIM:
    return SimMIM(swin_masked(plan.size, plan.side, plan.patch), plan.options)


METHOD = Method(
    name="simmim",
    title="SimMIM",
    about="rebuild hidden squares with a Swin that sees the holes",
    options=Options,
    builds=build,
    settings={"rate": 1e-3, "decay": 0.05, "batch": 64, "clip": 5.0},
)
