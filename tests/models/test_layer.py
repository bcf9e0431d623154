"""A `Layer` answers exactly what its attention is: known attentions, longhand softmax, windows, masks and padding."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models.backbone import Layer
from models.faults import Refusal

GRID = (3, 4)
TOKENS = 14  # two prefix tokens
EXACT = {"rtol": 0, "atol": 1e-6}


def seeded(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def layer_of(queries: Tensor, keys: Tensor, **changes: Any) -> Layer:
    """One window of everything, two prefix tokens."""
    plain = Layer(
        grid=GRID, queries=queries, keys=keys, bias=None, scale=1.0, members=torch.arange(TOKENS)[None], prefix=2,
        tokens=torch.zeros(TOKENS, 8), names=("CLS", "register 1"),
    )  # fmt: skip
    return replace(plain, **changes)


@pytest.fixture
def windowed() -> Layer:
    """A 3 × 4 grid in 2 × 2 windows shifted by one, a row of padding below, a mask that tells apart what the roll put
    side by side, and a bias for each head."""
    members = torch.tensor([[5, 6, 9, 10], [7, 4, 11, 8], [1, 2, -1, -1], [3, 0, -1, -1]])
    mask = torch.zeros(4, 1, 4, 4)
    mask[1, :, [[0], [2]], [1, 3]] = mask[1, :, [[1], [3]], [0, 2]] = -100.0
    return Layer(
        grid=GRID, queries=2 * seeded(4, 3, 4, 5), keys=seeded(4, 3, 4, 5, seed=1), bias=mask + seeded(1, 3, 4, 4),
        scale=0.4, members=members, prefix=0, tokens=torch.zeros(12, 8),
    )  # fmt: skip


def dense(layer: Layer) -> Tensor:
    """Every row longhand, entry by entry, (heads, tokens, tokens)."""
    assert layer.queries is not None
    assert layer.keys is not None
    whole = torch.zeros(layer.heads, layer.length, layer.length, dtype=torch.float64)
    for window, members in enumerate(layer.members.tolist()):
        for head in range(layer.heads):
            for i, query in enumerate(members):
                scores = []
                for j in range(len(members)):
                    score = layer.scale * float(layer.queries[window, head, i] @ layer.keys[window, head, j])
                    bias = 0.0 if layer.bias is None else float(layer.bias[window % len(layer.bias), head, i, j])
                    scores.append(math.exp(score + bias))
                for j, key in enumerate(members):
                    if query >= 0 and key >= 0:
                        whole[head, query, key] = scores[j] / sum(scores)
    return whole


def test_uniform_attention_is_uniform() -> None:
    layer = layer_of(torch.zeros(1, 2, TOKENS, 5), seeded(1, 2, TOKENS, 5))
    even = torch.full((2, TOKENS), 1 / TOKENS)
    for token in range(TOKENS):
        torch.testing.assert_close(layer.attention_from(token), even, **EXACT)
        torch.testing.assert_close(layer.attention_to(token), even, **EXACT)
    torch.testing.assert_close(layer.attention_mean(), even, **EXACT)


def test_identity_attention_looks_at_itself() -> None:
    own = 100 * torch.eye(TOKENS).expand(1, 2, -1, -1)
    layer = layer_of(own, torch.eye(TOKENS).expand(1, 2, -1, -1))
    torch.testing.assert_close(layer.matrix(), torch.eye(TOKENS).expand(2, -1, -1), **EXACT)
    for token in range(TOKENS):
        torch.testing.assert_close(layer.attention_from(token), torch.eye(TOKENS)[token].expand(2, -1), **EXACT)
        torch.testing.assert_close(layer.attention_to(token), torch.eye(TOKENS)[token].expand(2, -1), **EXACT)
    patches = torch.cat([torch.zeros(2), torch.full((12,), 1 / 12)])
    torch.testing.assert_close(layer.attention_mean(), patches.expand(2, -1), **EXACT)


@pytest.mark.parametrize("wanted", [0, 1, 2, 13])
def test_one_hot_attention_is_all_on_one_token(wanted: int) -> None:
    """Every token looks at `wanted` alone: its column is one throughout, every other column nought."""
    keys = torch.zeros(1, 1, TOKENS, 1)
    keys[0, 0, wanted] = 100.0
    layer = layer_of(torch.ones(1, 1, TOKENS, 1), keys)
    spike = torch.eye(TOKENS)[wanted][None]
    for token in range(TOKENS):
        torch.testing.assert_close(layer.attention_from(token), spike, **EXACT)
        expected = torch.full((1, TOKENS), float(token == wanted))
        torch.testing.assert_close(layer.attention_to(token), expected, **EXACT)
    torch.testing.assert_close(layer.attention_mean(), spike, **EXACT)


def test_rows_columns_mean_and_matrix_are_one_softmax(windowed: Layer) -> None:
    plain = layer_of(seeded(1, 2, TOKENS, 5), seeded(1, 2, TOKENS, 5, seed=3), scale=0.7)
    for layer in (plain, windowed):
        whole = dense(layer).float()
        torch.testing.assert_close(layer.matrix(), whole, **EXACT)
        torch.testing.assert_close(layer.attention_mean(), whole[:, layer.prefix :].mean(1), **EXACT)
        for token in range(layer.length):
            torch.testing.assert_close(layer.attention_from(token), whole[:, token], **EXACT)
            torch.testing.assert_close(layer.attention_to(token), whole[:, :, token], **EXACT)


def test_slices_change_nothing(windowed: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = layer_of(seeded(1, 2, TOKENS, 5), seeded(1, 2, TOKENS, 5, seed=3))
    whole = [(layer.attention_mean(), layer.attention_to(3)) for layer in (plain, windowed)]
    monkeypatch.setattr("models.layer.CHUNK_ENTRIES", 60)
    for layer, (mean, column) in zip((plain, windowed), whole, strict=True):
        torch.testing.assert_close(layer.attention_mean(), mean, **EXACT)
        torch.testing.assert_close(layer.attention_to(3), column, **EXACT)


def test_the_mask_separates_what_the_roll_brought_together(windowed: Layer) -> None:
    """Patches 7 and 4 share a window only because the picture was rolled; neither may see the other."""
    assert windowed.window_of(7).nonzero().flatten().tolist() == [4, 7, 8, 11]
    assert windowed.attention_from(7)[:, [4, 8]].max() < 1e-30
    torch.testing.assert_close(windowed.attention_from(7)[:, [7, 11]].sum(-1), torch.ones(3), **EXACT)


def test_padding_takes_its_share(windowed: Layer) -> None:
    """What real tokens hold and what padding holds make 1: the network looks at padding, so the map says so."""
    row = windowed.attention_from(1)
    padding = windowed.weights(2)[:, 0, 2:].sum(-1)
    assert padding.min() > 0.01
    torch.testing.assert_close(row.sum(-1) + padding, torch.ones(3), **EXACT)


def test_logits_answer_as_queries_and_keys_do(windowed: Layer) -> None:
    assert windowed.queries is not None
    assert windowed.keys is not None
    assert windowed.bias is not None
    logits = windowed.scale * windowed.queries @ windowed.keys.transpose(-2, -1) + windowed.bias
    other = replace(windowed, queries=None, keys=None, bias=None, logits=logits)
    assert other.heads == windowed.heads
    torch.testing.assert_close(other.matrix(), windowed.matrix(), **EXACT)
    torch.testing.assert_close(other.attention_to(5), windowed.attention_to(5), **EXACT)


def test_half_precision_is_softened_in_single() -> None:
    queries, keys = seeded(1, 2, TOKENS, 5), seeded(1, 2, TOKENS, 5, seed=3)
    half = layer_of(queries.bfloat16(), keys.bfloat16())
    same = layer_of(queries.bfloat16().float(), keys.bfloat16().float())
    torch.testing.assert_close(half.attention_from(0), same.attention_from(0), **EXACT)


def test_a_whole_matrix_is_refused_when_large(windowed: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.layer.MATRIX_ENTRIES", 3 * 12 * 12 - 1)
    with pytest.raises(Refusal, match="432 numbers"):
        windowed.matrix()


@pytest.mark.parametrize("token", [-1, 12, True, 1.0, None, [0]])
def test_a_token_that_is_not_there_is_refused(windowed: Layer, token: Any) -> None:
    with pytest.raises(Refusal, match="tokens 0 to 11"):
        windowed.attention_from(token)
    with pytest.raises(Refusal, match="tokens 0 to 11"):
        windowed.attention_to(token)


@pytest.mark.parametrize(
    "wrong",
    [{"prefix": 1}, {"grid": (4, 4)}, {"members": torch.arange(13)[None]}, {"tokens": torch.zeros(13, 8)}],
    ids=["prefix", "grid", "members", "tokens"],
)
def test_axes_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    """A map one token too short would still draw, one patch to the left."""
    with pytest.raises(Refusal, match="attends over"):
        layer_of(seeded(1, 2, TOKENS, 5), seeded(1, 2, TOKENS, 5), **wrong)


def test_a_kept_layer_is_the_same_and_holds_no_graph(windowed: Layer) -> None:
    assert windowed.queries is not None
    grown = replace(windowed, queries=windowed.queries.clone().requires_grad_())
    kept = grown.detached()
    assert kept.queries is not None
    assert not kept.queries.requires_grad
    torch.testing.assert_close(kept.matrix(), windowed.matrix(), **EXACT)
