"""What a class or a text rests on in a picture: the one question about attention that needs another pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from explorers import lent
from explorers.call import check_stretch
from explorers.gate import gate
from explorers.parameters import within
from explorers.traces import Traced
from models.backbone import Classifies, ZeroShot
from models.class_names import class_names
from models.faults import Refusal
from models.relevance import Score
from models.text_to_patches import cosine_with

BEST = 5

GRADIENT = 3.0
"""Times as long as a pass takes one with its gradient."""


def relevance(seen: Traced, target: int | None, text: str) -> tuple[Tensor, str, list[dict[str, Any]]]:
    """(tokens,) relevance, what it explains, and the network's best classes, if it has any."""
    backbone = seen.backbone
    check_stretch(GRADIENT * seen.seconds)
    with gate():
        if text and isinstance(backbone, ZeroShot):
            features = lent.text_features(backbone, [text])
            return lent.class_relevance(backbone, seen.pixels, features), text, []
        if not isinstance(backbone, Classifies):
            raise Refusal(
                "Class relevance was asked for, but {checkpoint} scores no classes; choose a classifier, or give a "
                "text to CLIP or SigLIP.",
                checkpoint=backbone.card.id,
            )
        best, count = _best(backbone, seen.pixels)
        chosen = best[0]["index"] if target is None else within("target", target, 0, count - 1)
        found = lent.class_relevance(backbone, seen.pixels, chosen)
    return found, class_name(backbone, chosen), best


def score_of(target: int | Tensor) -> Score:
    """The logit of a class, or the cosine with a text by its features (1, channels)."""
    if isinstance(target, int):
        return lambda backbone, pixels: backbone.class_logits(pixels)[0, target]  # pyright: ignore
    return cosine_with(target[0])


def _best(backbone: Classifies, pixels: Tensor) -> tuple[list[dict[str, Any]], int]:
    with torch.inference_mode():
        shares = backbone.class_logits(pixels[None])[0].float().softmax(-1).cpu()
    top = shares.topk(min(BEST, len(shares)))
    pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
    return [{"index": index, "name": class_name(backbone, index), "share": share} for index, share in pairs], len(
        shares
    )


def class_name(backbone: Any, index: int) -> str:
    """By the network's own list of names where it has one."""
    names = class_names(backbone)
    return names[index] if index < len(names) else f"{index}"
