"""Which patches are hidden, in what order, and how a mask is written.

A mask is the first so many patches of an **order**, so that one seed gives nested masks: raising the ratio hides more
and uncovers nothing. `assets/stage/mask_orders.js` makes the same orders, number for number; a seed means the same
mask on the page, in Python and in the shell.

    random   every order of patches alike, as MAE hides them (He et al. 2021, arXiv 2111.06377, figure 6 left)
    block    rectangle after rectangle, as in BEiT (Bao et al. 2021, arXiv 2106.08254, algorithm 1; MAE, figure 6)
    grid     what stays is spread evenly; at 75 % one of each 2 × 2 (MAE, figure 6 right)
    painted  a shape that somebody painted, shrunk towards its core or grown beyond its edge
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from models.faults import Fault

Kind = Literal["random", "block", "grid", "painted"]
Grid = tuple[int, int]

RATIO = 0.75
"""MAE, section 4.1."""

_WORD = 0xFFFFFFFF


def hidden_count(ratio: float, patches: int) -> int:
    """Patches that a ratio hides: the nearest number, but at least one and not all."""
    return min(patches - 1, max(1, int(patches * ratio + 0.5)))


def order(kind: Kind, grid: Grid, seed: int = 0, painted: Tensor | None = None) -> list[int]:
    """Every patch of the grid once, in the order in which they are hidden; `seed` means nothing for "grid"."""
    if kind == "painted":
        assert painted is not None
        return _grown(painted, seed)
    if kind == "random":
        return shuffled(grid[0] * grid[1], draws(seed))
    return _blocks(grid, draws(seed)) if kind == "block" else even(grid)


def mask_of(kind: Kind, grid: Grid, hidden: int, seed: int = 0, painted: Tensor | None = None) -> Tensor:
    """(rows, columns) int, exactly `hidden` patches of 1; of `painted` (rows, columns) where that is the kind."""
    return first(order(kind, grid, seed, painted), grid, hidden)


def first(patches: list[int], grid: Grid, hidden: int) -> Tensor:
    """(rows, columns) int, the first `hidden` of an order of patches."""
    mask = torch.zeros(grid[0] * grid[1], dtype=torch.int)
    mask[patches[:hidden]] = 1
    return mask.view(grid)


def checked(mask: Tensor, grid: Grid) -> Tensor:
    """(rows, columns) bool, True where hidden; something is hidden and something is not."""
    if tuple(mask.shape) != grid:
        raise Fault(
            "A mask of {shape} patches was given, but this image makes {rows} rows and {columns} columns; make the "
            "mask fit the image.",
            shape=" × ".join(map(str, mask.shape)), rows=grid[0], columns=grid[1],
        )  # fmt: skip
    if not ((mask == 0) | (mask == 1)).all():
        raise Fault("A mask holds 1 where a patch is hidden and 0 elsewhere, but other numbers were found; use those.")
    hidden = mask.bool()
    if hidden.all() or not hidden.any():
        raise Fault(
            "The mask hides {hidden} of {patches} patches, but a masked autoencoder fills in hidden patches from "
            "visible ones; hide at least one and leave at least one.",
            hidden=int(hidden.sum()), patches=hidden.numel(),
        )  # fmt: skip
    return hidden


def checked_each(masks: Tensor, grid: Grid) -> Tensor:
    """(masks, rows, columns) bool, each as `checked`; they hide equally many patches, so that they fit one batch."""
    hidden = torch.stack([checked(mask, grid) for mask in masks])
    counts = hidden.sum((1, 2))
    if (counts != counts[0]).any():
        raise Fault(
            "Masks that hide from {least} to {most} patches were given for one batch; give masks that hide as many.",
            least=int(counts.min()), most=int(counts.max()),
        )  # fmt: skip
    return hidden


def written(mask: Tensor) -> str:
    """Rows of 0 and 1, parted by slashes: "0110/0000"."""
    return "/".join("".join(str(int(value)) for value in row) for row in mask)


def read(text: str) -> Tensor:
    """(rows, columns) int from what `written` writes; spaces and lines part rows too. Raises `Fault`."""
    rows = text.replace("/", " ").split()
    if not rows or set("".join(rows)) - {"0", "1"} or len({len(row) for row in rows}) > 1:
        raise Fault("A mask was given that is not rows of 0 and 1, all equally long; write it like 0110/0011.")
    return torch.tensor([[int(value) for value in row] for row in rows], dtype=torch.int)


def refitted(mask: Tensor, grid: Grid) -> Tensor:
    """The same squares of the picture on another grid. Raises `Fault` where that grid's edges do not allow it."""
    rows, columns = mask.shape
    finer = not grid[0] % rows and not grid[1] % columns
    if finer:
        return mask.repeat_interleave(grid[0] // rows, 0).repeat_interleave(grid[1] // columns, 1)
    if not rows % grid[0] and not columns % grid[1]:
        coarse = mask[:: rows // grid[0], :: columns // grid[1]]
        if torch.equal(refitted(coarse, (rows, columns)), mask):
            return coarse
    raise Fault(
        "A mask of {rows} × {columns} squares was given to a network that hides {own_rows} × {own_columns}, whose "
        "edges lie elsewhere; paint it on the coarser grid, or choose networks whose grids fit.",
        rows=rows, columns=columns, own_rows=grid[0], own_columns=grid[1],
    )  # fmt: skip


def draws(seed: int) -> Iterator[int]:
    """Marsaglia 2003, "Xorshift RNGs", the triple 13, 17, 5; the first numbers of neighbouring seeds are alike and
    thrown away."""
    state = (seed * 0x9E3779B1 + 0x9E3779B9) & _WORD or 1
    for turn in range(2**62):
        state ^= state << 13 & _WORD
        state ^= state >> 17
        state ^= state << 5 & _WORD
        if turn >= 16:
            yield state


def shuffled(count: int, drawn: Iterator[int]) -> list[int]:
    """Fisher and Yates."""
    places = list(range(count))
    for last in range(count - 1, 0, -1):
        other = next(drawn) % (last + 1)
        places[last], places[other] = places[other], places[last]
    return places


def _blocks(grid: Grid, drawn: Iterator[int]) -> list[int]:
    """Rectangles of a quarter to a half of each side; they may hang over the edge, so that corners are hidden as often
    as the middle."""
    rows, columns = grid
    found: dict[int, None] = {}
    while len(found) < rows * columns:
        height = -(-rows // 4) + next(drawn) % (rows // 4 + 1)
        width = -(-columns // 4) + next(drawn) % (columns // 4 + 1)
        top = next(drawn) % (rows + height - 1) - height + 1
        left = next(drawn) % (columns + width - 1) - width + 1
        for row in range(max(0, top), min(rows, top + height)):
            for column in range(max(0, left), min(columns, left + width)):
                found.setdefault(row * columns + column)
    return list(found)


def even(grid: Grid, shift: tuple[int, int] = (0, 0)) -> list[int]:
    """Bayer's (1973) order of ordered dithering, backwards: what is hidden last is spread most evenly. `shift` moves
    the pattern, which goes on for ever, by rows and columns."""
    (rows, columns), (down, right) = grid, shift
    places = [(row + down, column + right) for row in range(rows) for column in range(columns)]
    return sorted(range(rows * columns), key=lambda patch: -_bayer(*places[patch]))


def _grown(painted: Tensor, seed: int) -> list[int]:
    """The painted shape from its core outwards, then what lies around it, the nearest first; the seed decides between
    equally near ones. As many as were painted are exactly those."""
    inside = painted.bool().flatten()
    places = torch.cartesian_prod(*(torch.arange(side, dtype=torch.float) for side in painted.shape))
    apart = torch.cdist(places, places)
    depth = apart.masked_fill(inside, torch.inf).amin(1).where(inside, -apart.masked_fill(~inside, torch.inf).amin(1))
    lot = shuffled(len(places), draws(seed))
    return sorted(range(len(places)), key=lambda patch: (-float(depth[patch]), lot[patch]))


def _bayer(row: int, column: int) -> int:
    """Rank in Bayer's matrix of 256 × 256: bits of row ^ column and of row in turn, the lowest counting most."""
    rank = 0
    for bit in range(8):
        rank = rank << 2 | ((row ^ column) >> bit & 1) << 1 | row >> bit & 1
    return rank
