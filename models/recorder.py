"""One door through which the attention of every family is seen.

timm and transformers hand their attention to `torch.nn.functional.scaled_dot_product_attention`. A
`TorchFunctionMode` around the forward pass sees each call's query, key, mask and scale while the fused kernel still
does the work: no module is looked up by name, none is changed. Cosine attention (SwinV2) never reaches that kernel; it
comes through a second door, the softmax inside its block, with its logits kept whole because windows are small.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from models.faults import Refusal

_one_at_a_time = threading.RLock()
"""Hooks and fused switches live on the shared module, so recordings of it must not overlap."""

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
    """Sees attention calls; `inside` is the block that runs now, or None between blocks."""

    def __init__(self, gradients: bool = False) -> None:
        super().__init__()
        self.gradients = gradients
        self.inside: Seen | None = None

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if self.inside is None:
            return func(*args, **kwargs)
        if func is F.scaled_dot_product_attention:
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
            return F.scaled_dot_product_attention(
                query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **rest
            )
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


def record(blocks: Sequence[nn.Module], forward: Callable[[], Any], gradients: bool = False) -> tuple[list[Seen], Any]:
    """Run `forward` once and return what each of `blocks` did, in their order, with the result of `forward`.

    With `gradients`, attention is computed openly and `Call.weights` belongs to the graph, so that the gradient of a
    score with respect to it can be taken; memory then grows with tokens squared.
    """
    recorder = Recorder(gradients)
    seen = [Seen() for _ in blocks]
    with _one_at_a_time, ExitStack() as stack:
        for block, slot in zip(blocks, seen, strict=True):
            stack.callback(block.register_forward_pre_hook(_enter(recorder, slot)).remove)
            stack.callback(block.register_forward_hook(_leave(recorder, slot)).remove)
        for block in blocks:
            stack.enter_context(fused(block))
        stack.enter_context(torch.set_grad_enabled(gradients))
        stack.enter_context(recorder)
        result = forward()
    return seen, result


@contextmanager
def fused(module: nn.Module) -> Iterator[None]:
    """timm's Swin, among others, keeps its `fused_attn` switch off, and the kernel unseen; on here, restored after."""
    switched = [part for part in module.modules() if vars(part).get("fused_attn") is False]
    for part in switched:
        part.fused_attn = True  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        for part in switched:
            part.fused_attn = False  # pyright: ignore[reportArgumentType]


def _enter(recorder: Recorder, slot: Seen) -> Callable[..., None]:
    thread = threading.get_ident()

    def hook(*_: Any) -> None:
        if threading.get_ident() == thread:
            recorder.inside = slot

    return hook


def _leave(recorder: Recorder, slot: Seen) -> Callable[..., None]:
    thread = threading.get_ident()

    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if threading.get_ident() == thread:
            recorder.inside = None
            slot.output = output if isinstance(output, Tensor) else output[0]

    return hook


def _causal(query: Tensor, key: Tensor) -> Tensor:
    """What the kernel's `is_causal` stands for, as an additive mask (1, 1, queries, keys)."""
    ahead = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).triu(1)
    return torch.zeros_like(ahead, dtype=query.dtype).masked_fill_(ahead, float("-inf"))[None, None]


def _as_bias(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """A boolean mask (True may be seen) as the additive one that it stands for."""
    if mask is None or mask.dtype != torch.bool:
        return mask if mask is None else mask.detach()
    return torch.zeros_like(mask, dtype=dtype).masked_fill_(~mask, float("-inf"))
