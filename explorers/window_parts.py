"""Windows of every block of one picture: who shares one, what the mask cuts, what it saves."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from explorers.gate import gate
from models.attention_cost import counted, predicted
from models.attention_measured import whole, windowed
from models.structure import offset_kernel
from models.window_geometry import geometry, regions, rolled, stages, windows_of

if TYPE_CHECKING:
    from explorers.traces import Traced
    from models.backbone import Layer

Arrays = dict[str, np.ndarray]


def facts(seen: Traced) -> list[dict[str, Any]]:
    """One entry a block. Raises `Refusal` for a network without windows."""
    stage_of = {block: stage for stage, blocks in enumerate(stages(seen.layers)) for block in blocks}
    return [_block(layer) | {"stage": stage_of[block]} for block, layer in enumerate(seen.layers)]


def _block(layer: Layer) -> dict[str, Any]:
    """window, shift, and multiplications and bytes of attention, within windows and over the whole grid."""
    windows, reach = layer.members.shape
    channels = layer.tokens.shape[-1]
    found = geometry(layer)
    return {
        "window": found.window, "shift": found.shift, "grid": layer.grid, "heads": layer.heads, "windows": windows,
        "channels": channels, "windowed": 2 * windows * reach**2 * channels, "whole": 2 * layer.length**2 * channels,
        "windowed bytes": 4 * layer.heads * windows * reach**2, "whole bytes": 4 * layer.heads * layer.length**2,
    }  # fmt: skip


def arrays(seen: Traced) -> Arrays:
    """Of each block i, all int32 (rows, columns):

    windows.i:  number of the window that computes a token
    regions.i:  number of the part of a window that the mask lets it see
    rolled.i:   token at each place after the cyclic roll
    kernel.i:   float32 (heads, 2 rows − 1, 2 columns − 1) of the window, the bias by key minus query
    """
    made: Arrays = {}
    for block, layer in enumerate(seen.layers):
        parts = {"windows": windows_of(layer), "regions": regions(layer), "rolled": rolled(layer)}
        made |= {f"{name}.{block}": part.int().numpy() for name, part in parts.items()}
    for part in seen.backbone.positions():
        if part.block is not None and part.scope == "window":
            made[f"kernel.{part.block}"] = offset_kernel(part.values, part.grid).float().numpy()
    return made


def measured(seen: Traced, block: int) -> dict[str, Any]:
    """Multiplications and bytes of attention in all blocks, by the formula and counted in one pass; and of one block's
    attention alone, run within its windows and over the whole grid, with the seconds that each took."""
    layer = seen.layers[block]
    with gate():
        done = counted(lambda: seen.backbone.trace(seen.pixels))
        within, over = windowed(layer), whole(layer)
    return {
        "predicted": asdict(predicted(seen.backbone, seen.layers)), "counted": asdict(done), "block": block,
        "windowed": asdict(within), "whole": asdict(over) if over else None,
    }  # fmt: skip
