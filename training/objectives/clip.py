"""CLIP: the right text among all texts of the batch, and the right picture among all pictures.

Radford et al. 2021, arXiv 2103.00020, figure 3. With unit vectors u_i of pictures, v_j of texts and a learned scale s,

    L = ½ · mean_i CE(s · u_i·V, i) + ½ · mean_j CE(s · v_j·U, j)

Pairs that mean the same (`Batch.concepts`) are no negatives of each other and are left out of the sums. Features of all
processes are gathered with gradient, so more processes make a larger batch and nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.augment import Look, crops, normalise, recolour
from training.datasets import Batch
from training.gather import everyone, own
from training.health import matched, spread
from training.masking import drop_tokens
from training.networks import Network, clip
from training.objective import Figures, Method, Plan, Result, Views
from training.settings import option
from training.words import encoded, tower

LARGEST_SCALE = math.log(100)
"""Section 2.5: the scale is clipped so that logits are never multiplied by more than 100."""

LOOK = Look(brightness=0.2, contrast=0.2, saturation=0.1, hue=0.0, jitter=0.5, grey=0.0, blur=0.0)
"""Mild: a caption names colours, left and right."""


@dataclass(frozen=True)
class Options:
    text_width: int = option(128, "channels of the text tower, a multiple of 32", least=32)
    text_depth: int = option(3, "blocks of the text tower", least=1)
    joint: int = option(128, "channels of the common space", least=8)
    drop: float = option(0.0, "share of patches dropped while training (FLIP)", least=0, most=0.9)
    crop: float = option(0.7, "smallest share of a picture's area that a crop keeps; 1: no crop", least=0.05, most=1)


def same_meaning(concepts: Tensor) -> Tensor:
    """(own pictures, all texts) bool: pairs of equal concept that are not the pair itself."""
    rows, columns = concepts, everyone(concepts)
    same = rows.unsqueeze(1) == columns
    return same & ~_diagonal(len(rows), len(columns), same.device)


def contrastive(image: Tensor, text: Tensor, scale: Tensor, ignored: Tensor) -> tuple[Tensor, Tensor]:
    """The loss and the logits (own pictures, all texts). image, text: unit (pairs, channels); ignored: bool pairs."""
    target = torch.arange(len(image), device=image.device) + own(len(image)).start
    to_texts = (scale * image @ everyone(text).T).masked_fill(ignored, -torch.inf)
    to_images = (scale * text @ everyone(image).T).masked_fill(ignored, -torch.inf)
    return (F.cross_entropy(to_texts, target) + F.cross_entropy(to_images, target)) / 2, to_texts


class CLIP:
    def __init__(self, network: Network, plan: Plan) -> None:
        self.network, self.words, self.options = network, plan.words, plan.options
        self.module = nn.ModuleDict({"network": network.module})
        towers: Any = network.module
        drop_tokens(towers.vision_model.embeddings, self.options.drop, prefix=1)

    def views(self, batch: Batch) -> Views:
        views = text_views(batch, self.network, self.words, self.options.crop)
        longest = int(views["attend"].sum(1).max())
        return views | {name: views[name][:, :longest] for name in ("ids", "attend")}

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        towers: Any = self.module["network"]
        answer = towers(pixel_values=views["pixels"], input_ids=views["ids"], attention_mask=views["attend"])
        with torch.autocast(views["pixels"].device.type, enabled=False):
            image = F.normalize(answer.image_embeds.float(), dim=-1)
            text = F.normalize(answer.text_embeds.float(), dim=-1)
            scale = towers.logit_scale.exp()
            loss, logits = contrastive(image, text, scale, same_meaning(views["concepts"]))
        return loss, {
            "diagonal accuracy": matched(logits[:, own(len(image))]),
            "temperature": 1 / scale.detach(),
            "feature deviation": spread(image),
        }

    def shows(self, views: Views) -> dict[str, Tensor]:
        """similarity: (pictures, texts) cosines; same: 1 where they mean the same."""
        towers: Any = self.module["network"]
        answer = towers(pixel_values=views["pixels"], input_ids=views["ids"], attention_mask=views["attend"])
        return pairs(answer, views["concepts"])

    def after_step(self, progress: float) -> None:
        towers: Any = self.module["network"]
        towers.logit_scale.data.clamp_(0, LARGEST_SCALE)

    def result(self) -> Result:
        network = self.module["network"]
        return Result(network, self.network.config, self.network.pixels, "CLIP", tokenizer=self.words)


def pairs(answer: Any, concepts: Tensor) -> dict[str, Tensor]:
    """Cosines of all pictures with all texts of a batch, and which of them belong together."""
    image, text = (F.normalize(features.float(), dim=-1) for features in (answer.image_embeds, answer.text_embeds))
    return {"similarity": image @ text.T, "same": (concepts.unsqueeze(1) == concepts).byte()}


def text_views(batch: Batch, network: Network, words: Any, crop: float) -> Views:
    """Pixels, token ids and concepts; never mirrored, since a caption may say left and right."""
    assert batch.captions is not None
    images = crops(batch.images, network.pixels.size[0], scale=(crop, 1), flip=False)
    images = recolour(images, LOOK)
    ids, attend = encoded(words, batch.captions)
    device = images.device
    concepts = torch.arange(len(batch), device=device) if batch.concepts is None else batch.concepts
    pixels = normalise(images, network.pixels.mean, network.pixels.std)
    return {"pixels": pixels, "ids": ids.to(device), "attend": attend.to(device), "concepts": concepts}


def _diagonal(rows: int, columns: int, device: torch.device) -> Tensor:
    whole = torch.zeros(rows, columns, dtype=torch.bool, device=device)
    whole[:, own(rows)].fill_diagonal_(True)
    return whole


def build(plan: Plan) -> CLIP:
    options: Options = plan.options
    assert plan.words is not None
    text = tower(plan.words, options.text_width, options.text_depth)
    return CLIP(clip(plan.size, plan.side, plan.patch, text=text, joint=options.joint), plan)


METHOD = Method(
    name="clip",
    title="CLIP",
    about="match pictures and captions within the batch",
    options=Options,
    builds=build,
    whole=True,
    idle=("accumulate",),
    need="captions",
    settings={"rate": 1e-3, "decay": 0.1, "batch": 128},
)
