"""Painting many pictures at once: drawings with alpha are laid over backgrounds as tensors, masks kept.

One picture at a time with an imaging library would be slower than the network that learns from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 3
"""A drawing is kept at 64, 32 and 16 pixels, lest interpolation skip pixels of one that is shown small."""

CHUNK = 256
"""Drawings that are in floating point at a time (17 MB)."""


def pyramid(rgba: Tensor) -> tuple[Tensor, ...]:
    """Drawings (drawings, 4, rows, columns) uint8 and their halvings, colours premultiplied by alpha.

    Premultiplied, neither halving nor interpolation bleeds the colour of what is invisible.
    """
    levels = [rgba]
    for _ in range(LEVELS - 1):
        halves = [F.avg_pool2d(part.float(), 2).round().to(torch.uint8) for part in levels[-1].split(CHUNK)]
        levels.append(torch.cat(halves))
    return tuple(levels)


@dataclass(frozen=True)
class Pose:
    """How things stand in the frame, one of each picture.

    centres:   (things, 2) row and column as shares of the frame
    sizes:     (things,) the thing's side as a share of the frame's
    angles:    (things,) radians, counter-clockwise
    mirrored:  (things,) bool, left and right exchanged
    """

    centres: Tensor
    sizes: Tensor
    angles: Tensor
    mirrored: Tensor

    def __getitem__(self, part: Tensor) -> Pose:
        return Pose(**{field.name: getattr(self, field.name)[part] for field in fields(self)})

    def to(self, device: torch.device) -> Pose:
        return Pose(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


class Canvas:
    """Square pictures being painted. Later paint lies over earlier paint, in the picture as in the mask.

    Held as rows of red, green, blue and object number, one row a pixel: a window of a picture is then one list of rows.
    """

    def __init__(self, background: Tensor) -> None:
        """`background` (images, 3, side, side) float32 in [0, 1]."""
        self.count, _, self.side, _ = background.shape
        bare = background.new_zeros(self.count, 1, self.side, self.side)
        self.pixels = torch.cat([background, bare], dim=1).permute(0, 2, 3, 1).reshape(-1, 4)
        self.painted = 0

    @property
    def images(self) -> Tensor:
        """(images, 3, side, side) float32 in [0, 1]"""
        return self._whole()[..., :3].permute(0, 3, 1, 2).contiguous().clamp_(0, 1)

    @property
    def masks(self) -> Tensor:
        """(images, side, side) int8, 0 where the background shows"""
        return self._whole()[..., 3].to(torch.int8)

    def _whole(self) -> Tensor:
        return self.pixels.view(self.count, self.side, self.side, 4)

    def paint(self, levels: tuple[Tensor, ...], which: Tensor, pose: Pose) -> None:
        """Lays the drawings `which` of a pyramid over the first `len(which)` pictures, one over each.

        Only a window around each is touched, and those that are read from the same level share its size.
        """
        self.painted += 1
        device = self.pixels.device
        shown = pose.sizes * self.side
        level = (levels[0].shape[-1] / shown.clamp(min=1)).log2().round().clamp(0, len(levels) - 1).long()
        for number in level.unique().tolist():
            here = (level == number).nonzero().squeeze(1)
            reach = float(shown[here].max()) * math.sqrt(2) + 2
            source = levels[number][which[here]].to(device).float() / 255
            self._lay(here.to(device), source, pose[here].to(device), min(self.side, int(reach)))

    def _lay(self, here: Tensor, source: Tensor, pose: Pose, window: int) -> None:
        """Interpolates `source` (things, 4, rows, columns) over a square window of each picture `here`."""
        corner = (pose.centres * self.side - window / 2).round().clamp(0, self.side - window)
        steps = torch.arange(window, device=here.device)
        rows, columns = (corner[:, axis, None].long() + steps for axis in (0, 1))
        layer = F.grid_sample(source, _grid(rows, columns, pose, self.side), mode="bilinear", align_corners=False)
        spot = (((here[:, None] * self.side + rows) * self.side)[:, :, None] + columns[:, None, :]).flatten()
        self.pixels[spot] = self._over(self.pixels[spot], layer.permute(0, 2, 3, 1).reshape(-1, 4))

    def _over(self, below: Tensor, layer: Tensor) -> Tensor:
        """Premultiplied `layer` (pixels, 4) over `below`; the thing owns a pixel of which it covers more than half."""
        alpha = layer[:, 3:]
        mixed = torch.addcmul(layer, 1 - alpha, below)
        mixed[:, 3:] = torch.where(alpha > 0.5, self.painted, below[:, 3:])
        return mixed

    def cover(self, rgb: Tensor, alpha: Tensor) -> None:
        """Lays plain colours `rgb` (things, 3) over the first pictures where `alpha` (things, side, side) says."""
        self.painted += 1
        below = self._whole()[: len(alpha)]
        below[..., :3] += (rgb[:, None, None, :] - below[..., :3]) * alpha[..., None]
        below[..., 3].masked_fill_(alpha > 0.5, self.painted)


def _grid(rows: Tensor, columns: Tensor, pose: Pose, side: int) -> Tensor:
    """Where each pixel of a window lies in the drawing: (things, rows, columns, 2), x then y in [-1, 1]."""
    half = pose.sizes[:, None] / 2
    down = ((rows + 0.5) / side - pose.centres[:, :1]) / half
    across = ((columns + 0.5) / side - pose.centres[:, 1:]) / half
    cosine, sine = pose.angles.cos()[:, None], pose.angles.sin()[:, None]
    flip = 1 - 2 * pose.mirrored[:, None, None].float()
    x = flip * ((cosine * across)[:, None, :] - (sine * down)[:, :, None])
    y = (sine * across)[:, None, :] + (cosine * down)[:, :, None]
    return torch.stack([x, y], dim=3)


def boxes_of(masks: Tensor, objects: int) -> Tensor:
    """The tight box of what is visible of each object: (images, objects, 4) float32.

    First row, first column, last row + 1, last column + 1, in pixels; zeros where nothing of an object is visible.
    """
    count, rows, columns = masks.shape
    number = masks.long()
    in_row = number.new_zeros(count, rows, objects + 1, dtype=torch.uint8).scatter_(2, number, 1)[..., 1:]
    in_column = number.new_zeros(count, columns, objects + 1, dtype=torch.uint8).scatter_(2, number.mT, 1)[..., 1:]
    (top, bottom), (left, right) = _ends(in_row), _ends(in_column)
    return torch.stack([top, left, bottom, right], dim=2).float() * in_row.any(1)[..., None]


def _ends(present: Tensor) -> tuple[Tensor, Tensor]:
    """First, and last + 1, along the second axis."""
    return present.argmax(1), present.shape[1] - present.flip(1).argmax(1)
