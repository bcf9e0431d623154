"""What can be shown of which architecture: `python -m tests.models.conformance` writes docs/conformance.md.

Each cell is tried, not declared: the network is made, traced, and the quantity computed; where it is refused, the
reason that a person would read stands below the table.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from models import attention
from models.backbone import Backbone, Classifies, Layer, Pools, Reconstructs, ZeroShot
from models.faults import Refusal
from models.relevance import class_relevance
from models.surgery import Change, operated
from tests.models.architectures import REFUSED, SHOWN, Architecture

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"

COLUMNS = (
    "Architecture", "Folder of", "Row and column", "Query", "Rollout", "Class relevance", "Positions",
    "Position surgery", "Reconstruction", "Zero-shot",
)  # fmt: skip

INTRODUCTION = """\
# Conformance

What is shown of which architecture, and why not elsewhere. Written by `make conformance`; a test holds that this page
is what the code does now. Every architecture is made of its own class, at a small size, with random weights, saved as
its maker saves it (timm's `save_for_hf`, transformers' `save_pretrained`), opened by `file/<folder>`, and each cell is
tried. The same test holds, for each of them and for three shapes of input where the network takes any:

- a row sums to 1 within 1e-5 (with padding, where a window holds some), and a column is that entry of every row;
- every weight equals the same network's own softmax, computed openly, within 1e-5 (the real DINOv2, whose logits pass
  200, in double precision: in single its own softmax is up to 2e-5 from the exact one);
- each token lies in exactly one place of one window;
- a trace changes no weight, no mode and no switch, gives the same twice, and the network's output is the plain one.
"""


@dataclass
class Notes:
    """Reasons of refusal, numbered as they come."""

    reasons: list[str] = field(default_factory=list)

    def refused(self, reason: str) -> str:
        if reason not in self.reasons:
            self.reasons.append(reason)
        return f"refused ({self.reasons.index(reason) + 1})"


def page() -> str:
    """The whole of docs/conformance.md."""
    notes = Notes()
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(_shown(architecture, notes) for architecture in SHOWN)]
    lines += [_refused(architecture, notes) for architecture in REFUSED]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    reasons = "\n".join(f"{number}. {reason}" for number, reason in enumerate(notes.reasons, 1))
    return f"{INTRODUCTION}\n{table}\n\nRefused, because:\n\n{reasons}\n"


def _shown(architecture: Architecture, notes: Notes) -> Sequence[str]:
    backbone = architecture.open()
    pixels = torch.randn(3, *architecture.size, generator=torch.Generator().manual_seed(0))
    layers = backbone.trace(pixels)
    return (
        architecture.title,
        architecture.writer,
        "within windows" if layers[0].windows > 1 else "yes",
        _query(backbone, layers),
        _rollout(layers, notes),
        _relevance(backbone, pixels, notes),
        _positions(backbone, notes),
        _surgery(backbone, pixels, layers, notes),
        "yes"
        if isinstance(backbone, Reconstructs)
        else notes.refused("The network has no decoder that paints pixels."),
        "yes" if isinstance(backbone, ZeroShot) else notes.refused("The network has no text tower in the same space."),
    )


def _refused(architecture: Architecture, notes: Notes) -> Sequence[str]:
    try:
        architecture.open()
    except Refusal as refusal:
        return (architecture.title, architecture.writer, *([notes.refused(str(refusal))] * (len(COLUMNS) - 2)))
    raise AssertionError(f"{architecture.title} was opened, but nothing true can be shown of it")


def _query(backbone: Backbone, layers: Sequence[Layer]) -> str:
    pool = ["attention-pool latent"] if isinstance(backbone, Pools) else []
    return ", ".join([*_counted(layers[0].names), *pool, "mean over patches"])


def _counted(names: Sequence[str]) -> list[str]:
    """Registers are many and alike."""
    registers = [name for name in names if name.startswith("register")]
    plain = [name for name in names if name not in registers]
    return [*plain, f"{len(registers)} registers"] if registers else plain


def _rollout(layers: Sequence[Layer], notes: Notes) -> str:
    try:
        rows = attention.rollout(layers)
    except Refusal as refusal:
        return notes.refused(str(refusal))
    torch.testing.assert_close(rows.sum(-1), torch.ones(len(rows)))
    return "yes"


def _relevance(backbone: Backbone, pixels: Tensor, notes: Notes) -> str:
    if not isinstance(backbone, Classifies | ZeroShot):
        return notes.refused("The network gives no score of a class or a text.")
    try:
        relevance = class_relevance(backbone, pixels, _score)
    except Refusal as refusal:
        return notes.refused(str(refusal))
    assert relevance.isfinite().all()
    assert relevance.any()
    return "of a class" if isinstance(backbone, Classifies) else "of a text"


def _score(backbone: Backbone, pixels: Tensor) -> Tensor:
    if isinstance(backbone, Classifies):
        return backbone.class_logits(pixels)[0, 0]
    assert isinstance(backbone, ZeroShot)
    return (backbone.image_features(pixels) @ backbone.text_features(["a cat"]).T)[0, 0]


def _positions(backbone: Backbone, notes: Notes) -> str:
    # the weights here are random; the page tells what a trained network of the kind has
    kinds = dict.fromkeys(affinity.kind.replace("untrained", "learned") for affinity in backbone.positions())
    return ", ".join(kinds) or notes.refused("The network has no positions before it sees a picture.")


def _surgery(backbone: Backbone, pixels: Tensor, layers: Sequence[Layer], notes: Notes) -> str:
    """Identity changes nothing bit for bit, a shuffle is felt, and afterwards the network is as it was."""
    found = []
    for change in (Change("identity"), Change("shuffle")):
        try:
            with operated(backbone, change, pixels):
                found.append(torch.equal(backbone.trace(pixels)[-1].tokens, layers[-1].tokens))
        except Refusal as refusal:
            return notes.refused(str(refusal))
    assert found == [True, False]
    assert torch.equal(backbone.trace(pixels)[-1].tokens, layers[-1].tokens)
    return "yes"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
