"""Scenes: one to five emoji and shapes anywhere, of many sizes, over gradients, textures and photographs.

Endless, with captions of what is there, masks and boxes. Styles, combinations of colour and shape, and photographs that
belong to the validation or the test are never drawn for training.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from training import captions
from training.datasets._backgrounds import Backgrounds
from training.datasets._contract import Batch, Found, Source, Split, stream
from training.datasets._layout import Layout, layout
from training.datasets._paint import Canvas, Pose, boxes_of, pyramid
from training.datasets._silhouettes import coverage
from training.datasets.emoji import SIDE, drawings, languages
from training.datasets.shapes import Shapes, chosen, rgb
from training.shapes import COLOURS, SHAPES, phrase

SHAPE_SHARE = 0.15
"""Share of objects that are coloured shapes instead of emoji."""

SYNONYM_SHARE = 0.25
"""Share of names that give way to a synonym, where synonyms are asked for."""


@lru_cache(maxsize=3)
def styles_of(split: Split) -> Tensor:
    """Drawings of each concept, repeated until all rows are equally long: (concepts, styles) int64."""
    place = drawings(split).concepts.unique(return_inverse=True)[1]
    counts = place.bincount()
    turns = torch.arange(int(counts.max())) % counts[:, None]
    return place.argsort(stable=True)[(counts.cumsum(0) - counts)[:, None] + turns]


@lru_cache(maxsize=3)
def levels_of(split: Split) -> tuple[Tensor, ...]:
    """The pyramid of a split's emoji with every coloured shape after them."""
    kinds = torch.arange(len(COLOURS) * len(SHAPES))
    still = torch.zeros(len(kinds))
    upright = Pose(torch.full((len(kinds), 2), 0.5), still + 0.94, still, still.bool())
    alpha = coverage(kinds % len(SHAPES), upright, SIDE)[:, None]
    drawn = torch.cat([rgb(kinds)[:, :, None, None] * alpha, alpha], dim=1)
    shapes = pyramid((drawn * 255).round().to(torch.uint8))
    return tuple(torch.cat(pair) for pair in zip(drawings(split).levels, shapes, strict=True))


class Scenes(Shapes):
    """Labels and objects count the emoji's subgroups; a coloured shape counts as their "geometric shape"."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.drawings = drawings(source.split)
        self.backgrounds = Backgrounds(source.side, training=source.split == "train")
        self.geometric = self.drawings.classes["en"].index("geometric shape")
        self.classes = self.drawings.classes["ru" if source.language == "ru" else "en"]

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        """The `step`-th batch; the first object is the largest, and later ones lie over earlier ones."""
        generator = torch.Generator().manual_seed(stream(seed or 0, step))
        plan = layout(count, self.source.objects, generator, self.source.smallest)
        things = self._things(count, plan.sizes.shape[1], generator)
        canvas = Canvas(self.backgrounds.draw(count, device, generator))
        self._paint(canvas, plan, things, generator)
        labels = torch.where(things < 0, self.geometric, self.drawings.labels[things.clamp(min=0)])
        objects = labels.masked_fill(~plan.present, -1).to(device)
        masks = canvas.masks
        return Batch(
            images=canvas.images,
            masks=masks,
            boxes=boxes_of(masks, things.shape[1]),
            labels=objects[:, 0],
            objects=objects,
            concepts=self._meanings(things, plan).to(device),
            captions=self._captions(things, plan, generator),
        )

    def _things(self, count: int, slots: int, generator: torch.Generator) -> Tensor:
        """Different things in each picture, (pictures, objects): the number of a drawing, or -1 - combination."""
        styles = styles_of(self.source.split)
        concepts = torch.rand(count, len(styles), generator=generator).topk(slots, dim=1).indices
        emoji = styles[concepts, torch.randint(styles.shape[1], (count, slots), generator=generator)]
        shapes = chosen(self.source.split, count, slots, generator)
        return torch.where(torch.rand(count, slots, generator=generator) < SHAPE_SHARE, -1 - shapes, emoji)

    def _paint(self, canvas: Canvas, plan: Layout, things: Tensor, generator: torch.Generator) -> None:
        mirrored = torch.rand(things.shape, generator=generator) < 0.5
        mirrored &= (things >= 0) & self.drawings.turnable[things.clamp(min=0)]
        numbers = torch.where(things < 0, len(self.drawings.styles) - 1 - things, things)
        for slot in range(things.shape[1]):
            pose = plan.pose(slot, mirrored)
            canvas.paint(levels_of(self.source.split), numbers[: len(pose.sizes), slot], pose)

    def _meanings(self, things: Tensor, plan: Layout) -> Tensor:
        """A number for each picture that depends on the set of its things alone."""
        kinds = torch.where(things < 0, things, self.drawings.concepts[things.clamp(min=0)])
        return torch.tensor(
            [_folded(row[:size]) for row, size in zip(kinds.tolist(), plan.counts.tolist(), strict=True)]
        )

    def _captions(self, things: Tensor, plan: Layout, generator: torch.Generator) -> tuple[str, ...]:
        spoken = languages(self.source.language, len(things), generator)
        ways = torch.randint(6, (len(things),), generator=generator).tolist()
        turns = torch.rand(things.shape, generator=generator) if self.source.synonyms else torch.ones(things.shape)
        rows = zip(things.tolist(), turns.tolist(), plan.counts.tolist(), spoken, ways, strict=True)
        return tuple(
            captions.told(
                [self._name(*one, language) for one in zip(row[:size], turn[:size], strict=True)], language, way
            )
            for row, turn, size, language, way in rows
        )

    def _name(self, thing: int, turn: float, language: str) -> str:
        """What a thing is called; where `turn`, in [0, 1], is below SYNONYM_SHARE it chooses among the synonyms."""
        if thing < 0:
            return phrase(-1 - thing, language)
        others = self.drawings.synonyms[thing] if language == "en" and turn < SYNONYM_SHARE else ()
        return others[int(turn / SYNONYM_SHARE * len(others))] if others else self.drawings.name(thing, language)


def _folded(kinds: list[int]) -> int:
    number = len(kinds)
    for kind in sorted(kinds):
        number = stream(number, kind + len(COLOURS) * len(SHAPES))
    return number


FOUND = Found(
    name="scenes",
    about="Scenes of one to five emoji and shapes over textures and photographs, endless, with captions and masks.",
    claims=lambda name: name == "scenes",
    opens=Scenes,
    apart="It is drawn in a style that training never shows.",
    endless=True,
    reads=("language", "few", "many", "smallest_object", "synonyms"),
)
