"""Masked autoencoder: hide three quarters of the patches, encode the rest, rebuild what is hidden.

He et al. 2022, arXiv 2111.06377. The loss is the mean squared error over hidden patches (section 3),

    L = 1/|M| · Σ_{p in M} mean((x̂_p - x_p)²)

where x_p may be normalised by its own mean and deviation (table 1d). That helps features and spoils pictures, so here
it is off unless asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.augment import crops, normalise
from training.datasets import Batch
from training.health import copied_error
from training.masking import patchify
from training.networks import Network, mae
from training.objective import Figures, Method, Plan, Result, Views
from training.settings import option


@dataclass(frozen=True)
class Options:
    ratio: float = option(0.75, "share of patches that are hidden (section 4.1)", least=0.05, most=0.95)
    decoder_width: int = option(128, "channels of the decoder, a multiple of 32", least=32)
    decoder_depth: int = option(2, "blocks of the decoder", least=1)
    normalised: bool = option(False, "targets without each patch's own mean and deviation (norm_pix_loss)")
    crop: float = option(0.5, "smallest share of a picture's area that a crop keeps; 1: no crop", least=0.05, most=1)


def masked_error(prediction: Tensor, patches: Tensor, mask: Tensor, normalised: bool) -> Tensor:
    """The loss: prediction and patches (images, patches, values), mask (images, patches), 1 hidden."""
    if normalised:
        variance, mean = torch.var_mean(patches, dim=-1, keepdim=True)
        patches = (patches - mean) / (variance + 1e-6).sqrt()
    error = (prediction - patches).square().mean(-1)
    return (error * mask).sum() / mask.sum()


class MAE:
    def __init__(self, network: Network, options: Options) -> None:
        self.network, self.options = network, options
        self.module = nn.ModuleDict({"network": network.module})

    def views(self, batch: Batch) -> Views:
        images = crops(batch.images, self.network.pixels.size[0], scale=(self.options.crop, 1))
        return {"pixels": normalise(images, self.network.pixels.mean, self.network.pixels.std)}

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        network: Any = self.module["network"]
        seen = network.vit(pixel_values=views["pixels"])
        prediction = network.decoder(seen.last_hidden_state, seen.ids_restore).logits.float()
        patches, mask = patchify(views["pixels"], self.network.pixels.patch), seen.mask.float()
        loss = masked_error(prediction, patches, mask, self.options.normalised)
        if self.options.normalised:
            return loss, {}
        baseline = copied_error(patches, mask, self.network.grid)
        return loss, {"error / nearest visible patch": loss.detach() / baseline}

    def after_step(self, progress: float) -> None:
        pass

    def result(self) -> Result:
        return Result(self.module["network"], self.network.config, self.network.pixels, "MAE")


def build(plan: Plan) -> MAE:
    options: Options = plan.options
    network = mae(
        plan.size, plan.side, plan.patch, width=options.decoder_width, depth=options.decoder_depth,
        normalised=options.normalised, ratio=options.ratio,
    )  # fmt: skip
    return MAE(network, options)


METHOD = Method(
    name="mae",
    title="MAE",
    about="rebuild hidden patches from visible ones (masked autoencoder)",
    options=Options,
    builds=build,
    settings={"rate": 1.5e-3, "decay": 0.05, "batch": 64},
)
