"""The nearest of many unit vectors to one: every one compared, or only those in the nearest cells of a partition.

Exact search costs one product of (vectors, channels) with (channels,); it is what is meant wherever nothing else is
said. Beyond `EXACT` vectors an inverted file (Sivic and Zisserman 2003; Johnson et al. 2017, arXiv 1702.08734) compares
the vectors of a few cells only and may miss a nearer one in another: that is faiss, which need not be installed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.faults import Fault

EXACT = 100_000
"""Vectors up to which all are compared."""

PROBED = 16
"""One cell in so many is searched."""

ROUNDS, SAMPLE = 10, 64
"""Of k-means: how often centres move, and vectors for each centre that they are found from."""


def best(cosines: np.ndarray, count: int, without: int | None = None) -> np.ndarray:
    """Rows (count,) of greatest cosine, best first, equal ones in their own order.

    cosines: (vectors,) in [-1, 1]; without: row that is left out, such as the query's own
    """
    if without is not None:
        cosines = cosines.copy()
        cosines[without] = -np.inf
    least = np.partition(cosines, len(cosines) - count)[len(cosines) - count]
    rows = np.flatnonzero(cosines >= least)
    return rows[np.argsort(-cosines[rows], kind="stable")][:count]


@dataclass(frozen=True)
class Cells:
    """Unit vectors in cells around centres that k-means found.

    cells:   count of centres, about the square root of the count of vectors
    probed:  cells whose vectors are compared with a query, the nearest ones
    """

    cells: int
    probed: int
    index: Any
    parameters: Any

    @property
    def bytes(self) -> int:
        return 4 * self.index.ntotal * self.index.d

    def nearest(self, query: np.ndarray, count: int, without: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Rows (count,) as by `best` and their cosines, among the vectors of the probed cells.

        query: (channels,) unit. Where the cells hold fewer vectors than are wanted, more cells are probed.
        """
        asked, probed = count + (without is not None), self.probed
        while True:
            told = self.parameters(nprobe=probed)
            found = self.index.search(np.ascontiguousarray(query[None], np.float32), asked, params=told)
            cosines, rows = (part[0] for part in found)
            if (rows >= 0).all() or probed >= self.cells:
                break
            probed = min(2 * probed, self.cells)
        kept = (rows >= 0) & (rows != (-1 if without is None else without))
        return rows[kept][:count], cosines[kept][:count]


def cells(vectors: np.ndarray) -> Cells:
    """Partition `vectors` (vectors, channels). Raises `Fault` where faiss is not installed."""
    try:
        import faiss
    except ImportError as missing:
        raise Fault(
            "{count} pictures were to be searched by faiss, but it is not installed; install the package faiss-cpu, or "
            "ask for exact search.",
            count=len(vectors),
        ) from missing
    library: Any = faiss  # its Python face is generated, without types
    count = max(1, round(math.sqrt(len(vectors))))
    channels = vectors.shape[1]
    index = library.IndexIVFFlat(library.IndexFlatIP(channels), channels, count, library.METRIC_INNER_PRODUCT)
    index.cp.spherical, index.cp.seed, index.cp.niter = True, 0, ROUNDS
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, SAMPLE
    index.train(vectors)
    index.add(vectors)
    return Cells(count, max(1, math.ceil(count / PROBED)), index, library.SearchParametersIVF)
