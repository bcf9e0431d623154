"""Two grids over one picture: mass is kept, the mean of a constant is the constant, nothing moves that stays."""

from __future__ import annotations

import pytest
import torch

from models.attention import distance
from models.backbone import Layer
from models.resizing import common, features_cosine, moved, on_grid


def test_mass_is_kept_and_goes_where_it_lies():
    map_ = torch.rand(2, 6, 9)
    for grid in [(6, 9), (4, 5), (3, 3), (7, 11), (1, 1)]:
        torch.testing.assert_close(on_grid(map_, grid).sum((-2, -1)), map_.sum((-2, -1)))
    point = torch.zeros(4, 6)
    point[1, 2] = 1.0
    assert on_grid(point, (2, 3)).nonzero().tolist() == [[0, 1]]
    assert torch.equal(on_grid(point, (2, 3)), torch.nn.functional.avg_pool2d(point[None], 2)[0] * 4)


def test_the_mean_of_a_constant_is_the_constant():
    torch.testing.assert_close(on_grid(torch.full((5, 7), 3.0), (3, 4), "mean"), torch.full((3, 4), 3.0))


def test_what_is_only_finer_has_not_moved():
    """A map on twice as many cells, each with a quarter of the mass, is the same map."""
    coarse = torch.rand(3, 2 + 12)
    coarse /= coarse.sum(-1, keepdim=True)
    fine = coarse[:, 2:].unflatten(1, (3, 4)).repeat_interleave(2, 1).repeat_interleave(2, 2) / 4
    both = torch.cat([coarse[:, :2], fine.flatten(1)], dim=1)
    torch.testing.assert_close(moved(coarse, both, 2, ((3, 4), (6, 8))), torch.zeros(3), atol=1e-6, rtol=0)
    assert common((3, 8), (6, 4)) == (3, 4)
    swapped = coarse[:, [1, 0, *range(2, 14)]]
    expected = (coarse[:, 0] - coarse[:, 1]).abs()
    torch.testing.assert_close(moved(coarse, swapped, 2, ((3, 4), (3, 4))), expected)


def test_features_are_compared_on_the_coarser_grid():
    tokens = torch.randn(12, 5)
    fine = tokens.unflatten(0, (3, 4)).repeat_interleave(2, 0).repeat_interleave(2, 1).flatten(0, 1)
    alike = features_cosine(tokens, fine, ((3, 4), (6, 8)))
    assert alike.shape == (3, 4)
    torch.testing.assert_close(alike, torch.ones(3, 4))


def test_distance_knows_cells_that_are_not_square():
    """One head, two patches beside one another, each looks at the other alone: the distance is one cell's width."""
    logits = torch.tensor([[[[-50.0, 50.0], [50.0, -50.0]]]])
    layer = Layer((1, 2), None, None, None, 1.0, torch.arange(2)[None], 0, torch.zeros(2, 3), logits=logits)
    assert distance(layer, (7.0, 30.0)).tolist() == pytest.approx([30.0])
    assert distance(layer, 7.0).tolist() == pytest.approx([7.0])
