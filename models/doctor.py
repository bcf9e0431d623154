"""What is this file, what lies in it beside the network, and what will it show? For the shell and the page's drop box.

python -m models doctor FILE
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from models import weights
from models.backbone import Backbone
from models.faults import Fault
from models.layout import layout
from models.loading import load

ASIDE = {
    "student.": "student", "decoder": "decoder", "mask_token": "mask token", "head.": "projection head",
    "last_layer": "projection head", "resblocks": "text tower", "token_embedding": "text tower",
    "text_projection": "text tower", "ln_final": "text tower",
}  # fmt: skip
"""What may lie beside an encoder, by a part of its names; keys of the text catalogue."""


@dataclass(frozen=True)
class Diagnosis:
    """file:                 its name
    layout:               whose layout: "Patchlight", "timm", "transformers", "DINO", "MAE", "SimMIM", "CLIP", or None
    tensors, parameters:  how many, and how many numbers in them
    aside:                (what, how many tensors) in the file that the network does not need, so that a reader knows
                          what is lost: an MAE's decoder, a CLIP's text tower
    backbone:             the opened network; its card says what it can do
    fault:                why it cannot be opened, where it cannot
    """

    file: str
    layout: str | None
    tensors: int
    parameters: int
    aside: tuple[tuple[str, int], ...]
    backbone: Backbone | None
    fault: Fault | None


def diagnose(path: Path, device: str = "cpu") -> Diagnosis:
    """Look at a file or checkpoint folder and open it. A file that cannot be opened is an answer, not an error."""
    header: dict[str, Tensor] = {}
    kind, aside, backbone, fault = None, (), None, None
    try:
        for file in sorted(path.glob("*.safetensors")) if path.is_dir() else [path]:
            header |= weights.header(file)
        kind, aside = _recognised(path, header)
        backbone = load(f"file/{path}", device)
    except Fault as reason:
        fault = reason
    numbers = sum(value.numel() for value in header.values())
    return Diagnosis(path.name, kind, len(header), numbers, aside, backbone, fault)


def _recognised(path: Path, header: dict[str, Tensor]) -> tuple[str, tuple[tuple[str, int], ...]]:
    place = path if path.is_dir() else path.parent
    description = place / "config.json"
    if description.is_file() and (path.is_dir() or path.name.startswith("model")):
        config = json.loads(description.read_text(encoding="utf-8"))
        kinds = {"library": "Patchlight", "architecture": "timm"}
        return next((kind for key, kind in kinds.items() if key in config), "transformers"), ()
    if not path.is_dir() and "architecture" in weights.metadata(path):
        return "timm", ()
    found = layout(header)
    return found.kind, tuple(Counter(map(_aside, found.aside)).items())


def _aside(name: str) -> str:
    return next((what for part, what in ASIDE.items() if part in name), "other tensors")
