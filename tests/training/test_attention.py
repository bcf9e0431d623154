"""Attention for bf16 on the CPU: the same numbers and gradients as torch's, and nothing large kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.attention import attention, lean
from training.networks import clip, mae, vit
from training.words import tower, words

KEYS = 7
WIDTHS = {"weights made again": KEYS - 3, "weights kept": KEYS}
"""Channels of a head: its weights are kept where they are no larger than its values."""

widths = pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)


def tensors(width: int) -> list[Tensor]:
    """Queries, keys, values, and a bias of each head that the pictures share."""
    generator = torch.Generator().manual_seed(0)
    shape = (2, 3, KEYS, width)
    made = [
        torch.randn(*one, generator=generator, dtype=torch.float64) for one in (shape, shape, shape, (3, KEYS, KEYS))
    ]
    return [one.requires_grad_() for one in made]


CASES = {
    "plain": {}, "causal": {"is_causal": True}, "scaled": {"scale": 0.3},
    "some keys": {"attn_mask": torch.tensor([True] * 5 + [False] * 2).expand(7, 7)},
}  # fmt: skip


@widths
@pytest.mark.parametrize("case", CASES)
def test_attention_is_torchs_own(case: str, width: int) -> None:
    query, key, value, _ = tensors(width)
    expected = F.scaled_dot_product_attention(query, key, value, **CASES[case])
    torch.testing.assert_close(attention(query, key, value, **CASES[case]), expected)


@widths
def test_every_gradient_is_the_derivative(width: int) -> None:
    """By finite differences, with a bias that learns and is shared by the pictures, as Swin's is."""
    assert torch.autograd.gradcheck(lambda q, k, v, b: attention(q, k, v, b, scale=0.7), tensors(width))


@contextmanager
def kept() -> Iterator[list[Tensor]]:
    """Fills with what is kept for the backward pass while it is lean."""
    found: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda one: found.append(one) or one, lambda one: one), lean():
        yield found


@widths
def test_nothing_larger_than_queries_keys_and_values_is_kept(width: int) -> None:
    query, key, value, _ = tensors(width)
    with kept() as found:
        F.scaled_dot_product_attention(query, key, value)
    tensors_kept = {one.untyped_storage().data_ptr(): one.numel() for one in found}
    assert max(tensors_kept.values()) == query.numel()
    assert len(tensors_kept) == 3 + (width == KEYS)


def test_layers_that_read_one_tensor_keep_one_rounded_copy() -> None:
    """Queries, keys and values are made of the same tokens: by autocast alone, three copies of them are kept."""
    tokens, other = torch.randn(2, 5, 4, requires_grad=True), torch.randn(2, 5, 4)
    layers = [torch.nn.Linear(4, 4) for _ in range(3)]
    with kept() as found, torch.autocast("cpu", torch.bfloat16):
        answers = [layer(tokens) for layer in layers]
        last = layers[0](other)
    assert len({one.data_ptr() for one in found if one.numel() == tokens.numel()}) == 2, "one of each tensor"
    with torch.autocast("cpu", torch.bfloat16):
        for answer, layer in zip([*answers, last], [*layers, layers[0]], strict=True):
            assert torch.equal(answer, layer(tokens if answer is not last else other)), "autocast's own numbers"


def test_a_rounded_copy_is_not_taken_for_what_was_written_in_the_tensor_since() -> None:
    tokens, layer = torch.zeros(2, 4), torch.nn.Linear(4, 4)
    with lean(), torch.autocast("cpu", torch.bfloat16):
        before = layer(tokens)
        after = layer(tokens.fill_(1))
    assert not torch.equal(before, after)


def test_a_look_without_gradient_lets_the_next_one_have_its_own() -> None:
    """As a teacher and a student do that read the same tokens."""
    tokens, layer = torch.ones(2, 4, requires_grad=True), torch.nn.Linear(4, 4)
    with lean(), torch.autocast("cpu", torch.bfloat16):
        with torch.no_grad():
            layer(tokens)
        layer(tokens).sum().backward()
    assert tokens.grad is not None


@pytest.mark.parametrize("family", ["vit", "mae", "clip"])
def test_networks_learn_the_same_leanly(family: str) -> None:
    """In single precision, where both are exact enough to be compared, and through the libraries' own blocks."""
    text = tower(words(["a red circle"]), 64, 1)
    network = {
        "vit": lambda: vit("nano", 32, 8),
        "mae": lambda: mae("nano", 32, 8, width=32, depth=1, normalised=False, ratio=0.75),
        "clip": lambda: clip("nano", 32, 8, text=text, joint=32),
    }[family]().module  # fmt: skip
    network.train()
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    asked = {"input_ids": torch.tensor([[0, 3, 4, 1, 1], [0, 4, 3, 5, 1]])} if family == "clip" else {}

    def gradient() -> Tensor:
        network.zero_grad()
        torch.manual_seed(2)
        answer = network(pixel_values=pixels, **asked) if family in ("mae", "clip") else network(pixels)
        found = answer.logits_per_image if family == "clip" else answer.logits if family == "mae" else answer
        found.flatten().pow(3).sum().backward()
        return torch.cat([one.grad.flatten() for one in network.parameters() if one.grad is not None])

    plain = gradient()
    with lean():
        ours = gradient()
    assert not torch.equal(ours, plain), "the fused call was not replaced"
    torch.testing.assert_close(ours, plain, rtol=1e-3, atol=1e-6 * float(plain.abs().max()))
