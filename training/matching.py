"""Pictures against texts: the right caption among others, and classes told by their names alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from models.backbone import ZeroShot
from training.captions import TEMPLATES, article
from training.datasets import Batch
from training.features import at_once, fed, parts
from training.figures import Figure, share

CAPTION = "caption among {n0}, top {n1}"
CLASSES = "zero-shot accuracy, {n0} classes, top {n1}"

AMONG = 100
"""Captions of different meaning among which a picture's own is looked for."""


def retrieval(backbone: ZeroShot, asked: Batch) -> Iterator[Figure]:
    """The right caption among up to 100 of different meaning, top 1 and top 5, beside chance."""
    assert asked.captions is not None
    rounds = _different(asked)
    size = len(rounds[0])
    places = [
        scores.argsort(1, descending=True) == torch.arange(size).unsqueeze(1)
        for scores in (_scores(backbone, asked.images[one], [asked.captions[place] for place in one]) for one in rounds)
    ]
    right = torch.cat(places)
    for top in (1, 5):
        value = float(right[:, :top].any(1).float().mean())
        yield share(CAPTION.format(n0=size, n1=top), value, len(right), "chance", min(1.0, top / size))


def _different(asked: Batch) -> list[list[int]]:
    """Places of pictures in rounds of 100 different meanings each; one smaller round where there are not so many."""
    assert asked.captions is not None
    meanings = asked.captions if asked.concepts is None else asked.concepts.tolist()
    rounds: list[dict[object, int]] = [{}]
    for place, meaning in enumerate(meanings):
        if len(rounds[-1]) == AMONG:
            rounds.append({})
        rounds[-1].setdefault(meaning, place)
    whole = [one for one in rounds if len(one) == AMONG] or rounds[:1]
    return [list(one.values()) for one in whole]


def zero_shot(backbone: ZeroShot, asked: Batch, classes: Sequence[str]) -> Iterator[Figure]:
    """Classes told by their names alone, put into the sentence that captions use; top 1 and top 5, beside chance.

    Names in Cyrillic letters are put into the Russian sentence.
    """
    assert asked.labels is not None
    russian = any("а" <= letter <= "я" for letter in "".join(classes).lower())
    sentence = TEMPLATES["ru" if russian else "en"][-1]
    texts = [sentence.format(name if russian else article(name)) for name in classes]
    order = _scores(backbone, asked.images, texts).argsort(1, descending=True)
    right = order == asked.labels.unsqueeze(1)
    for top in (1, 5):
        if top < len(classes):
            value = float(right[:, :top].any(1).float().mean())
            yield share(CLASSES.format(n0=len(classes), n1=top), value, len(asked), "chance", top / len(classes))


@torch.no_grad()
def _scores(backbone: ZeroShot, images: Tensor, texts: Sequence[str]) -> Tensor:
    """Logits (pictures, texts)."""
    pictures: Any = backbone
    each = [
        backbone.image_features(fed(pictures, images[part]))
        for part in parts(len(images), at_once(images.shape[-1]), "pictures against texts")
    ]
    return backbone.text_scores(torch.cat(each), backbone.text_features(list(texts))).logits.cpu()
