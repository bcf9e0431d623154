"""One picture under many masks: what a network paints on average, and how far its answers spread."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from explorers.mask_answers import Arrays
from explorers.mask_fed import Fed, foreseen
from explorers.mask_hiding import Hiding
from models.doubt import Doubt
from models.fidelity import Statistics
from models.patches import patchify


def doubt(lab: Fed, hiding: Hiding, count: int, by: Statistics) -> tuple[Arrays, dict[str, Any]]:
    """All of it at once; the page does it batch by batch."""
    masks, sums = hiding.many(count), Doubt(lab.grid, lab.shape)
    batch, _ = foreseen(lab, hiding.share, len(masks))
    for some in masks.split(batch):
        add(sums, lab, some, by)
    return doubt_arrays(sums), doubt_facts(sums, hiding, len(masks))


def add(sums: Doubt, lab: Fed, masks: Tensor, by: Statistics) -> None:
    """One batch."""
    for found in lab.reconstruct(masks):
        sums.add(found, lab.pixels, lab.backbone.pixels, by)


def doubt_arrays(sums: Doubt) -> Arrays:
    """doubt_mean, doubt_deviation: (height, width, 3) in [0, 1]; doubt_map: (rows, columns), mean deviations."""
    deviation = sums.deviation
    return {
        "doubt_mean": sums.mean.permute(1, 2, 0).contiguous().numpy(),
        "doubt_deviation": deviation.permute(1, 2, 0).contiguous().numpy(),
        "doubt_map": patchify(deviation, sums.patch).mean(-1).numpy(),
    }


def doubt_facts(sums: Doubt, hiding: Hiding, masks: int) -> dict[str, Any]:
    mean = float(sums.deviation.mean())
    times = {"least": int(sums.times.min()), "most": int(sums.times.max())}
    return {"masks": masks, "hidden": hiding.hidden, "kind": hiding.kind, **times, "deviation": f"{mean:.2g}"}
