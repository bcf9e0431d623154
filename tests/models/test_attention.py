"""Quantities of attention against their definitions, written out longhand on small layers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from models import attention
from models.backbone import Layer
from models.faults import Fault, Refusal


def layer_of(weights: torch.Tensor, grid: tuple[int, int], prefix: int, seed: int = 0) -> Layer:
    """One window whose attention is exactly `weights` (heads, tokens, tokens)."""
    tokens = weights.shape[-1]
    return Layer(
        grid=grid, queries=None, keys=None, bias=None, scale=1.0, members=torch.arange(tokens)[None], prefix=prefix,
        tokens=torch.randn(tokens, 8, generator=torch.Generator().manual_seed(seed)), logits=weights.log()[None],
    )  # fmt: skip


def _logits(layer: Layer) -> torch.Tensor:
    assert layer.logits is not None
    return layer.logits


def random_layer(seed: int, grid: tuple[int, int] = (3, 4), prefix: int = 2, heads: int = 3) -> Layer:
    tokens = grid[0] * grid[1] + prefix
    logits = 2 * torch.randn(heads, tokens, tokens, generator=torch.Generator().manual_seed(seed))
    return layer_of(logits.softmax(-1), grid, prefix, seed)


@pytest.fixture
def blocks() -> list[Layer]:
    return [random_layer(seed) for seed in range(4)]


@pytest.mark.parametrize("fusion", ["mean", "max", "min"])
def test_rollout_is_the_product_of_normalised_matrices(blocks: list[Layer], fusion: attention.Fusion) -> None:
    expected = torch.eye(14, dtype=torch.float64)
    for layer in blocks:
        fused = getattr(layer.matrix().double(), {"mean": "mean", "max": "amax", "min": "amin"}[fusion])(0)
        mixed = (fused + torch.eye(14)) / 2
        expected = mixed / mixed.sum(-1, keepdim=True) @ expected
    whole = attention.rollout(blocks, fusion)
    torch.testing.assert_close(whole.double(), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(whole.sum(-1), torch.ones(14))


def test_one_row_of_the_rollout_needs_no_matrix(blocks: list[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.layer.CHUNK_ENTRIES", 3 * 14 * 5)  # slices of 5 queries, the last one short
    whole = attention.rollout(blocks, "max", 0.5)
    for token in range(14):
        torch.testing.assert_close(attention.rollout_from(blocks, token, "max", 0.5), whole[token])
    torch.testing.assert_close(attention.rollout_from(blocks, None, "max", 0.5), whole[2:].mean(0))
    weights = torch.arange(14.0) / 91
    torch.testing.assert_close(attention.rollout_from(blocks, weights, "max", 0.5), weights @ whole)


def test_rollout_does_not_depend_on_the_order_inside_a_window(blocks: list[Layer]) -> None:
    order = torch.randperm(14, generator=torch.Generator().manual_seed(9))
    shuffled = replace(blocks[1], members=order[None], logits=_logits(blocks[1])[:, :, order][:, :, :, order])
    mixed = [blocks[0], shuffled, *blocks[2:]]
    torch.testing.assert_close(attention.rollout(mixed), attention.rollout(blocks))


def test_discard_drops_the_lowest_patches_and_never_prefix_tokens() -> None:
    row = torch.tensor([0.01, 0.02, 0.40, 0.05, 0.30, 0.22])
    layer = layer_of(row.expand(1, 6, 6), grid=(2, 2), prefix=2)
    kept = torch.tensor([0.01, 0.02, 0.40, 0.0, 0.30, 0.0])
    expected = (kept + torch.eye(6)[3]) / (kept.sum() + 1)
    torch.testing.assert_close(attention.rollout_from([layer], 3, discard=0.5), expected)


def test_rollout_is_refused_where_tokens_change(blocks: list[Layer]) -> None:
    with pytest.raises(Refusal, match="different grids: 2"):
        attention.rollout([blocks[0], random_layer(1, grid=(2, 2))])
    windowed = replace(
        blocks[0], prefix=0, members=torch.arange(12).view(2, 6), logits=torch.zeros(2, 3, 6, 6), grid=(3, 4),
        tokens=blocks[0].tokens[:12],
    )  # fmt: skip
    with pytest.raises(Refusal, match="windows: up to 2"):
        attention.rollout_from([windowed], 0)


def test_rollout_refuses_a_matrix_that_is_too_large(blocks: list[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "MATRIX_ENTRIES", 3 * 14 * 14 - 1)
    with pytest.raises(Refusal, match="single token"):
        attention.rollout(blocks)
    assert attention.rollout_from(blocks, 0).sum().item() == pytest.approx(1)


@pytest.mark.parametrize("discard", [-0.1, 1.0, math.nan])
def test_discard_outside_its_range_is_a_fault(blocks: list[Layer], discard: float) -> None:
    with pytest.raises(Fault, match="discard"):
        attention.rollout_from(blocks, 0, discard=discard)


def test_a_token_that_is_not_there_is_a_fault(blocks: list[Layer]) -> None:
    with pytest.raises(Fault, match="14"):
        attention.rollout_from(blocks, 14)


def test_a_network_in_double_precision_is_read_like_any_other(blocks: list[Layer]) -> None:
    double = [replace(layer, logits=_logits(layer).double(), tokens=layer.tokens.double()) for layer in blocks]
    torch.testing.assert_close(attention.rollout(double), attention.rollout(blocks), check_dtype=False)
    torch.testing.assert_close(attention.distance(double[0], 16), attention.distance(blocks[0], 16), check_dtype=False)
    torch.testing.assert_close(attention.sinks(double[0]).share, attention.sinks(blocks[0]).share, check_dtype=False)


def test_entropy_of_known_rows() -> None:
    rows = torch.tensor([[1 / 8] * 8, [1.0] + [0.0] * 7, [0.5, 0.25, 0.25] + [0.0] * 5])
    torch.testing.assert_close(attention.entropy(rows), torch.tensor([3.0, 0.0, 1.5]))


def test_distance_of_known_attention() -> None:
    """Identity looks 0 pixels far; a shift by one column, one patch; all mass on a prefix token changes nothing."""
    rows, columns, patch = 2, 5, 16
    tokens = rows * columns + 1
    own = torch.eye(tokens)
    shifted = torch.eye(tokens)
    for place in range(rows * columns):
        beside = place + 1 if place % columns < columns - 1 else place - 1
        shifted[1 + place] = 0.9 * torch.eye(tokens)[0] + 0.1 * torch.eye(tokens)[1 + beside]
    layer = layer_of(torch.stack([own, shifted]), (rows, columns), prefix=1)
    torch.testing.assert_close(attention.distance(layer, patch), torch.tensor([0.0, 16.0]))


def test_distance_of_uniform_attention_is_the_mean_over_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.layer.CHUNK_ENTRIES", 40)
    layer = layer_of(torch.full((2, 13, 13), 1 / 13), (3, 4), prefix=1)
    places = [(row, column) for row in range(3) for column in range(4)]
    expected = 14 * sum(math.dist(a, b) for a in places for b in places) / len(places) ** 2
    assert attention.distance(layer, 14).tolist() == pytest.approx([expected, expected], abs=1e-4)


def test_distance_within_windows_leaves_padding_out() -> None:
    """A 1 × 3 grid in windows of two: the second window holds one patch and one padded place."""
    layer = Layer(
        grid=(1, 3), queries=None, keys=None, bias=None, scale=1.0, members=torch.tensor([[0, 1], [2, -1]]), prefix=0,
        tokens=torch.randn(3, 4), logits=torch.zeros(2, 1, 2, 2),
    )  # fmt: skip
    assert attention.distance(layer, 8).item() == pytest.approx(8 * (0.5 + 0.5 + 0) / 3)


def test_mass_mask_is_the_smallest_set_that_holds_the_share() -> None:
    row = torch.rand(200, generator=torch.Generator().manual_seed(1)) ** 4
    for share in (0.1, 0.6, 0.95):
        mask = attention.mass_mask(row, share)
        assert row[mask].sum() >= share * row.sum()
        assert row[mask].sum() - row[mask].min() < share * row.sum()
        assert row[mask].min() >= row[~mask].max()
    assert attention.mass_mask(torch.tensor([0.0, 0.3, 0.1]), 1.0).tolist() == [False, True, True]
    assert attention.mass_mask(torch.full((2, 10), 0.1)).sum(-1).tolist() == [6, 6]


@pytest.mark.parametrize("share", [0.0, 1.01, math.nan])
def test_mass_share_outside_its_range_is_a_fault(share: float) -> None:
    with pytest.raises(Fault, match="share"):
        attention.mass_mask(torch.ones(3), share)


def test_sinks_are_outlying_norms_and_swallow_a_stated_share() -> None:
    tokens = torch.randn(101, 64, generator=torch.Generator().manual_seed(0))
    tokens[[7, 40]] *= 6
    weights = torch.full((2, 101, 101), 1.0)
    weights[1, :, [7, 40]] = 99.0
    layer = replace(layer_of(weights / weights.sum(-1, keepdim=True), (10, 10), prefix=1), tokens=tokens)
    found = attention.sinks(layer)
    assert found.tokens.tolist() == [7, 40]
    torch.testing.assert_close(found.share, torch.tensor([2 / 101, 198 / 297]))
    assert found.even == pytest.approx(2 / 101)
    assert attention.sinks(replace(layer, tokens=torch.randn(101, 64))).tokens.tolist() == []


def test_an_unknown_fusion_is_a_fault() -> None:
    with pytest.raises(Fault, match="median"):
        attention.fuse(torch.ones(2, 3), "median")  # pyright: ignore[reportArgumentType]
