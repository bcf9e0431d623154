"""Full-bleed backgrounds, many at once: gradients, clouds, patterns, and pieces of the bundled photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.faults import Fault

PHOTOGRAPHS = Path(__file__).parents[2] / "assets" / "pictures"
ROOM = 1.6
"""A photograph's shorter side over the frame's: how far a piece can be chosen from it."""


def hsv(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Colours (..., 3) from hue, saturation and value, each in [0, 1]."""
    sextant = (hue[..., None] * 6 + torch.tensor([5.0, 3.0, 1.0])) % 6
    return value[..., None] * (1 - saturation[..., None] * torch.minimum(sextant, 4 - sextant).clamp(0, 1))


def colours(count: int, generator: torch.Generator) -> Tensor:
    """Two colours a picture that differ enough to see, neither of them loud: (pictures, 2, 3)."""
    draw = torch.rand(count, 2, 3, generator=generator)
    value = 0.3 + 0.7 * draw[..., 2]
    value[:, 1] = torch.where((value[:, 0] - value[:, 1]).abs() < 0.15, 1.15 - value[:, 0], value[:, 1])
    return hsv(draw[..., 0], 0.65 * draw[..., 1], value.clamp(0.15, 1))


def mixed(share: Tensor, ends: Tensor) -> Tensor:
    """`share` (pictures, rows, columns) in [0, 1] between two `ends` (pictures, 2, 3): (pictures, 3, rows, columns)."""
    first, second = ends[:, 0, :, None, None], ends[:, 1, :, None, None]
    return first + share[:, None] * (second - first)


def waves(count: int, side: int, device: torch.device | str, generator: torch.Generator, cycles: float) -> Tensor:
    """A phase that grows along a random direction: (pictures, rows, columns), in cycles."""
    angle = torch.rand(count, generator=generator) * 2 * torch.pi
    rate = (1 + torch.rand(count, generator=generator) * (cycles - 1)) if cycles > 1 else torch.ones(count)
    line = torch.linspace(-0.5, 0.5, side, device=device)
    along = (angle.sin() * rate).to(device)[:, None, None] * line[:, None]
    return along + (angle.cos() * rate).to(device)[:, None, None] * line


def gradients(count: int, side: int, device: torch.device | str, generator: torch.Generator) -> Tensor:
    """One colour turns into another along a line."""
    ends = colours(count, generator).to(device)
    return mixed((waves(count, side, device, generator, 1) + 0.5).clamp(0, 1), ends)


def clouds(count: int, side: int, device: torch.device | str, generator: torch.Generator) -> Tensor:
    """Smooth noise of three scales between two colours, as marble, sand or sky have it."""
    ends = colours(count, generator).to(device)
    share = torch.zeros(count, 1, side, side, device=device)
    for cells, strength in ((3, 0.5), (7, 0.3), (16, 0.15)):
        noise = torch.rand(count, 1, cells, cells, generator=generator).to(device)
        share += strength * F.interpolate(noise, size=(side, side), mode="bicubic", align_corners=False)
    low, high = share.amin((2, 3), keepdim=True), share.amax((2, 3), keepdim=True)
    return mixed(((share - low) / (high - low)).squeeze(1), ends)


def patterns(count: int, side: int, device: torch.device | str, generator: torch.Generator) -> Tensor:
    """Stripes, checks and dots, at any angle."""
    ends = colours(count, generator).to(device)
    one = (waves(count, side, device, generator, 9) * 2 * torch.pi).sin()
    two = (waves(count, side, device, generator, 9) * 2 * torch.pi).sin()
    kind = torch.randint(3, (count,), generator=generator).to(device)[:, None, None]
    height = torch.where(kind == 0, one, torch.where(kind == 1, one * two * 3, one + two - 0.8))
    return mixed((0.5 + 4 * height).clamp(0, 1), ends)


class Backgrounds:
    """Backgrounds for one size. Photographs are used where `assets/pictures/` has any that can be read.

    A third of the photographs is kept from training, so that a test is not on remembered backgrounds.
    """

    def __init__(self, side: int, training: bool, folder: Path = PHOTOGRAPHS) -> None:
        self.side = side
        files = sorted(file for file in folder.glob("*") if file.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
        self.photographs = [
            photograph
            for number, file in enumerate(files)
            if (number % 3 != 2) == training and (photograph := read(file, round(ROOM * side))) is not None
        ]

    def draw(self, count: int, device: torch.device | str, generator: torch.Generator) -> Tensor:
        """(pictures, 3, rows, columns) float32 in [0, 1], each kind about equally often."""
        makers = [gradients, clouds, patterns, *([self.pieces] if self.photographs else [])]
        kinds = torch.randint(len(makers), (count,), generator=generator)
        whole = torch.empty(count, 3, self.side, self.side, device=device)
        for number, make in enumerate(makers):
            here = (kinds == number).nonzero().squeeze(1)
            if len(here):
                whole[here.to(device)] = make(len(here), self.side, device, generator).clamp(0, 1)
        return whole

    def pieces(self, count: int, side: int, device: torch.device | str, generator: torch.Generator) -> Tensor:
        """Random pieces of the photographs, some mirrored, each brighter or darker."""
        chosen = torch.randint(len(self.photographs), (count,), generator=generator).tolist()
        places = torch.rand(count, 2, generator=generator).tolist()
        mirrored = torch.rand(count, generator=generator).lt(0.5).tolist()
        gain = (0.6 + 0.6 * torch.rand(count, generator=generator)).to(device)
        pieces = []
        for number, (down, across), mirror in zip(chosen, places, mirrored, strict=True):
            photograph = self.photographs[number]
            top, left = int(down * (photograph.shape[1] - side)), int(across * (photograph.shape[2] - side))
            piece = photograph[:, top : top + side, left : left + side]
            pieces.append(piece.flip(2) if mirror else piece)
        return torch.stack(pieces).to(device).float() / 255 * gain[:, None, None, None]


def read(file: Path, shorter: int) -> Tensor | None:
    """A photograph reduced to a `shorter` side: (3, rows, columns) uint8, or None where it cannot be read."""
    from models.image import open_image

    try:
        picture = open_image(file)
    except Fault:
        return None
    scale = shorter / min(picture.size)
    picture = picture.resize((max(shorter, round(picture.width * scale)), max(shorter, round(picture.height * scale))))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()
