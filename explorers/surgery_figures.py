"""What two sides of a comparison have in common: attention and features as arrays for the page, and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from explorers import maps
from explorers.attention_answers import default_query, query_of, written
from explorers.gate import gate
from models.attention import distance
from models.backbone import Layer, Pools
from models.faults import Fault
from models.positions import cosine
from models.resizing import features_cosine, moved
from models.structure import components, structure
from models.surgery import resized_table

if TYPE_CHECKING:
    from explorers.surgery_effects import Side
    from explorers.traces import Traced

Arrays = dict[str, np.ndarray]


def query(seen: Traced, text: str) -> maps.Query:
    """A query that exists in every block: CLS where there is one, else the mean over patches; or the one asked for."""
    if text != "auto":
        asked = query_of(text, seen)
        if asked == "pool":
            raise Fault("The attention pool stands behind the last block; ask for mean, or patch ROW,COLUMN.")
        return asked
    found = default_query(seen.backbone, seen.layers)
    return query_of("mean" if found == "pool" and isinstance(seen.backbone, Pools) else found, seen)


def of_side(asked: maps.Query, layers: Sequence[Layer], own: Sequence[Layer]) -> maps.Query:
    """The same query on another grid: a patch is the one that holds the middle of the patch that was asked for."""
    first, other = own[0], layers[0]
    if isinstance(asked, str) or asked < first.prefix or first.grid == other.grid:
        return asked
    place = divmod(asked - first.prefix, first.grid[1])
    row, column = (int((at + 0.5) / then * now) for at, then, now in zip(place, first.grid, other.grid, strict=True))
    return other.prefix + row * other.grid[1] + column


def arrays(seen: Traced, before: Side, after: Side, asked: maps.Query) -> tuple[Arrays, dict[str, Any]]:
    """Attention and features, and what is said of them.

    before.i, after.i:  (heads, rows, columns) where the query looks in block i, on patches only
    moved:              (blocks, heads) share of the query's attention that lies elsewhere after, each head for itself
    cosine:             (rows, columns) of patches' last features with those before, on the coarser of both grids
    """
    made: Arrays = {}
    shares: list[Tensor] = []
    means: list[float] = []
    for block in range(len(seen.layers)):
        pair = [_rows(seen, side.layers, asked, block) for side in (before, after)]
        grids = (before.layers[block].grid, after.layers[block].grid)
        prefix = before.layers[block].prefix
        for name, rows, grid in zip(("before", "after"), pair, grids, strict=True):
            made[f"{name}.{block}"] = rows[:, prefix:].unflatten(1, grid).float().numpy()
        shares.append(moved(pair[0], pair[1], prefix, grids))
        means.append(float(moved(pair[0].mean(0), pair[1].mean(0), prefix, grids)))
    made["moved"] = torch.nn.utils.rnn.pad_sequence(shares, batch_first=True, padding_value=torch.nan).float().numpy()
    last = [side.layers[-1] for side in (before, after)]
    alike = features_cosine(*(one.tokens[one.prefix :] for one in last), grids=(last[0].grid, last[1].grid))
    made["cosine"] = alike.numpy()
    told = {"query": written(asked, seen.layers), "moved": means, "patches": float(alike.mean()),
            "lowest": float(alike.min()), "cls": _cls(last)}  # fmt: skip
    return made, told


def _rows(seen: Traced, layers: Sequence[Layer], asked: maps.Query, block: int) -> Tensor:
    return maps.rows(seen.backbone, layers, of_side(asked, layers, seen.layers), "from", block)


def _cls(last: Sequence[Layer]) -> float | None:
    if "CLS" not in last[0].names[:1]:
        return None
    return float(torch.nn.functional.cosine_similarity(last[0].tokens[0].float(), last[1].tokens[0].float(), dim=0))


def sizes(seen: Traced, before: Side, after: Side) -> Arrays:
    """What else is told of two input sizes, as `position_surgery.explore` documents it."""
    made = {
        name: seen.backbone.pixels.rgb(side.pixels) for name, side in (("before.rgb", before), ("after.rgb", after))
    }
    far = torch.stack([_distances(seen, side) for side in (before, after)])
    return {**made, "distances": far.numpy()}


def _distances(seen: Traced, side: Side) -> Tensor:
    """(blocks, heads), NaN where a block has fewer heads."""
    height, width = seen.image.height, seen.image.width
    found = [distance(layer, (height / layer.grid[0], width / layer.grid[1])) for layer in side.layers]
    return torch.nn.utils.rnn.pad_sequence(found, batch_first=True, padding_value=torch.nan)


def told_distances(made: Arrays) -> list[list[float]] | None:
    """Mean over heads of each block, before and after."""
    return np.nanmean(made["distances"], axis=-1).tolist() if "distances" in made else None


def table(seen: Traced, side: Side) -> tuple[Arrays, dict[str, Any] | None]:
    """The table as trained and as this side's input meets it, resized by the network's own code.

    table, resized:  uint8 (rows, columns, 3), first three components of each as red, green and blue
    """
    own = next((part for part in seen.backbone.positions() if part.table is not None), None)
    with gate():
        fed = resized_table(seen.backbone, side.pixels)
    if own is None or own.table is None or fed is None:
        return {}, None
    shares = {"before": structure(own.values[0], own.grid).offset, "after": structure(cosine(fed), side.grid).offset}
    known = {f"offset {when}": None if math.isnan(share) else share for when, share in shares.items()}
    told = {"from": own.grid, "to": side.grid, **known}
    pictures = {"table": components(own.table).rgb(own.grid), "resized": components(fed).rgb(side.grid)}
    return {name: picture.numpy() for name, picture in pictures.items()}, told
