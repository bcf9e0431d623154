"""Accuracy, interval, calibration and confusion against cases that are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.calibration import calibration, confusion, wilson


@pytest.mark.parametrize(("right", "count", "low", "high"), [
    (5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662),
])  # fmt: skip
def test_wilsons_interval(right: int, count: int, low: float, high: float) -> None:
    """The last row is the example of Newcombe 1998, table I."""
    assert wilson(right, count) == pytest.approx((low, high), abs=5e-5)


def test_calibration_by_hand() -> None:
    sure = np.array([0.05, 0.15, 0.15, 0.95, 1.0])
    right = np.array([False, True, False, True, True])
    found = calibration(sure, right)
    assert found.counts.tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2], "1 lies in the last bin"
    assert found.accuracy[[0, 1, 9]].tolist() == [0.0, 0.5, 1.0]
    assert found.error == pytest.approx((0.05 + 2 * 0.35 + 2 * 0.025) / 5)


def test_a_network_that_knows_how_sure_it_may_be_has_no_error() -> None:
    generator = np.random.default_rng(0)
    sure = generator.uniform(size=200_000)
    assert calibration(sure, generator.uniform(size=sure.size) < sure).error < 0.005
    assert calibration(np.full(1000, 0.9), np.arange(1000) < 300).error == pytest.approx(0.6)


def test_rows_of_the_confusion_are_own_labels() -> None:
    found = confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
