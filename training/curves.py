"""metrics.jsonl, read as it grows: only what is new, only whole lines, and few enough points to draw.

seen = curves(folder)                    # from the beginning
more = curves(folder, seen.since)        # what came since
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST = 2000
"""Points of a curve: more than a screen has columns."""

TAIL = 1 << 16
"""Bytes at either end of the file in which the newest and the oldest lines are looked for."""

Points = Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True)
class Curves:
    """columns: name to values, one a point, equally long: `step`, `loss`, `seen`, `seconds`, `rate`, `speed`, `memory`
             and the objective's figures; None where a step has none or where it is no finite number
    since:   what to ask with next time
    whole:   the points begin at the run's first step, so forget what was read before: nothing was, or a killed run
             went back to its last checkpoint
    """

    columns: Points
    since: str
    whole: bool

    def __len__(self) -> int:
        return len(self.columns.get("step", ()))


def curves(folder: Path, since: str = "", most: int = MOST) -> Curves:
    """What the run in `folder` has learnt since `since`, thinned to at most `most` true steps."""
    try:
        with open(folder / "metrics.jsonl", "rb") as file:
            stamp = os.fstat(file.fileno()).st_ino
            known, _, place = since.partition("-")
            offset = int(place) if known == str(stamp) and place.isdecimal() and len(place) < 19 else 0
            file.seek(offset)
            fresh = file.read()
    except FileNotFoundError:
        return Curves({}, "", True)
    whole_lines = fresh[: fresh.rfind(b"\n") + 1]
    rows = thinned(list(_rows(whole_lines.splitlines())), most)
    return Curves(_columns(rows), f"{stamp}-{offset + len(whole_lines)}", offset == 0)


def newest(folder: Path) -> list[dict[str, Any]]:
    """The last whole lines of metrics.jsonl, oldest first; none where nothing was learnt yet."""
    try:
        with open(folder / "metrics.jsonl", "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    return list(_rows(lines[1 if size > TAIL else 0 : -1]))


def oldest(folder: Path) -> list[dict[str, Any]]:
    """The first whole lines of metrics.jsonl, oldest first; none where nothing was learnt yet."""
    try:
        with open(folder / "metrics.jsonl", "rb") as file:
            return list(_rows(file.read(TAIL).split(b"\n")[:-1]))
    except FileNotFoundError:
        return []


def seconds_per_step(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Wall time of a step with everything that stands between two, over the given lines."""
    timed = [row for row in rows if row.get("seconds") is not None]
    if len(timed) < 2:
        return None
    return (timed[-1]["seconds"] - timed[0]["seconds"]) / (timed[-1]["step"] - timed[0]["step"])


def thinned(rows: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most `most` of the rows: of each stretch the two with the least and the greatest loss, so that no spike is
    lost and no point is made up; the last row always, and rows with figures that few steps have."""
    if len(rows) <= most:
        return rows
    usual = min(len(row) for row in rows)
    rare = [place for place, row in enumerate(rows) if len(row) > usual]
    chosen = {len(rows) - 1, *rare[:: 1 + 2 * len(rare) // most]}
    count = (most - len(chosen)) // 2
    for part in range(count):
        stretch = range(part * len(rows) // count, (part + 1) * len(rows) // count)
        loss = {row: rows[row]["loss"] if rows[row].get("loss") is not None else math.inf for row in stretch}
        chosen |= {min(loss, key=loss.__getitem__), max(loss, key=loss.__getitem__)}
    return [rows[row] for row in sorted(chosen)]


def _rows(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue  # written while the machine died
        if isinstance(row, dict) and "step" in row:
            yield {name: _number(value) for name, value in row.items()}


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def _columns(rows: list[dict[str, Any]]) -> Points:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: tuple(row.get(name) for row in rows) for name in names}
