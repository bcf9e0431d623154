"""Attention for bf16 on the CPU: the same numbers and gradients as torch's, and nothing large kept."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.attention import attention, lean
from training.networks import clip, mae, vit
from training.words import tower, words

SHAPE = (2, 3, 7, 4)


def tensors(dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(*shape, generator=generator, dtype=dtype) for shape in (SHAPE, SHAPE, SHAPE, (3, 7, 7))]
    return [one.requires_grad_() for one in made]


CASES = {
    "plain": {}, "causal": {"is_causal": True}, "scaled": {"scale": 0.3},
    "some keys": {"attn_mask": torch.tensor([True] * 5 + [False] * 2).expand(7, 7)},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_attention_is_torchs_own(case: str) -> None:
    query, key, value, _ = tensors()
    expected = F.scaled_dot_product_attention(query, key, value, **CASES[case])
    torch.testing.assert_close(attention(query, key, value, **CASES[case]), expected)


def test_every_gradient_is_the_derivative() -> None:
    """By finite differences, with a bias that learns and is shared by the pictures, as Swin's is."""
    assert torch.autograd.gradcheck(lambda q, k, v, b: attention(q, k, v, b, scale=0.7), tensors())


def test_only_queries_keys_and_values_are_kept() -> None:
    query, key, value, _ = tensors()
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda one: kept.append(one) or one, lambda one: one), lean():
        F.scaled_dot_product_attention(query, key, value)
    assert [one.shape for one in kept] == [torch.Size(SHAPE)] * 3


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
