"""The two doors through which attention passes, and what is written down there.

The first is `torch.nn.functional.scaled_dot_product_attention`, seen by a `TorchFunctionMode` or, once it is known that
nothing else is needed, under its name alone; the fused kernel does the work in either case. Cosine attention (SwinV2)
never reaches it and comes through the second door, the softmax over four axes inside its block.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from models.faults import Refusal

_true_kernel = F.scaled_dot_product_attention
_SOFTMAXES = (F.softmax, torch.softmax, Tensor.softmax)


@dataclass(frozen=True)
class Call:
    """One attention call. `weights` is set only where gradients were asked for.

    query, key: (windows, heads, tokens, dim)
    bias:       broadcastable to (windows, heads, queries, keys), or None
    logits:     (windows, heads, queries, keys) when the call came through the softmax door
    """

    scale: float
    query: Tensor | None = None
    key: Tensor | None = None
    bias: Tensor | None = None
    logits: Tensor | None = None
    weights: Tensor | None = None


@dataclass
class Seen:
    """What happened inside one block: its attention calls, in order, and its output."""

    calls: list[Call] = field(default_factory=list)
    output: Tensor | None = None

    @property
    def attention(self) -> Call:
        """The block's one attention call; any other number is not patch attention as we know it."""
        kernel = [call for call in self.calls if call.logits is None] or self.calls
        if len(kernel) != 1:
            raise Refusal(
                "Attention was asked for, but a block of this network makes {count} attention calls that can be seen "
                "where one was expected; choose a network of a family that Patchlight reads.",
                count=len(kernel),
            )
        return kernel[0]


class Recorder(TorchFunctionMode):
    """Sees attention calls of the thread that made it; `inside` is the block that runs now, or None between blocks."""

    def __init__(self, gradients: bool = False) -> None:
        super().__init__()
        self.gradients = gradients
        self.inside: Seen | None = None
        self.thread = threading.get_ident()

    @property
    def here(self) -> bool:
        return threading.get_ident() == self.thread

    @contextmanager
    def at_the_kernel(self) -> Iterator[None]:
        """Instead of the mode: the kernel alone is listened to, under its name in `torch.nn.functional`."""

        before = F.scaled_dot_product_attention

        def kernel(*args: Any, **kwargs: Any) -> Tensor:
            listening = self.inside is not None and self.here
            return self._kernel(*args, **kwargs) if listening else before(*args, **kwargs)

        F.scaled_dot_product_attention = kernel
        try:
            yield
        finally:
            F.scaled_dot_product_attention = before

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if self.inside is None:
            return func(*args, **kwargs)
        if func is _true_kernel:
            return self._kernel(*args, **kwargs)
        if func in _SOFTMAXES and args[0].ndim == 4:
            return self._softmax(func, args, kwargs)
        return func(*args, **kwargs)

    def _kernel(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        **rest: Any,
    ) -> Tensor:
        assert self.inside is not None
        factor = query.shape[-1] ** -0.5 if scale is None else scale
        bias = _causal(query, key) if is_causal else _as_bias(attn_mask, query.dtype)
        if not self.gradients:
            self.inside.calls.append(Call(factor, query.detach(), key.detach(), bias))
            return _true_kernel(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **rest)
        logits = factor * query @ key.transpose(-2, -1)
        weights = (logits if bias is None else logits + bias).softmax(-1)
        self.inside.calls.append(Call(factor, query, key, bias, weights=weights))
        return weights @ value

    def _softmax(self, func: Any, args: tuple, kwargs: dict) -> Tensor:
        assert self.inside is not None
        weights = func(*args, **kwargs)
        logits = args[0] if self.gradients else args[0].detach()
        self.inside.calls.append(Call(1.0, logits=logits, weights=weights if self.gradients else None))
        return weights


def _causal(query: Tensor, key: Tensor) -> Tensor:
    """What the kernel's `is_causal` stands for, as an additive mask (1, 1, queries, keys)."""
    ahead = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).triu(1)
    return torch.zeros_like(ahead, dtype=query.dtype).masked_fill_(ahead, float("-inf"))[None, None]


def _as_bias(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """A boolean mask (True may be seen) as the additive one that it stands for."""
    if mask is None or mask.dtype != torch.bool:
        return mask if mask is None else mask.detach()
    return torch.zeros_like(mask, dtype=dtype).masked_fill_(~mask, float("-inf"))
