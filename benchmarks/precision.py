"""Half precision against single: how far DINOv2's CLS rows move (`models.load(…, precision=…)`)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

import models
from benchmarks.measure import table
from models.image import open_image

PICTURES = sorted((Path(__file__).parent.parent / "assets" / "pictures").glob("*.jpg"))


def measure() -> str:
    exact = rows("float32")
    lines = []
    for precision in ("float16", "bfloat16"):
        pairs = list(zip(rows(precision), exact, strict=True))
        moved = max(float((row - true).abs().sum(-1).max()) / 2 for row, true in pairs)
        peak = max(float(((row - true).abs().amax(-1) / true.amax(-1)).max()) for row, true in pairs)
        lines.append([precision, f"{100 * moved:.2f} %", f"{100 * peak:.2f} %"])
    head = ["precision", "largest share of a row's mass that moves", "largest error, of the row's own maximum"]
    note = f"\n\nEvery block and head of {len(PICTURES)} photographs, longer side 392."
    return table(head, lines) + note


def rows(precision: str) -> list[Tensor]:
    """(heads, tokens) of every block and photograph."""
    backbone = models.load("registry/dinov2-small", precision=precision)
    with torch.no_grad():
        traces = [backbone.trace(backbone.pixels(open_image(file), 392)) for file in PICTURES]
    return [layer.attention_from(0).cpu() for layers in traces for layer in layers]
