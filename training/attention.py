"""Attention for learning in bf16 on the CPU: the fused kernel forwards, products and a softmax backwards.

There the fused kernel's own backward pass takes longer than all of these together, and keeping the (queries, keys)
weights of every head would be most of a small network's memory. So queries, keys and values are kept, as fused kernels
keep them (Dao et al. 2022, arXiv 2205.14135, section 3.1), and the weights are made again. Weights no larger than the
values, of no more keys than a head has channels, are made once and kept: there is little to save. What the three
projections read is rounded and kept once, where autocast would round and keep it for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.amp import custom_bwd, custom_fwd
from torch.overrides import TorchFunctionMode


@contextmanager
def lean() -> Iterator[None]:
    """Within it, whatever calls torch's fused attention gets the one of this file where there is a gradient, and linear
    layers that read one tensor share its rounded copy."""
    with _Lean():
        yield


def attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, **others: Any,
) -> Tensor:  # fmt: skip
    """What `torch.nn.functional.scaled_dot_product_attention` gives, which also serves what is not written out here."""
    if dropout_p or others.get("enable_gqa") or not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **others)
    if is_causal:
        attn_mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill(~attn_mask, -math.inf)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    if key.shape[-2] <= value.shape[-1]:
        return _weights(query, key, attn_mask, scale) @ value
    return _Remade.apply(query, key, value, attn_mask, scale)  # pyright: ignore[reportReturnType]


class _Lean(TorchFunctionMode):
    rounded: tuple[Tensor, int, Tensor] | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.scaled_dot_product_attention:
            return attention(*args, **(kwargs or {}))
        if func is F.linear and args:
            args = (self._once(args[0]), *args[1:])
        return func(*args, **(kwargs or {}))

    def _once(self, values: Tensor) -> Tensor:
        """In autocast's precision: the same copy for as long as the same tensor is asked for and nobody wrote in it.

        Where there is no gradient nothing is kept, and a copy made there would let none through.
        """
        if values.dtype != torch.float32 or not (torch.is_autocast_enabled("cpu") and torch.is_grad_enabled()):
            return values
        if self.rounded is None or self.rounded[0] is not values or self.rounded[1] != values._version:
            self.rounded = values, values._version, values.to(torch.get_autocast_dtype("cpu"))
        return self.rounded[2]


class _Remade(torch.autograd.Function):
    """softmax(scale · Q Kᵀ + bias) V over the last two axes; bias broadcasts to (…, queries, keys)."""

    @staticmethod
    @custom_fwd(device_type="cpu")
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float) -> Tensor:
        ctx.save_for_backward(query, key, value, bias)
        ctx.scale = scale
        return F.scaled_dot_product_attention(query, key, value, bias, scale=scale)

    @staticmethod
    @custom_bwd(device_type="cpu")
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, bias = ctx.saved_tensors
        weights = _weights(query, key, bias, ctx.scale)
        by_weight = gradient @ value.mT
        by_logit = torch.ops.aten._softmax_backward_data(by_weight, weights, -1, weights.dtype)
        by_bias = by_logit.sum_to_size(bias.shape) if bias is not None and ctx.needs_input_grad[3] else None
        by_query, by_key = ctx.scale * (by_logit @ key), by_logit.mT @ (ctx.scale * query)
        return by_query, by_key, weights.mT @ gradient, by_bias, None


def _weights(query: Tensor, key: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    logits = (scale * query) @ key.mT
    return (logits if bias is None else logits + bias.to(logits.dtype)).softmax(-1)
