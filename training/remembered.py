"""Pictures that a network which stays as it is has seen once: afterwards a batch is a look-up."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from training.datasets import Batch, Dataset, Skipped
from training.datasets._contract import order


class Remembered:
    """A finite dataset of the vectors (images, channels) that `seen` makes of pictures (images, 3, rows, columns).

    A picture is seen when it first comes. On the CPU it is seen alone, since the last bit of a sum may depend on how
    many rows pass together, and a resumed run is to be equal bit for bit.
    """

    def __init__(self, images: Dataset, seen: Callable[[Tensor], Tensor]) -> None:
        assert images.length is not None
        self.images, self.seen = images, seen
        self.classes, self.captioned, self.length = images.classes, False, images.length
        self._known = torch.zeros(self.length, dtype=torch.bool)
        self._features = self._labels = torch.empty(0)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return self.images.skipped

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        wanted = order(step, seed=seed, count=count, length=self.length)
        if not self._known[wanted].all():
            self._see(wanted, self.images.batch(step, seed=seed, count=count, device=device))
        features, rows = self._features, wanted.to(self._features.device)
        return Batch(features.new_empty(count, 3, 0, 0), labels=self._labels[rows], features=features[rows])

    def _see(self, wanted: Tensor, batch: Batch) -> None:
        """What is new of `batch`, which holds the pictures `wanted`."""
        assert batch.labels is not None
        places = {row: place for place, row in enumerate(wanted.tolist()) if not self._known[row]}
        fresh = torch.tensor(sorted(places.values()))
        size = 1 if batch.images.device.type == "cpu" else len(fresh)
        found = torch.cat([self.seen(batch.images[part.to(batch.images.device)]) for part in fresh.split(size)])
        if not self._known.any():
            self._features = found.new_zeros(self.length, found.shape[1])
            self._labels = batch.labels.new_zeros(self.length)
        rows = wanted[fresh].to(found.device)
        self._features[rows], self._labels[rows] = found, batch.labels[fresh.to(found.device)]
        self._known[wanted[fresh]] = True
