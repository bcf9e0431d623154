"""One measured quantity beside what costs nothing, its interval, and the table that people read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured quantity. Its texts are English; the page translates them with {n0}, {n1} for their numbers.

    low, high:  its 95 % interval
    baseline:   what `against` reaches on the same pictures
    pictures:   on how many; 0 where no pictures are needed
    untrained:  what the same architecture with random weights reaches, where that was measured
    seen:       what it reaches on pictures of the training part, where the value is of another: other pictures of the
                combinations, styles or things that were learnt from
    """

    name: str
    value: float
    low: float
    high: float
    against: str
    baseline: float
    pictures: int
    untrained: float | None = None
    seen: float | None = None


def share(name: str, right: float, count: int, against: str, baseline: float) -> Figure:
    """A share of `count` pictures with its interval."""
    return Figure(name, right, *wilson(right, count), against, baseline, count)


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share of `count` (Wilson 1927)."""
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - reach, middle + reach


def table(figures: Sequence[Figure]) -> str:
    """For people: one line a figure."""
    lines = [
        f"{'figure':52} {'value':>7}  {'95 % interval':>15}  {'seen':>7}  {'untrained':>9}  {'baseline':>8}  against"
    ]
    for f in figures:
        interval = f"{f.low:.3f} to {f.high:.3f}" if f.pictures else "–"
        seen, untrained = ("–" if value is None else f"{value:.3f}" for value in (f.seen, f.untrained))
        lines.append(
            f"{f.name:52} {f.value:7.3f}  {interval:>15}  {seen:>7}  {untrained:>9}  {f.baseline:8.3f}  {f.against}"
        )
    return "\n".join(lines)
