"""Whether probabilities mean what they say: how often the first label is right, and how sure the network was of it.

Guo et al. 2017, arXiv 1706.04599, equations 2 to 4: predictions fall into bins of equal width by their confidence; in
each, the share of right ones stands against the mean confidence. Interval of a share: Wilson 1927.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Of some predictions.

    counts:      (bins,) predictions whose confidence lies in each bin; the last bin holds 1 as well
    confidence:  (bins,) mean confidence in [0, 1], 0 in empty bins
    accuracy:    (bins,) share of right predictions, 0 in empty bins
    error:       expected calibration error: |accuracy − confidence|, weighted by the bins' predictions
    """

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    error: float


def calibration(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Calibration:
    """confidence: (predictions,) in [0, 1]; right: (predictions,) bool."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = np.maximum(counts, 1)
    sure = np.bincount(place, confidence, bins) / filled
    hit = np.bincount(place, right.astype(float), bins) / filled
    return Calibration(counts, sure, hit, float((counts * np.abs(hit - sure)).sum() / max(1, len(right))))


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of the share `right` of `count`, inside [0, 1] even where all or none are right."""
    share, spread = right / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def confusion(truth: np.ndarray, predicted: np.ndarray, labels: int) -> np.ndarray:
    """(labels, labels) int: row i, column j counts pictures of label i that were called j."""
    return np.bincount(truth * labels + predicted, minlength=labels * labels).reshape(labels, labels)
