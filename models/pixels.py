"""How an image becomes what a network reads, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.faults import Fault

Fit = Literal["whole", "crop"]
"""How a picture meets a network's shape: `whole` keeps all of it, `crop` keeps its proportions and cuts the edges."""

LARGEST_SIDE = 4096
"""Pixels; a larger input side is refused before anything is allocated."""


def check_shape(shape: Sequence[int], patch: Sequence[int], only: Sequence[int] | None = None) -> None:
    """Refuses an input of (height, width) pixels that is not whole patches, or not the one shape that can be fed."""
    if only is not None and tuple(shape) != tuple(only):
        raise Fault(
            "An image of {height} × {width} pixels was fed, but this network takes {rows} × {columns} only; "
            "resize it, or open a network that takes any size.",
            height=shape[0], width=shape[1], rows=only[0], columns=only[1],
        )  # fmt: skip
    if any(not length or length % step for length, step in zip(shape, patch, strict=True)):
        raise Fault(
            "An image of {height} × {width} pixels was fed, but both sides must be multiples of the patch's "
            "{patch} pixels; resize it.",
            height=shape[0], width=shape[1], patch=patch[0],
        )  # fmt: skip


@dataclass(frozen=True)
class Pixels:
    """What a network wants to be fed.

    size:           (height, width) in pixels that it was trained at
    patch:          side of a patch in pixels
    multiple:       both sides of an input must be multiples of this (the patch, or the patch times the merging)
    mean, std:      of each colour channel, for rgb in [0, 1]
    interpolation:  how its authors resize
    fixed:          True where no other size than `size` can be fed
    least:          pixels that the shorter side of an input has at least: the coarsest stage must hold one window
    """

    size: tuple[int, int]
    patch: int
    multiple: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear", "nearest", "lanczos"] = "bicubic"
    fixed: bool = False
    least: int = 0

    def shape(self, image: tuple[int, int], side: int | None = None) -> tuple[int, int]:
        """(height, width) in pixels that an image of (height, width) is fed at, its longer side about `side` pixels;
        where no side is asked for, the network's own, or more where the shorter one would have less than `least`."""
        if self.fixed:
            if side not in (None, *self.size):
                raise Fault(
                    "Input size {side} was asked for, but this network takes {height} × {width} only; "
                    "leave the size as it is.",
                    side=side, height=self.size[0], width=self.size[1],
                )  # fmt: skip
            return self.size
        side = max(*self.size, ceil(self.least * max(image) / min(image))) if side is None else side
        if isinstance(side, bool) or not self.multiple <= side <= LARGEST_SIDE:
            raise Fault(
                "Input size {side} was asked for, but this network takes {least} to {most} pixels; "
                    "choose a size in between.",
                side=side, least=self.multiple, most=LARGEST_SIDE,
            )  # fmt: skip
        factor = side / max(image)
        height, width = (max(1, round(length * factor / self.multiple)) * self.multiple for length in image)
        return height, width

    def grid(self, shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, columns) of patches in an input of (height, width) pixels."""
        return shape[0] // self.patch, shape[1] // self.patch

    def __call__(self, image: Image.Image, side: int | None = None, fit: Fit = "whole") -> Tensor:
        """RGB image to normalised pixels (3, height, width). `whole` stretches by less than half a multiple, or to
        the network's one shape where it is fixed."""
        height, width = self.shape((image.height, image.width), side)
        resample = Image.Resampling[self.interpolation.upper()]
        if fit == "crop":
            from PIL import ImageOps

            resized = ImageOps.fit(image, (width, height), resample)
        else:
            resized = image.resize((width, height), resample)
        rgb = torch.from_numpy(np.asarray(resized, dtype=np.float32).copy() / 255).permute(2, 0, 1)
        return (rgb - self._channel(self.mean)) / self._channel(self.std)

    def rgb(self, pixels: Tensor) -> np.ndarray:
        """Normalised pixels (3, height, width) back to uint8 (height, width, 3)."""
        rgb = pixels.detach().float().cpu() * self._channel(self.std) + self._channel(self.mean)
        return (rgb.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()

    @staticmethod
    def _channel(values: tuple[float, float, float]) -> Tensor:
        return torch.tensor(values).view(3, 1, 1)
