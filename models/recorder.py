"""One way in which the attention of every family is seen, while the network runs as it always does.

timm and transformers hand their attention to `torch.nn.functional.scaled_dot_product_attention`. A
`TorchFunctionMode` around the forward pass sees each call's query, key, mask and scale while the fused kernel still
does the work: no module is looked up by name, none is changed. Both doors are in `models.doors`.

The mode is asked about every call of torch, which costs a small network several percent. So it watches a block's first
pass only. Where that pass found the kernel to be the door, later ones listen at the kernel's name alone; the mode
watches again as soon as a block calls the kernel more or less often than it did.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from models.doors import Call, Recorder, Seen

__all__ = ["Call", "Recorder", "Seen", "record"]

_one_at_a_time = threading.RLock()
"""Hooks and fused switches live on the shared module, so recordings of it must not overlap."""


@dataclass(frozen=True)
class Habit:
    """What a block was seen to do.

    calls:     of the kernel, in one pass
    switches:  paths of its parts that have timm's `fused_attn` switch
    """

    calls: int
    switches: tuple[str, ...]


_habits: WeakKeyDictionary[nn.Module, Habit] = WeakKeyDictionary()
"""Of the blocks that have run under the mode and whose attention is the kernel's."""


def record(blocks: Sequence[nn.Module], forward: Callable[[], Any], gradients: bool = False) -> tuple[list[Seen], Any]:
    """Run `forward` and return what each of `blocks` did, in their order, with the result of `forward`.

    With `gradients`, attention is computed openly and `Call.weights` belongs to the graph, so that the gradient of a
    score with respect to it can be taken; memory then grows with tokens squared.

    `forward` runs once, or a second time where a block does not do what it did before.
    """
    with _one_at_a_time, torch.set_grad_enabled(gradients):
        if all(block in _habits for block in blocks):
            recorder = Recorder(gradients)
            with recorder.at_the_kernel():
                seen, result = _run(recorder, blocks, forward)
            if all(_habits[block].calls == len(slot.calls) for block, slot in _ran(blocks, seen)):
                return seen, result
        recorder = Recorder(gradients)
        with recorder:
            seen, result = _run(recorder, blocks, forward)
        for block, slot in _ran(blocks, seen):
            _learn(block, slot)
    return seen, result


def _run(recorder: Recorder, blocks: Sequence[nn.Module], forward: Callable[[], Any]) -> tuple[list[Seen], Any]:
    seen = [Seen() for _ in blocks]
    with ExitStack() as stack:
        for block, slot in zip(blocks, seen, strict=True):
            stack.callback(block.register_forward_pre_hook(_enter(recorder, slot)).remove)
            stack.callback(block.register_forward_hook(_leave(recorder, slot)).remove)
            stack.enter_context(fused(_switched(block)))
        return seen, forward()


def _ran(blocks: Sequence[nn.Module], seen: Sequence[Seen]) -> list[tuple[nn.Module, Seen]]:
    return [(block, slot) for block, slot in zip(blocks, seen, strict=True) if slot.output is not None]


def _learn(block: nn.Module, slot: Seen) -> None:
    calls = sum(call.logits is None for call in slot.calls)
    if calls:
        switches = (path for path, part in block.named_modules() if "fused_attn" in vars(part))
        _habits[block] = Habit(calls, tuple(switches))
    else:
        _habits.pop(block, None)


def _switched(block: nn.Module) -> list[nn.Module]:
    """Parts that keep timm's switch."""
    if habit := _habits.get(block):
        return [block.get_submodule(path) for path in habit.switches]
    return [part for part in block.modules() if "fused_attn" in vars(part)]


@contextmanager
def fused(parts: Iterable[nn.Module]) -> Iterator[None]:
    """timm's Swin, among others, keeps its `fused_attn` switch off, and the kernel unseen; on here, restored after."""
    off = [part for part in parts if part.fused_attn is False]
    for part in off:
        part.fused_attn = True  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        for part in off:
            part.fused_attn = False  # pyright: ignore[reportArgumentType]


def _enter(recorder: Recorder, slot: Seen) -> Callable[..., None]:
    def hook(*_: Any) -> None:
        if recorder.here:
            recorder.inside = slot

    return hook


def _leave(recorder: Recorder, slot: Seen) -> Callable[..., None]:
    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if recorder.here:
            recorder.inside = None
            slot.output = output if isinstance(output, Tensor) else output[0]

    return hook
