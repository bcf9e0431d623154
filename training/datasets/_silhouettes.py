"""Outlines of the shapes as distances, so that they are sharp and smooth-edged at any size.

Each function takes x (to the right) and y (up) in the shape's own frame, where the shape reaches to about ±1, and gives
the distance to its outline: negative inside, exact at the outline.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.datasets._paint import Pose
from training.shapes import SHAPES


def circle(x: Tensor, y: Tensor) -> Tensor:
    return torch.hypot(x, y) - 0.95


def square(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(x.abs(), y.abs()) - 0.8


def triangle(x: Tensor, y: Tensor) -> Tensor:
    """Equilateral, a corner up."""
    y = y + 0.2
    slope = x.abs() * math.sin(math.pi / 3) + y * 0.5
    return torch.maximum(slope, -y) - 0.55


def star(x: Tensor, y: Tensor) -> Tensor:
    """Five points, one up: folded into half a point, which one straight line bounds."""
    fifth = 2 * math.pi / 5
    angle = torch.atan2(x, y)
    angle = (angle - fifth * torch.round(angle / fifth)).abs()
    radius = torch.hypot(x, y)
    tip, notch = (0.0, 1.0), (0.42 * math.sin(fifth / 2), 0.42 * math.cos(fifth / 2))
    dx, dy = notch[0] - tip[0], notch[1] - tip[1]
    length = math.hypot(dx, dy)
    return (dx * tip[1] - dx * radius * angle.cos() + dy * radius * angle.sin() - dy * tip[0]) / -length


def heart(x: Tensor, y: Tensor) -> Tensor:
    """A square on its corner and a disc on each of its upper sides."""
    y = y + 0.12
    side = 0.55
    tilted = torch.maximum((x + y).abs(), (x - y).abs()) / math.sqrt(2) - side
    centre = side / math.sqrt(2)
    disc = torch.hypot(x.abs() - centre, y - centre) - side
    return torch.minimum(tilted, disc)


def cross(x: Tensor, y: Tensor) -> Tensor:
    """A plus sign."""
    x, y = x.abs(), y.abs()
    return torch.maximum(torch.minimum(x, y) - 0.3, torch.maximum(x, y) - 0.92)


def ring(x: Tensor, y: Tensor) -> Tensor:
    return (torch.hypot(x, y) - 0.7).abs() - 0.24


def crescent(x: Tensor, y: Tensor) -> Tensor:
    """A disc with a disc taken away on its right."""
    return torch.maximum(torch.hypot(x - 0.2, y) - 0.95, 0.78 - torch.hypot(x - 0.68, y))


OUTLINES = (circle, square, triangle, star, heart, cross, ring, crescent)
assert [outline.__name__ for outline in OUTLINES] == [shape.english for shape in SHAPES]


def coverage(shapes: Tensor, pose: Pose, side: int) -> Tensor:
    """Share of each pixel of a frame of `side` pixels that a shape covers: (shapes, rows, columns) in [0, 1].

    `shapes` (shapes,) is an index into `SHAPES`; no shape is mirrored.
    """
    middle = (torch.arange(side, device=shapes.device) + 0.5) / side
    half = (pose.sizes / 2)[:, None, None]
    down = (middle[None, :, None] - pose.centres[:, 0, None, None]) / half
    across = (middle[None, None, :] - pose.centres[:, 1, None, None]) / half
    cosine, sine = pose.angles.cos()[:, None, None], pose.angles.sin()[:, None, None]
    x, y = cosine * across - sine * down, -sine * across - cosine * down
    distance = torch.empty_like(x)
    for number in shapes.unique().tolist():
        here = (shapes == number).nonzero().squeeze(1)
        distance[here] = OUTLINES[number](x[here], y[here])
    return (0.5 - distance * half * side).clamp(0, 1)
