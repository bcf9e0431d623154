"""Curves are read while they are written: nothing twice, nothing missed, nothing half."""

from __future__ import annotations

import json
import os
from pathlib import Path

from training.curves import curves, newest, seconds_per_step


def write(folder: Path, steps: range, tail: str = "", losses: dict[int, float] | None = None) -> None:
    with open(folder / "metrics.jsonl", "a", encoding="utf-8") as file:
        for step in steps:
            line = {"step": step, "loss": (losses or {}).get(step, 1.0), "rank": step / 2, "seconds": step * 0.5}
            file.write(json.dumps(line) + "\n")
        file.write(tail)


def test_what_came_since_follows_what_was_read(tmp_path: Path) -> None:
    write(tmp_path, range(1, 4))
    first = curves(tmp_path)
    assert (first.columns["step"], first.whole) == ((1, 2, 3), True)
    write(tmp_path, range(4, 6))
    more = curves(tmp_path, first.since)
    assert (more.columns["step"], more.columns["rank"], more.whole) == ((4, 5), (2.0, 2.5), False)
    assert len(curves(tmp_path, more.since)) == 0


def test_a_half_written_line_waits_until_it_is_whole(tmp_path: Path) -> None:
    write(tmp_path, range(1, 3), tail='{"step": 3, "lo')
    first = curves(tmp_path)
    assert first.columns["step"] == (1, 2)
    with open(tmp_path / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('ss": 2.0}\n')
    more = curves(tmp_path, first.since)
    assert (more.columns["step"], more.columns["loss"]) == ((3,), (2.0,))
    assert [row["step"] for row in newest(tmp_path)] == [1, 2, 3]


def test_a_run_that_went_back_is_read_again_from_its_first_step(tmp_path: Path) -> None:
    """Resuming after a kill replaces the file by a shorter one, which may have grown past the old place since."""
    write(tmp_path, range(1, 9))
    first = curves(tmp_path)
    beside = tmp_path / "beside"
    beside.mkdir()
    write(beside, range(1, 20))
    os.replace(beside / "metrics.jsonl", tmp_path / "metrics.jsonl")
    again = curves(tmp_path, first.since)
    assert (again.whole, again.columns["step"]) == (True, tuple(range(1, 20)))


def test_a_long_run_is_thinned_to_true_points_and_keeps_its_spikes(tmp_path: Path) -> None:
    write(tmp_path, range(1, 9001), losses={4321: 99.0, 77: 0.01})
    seen = curves(tmp_path, most=200)
    points = dict(zip(seen.columns["step"], seen.columns["loss"], strict=True))
    assert len(seen) <= 200
    assert (points[4321], points[77]) == (99.0, 0.01)
    assert list(points) == sorted(step for step in points if step is not None)
    assert (seen.columns["step"][0], seen.columns["step"][-1]) == (1, 9000)


def test_what_is_no_number_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": NaN}\nnot json\n{"step": 2, "loss": 1, "new": 3}\n')
    columns = curves(tmp_path).columns
    assert (columns["loss"], columns["new"]) == ((None, 1), (None, 3))


def test_a_run_without_a_curve_is_empty(tmp_path: Path) -> None:
    assert len(curves(tmp_path)) == 0
    assert newest(tmp_path) == []


def test_pace_counts_what_stands_between_steps(tmp_path: Path) -> None:
    write(tmp_path, range(1, 6))
    assert seconds_per_step(newest(tmp_path)) == 0.5
    assert seconds_per_step(newest(tmp_path)[:1]) is None


def test_what_was_measured_now_and_then_is_not_thinned_away(tmp_path: Path) -> None:
    lines = [{"step": step, "loss": 1.0, **({"validation accuracy": step / 1e4} if step % 100 == 0 else {})}
             for step in range(1, 9001)]  # fmt: skip
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    seen = curves(tmp_path, most=400)
    assert len(seen) <= 400
    found = [value for value in seen.columns["validation accuracy"] if value is not None]
    assert found == [step / 1e4 for step in range(100, 9001, 100)]
    assert len(curves(tmp_path, most=100)) <= 100
