"""How a network's authors feed a picture: resized, then its middle cut out or set in a border.

timm's evaluation transform (`timm.data.create_transform(…, is_training=False)`) and transformers' image processors as
one recipe that is plain data, so that a page can say what was done and lay a map over what was fed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

Size = tuple[int, int]
Box = tuple[float, float, float, float]

_NEARLY = 1e-9
"""Shares are kept as floats: 224 / (224 / 256) must be 256."""


@dataclass(frozen=True)
class Recipe:
    """resize:  which sides of a picture are brought to the target's: the "shorter" (what is over is cut off), the
             "longer" (what is missing is a border), "both" (proportions are given up), or, as in NaFlex (2502.14786),
             those of as many whole "patches" as the target has at most
    crop:    the input's side over the resized picture's, timm's `crop_pct`: at 0.9 a tenth is cut off
    size:    (height, width) in pixels of the input where the authors state another than the network's own
    by:      who resizes: "pillow"; torch on "bytes", as transformers' processors; or on "floats", as DINOv3's
    border:  of each channel in [0, 1], around what is smaller than the input
    """

    resize: Literal["shorter", "longer", "both", "patches"] = "shorter"
    crop: float = 1.0
    size: Size | None = None
    by: Literal["pillow", "bytes", "floats"] = "pillow"
    border: tuple[float, ...] = (0.0,)

    def target(self, image: Size, size: Size, patch: int) -> Size:
        """(height, width) of the input for an image of (height, width), where a plain one has `size`."""
        return _most_patches(image, patch, size[0] * size[1] // patch**2) if self.resize == "patches" else size

    def resized(self, image: Size, target: Size) -> Size:
        """(height, width) of the picture before its middle is cut out."""
        height, width = (floor(side / self.crop + _NEARLY) for side in target)
        if self.resize in ("both", "patches"):
            return height, width
        if self.resize == "shorter" and (height == width or self.by != "pillow"):
            side = min(height, width)
            factors = [side * length / min(image) for length in image]
            return int(factors[0]), int(factors[1])
        ratios = image[0] / height, image[1] / width
        ratio = min(ratios) if self.resize == "shorter" else max(ratios)
        return round(image[0] / ratio), round(image[1] / ratio)

    def corner(self, resized: Size, target: Size) -> Size:
        """(top, left) of the input within the resized picture; below 0 where a border is added."""
        top, left = (self._start(whole, part) for whole, part in zip(resized, target, strict=True))
        return top, left

    def box(self, image: Size, target: Size) -> Box:
        """(left, top, right, bottom) of what is fed, in pixels of the image."""
        resized = self.resized(image, target)
        top, left = self.corner(resized, target)
        down, across = image[0] / resized[0], image[1] / resized[1]
        return left * across, top * down, (left + target[1]) * across, (top + target[0]) * down

    def __call__(self, image: Image.Image, target: Size, resample: Image.Resampling) -> Tensor:
        """The picture (L or RGB) as it is fed, before mean and deviation: (channels, height, width) in [0, 1]."""
        resized = self.resized((image.height, image.width), target)
        whole = (
            self._by_pillow(image, resized, resample)
            if self._pillow(resample)
            else self._by_torch(image, resized, resample)
        )
        top, left = self.corner(resized, target)
        fed = torch.tensor(self.border).expand(len(whole))[:, None, None].repeat(1, *target)
        inside = [slice(max(0, start), start + side) for start, side in zip((top, left), target, strict=True)]
        part = whole[:, inside[0], inside[1]]
        down, across = max(0, -top), max(0, -left)
        fed[:, down : down + part.shape[1], across : across + part.shape[2]] = part
        return fed

    def _start(self, whole: int, part: int) -> int:
        if part > whole:
            return -((part - whole) // 2)
        return round((whole - part) / 2) if self.by == "pillow" else (whole - part) // 2

    def _pillow(self, resample: Image.Resampling) -> bool:
        """torch has neither of the last two."""
        return self.by == "pillow" or resample in (Image.Resampling.BOX, Image.Resampling.HAMMING)

    @staticmethod
    def _by_pillow(image: Image.Image, size: Size, resample: Image.Resampling) -> Tensor:
        return _tensor(image.resize((size[1], size[0]), resample)).float() / 255

    def _by_torch(self, image: Image.Image, size: Size, resample: Image.Resampling) -> Tensor:
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2.functional import resize

        mode = InterpolationMode.NEAREST_EXACT if resample == 0 else InterpolationMode[resample.name]
        pixels = _tensor(image)
        if self.by == "floats":
            return resize(pixels * (1 / 255), list(size), mode, antialias=True)
        return resize(pixels, list(size), mode, antialias=True).float() / 255


USUAL = Recipe()
"""Where nobody states another: the shorter side, and the middle."""


def framed(image: Image.Image, box: Box, size: Size) -> Image.Image:
    """What lies in the box, as an image of (height, width) pixels; black beyond the image's edges."""
    left, top, right, bottom = box
    beyond = ceil(max(0, -left, -top, right - image.width, bottom - image.height) - _NEARLY)
    whole = ImageOps.expand(image, beyond) if beyond else image
    left, top, right, bottom = (max(0, edge + beyond) for edge in box)
    within = left, top, min(right, whole.width), min(bottom, whole.height)
    return whole.resize((size[1], size[0]), Image.Resampling.BICUBIC, box=within)


def _tensor(image: Image.Image) -> Tensor:
    """uint8 (channels, height, width)."""
    array = np.array(image)
    return torch.from_numpy(array[None] if array.ndim == 2 else array.transpose(2, 0, 1).copy())


def _most_patches(image: Size, patch: int, most: int, precision: float = 1e-5) -> Size:
    """The largest sides of whole patches, rounded up from one factor, that have at most so many of them; found by
    halving, as `Siglip2ImageProcessor` does, to the same precision."""
    low, high = precision / 10, 100.0
    while high - low >= precision:
        factor = (low + high) / 2
        rows, columns = _patches(image, patch, factor)
        low, high = (factor, high) if rows * columns <= most else (low, factor)
    rows, columns = _patches(image, patch, low)
    return rows * patch, columns * patch


def _patches(image: Size, patch: int, factor: float) -> Size:
    rows, columns = (max(1, ceil(side * factor / patch)) for side in image)
    return rows, columns
