"""Sets of masks: every patch is painted when it is hidden, by each kind of mask, or one sentence says why not."""

from __future__ import annotations

import pytest
import torch

from models.coverage import covering, masks_of
from models.faults import Fault
from models.masking import Kind, mask_of

GRID = (14, 14)
PAINTED = mask_of("block", GRID, 60, 3)


@pytest.mark.parametrize(("kind", "hidden"), [("random", 147), ("block", 147), ("grid", 130), ("painted", 60)])
def test_every_patch_is_hidden_at_least_twice_by_masks_that_differ(kind: Kind, hidden: int) -> None:
    masks = masks_of(GRID, hidden, 16, 1, kind, PAINTED)
    assert len(masks) == 16
    assert set(masks.sum((1, 2)).tolist()) == {hidden}
    assert len({tuple(mask.flatten().tolist()) for mask in masks}) == 16
    assert int(masks.sum(0).min()) >= 2
    assert torch.equal(masks, masks_of(GRID, hidden, 16, 1, kind, PAINTED)), "the same seed, other masks"


def test_random_masks_share_fairly() -> None:
    masks = covering(GRID, 147, 16, seed=1)
    times = masks.sum(0)
    assert masks.sum((1, 2)).tolist() == [147] * 16
    assert int(times.max() - times.min()) <= 1


def test_a_painted_shape_is_only_shifted() -> None:
    """Each mask is the shape, moved by rows and columns over the edge; the first is where it was painted."""
    masks = masks_of(GRID, 60, 16, 0, "painted", PAINTED)
    assert torch.equal(masks[0], PAINTED)
    shifts = [PAINTED.roll((down, right), (0, 1)) for down in range(14) for right in range(14)]
    assert all(any(torch.equal(mask, shift) for shift in shifts) for mask in masks)


def test_three_quarters_of_a_grid_have_four_masks_and_no_more() -> None:
    masks = masks_of(GRID, 147, 16, 0, "grid")
    assert len(masks) == 4
    assert masks.sum(0).unique().tolist() == [3]


@pytest.mark.parametrize(
    ("kind", "hidden", "count", "sentence"),
    [("random", 10, 8, "less than twice"), ("grid", 98, 16, "only 2 differ"), ("block", 5, 8, "less than twice")],
)
def test_masks_that_leave_a_patch_out_are_refused(kind: Kind, hidden: int, count: int, sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        masks_of(GRID, hidden, count, 0, kind)
