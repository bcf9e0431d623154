"""One step of learning against the authors' own code: same shape of network, batch, precision and optimiser.

Needs their code in the folder that PATCHLIGHT_RIVALS names: facebookresearch/mae (efb2a80) as `mae`,
facebookresearch/dino (7c446df) as `dino`, and `pip install --no-deps --target packages open_clip_torch==3.3.0
lightly==1.6.0` with what they import. 192 channels, 12 blocks, 96 pixels, patch 8, batch 32. A step is forward,
backward and update on views that are ready; "memory" is what the forward pass keeps for the backward pass, and the
weights. `training_whole` decodes and augments too.
"""

from __future__ import annotations

import gc
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.measure import side_by_side, table
from benchmarks.rivals import clip, dino, mae, simclr
from benchmarks.rivals.ground import COUNT, Side, kept, pictures, rivals, stepper
from training.attention import lean

RACES = {
    "MAE, the authors": ("mae", mae), "DINO, the authors": ("dino", dino), "CLIP, open_clip": ("clip", clip),
    "SimCLR, lightly": ("simclr", simclr),
}  # fmt: skip

BARE = ["", "precision", "theirs, pictures a second", "ours", "ratio", "memory: theirs, MB", "ours", "ratio"]


def measure() -> str:
    rivals()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        files = pictures(folder := Path(place))
        for title, (_, race) in RACES.items():
            them, us = race.sides(folder, files)
            rows.append([title, "single", *raced(them, us, halved=False)])
            us = replace(us, loss=lean()(us.loss))  # as the engine does in bf16 on the CPU
            rows.append([title, "bf16", *raced(them, us, halved=True)])
            del them, us
            gc.collect()
    return table(BARE, rows)


def raced(them: Side, us: Side, halved: bool) -> list[str]:
    """Speed and memory of bare steps."""
    steps = [(stepper(side, halved), side.ready) for side in (them, us)]
    times = side_by_side({who: partial(*step) for who, step in zip(("theirs", "ours"), steps, strict=True)}, rounds=15)
    theirs, ours = COUNT / times["theirs"], COUNT / times["ours"]
    sizes = [kept(side, halved) / 1e6 for side in (them, us)]
    return [
        f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.2f} ×",
        f"{sizes[0]:.0f}", f"{sizes[1]:.0f}", f"{sizes[1] / sizes[0]:.2f} ×",
    ]  # fmt: skip
