"""What is this file, what lies in it beside the network, and what will it show? For the shell and the page's drop box.

python -m models doctor FILE
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor

from models import shards, weights
from models.answers import NOTHING, Answers, Ask, Untold
from models.backbone import Backbone
from models.description import Description
from models.faults import Fault, Refusal
from models.layout import recognised
from models.loading import load
from models.shards import Shards

ASIDE = {
    "student": "student", "momentum": "momentum encoder", "predictor": "predictor", "dino_head": "projection head",
    "ibot_head": "projection head", "decoder": "decoder", "mask_token": "mask token", "head.": "projection head",
    "last_layer": "projection head", "resblocks": "text tower", "token_embedding": "text tower",
    "text_projection": "text tower", "ln_final": "text tower",
}  # fmt: skip
"""What may lie beside an encoder, by a part of its names; keys of the text catalogue."""


@dataclass(frozen=True)
class Diagnosis:
    """file:                 its name
    layout:               whose layout: "Patchlight", "timm", "transformers", "OpenCLIP", "DINO", "MAE", "SimMIM",
                          "CLIP", or None
    tensors, parameters:  how many, and how many numbers in them
    aside:                (what, how many tensors) in the file that the network does not need, so that a reader knows
                          what is lost: an MAE's decoder, a CLIP's text tower
    backbone:             the opened network; its card says what it can do
    fault:                why it cannot be opened, where it cannot
    id:                   what to open it by, with the reader's answers
    asks:                 what the reader can say that the weights do not tell
    """

    file: str
    layout: str | None
    tensors: int
    parameters: int
    aside: tuple[tuple[str, int], ...]
    backbone: Backbone | None
    fault: Fault | None
    id: str
    asks: tuple[Ask, ...] = ()


def diagnose(path: Path, device: str = "cpu", answers: Answers = NOTHING) -> Diagnosis:
    """Look at a file or checkpoint folder and open it, with what the reader says of it. A file that cannot be opened is
    an answer, not an error."""
    header: dict[str, Tensor] = {}
    kind, aside, backbone, fault = None, (), None, None
    id = f"file/{path}" + (f"?{answers}" if answers else "")
    try:
        stated, held = shards.meant(path)
        if held is not None:
            header = held.header()
            kind, aside = _recognised(stated, held, header, answers)
        backbone = load(id, device)
        _feed(backbone)
    except Fault as reason:
        backbone, fault = None, reason
    numbers = sum(value.numel() for value in header.values())
    asks = fault.asks if isinstance(fault, Untold) else ()
    return Diagnosis(path.name, kind, len(header), numbers, aside, backbone, fault, id, asks)


def _feed(backbone: Backbone) -> None:
    """One grey picture that is not square: what cannot be fed is no network to look into. Raises `Fault`."""
    pixels = backbone.pixels(Image.new("RGB", (96, 64), "grey"))
    try:
        backbone.trace(pixels.to(next(backbone.module.parameters()).device))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError, NotImplementedError) as wrong:
        if isinstance(wrong, Fault):
            raise
        raise Fault(
            "The network opens, but no picture can be fed to it ({reason}); its description is not that of its "
            "weights.",
            reason=str(wrong).partition("\n")[0],
        ) from wrong  # fmt: skip


def _recognised(
    stated: Description | None, held: Shards, header: dict[str, Tensor], answers: Answers
) -> tuple[str, tuple[tuple[str, int], ...]]:
    """Whose layout, and what is aside; by its names alone where a description speaks of another file."""
    if stated is not None and held.belongs(stated):
        return stated.writer, ()
    if "architecture" in weights.metadata(held.files[0]):
        return "timm", ()
    try:
        kind, aside = recognised(header, answers)
    except Refusal:
        if stated is None:
            raise
        return stated.writer, ()
    return kind, tuple(Counter(map(_aside, aside)).items())


def _aside(name: str) -> str:
    return next((what for part, what in ASIDE.items() if part in name), "other tensors")
