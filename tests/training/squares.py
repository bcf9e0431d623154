"""The smallest dataset that every objective can learn: coloured squares that say where they are, 32 pixels wide."""

from __future__ import annotations

import torch

from training.datasets import Batch
from training.datasets._contract import stream

COLOURS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0), "grey": (0.5, 0.5, 0.5)}


class Squares:
    """A pure function of (seed, step), as every dataset is; with `frozen` every step gives the first batch."""

    classes = tuple(COLOURS)
    captioned = True
    length = None
    skipped = ()

    def __init__(self, side: int = 32, frozen: bool = False) -> None:
        self.side, self.frozen = side, frozen

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        generator = torch.Generator().manual_seed(stream(seed or 0, 0 if self.frozen else step))
        half = self.side // 2
        shade = torch.rand(count, 3, 1, 1, generator=generator) * 0.3
        images = shade.expand(-1, -1, self.side, self.side).clone()
        labels = torch.randint(len(COLOURS), (count,), generator=generator)
        corners = torch.randint(half, (count, 2), generator=generator)
        masks = torch.zeros(count, self.side, self.side, dtype=torch.int8)
        for picture, ((row, column), label) in enumerate(zip(corners.tolist(), labels.tolist(), strict=True)):
            colour = torch.tensor(tuple(COLOURS.values())[label]).view(3, 1, 1)
            images[picture, :, row : row + half, column : column + half] = colour
            masks[picture, row : row + half, column : column + half] = 1
        sides = (corners < half // 2).long()
        concepts = labels * 4 + sides[:, 0] * 2 + sides[:, 1]
        captions = tuple(
            f"a {self.classes[label]} square, {'top' if top else 'bottom'} {'left' if left else 'right'}"
            for label, (top, left) in zip(labels.tolist(), sides.tolist(), strict=True)
        )
        return Batch(
            images.to(device), masks=masks.to(device), labels=labels.to(device), concepts=concepts.to(device),
            captions=captions,
        )  # fmt: skip
