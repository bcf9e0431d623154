"""Several datasets that take turns, a batch each, for objectives that ask for nothing but pictures or captions."""

from __future__ import annotations

import torch

from models.faults import Fault
from training.datasets import Batch, Dataset, Skipped


class Mixture:
    """Batch i is batch i // n of dataset i mod n. Classes are kept only where all parts have the same ones."""

    length = None

    def __init__(self, parts: tuple[Dataset, ...]) -> None:
        self.parts = parts
        named = {tuple(part.classes) for part in parts}
        self.classes: tuple[str, ...] = named.pop() if len(named) == 1 else ()
        self.captioned = all(part.captioned for part in parts)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return tuple(entry for part in self.parts for entry in part.skipped)

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        turn, place = divmod(step, len(self.parts))
        if seed is None:
            raise Fault("Pictures in stored order were asked of several datasets at once; name one of them.")
        return self.parts[place].batch(turn, seed=seed, count=count, device=device)
