"""What a network knows of pictures that it never learns from, measured while it learns: the validation part."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from training.averaging import averaged
from training.datasets import Dataset
from training.engine import Progress, Snapshot
from training.features import at_once, parts
from training.objective import Judged, Objective, Remembers
from training.recipe import Recipe, dataset
from training.shown import SEED

MOST = 512
"""Pictures of the part that are looked at, the same each time: a 95 % interval reaches 4 points to either side."""

NAMES = {"loss": "validation loss", "accuracy": "validation accuracy"}
"""What curves call that which an objective is judged by."""


class HeldOut:
    """The validation part of a recipe's pictures. Raises `Fault` where there is none."""

    def __init__(self, made: Recipe, objective: Objective) -> None:
        self.objective, self.every = objective, made.engine.measure_every
        apart: Dataset = dataset(made, "validation")
        self.images = objective.remembered(apart) if isinstance(objective, Remembers) else apart
        self.size = at_once(made.picture_side)
        self.count = MOST if apart.length is None else min(MOST, apart.length)

    def due(self, progress: Progress) -> bool:
        return progress.share == 1 or progress.step % self.every == 0

    def figures(self, snapshot: Snapshot) -> Mapping[str, float]:
        """By `NAMES`, means over the pictures, of the weights that a run publishes; learning goes on as if nobody
        had asked."""
        objective, module = self.objective, self.objective.module
        assert isinstance(objective, Judged)
        device, total = next(module.parameters()).device, dict[str, float]()
        with averaged(module, snapshot), torch.no_grad():
            module.eval()
            for place, part in enumerate(parts(self.count, self.size, "validation part")):
                count = part.stop - part.start
                batch = self.images.batch(place, seed=SEED, count=self.size, device=device)[:count]
                for name, value in objective.judge(batch).items():
                    total[name] = total.get(name, 0.0) + float(value) * count / self.count
            module.train()
        return {NAMES[name]: value for name, value in total.items()}
