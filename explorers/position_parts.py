"""What is known of each of a network's kinds of position: numbers for the page, the endpoint and the shell alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from models.faults import Fault, Refusal
from models.positions import cosine, table_affinity
from models.structure import (
    Structure,
    compared,
    components,
    norms,
    offset_kernel,
    random_table,
    rivals,
    sincos_table,
    span,
    spectrum,
    structure,
)

if TYPE_CHECKING:
    from models.backbone import Affinity, Backbone

Arrays = dict[str, np.ndarray]

MEASURES = ("cosine", "dot", "distance")


def affinities(backbone: Backbone) -> tuple[Affinity, ...]:
    """Raises `Refusal` where the network has no positions."""
    found = backbone.positions()
    if not found:
        raise Refusal(
            "Positions were asked for, but {checkpoint} has none before it sees a picture: no table and no bias; "
            "choose another network.",
            checkpoint=backbone.card.id,
        )
    return found


def compared_with(part: Affinity, name: Literal["own", "random", "sin-cos"]) -> Affinity:
    """The part itself, or a table of its shape to hold against it. Raises `Fault` where the part is no table."""
    if name == "own":
        return part
    if part.table is None:
        raise Fault(
            "A {table} table was asked for to compare with, but these positions are no table; ask for the network's "
            "own.",
            table=name,
        )
    rows, channels = part.grid, part.table.shape[1]
    if name == "random":
        return table_affinity(random_table(rows, channels), rows, random=True)
    return table_affinity(sincos_table(rows, channels), rows)


def relation(part: Affinity) -> str:
    """The sentence that says what a value between two positions is."""
    if part.kind == "rotary":
        return "kernel"
    return "shared bias" if part.block is None else "bias"


def heads(part: Affinity) -> Tensor:
    """(heads or bands, positions, positions); the mean that rotary kernels begin with is left out."""
    return part.values[1:] if part.bands is not None else part.values


def fused(part: Affinity) -> Tensor:
    """(positions, positions), the mean over heads or bands."""
    return part.values[0] if part.bands is not None else part.values.mean(0)


def facts(part: Affinity) -> dict[str, Any]:
    """Kind, axes, structure in numbers, and what other tables of its shape would have."""
    told: dict[str, Any] = {
        "kind": part.kind, "block": part.block, "grid": part.grid, "scope": part.scope, "relation": relation(part),
        "word": "band" if part.bands is not None else "head", "structure": _shares(structure(fused(part), part.grid)),
        "heads": list(range(len(heads(part)))), "table": part.table is not None,
    }  # fmt: skip
    if part.bands is not None:
        told["turns"] = part.bands.tolist()
    if part.table is not None:
        told["spans"] = {measure: span(compared(part.table, measure)) for measure in MEASURES}
        told["rivals"] = _rivals(part.grid, part.table.shape[1])
        told["explained"] = components(part.table).explained.tolist()
    else:
        told["spans"] = {"mean": span(fused(part)), "each": span(heads(part))}
    return told


def _shares(found: Structure) -> dict[str, float | None]:
    """None, which JSON has a word for, where there is no variance to explain."""
    return {name: None if math.isnan(share) else share for name, share in asdict(found).items()}


@lru_cache(maxsize=32)
def _rivals(grid: tuple[int, int], channels: int) -> Mapping[str, Mapping[str, float | None]]:
    return {name: _shares(found) for name, found in rivals(grid, channels).items()}


def arrays(part: Affinity) -> Arrays:
    """Everything that the page draws one kind of position from.

    table:       (positions, channels), and of it
    prefix:      (prefix, channels) rows of CLS and its like
    components:  (rows, columns, 3) uint8
    norms:       (rows, columns)
    spectrum:    (rows, columns), frequency zero in the middle
    kernel:      instead of a table: (heads or bands, 2 rows − 1, 2 columns − 1) by key minus query
    """
    if part.table is None:
        return {"kernel": offset_kernel(heads(part), part.grid).float().numpy()}
    found = {
        "table": part.table,
        "components": components(part.table).rgb(part.grid),
        "norms": norms(part.table, part.grid),
        "spectrum": spectrum(part.table, part.grid),
    }
    if part.prefix is not None:
        found["prefix"] = part.prefix
    return {name: tensor.contiguous().numpy() for name, tensor in found.items()}


def map_of(part: Affinity, place: tuple[int, int], measure: Any, component: int | None) -> Tensor:
    """(rows, columns) what one position has to do with every other."""
    index = place[0] * part.grid[1] + place[1]
    if part.table is not None:
        return compared(part.table, measure)[index].view(part.grid)
    values = fused(part) if component is None else heads(part)[component]
    return values[index].view(part.grid)


def prefix_cosines(part: Affinity) -> Tensor | None:
    """(prefix, rows, columns): prefix tokens' own positions against those of patches."""
    if part.table is None or part.prefix is None:
        return None
    both = cosine(torch.cat([part.prefix, part.table]))
    return both[: len(part.prefix), len(part.prefix) :].unflatten(1, part.grid)
