"""What does a trained network know? A linear classifier on its features, or fine-tuning from block k on.

Linear probe as in He et al. 2022, arXiv 2111.06377, appendix A.2: a batch norm without weights, then one linear layer;
the loss is cross-entropy. With `frozen` below the number of blocks, the blocks after it learn as well (their section
4.3, partial fine-tuning).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbone import Backbone
from models.card_catalogue import bundled_folder, runs_folder
from models.loading import load
from training.augment import crops, normalise
from training.datasets import Batch
from training.features import Features, check_grows
from training.objective import Figures, Method, Plan, Result, Views
from training.settings import option


@dataclass(frozen=True)
class Options:
    checkpoint: str = option("registry/dinov2-small", "id of the network that is probed")
    frozen: int = option(-1, "the first so many blocks, and everything before them, stay; -1 is all", least=-1)
    crop: float = option(0.5, "smallest share of a picture's area that a crop keeps; 1: no crop", least=0.05, most=1)
    flip: bool = option(True, "mirror every second picture")


class Probe:
    def __init__(self, backbone: Backbone, classes: tuple[str, ...], options: Options) -> None:
        self.backbone, self.classes, self.options = backbone, classes, options
        self.frozen = len(backbone.blocks) if options.frozen == -1 else options.frozen
        check_grows(backbone, self.frozen)
        features = Features(backbone)
        freeze(backbone, self.frozen)
        head = nn.Sequential(
            nn.BatchNorm1d(features.channels, affine=False), nn.Linear(features.channels, len(classes))
        )
        self.module = nn.ModuleDict({"features": features, "head": head})

    def views(self, batch: Batch) -> Views:
        assert batch.labels is not None
        pixels = self.backbone.pixels
        images = crops(batch.images, pixels.size[0], scale=(self.options.crop, 1), flip=self.options.flip)
        return {"pixels": normalise(images, pixels.mean, pixels.std), "labels": batch.labels}

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        self.module["features"].eval()
        with torch.set_grad_enabled(self.frozen < len(self.backbone.blocks)):
            features = self.module["features"](views["pixels"])
        logits = self.module["head"](features).float()
        right = (logits.argmax(-1) == views["labels"]).float().mean()
        return F.cross_entropy(logits, views["labels"]), {"accuracy": right}

    def after_step(self, progress: float) -> None:
        pass

    def result(self) -> Result | None:
        """The fine-tuned network; nothing where it was left as it is, or where its description is not on this disk."""
        source, _, name = self.options.checkpoint.partition("/")
        folder = {"run": runs_folder(), "bundled": bundled_folder()}.get(source)
        if folder is None or self.frozen == len(self.backbone.blocks):
            return None
        config = json.loads((folder / name / "config.json").read_text(encoding="utf-8"))
        return Result(self.backbone.module, config, self.backbone.pixels, self.backbone.card.family)


def freeze(backbone: Backbone, first: int) -> None:
    """Only blocks from number `first` on learn; embeddings, norms and heads beside them stay."""
    backbone.module.requires_grad_(False)
    for block in backbone.blocks[first:]:
        block.requires_grad_(True)


def build(plan: Plan) -> Probe:
    return Probe(load(plan.options.checkpoint, device="cpu"), plan.classes, plan.options)


METHOD = Method(
    name="probe",
    title="Probe",
    about="a linear classifier on a trained network, or fine-tuning of its last blocks",
    options=Options,
    builds=build,
    need="classes",
    idle=("size", "patch"),
    settings={"rate": 1e-2, "decay": 0.0, "batch": 128, "steps": 500},
)
