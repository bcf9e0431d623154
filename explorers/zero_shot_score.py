"""A network scored on a labelled set: which label it puts first, how sure it is, and how often that is right."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from PIL import Image

from explorers import lent
from explorers.cache import also
from explorers.slices import Slices
from explorers.text_features import text_features
from explorers.zero_shot_answers import able
from explorers.zero_shot_sets import LabelledSet
from models.backbone import Backbone, TextScores, ZeroShot
from models.calibration import Calibration, calibration, confusion, wilson
from models.faults import Fault
from models.prompts import ensemble, filled

BATCH = 16
"""Pictures of one pass: small, so that the page tells its progress and can stop."""

THUMBNAIL = 40

KEPT = 128
"""Batches of bundled pictures whose features are kept for each network, so that a new template asks texts alone."""

_kept: WeakKeyDictionary[ZeroShot, OrderedDict[tuple[str, int], torch.Tensor]] = WeakKeyDictionary()
also(_kept.clear)


@dataclass(frozen=True)
class Part:
    """Some pictures of a set: cosine (pictures, labels), truth (pictures,), thumbnails (pictures, rows, columns, 3);
    skipped: how many could not be read."""

    cosine: np.ndarray
    truth: np.ndarray
    thumbnails: np.ndarray
    skipped: int


def parts(backbone: Backbone, asked: LabelledSet, templates: Sequence[str]) -> Iterator[Part]:
    """The whole set, `BATCH` pictures at a time. Raises `Fault`."""
    for start in range(0, len(asked), BATCH):
        yield part(backbone, asked, templates, start)


def part(backbone: Backbone, asked: LabelledSet, templates: Sequence[str], start: int) -> Part:
    """Pictures `start` to `start + BATCH` against every label, each in all of `templates`. Raises `Fault`."""
    network, known, truth, skipped = able(backbone), [], [], 0
    for number in range(start, min(start + BATCH, len(asked))):
        try:
            known.append(asked.image(number))
            truth.append(asked.truth[number])
        except (Fault, OSError):
            skipped += 1
    small = np.zeros((len(known), THUMBNAIL, THUMBNAIL, 3), np.uint8)
    for place, image in enumerate(known):
        small[place] = np.asarray(image.resize((THUMBNAIL, THUMBNAIL)))
    cosine = np.zeros((0, len(asked.labels)), np.float32)
    if known:
        pictures = _features(backbone, network, known, (asked.name, start))
        cosine = (pictures @ texts(network, asked.labels, templates).T).numpy()
    return Part(cosine, np.array(truth, np.int32), small, skipped)


def _features(
    backbone: Backbone, network: ZeroShot, pictures: Sequence[Image.Image], key: tuple[str, int]
) -> torch.Tensor:  # fmt: skip
    """As `image_features`, kept under (name of a set, first picture) where the set has a name."""
    kept = _kept.setdefault(network, OrderedDict())
    if key not in kept or not key[0]:
        kept[key] = image_features(network, [backbone.pixels(picture) for picture in pictures])
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return kept[key]


def image_features(network: ZeroShot, pixels: Sequence[torch.Tensor]) -> torch.Tensor:
    """Unit vectors (images, channels) of pixels (3, height, width) each, in slices, on the CPU."""
    slices = Slices(BATCH, len(pixels))
    return torch.cat([*slices(pixels, lambda some: lent.image_features(network, torch.stack([*some])))])


def texts(network: ZeroShot, labels: Sequence[str], templates: Sequence[str]) -> torch.Tensor:
    """Unit vectors (labels, channels) on the CPU, over all templates."""
    found = text_features(network, filled(templates, labels))
    return ensemble(found.unflatten(0, (len(templates), len(labels))))


@dataclass(frozen=True)
class Score:
    """right, count, low, high: accuracy as a count with its 95 % interval; confusion: (labels, labels) truth × said."""

    right: int
    count: int
    low: float
    high: float
    confidence: np.ndarray
    predicted: np.ndarray
    calibration: Calibration
    confusion: np.ndarray


def scored(scores: TextScores, truth: np.ndarray) -> Score:
    """scores: of (pictures, labels). Confidence is the first label's probability by the network's own read-out."""
    shares = scores.probabilities.numpy()
    predicted = scores.cosine.numpy().argmax(-1)
    hit, sure = predicted == truth, shares[np.arange(len(truth)), predicted]
    low, high = wilson(int(hit.sum()), len(truth))
    table = confusion(truth, predicted, shares.shape[1])
    return Score(int(hit.sum()), len(truth), low, high, sure, predicted, calibration(sure, hit), table)


def whole(backbone: Backbone, asked: LabelledSet, templates: Sequence[str]) -> tuple[Score, dict[str, Any]]:
    """The score of the whole set, and arrays and facts of it for a finding. Raises `Fault`."""
    done = list(parts(backbone, asked, templates))
    cosine, truth = (np.concatenate([getattr(one, name) for one in done]) for name in ("cosine", "truth"))
    if not len(truth):
        raise Fault("Pictures: {count} were to be scored, but none could be read; check the files.", count=len(asked))
    network = able(backbone)
    unit = network.text_scores(torch.eye(1), torch.eye(1))
    score = scored(TextScores(torch.from_numpy(cosine), unit.scale, unit.bias, unit.read_out), truth)
    arrays = {
        "set_cosine": cosine, "set_truth": truth, "set_confidence": score.confidence, "set_predicted": score.predicted,
        "set_confusion": score.confusion, "set_bins": np.stack([score.calibration.confidence,
        score.calibration.accuracy, score.calibration.counts]),
    }  # fmt: skip
    return score, {"arrays": arrays, "skipped": sum(one.skipped for one in done)}
