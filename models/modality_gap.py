"""How far apart pictures and texts lie in the space that they share, and the plane on which both are best seen.

Liang et al. 2022, arXiv 2203.02053: a network trained to match pictures with texts keeps the two in separate cones. The
gap is the difference of the two centroids, Δ = mean of picture vectors − mean of text vectors (section 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Gap:
    """length:     ‖Δ‖ of unit vectors, 0 where the centroids coincide, at most 2
    direction:  Δ itself, (channels,)
    centres:    (2, channels) centroids of pictures and of texts
    matched:    mean cosine of a picture with its own text
    others:     mean cosine of a picture with all other texts
    pictures, texts:  mean cosine of two different pictures, of two different texts
    """

    length: float
    direction: np.ndarray
    centres: np.ndarray
    matched: float
    others: float
    pictures: float
    texts: float


def gap(pictures: np.ndarray, texts: np.ndarray, own: np.ndarray) -> Gap:
    """Of unit vectors (pictures, channels) and (texts, channels); `own`: (pictures,) text of each picture, -1 if none.

    Pictures without a text of their own count for everything but `matched` and `others`.
    """
    centres = np.stack([pictures.mean(0), texts.mean(0)])
    told = own >= 0
    cosines = pictures[told] @ texts.T
    matched = cosines[np.arange(len(cosines)), own[told]]
    rest = cosines.sum() - matched.sum()
    return Gap(
        length=float(np.linalg.norm(centres[0] - centres[1])), direction=centres[0] - centres[1], centres=centres,
        matched=float(matched.mean()) if len(matched) else float("nan"),
        others=float(rest / max(1, cosines.size - len(matched))) if len(matched) and len(texts) > 1 else float("nan"),
        pictures=_alike(pictures), texts=_alike(texts),
    )  # fmt: skip


def _alike(vectors: np.ndarray) -> float:
    """Mean cosine of two different rows: n² means of products, less the n rows with themselves."""
    count = len(vectors)
    if count < 2:
        return float("nan")
    return float((np.square(vectors.sum(0)).sum() - np.square(vectors).sum()) / (count * (count - 1)))


@dataclass(frozen=True)
class Plane:
    """places:     (vectors, 2) along the two components
    explained:  (2,) share of the variance along each
    components: (2, channels) unit; mean: (channels,) that was taken off first
    """

    places: np.ndarray
    explained: np.ndarray
    components: np.ndarray
    mean: np.ndarray


def principal_plane(vectors: np.ndarray) -> Plane:
    """First two principal components of (vectors, channels). Sign: the entry of greatest size is positive."""
    mean = vectors.mean(0)
    centred = vectors - mean
    _, sizes, components = np.linalg.svd(centred, full_matrices=False)
    components = components[:2]
    largest = np.take_along_axis(components, np.abs(components).argmax(1)[:, None], axis=1)
    components = components * np.where(largest < 0, -1, 1)
    shares = np.square(sizes)[:2] / max(float(np.square(sizes).sum()), np.finfo(np.float32).tiny)
    missing = 2 - len(components)
    components = np.pad(components, ((0, missing), (0, 0)))
    return Plane(centred @ components.T, np.pad(shares, (0, missing)), components, mean)


def gap_plane(vectors: np.ndarray, direction: np.ndarray) -> Plane:
    """The plane on which the gap is seen whole: `direction` (channels,), and what varies most at right angles to it."""
    mean = vectors.mean(0)
    centred = vectors - mean
    along = direction / max(float(np.linalg.norm(direction)), np.finfo(np.float32).tiny)
    rest = principal_plane(centred - np.outer(centred @ along, along)).components[0]
    components = np.stack([along, rest])
    places = centred @ components.T
    shares = np.square(places).sum(0) / max(float(np.square(centred).sum()), np.finfo(np.float32).tiny)
    return Plane(places, shares, components, mean)
