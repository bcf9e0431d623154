"""Augmentation as batched tensor operations on the device: a picture gets its own random numbers, a batch one kernel.

Pictures are (images, 3, rows, columns) float in [0, 1] and stay so. Random numbers come from torch's generators, which
the engine seeds for each step. Brightness, contrast and saturation blend as torchvision does; hue turns the two colour
axes of YIQ, which is linear and needs no branches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

GREY = (0.2989, 0.587, 0.114)
"""Luma weights of ITU-R BT.601, as torchvision rounds them."""

WIDEST = 4 / 3
"""How much wider than high, or higher than wide, a crop may be (arXiv 1409.4842)."""

YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


@dataclass(frozen=True)
class Look:
    """How far colours may move: factors in 1 ± value, hue in turns, the rest probabilities."""

    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.2
    hue: float = 0.1
    jitter: float = 0.8
    grey: float = 0.2
    blur: float = 0.5
    solarise: float = 0.0


def crops(images: Tensor, side: int, *, scale: tuple[float, float], flip: bool = True) -> Tensor:
    """A random rectangle of each picture at (side, side): its area a share in `scale`, its aspect log-uniform.

    A scale of (1, 1) leaves the whole picture as it is, not squeezed to another aspect.
    """
    count, device = images.shape[0], images.device
    area = _uniform(count, *scale, device)
    widest = 0.0 if scale == (1, 1) else math.log(WIDEST)
    aspect = _uniform(count, -widest, widest, device).exp()
    width = (area * aspect).sqrt().clamp(max=1)
    height = (area / aspect).sqrt().clamp(max=1)
    across = _uniform(count, -1, 1, device) * (1 - width)
    down = _uniform(count, -1, 1, device) * (1 - height)
    mirror = torch.where(_chosen(count, 0.5, device), -1.0, 1.0) if flip else torch.ones(count, device=device)
    zero = torch.zeros_like(width)
    frame = torch.stack([width * mirror, zero, across, zero, height, down], dim=1).view(count, 2, 3)
    grid = F.affine_grid(frame, [count, 3, side, side], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def recolour(images: Tensor, look: Look) -> Tensor:
    """Jitter, grey, blur and solarise, each picture by its own draw, in the order of DINO's and SimCLR's authors."""
    count, device = images.shape[0], images.device
    jittered = jitter(
        images,
        _uniform(count, 1 - look.brightness, 1 + look.brightness, device),
        _uniform(count, 1 - look.contrast, 1 + look.contrast, device),
        _uniform(count, 1 - look.saturation, 1 + look.saturation, device),
        _uniform(count, -look.hue, look.hue, device),
    )
    images = _where(_chosen(count, look.jitter, device), jittered, images)
    images = _where(_chosen(count, look.grey, device), luma(images).expand_as(images), images)
    if look.blur:
        blurred = blur(images, _uniform(count, 0.1, 2.0, device) * images.shape[-1] / 224)
        images = _where(_chosen(count, look.blur, device), blurred, images)
    if look.solarise:
        images = _where(_chosen(count, look.solarise, device), solarise(images), images)
    return images


def jitter(images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor) -> Tensor:
    """Each factor is (images,): 1 leaves a picture as it is; hue in turns, 0 leaves it."""
    images = (images * _each(brightness)).clamp(0, 1)
    mean = luma(images).mean(dim=(1, 2, 3), keepdim=True)
    images = torch.lerp(mean, images, _each(contrast)).clamp(0, 1)
    images = torch.lerp(luma(images).expand_as(images), images, _each(saturation)).clamp(0, 1)
    return torch.einsum("nij,njhw->nihw", _turn(hue), images).clamp(0, 1)


def luma(images: Tensor) -> Tensor:
    """(images, 1, rows, columns) grey of each pixel."""
    weights = images.new_tensor(GREY).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur with a deviation in pixels for each picture, (images,); the edge is mirrored."""
    count, channels, rows, columns = images.shape
    reach = max(1, min(math.ceil(3 * float(sigma.max())), rows - 1, columns - 1))
    steps = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (steps / sigma.clamp(min=1e-3).unsqueeze(1)) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = images.reshape(1, count * channels, rows, columns)
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="reflect"), kernel[:, None, None], groups=len(kernel))
    flat = F.conv2d(
        F.pad(flat, (0, 0, reach, reach), mode="reflect"), kernel[:, None, :, None], groups=count * channels
    )
    return flat.view_as(images)


def solarise(images: Tensor, threshold: float = 0.5) -> Tensor:
    """Inverts what is brighter than `threshold`."""
    return torch.where(images >= threshold, 1 - images, images)


def normalise(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """(image - mean) / std, a channel at a time: what a network reads."""
    return (images - images.new_tensor(mean).view(1, 3, 1, 1)) / images.new_tensor(std).view(1, 3, 1, 1)


def _turn(hue: Tensor) -> Tensor:
    """(images, 3, 3) rotation of colours about the grey axis."""
    yiq = hue.new_tensor(YIQ)
    angle = 2 * math.pi * hue
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], dim=1).view(-1, 3, 3)
    return torch.linalg.inv(yiq) @ turn @ yiq


def _uniform(count: int, low: float, high: float, device: torch.device) -> Tensor:
    return torch.rand(count, device=device) * (high - low) + low


def _chosen(count: int, probability: float, device: torch.device) -> Tensor:
    return torch.rand(count, device=device) < probability


def _each(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def _where(chosen: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(_each(chosen), new, old)
