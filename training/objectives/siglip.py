"""SigLIP: is this text this picture's? One yes or no for every pair of the batch.

Zhai et al. 2023, arXiv 2303.15343, algorithm 1. With unit vectors u_i, v_j, a learned scale t and bias b and z_ij = 1
on the diagonal, -1 elsewhere,

    L = -1/n · Σ_i Σ_j log σ(z_ij · (t · u_i·v_j + b))

t begins at 10 and b at -10, so that the many negatives do not swamp the start. Pairs that mean the same are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.datasets import Batch
from training.gather import everyone, own
from training.health import matched, spread
from training.masking import drop_tokens
from training.networks import Network, siglip, size
from training.objective import Figures, Method, Plan, Result, Views
from training.objectives.clip import pairs, same_meaning, text_views
from training.settings import option
from training.words import tower


@dataclass(frozen=True)
class Options:
    text_depth: int = option(3, "blocks of the text tower", least=1)
    drop: float = option(0.0, "share of patches dropped while training (FLIP)", least=0, most=0.9)
    crop: float = option(0.7, "smallest share of a picture's area that a crop keeps; 1: no crop", least=0.05, most=1)
    scale: float = option(10.0, "first scale t of the cosines", least=1, most=100)
    bias: float = option(-10.0, "first bias b of the logits", most=0)


def pairwise(image: Tensor, text: Tensor, scale: Tensor, bias: Tensor, ignored: Tensor) -> tuple[Tensor, Tensor]:
    """The loss and the logits (own pictures, all texts); image, text: unit (pairs, channels); ignored: bool pairs."""
    logits = scale * image @ everyone(text).T + bias
    sign = torch.full_like(logits, -1.0)
    sign[:, own(len(image))].fill_diagonal_(1.0)
    each = F.logsigmoid(sign * logits).masked_fill(ignored, 0.0)
    return -each.sum(1).mean(), logits


class SigLIP:
    def __init__(self, network: Network, plan: Plan) -> None:
        self.network, self.words, self.options = network, plan.words, plan.options
        self.module = nn.ModuleDict({"network": network.module})
        towers: Any = network.module
        drop_tokens(towers.vision_model.embeddings, self.options.drop, prefix=0)
        with torch.no_grad():
            towers.logit_scale.fill_(math.log(self.options.scale))
            towers.logit_bias.fill_(self.options.bias)

    def views(self, batch: Batch) -> Views:
        return text_views(batch, self.network, self.words, self.options.crop)

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        towers: Any = self.module["network"]
        answer = towers(pixel_values=views["pixels"], input_ids=views["ids"])
        with torch.autocast(views["pixels"].device.type, enabled=False):
            image = F.normalize(answer.image_embeds.float(), dim=-1)
            text = F.normalize(answer.text_embeds.float(), dim=-1)
            scale, bias = towers.logit_scale.exp(), towers.logit_bias
            loss, logits = pairwise(image, text, scale, bias, same_meaning(views["concepts"]))
        return loss, {
            "diagonal accuracy": matched(logits.detach()[:, own(len(image))]),
            "temperature": 1 / scale.detach().squeeze(),
            "bias": bias.detach().squeeze(),
            "feature deviation": spread(image),
        }

    def shows(self, views: Views) -> dict[str, Tensor]:
        """similarity: (pictures, texts) cosines; same: 1 where they mean the same."""
        return pairs(self.module["network"](pixel_values=views["pixels"], input_ids=views["ids"]), views["concepts"])

    def after_step(self, progress: float) -> None:
        pass

    def result(self) -> Result:
        network = self.module["network"]
        return Result(network, self.network.config, self.network.pixels, "SigLIP", tokenizer=self.words)


def build(plan: Plan) -> SigLIP:
    assert plan.words is not None
    text = tower(plan.words, size(plan.size).width, plan.options.text_depth)
    return SigLIP(siglip(plan.size, plan.side, plan.patch, text=text), plan)


METHOD = Method(
    name="siglip",
    title="SigLIP",
    about="say of every picture and caption whether they belong together",
    options=Options,
    builds=build,
    whole=True,
    idle=("accumulate",),
    need="captions",
    settings={"rate": 1e-3, "decay": 0.1, "batch": 128},
)
