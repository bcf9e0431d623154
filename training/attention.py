"""Attention for learning in bf16 on the CPU: the fused kernel forwards, products and a softmax backwards.

There the fused kernel's own backward pass takes longer than all of these together, and keeping the (queries, keys)
weights of every head would be most of a small network's memory. So queries, keys and values are kept, as fused kernels
keep them (Dao et al. 2022, arXiv 2205.14135, section 3.1), and the weights are made again.
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
    """Within it, whatever calls torch's fused attention gets the one of this file where there is a gradient."""
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
    return _Remade.apply(query, key, value, attn_mask, 1 / math.sqrt(query.shape[-1]) if scale is None else scale)  # pyright: ignore[reportReturnType]


class _Lean(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.scaled_dot_product_attention:
            return attention(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


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
        logits = (ctx.scale * query) @ key.mT
        weights = (logits if bias is None else logits + bias.to(logits.dtype)).softmax(-1)
        by_weight = gradient @ value.mT
        by_logit = torch.ops.aten._softmax_backward_data(by_weight, weights, -1, weights.dtype)
        by_bias = by_logit.sum_to_size(bias.shape) if bias is not None and ctx.needs_input_grad[3] else None
        by_query, by_key = ctx.scale * (by_logit @ key), by_logit.mT @ (ctx.scale * query)
        return by_query, by_key, weights.mT @ gradient, by_bias, None
