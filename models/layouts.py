"""Vectors on a plane by their neighbourhoods: t-SNE and UMAP, each by its own library, which need not be installed.

Both keep near points near. Distances between groups, their sizes and the axes mean nothing.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np

from models.faults import Fault

LEAST = 4
"""Points without which there are no neighbourhoods."""

PERPLEXITY = 30.0
"""Effective neighbours of a point in t-SNE (van der Maaten and Hinton 2008), less where there are few points."""

NEIGHBOURS = 15
"""Neighbours of a point in UMAP (McInnes et al. 2018, arXiv 1802.03426), its authors' default."""

SPREAD = 0.1
"""Least distance of points on UMAP's plane, its authors' default."""

SEED = 0


def laid_out(vectors: np.ndarray, method: Literal["tsne", "umap"]) -> tuple[np.ndarray, dict[str, float]]:
    """Places (vectors, 2) of (vectors, channels) by cosine, the same every time, and the settings that made them."""
    return (_tsne if method == "tsne" else _umap)(vectors)


def _tsne(vectors: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    try:
        from sklearn.manifold import TSNE
    except ImportError as missing:
        raise _not_installed("t-SNE", "scikit-learn") from missing
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    layout = TSNE(metric="cosine", perplexity=perplexity, init="random", random_state=SEED)
    return np.asarray(layout.fit_transform(vectors), np.float32), {"perplexity": perplexity}


def _umap(vectors: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a parametric variant that is not meant, and of compiled code
            from umap import UMAP  # pyright: ignore[reportMissingImports]
    except ImportError as missing:
        raise _not_installed("UMAP", "umap-learn") from missing
    neighbours = min(NEIGHBOURS, len(vectors) - 1)
    kind: Any = UMAP
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a fixed seed means one thread
        layout = kind(metric="cosine", n_neighbors=neighbours, min_dist=SPREAD, init="random", random_state=SEED)
        places = layout.fit_transform(vectors)
    return np.asarray(places, np.float32), {"neighbours": neighbours}


def _not_installed(method: str, package: str) -> Fault:
    return Fault(
        "A layout by {method} was asked for, but it is not installed; install the package {package}, or choose "
        "principal components.",
        method=method, package=package,
    )  # fmt: skip
