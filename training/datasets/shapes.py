"""Coloured shapes and how they stand to one another: endless, exact, learnt in minutes, made for live lectures.

One object is told with its place, two with their relation, more as a list. A quarter of the combinations of colour and
shape is never trained on, though every colour and every shape is: to name those is true zero-shot.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.faults import Fault
from training import captions
from training.datasets._contract import Batch, Found, Skipped, Source, Split, stream
from training.datasets._layout import Layout, layout
from training.datasets._paint import Canvas, Pose, boxes_of
from training.datasets._silhouettes import coverage
from training.datasets.emoji import languages
from training.shapes import COLOURS, SHAPES, phrase, placed, related

MOST = 5


def combinations(split: Split) -> tuple[int, ...]:
    """Coloured shapes that may appear: two diagonals of the table are held out, and nothing but these is tested.

    Validation and test share them, in other pictures: on one diagonal alone a colour would tell its shape.
    """
    table = [(colour, shape) for colour in range(len(COLOURS)) for shape in range(len(SHAPES))]
    return tuple(
        colour * len(SHAPES) + shape for colour, shape in table if ((colour + shape) % 4 == 0) == (split != "train")
    )


def chosen(split: Split, count: int, most: int, generator: torch.Generator) -> Tensor:
    """Different combinations for the objects of each picture: (pictures, objects) int64."""
    allowed = torch.tensor(combinations(split))
    return allowed[torch.rand(count, len(allowed), generator=generator).argsort(1)[:, :most]]


def chosen_alike(split: Split, count: int, most: int, alike: int, generator: torch.Generator) -> Tensor:
    """The same where `alike` pictures in a row share the colours of their objects, so that colours alone tell nothing.

    Hard negatives: without them CLIP tells pictures apart by colour long before it looks at shapes and places.
    """
    allowed = torch.tensor(combinations(split)).view(len(COLOURS), -1)
    colours = torch.rand(-(-count // alike), len(COLOURS), generator=generator).argsort(1)[:, :most]
    colours = colours.repeat_interleave(alike, dim=0)[:count]
    return allowed[colours, torch.randint(allowed.shape[1], colours.shape, generator=generator)]


class Shapes:
    """One to five coloured shapes over a plain or a softly shaded field."""

    captioned = True
    length = None
    skipped: tuple[Skipped, ...] = ()

    def __init__(self, source: Source) -> None:
        self.source = source
        fewest, most = source.objects
        if not 1 <= fewest <= most <= MOST:
            raise Fault(
                "Between {fewest} and {most} objects in a picture were asked for; ask for one to {limit}.",
                fewest=fewest, most=most, limit=MOST,
            )  # fmt: skip
        self.classes = tuple(shape.nominative if source.language == "ru" else shape.english for shape in SHAPES)

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        """The `step`-th batch; labels and objects count shapes, and the first object is the largest."""
        generator = torch.Generator().manual_seed(stream(seed or 0, step))
        plan = layout(count, self.source.objects, generator, self.source.smallest)
        kinds = self._kinds(count, plan.sizes.shape[1], generator)
        canvas = Canvas(_field(count, self.source.side, device, generator))
        for slot in range(kinds.shape[1]):
            _paint(canvas, kinds[:, slot], plan.pose(slot))
        objects = (kinds % len(SHAPES)).masked_fill(~plan.present, -1)
        told = _tell(plan, kinds, self.source.language, generator)
        masks = canvas.masks
        return Batch(
            images=canvas.images,
            masks=masks,
            boxes=boxes_of(masks, kinds.shape[1]),
            labels=objects[:, 0].to(device),
            objects=objects.to(device),
            concepts=torch.tensor([number for number, _ in told], device=device),
            captions=tuple(text for _, text in told),
        )

    def _kinds(self, count: int, most: int, generator: torch.Generator) -> Tensor:
        if self.source.alike > 1:
            return chosen_alike(self.source.split, count, most, self.source.alike, generator)
        return chosen(self.source.split, count, most, generator)


def _paint(canvas: Canvas, kinds: Tensor, pose: Pose) -> None:
    """Lays a coloured shape over each of the first pictures, as many as there are poses."""
    kinds = kinds[: len(pose.sizes)]
    alpha = coverage((kinds % len(SHAPES)).to(canvas.pixels.device), pose.to(canvas.pixels.device), canvas.side)
    canvas.cover(rgb(kinds).to(canvas.pixels.device), alpha)


def rgb(kinds: Tensor) -> Tensor:
    """Red, green, blue of coloured shapes: (shapes, 3) in [0, 1]."""
    return torch.tensor([colour.rgb for colour in COLOURS])[kinds // len(SHAPES)]


def _field(count: int, side: int, device: torch.device | str, generator: torch.Generator) -> Tensor:
    """Greys, light or dark, shaded from top to bottom: no colour that a shape could have."""
    ends = torch.where(
        torch.rand(count, 1, generator=generator) < 0.7,
        0.82 + 0.18 * torch.rand(count, 2, generator=generator),
        0.05 + 0.2 * torch.rand(count, 2, generator=generator),
    ).to(device)
    share = torch.linspace(0, 1, side, device=device)
    grey = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * share
    return grey[:, None, :, None].expand(count, 3, side, side).contiguous()


def _tell(plan: Layout, kinds: Tensor, language: str, generator: torch.Generator) -> list[tuple[int, str]]:
    """What is in each picture: a number that equal meanings share, and the caption."""
    spoken = languages(language, len(kinds), generator)
    swapped = torch.rand(len(kinds), generator=generator).lt(0.5).tolist()
    rows = zip(plan.counts.tolist(), kinds.tolist(), plan.centres.tolist(), spoken, swapped, strict=True)
    return [_told(here[:count], centres, tongue, swap) for count, here, centres, tongue, swap in rows]


def _told(kinds: list[int], centres: list[list[float]], language: str, swapped: bool) -> tuple[int, str]:
    if len(kinds) == 1:
        row, column = (min(2, int(3 * part)) for part in centres[0])
        return _number(1, kinds[0], 3 * row + column), placed(kinds[0], 3 * row + column, language)
    if len(kinds) == 2:
        relation = relation_of(centres[0], centres[1])
        known = (kinds[0], relation, kinds[1])
        turned = (kinds[1], relation ^ 1, kinds[0])
        return _number(2, *min(known, turned)), related(*(turned if swapped else known), language)
    return _number(3, *sorted(kinds)), captions.listed([phrase(kind, language) for kind in kinds], language)


def relation_of(first: list[float], second: list[float]) -> int:
    """Index into `RELATIONS` of how the first centre stands to the second, along the axis on which they differ more."""
    down, across = first[0] - second[0], first[1] - second[1]
    if abs(across) >= abs(down):
        return 0 if across < 0 else 1
    return 2 if down < 0 else 3


def _number(*parts: int) -> int:
    """Digits of base 65, so that different meanings have different numbers (below 65⁶ · 3 < 2³⁸)."""
    number = 0
    for part in parts:
        number = number * 65 + part
    return number


FOUND = Found(
    name="shapes",
    about="Coloured shapes and their relations, endless, with combinations held out for a true zero-shot test.",
    claims=lambda name: name == "shapes",
    opens=Shapes,
    apart="It pairs colours with shapes that training never pairs, so what learnt pairs by heart falls below chance.",
    endless=True,
    reads=("language", "few", "many", "smallest_object", "alike"),
)
