"""A cell of a grid as addresses and shells write it: ROW,COLUMN, counted from 0."""

from __future__ import annotations

from explorers.parameters import shown, within
from models.faults import Fault


def place_of(name: str, text: str, grid: tuple[int, int]) -> tuple[int, int]:
    """(row, column) that parameter `name` gives as `text`; the middle of `grid` where it is empty. Raises `Fault`."""
    if not text:
        return grid[0] // 2, grid[1] // 2
    row, comma, column = text.partition(",")
    if not (comma and row.isdecimal() and column.isdecimal()):
        raise Fault(
            "The parameter {name} was given {place}; give ROW,COLUMN counted from 0.", name=name, place=shown(text)
        )
    return within(name, int(row), 0, grid[0] - 1), within(name, int(column), 0, grid[1] - 1)
