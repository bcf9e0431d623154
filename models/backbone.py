"""A network that can be looked into, and the further abilities that explorers ask for: one small protocol each.

Axis words used in every docstring of this project:

    rows, columns   the patch grid, always in this order, never width first
    tokens          positions of one block's sequence: prefix tokens first, then patches row by row
    prefix          tokens before the first patch: CLS, distillation token, registers; 0 in Swin and SigLIP
    windows         independent groups of tokens that attend to one another; a plain ViT has one
    heads           attention heads of one block
    queries, keys   the tokens that look, and the tokens that are looked at
    dim             channels of one head; `channels` are those of the whole token
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from torch import Tensor, nn

from models.findings import Affinity, PositionKind, Reconstruction, TextScores, mean_error
from models.layer import CHUNK_ENTRIES, MATRIX_ENTRIES, Layer

if TYPE_CHECKING:
    from models.card import Card
    from models.pixels import Pixels

__all__ = [
    "CHUNK_ENTRIES", "MATRIX_ENTRIES", "Affinity", "Backbone", "Classifies", "Decodes", "Family", "Layer", "Parts",
    "Pools", "PositionKind", "Reconstruction", "Reconstructs", "TextScores", "ZeroShot", "mean_error",
]  # fmt: skip


@runtime_checkable
class Backbone(Protocol):
    """A network that can be looked into. The heavy pass returns a value; nothing is remembered."""

    @property
    def module(self) -> nn.Module:
        """The network in eval mode."""
        ...

    @property
    def card(self) -> Card: ...

    @property
    def pixels(self) -> Pixels: ...

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """The modules that make one `Layer` each, in order."""
        ...

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        """One forward pass of `pixels` (3, height, width), normalised: one `Layer` a block."""
        ...

    def positions(self) -> tuple[Affinity, ...]:
        """What the network knows of position before any image; empty for a network without positions."""
        ...


@runtime_checkable
class Classifies(Protocol):
    def class_logits(self, pixels: Tensor) -> Tensor:
        """(images, 3, height, width) to (images, classes). Gradients flow, for class relevance."""
        ...

    def class_logits_from(self, layers: Sequence[Layer]) -> Tensor:
        """`class_logits` of a traced picture without a second pass: (classes,)."""
        ...


@runtime_checkable
class Pools(Protocol):
    def pooled_from(self, layers: Sequence[Layer]) -> Tensor:
        """Row of the attention-pool latent over the last block's tokens: (heads, tokens), sums to 1."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    def mask_grid(self, shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, columns) of a mask for an input of (height, width) pixels. Raises `Fault` where it cannot be fed."""
        ...

    def reconstruct(self, pixels: Tensor, mask: Tensor) -> Reconstruction:
        """`pixels` (3, height, width) and `mask` (rows, columns), 1 hidden, kept exactly."""
        ...

    def reconstruct_each(self, pixels: Tensor, masks: Tensor) -> tuple[Reconstruction, ...]:
        """One picture under several masks (masks, rows, columns) in one batch; each hides as many patches."""
        ...


@runtime_checkable
class Decodes(Protocol):
    def trace_masked(self, pixels: Tensor, mask: Tensor) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
        """What encoder and decoder did to a masked picture. MAE's encoder sees CLS and the visible patches, in the
        numbers of the whole sequence; its other tokens are in no window and zero. SimMIM's sees a mask token in every
        hidden place; after it there are no layers, as its decoder is linear."""
        ...


@runtime_checkable
class ZeroShot(Protocol):
    def image_features(self, pixels: Tensor) -> Tensor:
        """(images, 3, height, width) to unit vectors (images, channels) of the joint space."""
        ...

    def text_features(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (texts, channels) of the joint space, tokenised and padded as the network was trained."""
        ...

    def text_scores(self, image: Tensor, text: Tensor) -> TextScores:
        """Scores of `image_features` against `text_features`."""
        ...


@dataclass(frozen=True)
class Parts:
    """What a source hands to a family: the network with its weights in place, and how it is fed.

    tokenizer: texts to the text tower's keyword arguments, for two-tower networks
    """

    network: nn.Module
    card: Card
    pixels: Pixels
    tokenizer: Callable[[Sequence[str]], Mapping[str, Tensor]] | None = None


@dataclass(frozen=True)
class Family:
    """The one constant by which the room finds a family's file.

    name:    what people call it
    claims:  whether this family can read a network, decided by its class and never by its name
    opens:   makes a `Backbone` of it
    """

    name: str
    claims: Callable[[nn.Module], bool]
    opens: Callable[[Parts], Backbone]
