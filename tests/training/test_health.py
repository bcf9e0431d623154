"""Collapse meters read what they should at both ends of their scales."""

from __future__ import annotations

import torch

from training import health


def test_entropy_from_one_hot_to_uniform() -> None:
    assert health.entropy(torch.eye(8)) == 0
    torch.testing.assert_close(health.entropy(torch.full((5, 8), 1 / 8)), torch.tensor(1.0))


def test_divergence_is_zero_when_every_picture_gets_one_answer() -> None:
    same = torch.softmax(torch.randn(1, 8), -1).expand(6, -1)
    torch.testing.assert_close(health.divergence(same), torch.tensor(0.0), rtol=0, atol=1e-6)
    torch.testing.assert_close(health.divergence(torch.eye(8)), torch.tensor(8.0).log())


def test_spread_tells_isotropic_from_collapsed_features() -> None:
    generator = torch.Generator().manual_seed(0)
    assert 0.95 < health.spread(torch.randn(2000, 64, generator=generator)) < 1.05
    assert health.spread(torch.ones(50, 64) + 1e-4 * torch.randn(50, 64, generator=generator)) < 1e-3


def test_rank_counts_directions() -> None:
    basis = torch.linalg.qr(torch.randn(40, 5, generator=torch.Generator().manual_seed(0)))[0]
    assert abs(health.rank(basis @ torch.eye(5, 12)) - 5) < 0.01
    assert health.rank(torch.ones(40, 12)) < 1.01


def test_matched_counts_the_diagonal() -> None:
    assert health.matched(torch.eye(4)) == 1
    assert health.matched(torch.eye(4).roll(1, 0)) == 0


def test_copying_costs_the_same_however_many_pictures_are_taken_at_once() -> None:
    """The last part is smaller, and pictures may hide unlike numbers of patches."""
    drawn = torch.Generator().manual_seed(0)
    patches = torch.rand(2 * health.PICTURES + 3, 12, 5, generator=drawn)
    mask = (torch.rand(len(patches), 12, generator=drawn) < 0.6).float()
    mask[:, 0] = 0
    whole = health.hidden_error(health.nearest_visible(patches, mask, (3, 4)), patches, mask)
    torch.testing.assert_close(health.copied_error(patches, mask, (3, 4)), whole)
