"""Supervised classification with a ViT or a Swin.

Dosovitskiy et al. 2021, arXiv 2010.11929; Liu et al. 2021, arXiv 2103.14030. Cross-entropy against smoothed targets
(Szegedy et al. 2016, arXiv 1512.00567, section 7),

    L = -Σ_k q_k log softmax(z)_k,   q = (1 - ε) · onehot(y) + ε / K

and, if asked for, mixup (Zhang et al. 2018, arXiv 1710.09412): x = λ x_i + (1 - λ) x_j with λ ~ Beta(α, α), for the
targets likewise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.augment import Look, crops, normalise, recolour
from training.datasets import Batch
from training.health import judged, spread
from training.networks import Network, swin, vit
from training.objective import Figures, Method, Plan, Result, Views
from training.settings import option

LOOK = Look(brightness=0.3, contrast=0.3, saturation=0.2, hue=0.02, jitter=0.8, grey=0.05, blur=0.0)


@dataclass(frozen=True)
class Options:
    network: str = option("vit", "which architecture", choices=("vit", "swin"))
    smoothing: float = option(0.1, "label smoothing ε", least=0, most=0.9)
    mixup: float = option(0.0, "α of mixup's Beta distribution; 0 is off", least=0)
    drop: float = option(0.0, "share of patches dropped while training, ViT only", least=0, most=0.9)
    crop: float = option(0.5, "smallest share of a picture's area that a crop keeps; 1: no crop", least=0.05, most=1)
    flip: bool = option(True, "mirror every second picture")
    hue: float = option(0.02, "largest turn of the colours; at 0.5 no colour can stand for a class", least=0, most=0.5)


def smoothed(labels: Tensor, classes: int, smoothing: float) -> Tensor:
    """(images, classes) targets that sum to 1."""
    return F.one_hot(labels, classes).float() * (1 - smoothing) + smoothing / classes


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over pictures; both (images, classes)."""
    return -(targets * logits.log_softmax(-1)).sum(-1).mean()


def mix(values: Tensor, share: Tensor, order: Tensor) -> Tensor:
    """share · values + (1 - share) · values[order], for pictures and for targets."""
    return torch.lerp(values[order], values, share)


class Supervised:
    def __init__(self, network: Network, classes: tuple[str, ...], options: Options) -> None:
        self.network, self.classes, self.options = network, classes, options
        self.module = nn.ModuleDict({"network": network.module})

    def views(self, batch: Batch) -> Views:
        assert batch.labels is not None
        images = crops(batch.images, self.network.pixels.size[0], scale=(self.options.crop, 1), flip=self.options.flip)
        look = replace(LOOK, hue=self.options.hue)
        pixels = normalise(recolour(images, look), self.network.pixels.mean, self.network.pixels.std)
        targets = smoothed(batch.labels, len(self.classes), self.options.smoothing)
        if self.options.mixup:
            alpha = torch.full((), self.options.mixup, device=pixels.device)
            share = torch.distributions.Beta(alpha, alpha, validate_args=False).sample()
            order = torch.randperm(len(pixels), device=pixels.device)
            pixels, targets = mix(pixels, share, order), mix(targets, share, order)
        return {"pixels": pixels, "targets": targets, "labels": batch.labels}

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        logits = self.module["network"](views["pixels"]).float()
        right = (logits.argmax(-1) == views["labels"]).float().mean()
        return cross_entropy(logits, views["targets"]), {"accuracy": right, "feature deviation": spread(logits)}

    def judge(self, batch: Batch) -> Figures:
        assert batch.labels is not None
        pixels = normalise(batch.images, self.network.pixels.mean, self.network.pixels.std)
        return judged(self.module["network"](pixels), batch.labels)

    def after_step(self, progress: float) -> None:
        pass

    def result(self) -> Result:
        family = "ViT" if self.options.network == "vit" else "Swin"
        return Result(self.module["network"], self.network.config, self.network.pixels, family, self.classes)


def build(plan: Plan) -> Supervised:
    options: Options = plan.options
    if options.network == "swin":
        network = swin(plan.size, plan.side, plan.patch, classes=len(plan.classes))
    else:
        drop = {"patch_drop_rate": options.drop} if options.drop else {}
        network = vit(plan.size, plan.side, plan.patch, classes=len(plan.classes), options=drop)
    return Supervised(network, plan.classes, options)


METHOD = Method(
    name="supervised",
    title="Supervised",
    about="name the class of each picture (ViT or Swin)",
    options=Options,
    builds=build,
    need="classes",
    settings={"rate": 1e-3, "decay": 0.05, "batch": 64},
)
