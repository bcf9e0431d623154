"""What does a trained network know? A linear classifier on its features, or fine-tuning from block k on.

Linear probe as in He et al. 2022, arXiv 2111.06377, appendix A.2: a batch norm without weights, then one linear layer;
the loss is cross-entropy. Nothing of the network learns, so each picture passes it once, whole, and its features are
kept (`training.remembered`); no picture is cropped or mirrored.

With `frozen` below the number of blocks, the blocks after it learn as well (their section 4.3, partial fine-tuning), on
crops. What has been learnt already moves by smaller steps than the head, which begins at random (discriminative rates:
Howard and Ruder 2018, arXiv 1801.06146, section 3.2), and decays by 0.05 (arXiv 2111.06377, table 9).

The network with its new head and the names of its classes is what stays: `run/<name>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbone import Backbone
from models.create import blueprint, create
from models.faults import Fault
from models.features import Features
from models.loading import RANDOM, load
from models.probed import Probed, described
from models.weights import check
from training.augment import crops, normalise
from training.datasets import Batch, Dataset
from training.features import check_grows
from training.health import judged
from training.objective import Figures, Method, Pace, Plan, Result, Views
from training.remembered import Remembered
from training.settings import option


@dataclass(frozen=True)
class Options:
    checkpoint: str = option("registry/dinov2-small", "id of the network that is probed", network=True)
    frozen: int = option(
        -1, "the first so many blocks, and everything before them, stay; -1 is all", least=-1,
        named=((-1, "all blocks stay"), (0, "all blocks learn")), others="blocks 1 to … stay",
    )  # fmt: skip
    crop: float = option(
        0.5, "where blocks learn: smallest share of a picture's area that a crop keeps; 1: no crop", least=0.05, most=1
    )
    flip: bool = option(True, "where blocks learn: mirror every second picture")
    blocks_rate: float = option(0.01, "rate of blocks that learn, as a share of the head's", least=0, most=1)
    blocks_decay: float = option(0.05, "weight decay of blocks that learn", least=0)


class Probe:
    """Where the network stays as it is, `module` is the head alone: a checkpoint need not hold what never changes."""

    def __init__(self, backbone: Backbone, classes: tuple[str, ...], options: Options, side: int = 0) -> None:
        self.backbone, self.classes, self.options = backbone, classes, options
        self.side = side or backbone.pixels.size[0]
        _check_side(backbone, self.side)
        blocks = len(backbone.blocks)
        self.frozen = blocks if self.options.frozen == -1 else self.options.frozen
        check_grows(backbone, self.frozen)
        self.features = Features(backbone)
        self.probed = Probed(backbone.module, self.features.pooled, len(classes))
        self.config = described(_inside(backbone), self.features.pooled, classes)
        freeze(backbone, self.frozen)
        self.still = self.frozen == blocks
        self.module: nn.Module = self.probed.head if self.still else self.probed

    def remembered(self, images: Dataset) -> Dataset:
        """What the head of a network that stays as it is learns from."""
        return Remembered(images, self.seen) if self.still and images.length is not None else images

    def seen(self, images: Tensor) -> Tensor:
        """(images, channels) features of whole pictures in [0, 1], by the network as it is, without gradient."""
        self.backbone.module.to(images.device).eval()
        with torch.no_grad():
            return self.features(self._fed(images))

    def paces(self) -> Mapping[str, Pace]:
        return {"network.": Pace(self.options.blocks_rate, self.options.blocks_decay)}

    def views(self, batch: Batch) -> Views:
        assert batch.labels is not None
        if batch.features is not None:
            return {"features": batch.features, "labels": batch.labels}
        if self.still:
            return {"pixels": self._fed(batch.images), "labels": batch.labels}
        images = crops(batch.images, self.side, scale=(self.options.crop, 1), flip=self.options.flip)
        return {"pixels": self._fed(images), "labels": batch.labels}

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        self.backbone.module.eval()
        logits = self.probed.logits(self._features(views)).float()
        right = (logits.argmax(-1) == views["labels"]).float().mean()
        return F.cross_entropy(logits, views["labels"]), {"accuracy": right}

    def judge(self, batch: Batch) -> Figures:
        assert batch.labels is not None
        features = self.seen(batch.images) if batch.features is None else batch.features
        return judged(self.probed.logits(features), batch.labels)

    def after_step(self, progress: float) -> None:
        pass

    def result(self) -> Result:
        words = getattr(getattr(self.backbone, "tokenizer", None), "tokenizer", None)
        pixels = replace(self.backbone.pixels, size=(self.side, self.side))
        return Result(self.probed, self.config, pixels, self.backbone.card.family, self.classes, words, self.still)

    def _features(self, views: Views) -> Tensor:
        if "features" in views:
            return views["features"]
        if self.still:
            self.backbone.module.to(views["pixels"].device)
        with torch.set_grad_enabled(not self.still):
            return self.features(views["pixels"])

    def _fed(self, images: Tensor) -> Tensor:
        return normalise(images, self.backbone.pixels.mean, self.backbone.pixels.std)


def freeze(backbone: Backbone, first: int) -> None:
    """Only blocks from number `first` on learn; embeddings, norms and heads beside them stay."""
    backbone.module.requires_grad_(False)
    for block in backbone.blocks[first:]:
        block.requires_grad_(True)


def side(options: Options) -> int:
    """Of the pictures that the network was trained on, in pixels; its random twin tells, which costs no download."""
    return load(options.checkpoint.removesuffix(RANDOM) + RANDOM, device="cpu").pixels.size[0]


def build(plan: Plan) -> Probe:
    return Probe(load(plan.options.checkpoint, device="cpu"), plan.classes, plan.options, plan.side)


def _inside(backbone: Backbone) -> dict[str, Any]:
    """What the network is built from again, compared with what it is, so that what is kept of hours can be opened."""
    found = blueprint(backbone.module)
    if found is None:
        raise Fault(
            "{checkpoint} was to be probed, but how a {kind} is built again cannot be written down, so that nothing "
            "could be kept; choose another network.",
            checkpoint=backbone.card.id, kind=type(backbone.module).__name__,
        )  # fmt: skip
    with torch.device("meta"):
        check(backbone.card.id, backbone.module.state_dict(), create(found))
    return found


def _check_side(backbone: Backbone, side: int) -> None:
    """No picture is enlarged, cut or squeezed without a word on its way into the network."""
    pixels = backbone.pixels
    if pixels.shape((side, side), side) != (side, side):
        raise Fault(
            "Pictures of {side} pixels were asked for, but this network needs a multiple of {multiple}; "
            "choose another side or patch.",
            side=side, multiple=pixels.multiple,
        )  # fmt: skip


METHOD = Method(
    name="probe",
    title="Probe",
    about="a linear classifier on a trained network, or fine-tuning of its last blocks",
    options=Options,
    builds=build,
    need="classes",
    idle=("size", "patch"),
    side=side,
    settings={"rate": 1e-2, "decay": 0.0, "batch": 128, "steps": 500},
)
