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
from models.feeding import USUAL, Box, Recipe
from models.fit import Fit

Interpolation = Literal["bicubic", "bilinear", "nearest", "lanczos", "box", "hamming"]
"""By Pillow's names."""

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


def of_channels(values: Sequence[float], channels: int) -> tuple[float, ...]:
    """Means or deviations for a network of so many channels: one is every channel's, those of red, green and blue are
    averaged for grey. Raises `Fault` where pictures have no such channels."""
    if channels not in (1, 3):
        raise Fault(
            "The network reads {channels} channels, but pictures have 3, or 1 in grey; choose a network of pictures.",
            channels=channels,
        )
    if len(values) == channels:
        return tuple(values)
    return tuple(values) * channels if len(values) == 1 else (sum(values) / len(values),)


@dataclass(frozen=True)
class Pixels:
    """What a network wants to be fed.

    size:           (height, width) in pixels that it was trained at
    patch:          side of a patch in pixels
    multiple:       both sides of an input must be multiples of this (the patch, or the patch times the merging)
    mean, std:      of each colour channel, for rgb in [0, 1]; of one where the network reads grey
    interpolation:  how its authors resize
    fixed:          True where no other size than `size` can be fed
    least:          pixels that the shorter side of an input has at least: the coarsest stage must hold one window
    recipe:         how its authors feed a picture
    """

    size: tuple[int, int]
    patch: int
    multiple: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: Interpolation = "bicubic"
    fixed: bool = False
    least: int = 0
    recipe: Recipe = USUAL

    @property
    def channels(self) -> int:
        return len(self.mean)

    def shape(self, image: tuple[int, int], side: int | None = None, fit: Fit = "whole") -> tuple[int, int]:
        """(height, width) in pixels that an image of (height, width) is fed at, its longer side about `side` pixels;
        where no side is asked for, the network's own, or more where the shorter one would have less than `least`.
        `trained` keeps the recipe's proportions, whatever the image's are, and scales the recipe to `side`."""
        if self.fixed:
            if side not in (None, *self.size):
                raise Fault(
                    "Input size {side} was asked for, but this network takes {height} × {width} only; "
                    "leave the size as it is.",
                    side=side, height=self.size[0], width=self.size[1],
                )  # fmt: skip
            return self.size
        own = self.recipe.size or self.size
        if side is None:
            side = max(own) if fit == "trained" else max(*self.size, ceil(self.least * max(image) / min(image)))
        if isinstance(side, bool) or not self.multiple <= side <= LARGEST_SIDE:
            raise Fault(
                "Input size {side} was asked for, but this network takes {least} to {most} pixels; "
                    "choose a size in between.",
                side=side, least=self.multiple, most=LARGEST_SIDE,
            )  # fmt: skip
        if fit == "trained":
            return self.recipe.target(image, self._scaled(own, side), self.patch)
        return self._scaled(image, side)

    def _scaled(self, shape: tuple[int, int], side: int) -> tuple[int, int]:
        """About these proportions, the longer side about `side`, both sides multiples."""
        factor = side / max(shape)
        height, width = (max(1, round(length * factor / self.multiple)) * self.multiple for length in shape)
        return height, width

    def box(self, image: tuple[int, int], shape: tuple[int, int], fit: Fit) -> Box:
        """(left, top, right, bottom) of what an image of (height, width) shows of itself in an input of `shape`."""
        height, width = image
        if fit == "trained":
            return self.recipe.box(image, shape)
        if fit == "whole":
            return 0, 0, width, height
        kept = min(height / shape[0], width / shape[1])
        top, left = (height - kept * shape[0]) / 2, (width - kept * shape[1]) / 2
        return left, top, width - left, height - top

    def grid(self, shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, columns) of patches in an input of (height, width) pixels."""
        return shape[0] // self.patch, shape[1] // self.patch

    def __call__(self, image: Image.Image, side: int | None = None, fit: Fit = "whole") -> Tensor:
        """RGB image to normalised pixels (channels, height, width). `whole` stretches by less than half a multiple, or
        to the network's one shape where it is fixed."""
        image = image.convert("L") if self.channels == 1 else image
        height, width = self.shape((image.height, image.width), side, fit)
        resample = Image.Resampling[self.interpolation.upper()]
        if fit == "trained":
            rgb = self.recipe(image, (height, width), resample)
        else:
            box = self.box((image.height, image.width), (height, width), fit)
            resized = np.asarray(image.resize((width, height), resample, box=box), dtype=np.float32) / 255
            rgb = torch.from_numpy(resized).reshape(height, width, self.channels).permute(2, 0, 1)
        return (rgb - self._channel(self.mean)) / self._channel(self.std)

    def rgb(self, pixels: Tensor) -> np.ndarray:
        """Normalised pixels (channels, height, width) back to uint8 (height, width, 3)."""
        rgb = pixels.detach().float().cpu() * self._channel(self.std) + self._channel(self.mean)
        return (rgb.clamp(0, 1) * 255).round().byte().expand(3, -1, -1).permute(1, 2, 0).numpy()

    @staticmethod
    def _channel(values: tuple[float, ...]) -> Tensor:
        return torch.tensor(values).view(-1, 1, 1)
