"""One network found in a file of weights, before it is built: its names and shapes, and what lies beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from models.answers import Answers, Ask, Untold
from models.card import Note
from models.faults import Fault, Refusal
from models.prefixes import plain_names

Header = Mapping[str, Tensor]

MOST_BLOCKS = 128
"""More than twice the deepest published vision transformer; building more would keep the reader waiting."""


COLOURS = {
    "ImageNet": "deit_base_patch16_224", "CLIP": "vit_base_patch32_clip_224.openai",
    "SigLIP": "vit_base_patch16_siglip_224.webli", "BEiT": "beit_base_patch16_224.in22k_ft_in22k_in1k",
}  # fmt: skip
"""Networks of timm whose mean and deviation are usual for a layout."""


@dataclass(frozen=True)
class Layout:
    """kind:          whose layout it is: "timm", "DINO", "DINOv2", "MAE", "SimMIM", "BEiT", "CLIP"
    prefix:        what stands before the encoder's names
    aside:         names that the encoder does not need: heads of training, decoders, text towers
    architecture:  timm's name of the architecture to start from
    options:       its keyword arguments, read from shapes or said by the reader
    notes:         what is not in the weights, and by whose word it was taken
    onto:          what timm's filter wants to stand in the prefix's place
    colours:       whose mean and deviation the picture is normalised by: a key of `COLOURS`
    """

    kind: str
    prefix: str
    aside: tuple[str, ...]
    architecture: str
    options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    onto: str = ""
    colours: str = "ImageNet"

    def select(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The encoder's tensors under the names that timm's filter expects."""
        aside, start = set(self.aside), len(self.prefix)
        kept = {name: value for name, value in plain_names(state).items() if name not in aside}
        return {self.onto + name[start:]: value for name, value in kept.items()}


@dataclass(frozen=True)
class Found:
    """header:   every tensor of the file under its plain name
    here:     those of this network, without their prefix
    prefix:   what stands before them
    answers:  what the reader said
    """

    header: Header
    here: Header
    prefix: str
    answers: Answers

    def shape(self, name: str, axes: int) -> tuple[int, ...]:
        """Of a tensor that has so many axes. Raises `Refusal`."""
        shape = tuple(self.here[name].shape)
        if len(shape) != axes:
            raise Refusal(
                "{name} has the shape {shape} where a vision transformer has {axes} axes; choose a network that reads "
                "pictures.",
                name=name, shape=" × ".join(map(str, shape)) or "1", axes=axes,
            )  # fmt: skip
        return shape

    def patch(self) -> tuple[int, int]:
        """(channels, side of a patch in pixels) of the first convolution. Raises `Refusal`."""
        name = next(name for name in ("patch_embed.proj.weight", "conv1.weight") if name in self.here)
        channels, colours, high, wide = self.shape(name, 4)
        if colours != 3 or high != wide:
            raise Refusal(
                "The file's patches have {colours} colour channels and {high} × {wide} pixels, but three colours and "
                "square patches are read; choose another network.",
                colours=colours, high=high, wide=wide,
            )  # fmt: skip
        return channels, high

    def count(self, start: str) -> int:
        """How many blocks or stages there are behind `start`. Raises `Refusal` where they are too many to build."""
        count = len({name[len(start) :].partition(".")[0] for name in self.here if name.startswith(start)})
        if count > MOST_BLOCKS:
            raise Refusal(
                "The file holds {count} blocks where at most {most} are built here; choose a smaller network.",
                count=count, most=MOST_BLOCKS,
            )  # fmt: skip
        return count

    def classes(self, *names: str) -> int:
        return next((self.here[name].shape[0] for name in names if name in self.here), 0)

    def training(self) -> tuple[str, tuple[str, ...]]:
        """Whose training left this file, and what of it the encoder does not need."""
        outside = [name for name in self.header if not name.startswith(self.prefix)]
        unneeded = ("decoder", "head.mlp.", "head.last_layer") + (() if self.of_dinov2 else ("mask_token",))
        inside = [name for name in self.here if name.startswith(unneeded)]
        aside = (*outside, *(self.prefix + name for name in inside))
        return self._trained([*outside, *inside]), aside

    @property
    def of_dinov2(self) -> bool:
        """DINOv2's mask token has two axes (facebookresearch/dinov2); MAE's and SimMIM's have three."""
        return "mask_token" in self.here and self.here["mask_token"].ndim == 2

    def _trained(self, aside: Iterable[str]) -> str:
        aside = tuple(aside)
        if self.of_dinov2:
            return "DINOv2"
        if any("decoder_embed" in name for name in aside):
            return "MAE"
        if any(name.startswith("decoder.0.") for name in aside):
            return "SimMIM"
        known = any("last_layer" in name for name in aside) or "teacher" in self.prefix or "student" in self.prefix
        return "DINO" if known else "timm"

    def allow(self, kind: str, *names: str) -> None:
        """Raise `Fault` where the reader said what this file tells by itself."""
        given = [part.partition("=")[0] for part in str(self.answers).split("&") if part]
        for name in given:
            if name not in (*names, "take"):
                raise Fault(
                    "{name} was said of the file, but for a {kind} it is not asked: its weights tell it, or it is "
                    "always the same; take it out of the id.",
                    name=name, kind=kind,
                )  # fmt: skip


def ask_architecture(kind: str) -> Untold:
    """For networks of which the weights tell too little to ask piece by piece."""
    question = Untold(
        "The file holds a network of the kind {kind}, of which the weights do not tell all that it computes; name its "
        "architecture of timm in the id, as in {example}, or put its config.json beside it.",
        kind=kind, example="?architecture=vit_small_patch16_dinov3",
    )  # fmt: skip
    question.asks = (Ask("architecture"),)
    return question
