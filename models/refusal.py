"""Why a network cannot be shown: one probing pass, and the reason in what was seen, never in the network's name.

A square matrix is not yet a map of patches: it may be of channels (XCiT), of heads mixed after the softmax (CaiT), of
windows whose tokens lie in an order that only the network's own code knows (MaxViT), or of units pooled on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from models.faults import Refusal
from models.recorder import Call, record

Shape = tuple[int, ...]
"""(windows ..., heads, queries, keys) of one call."""


def refusal(network: nn.Module) -> Refusal:
    """The reason why no family reads `network`, to be raised. Runs it once on noise, at the size that it names."""
    weight = next(network.parameters())
    noise = torch.randn(1, 3, *_size(network), generator=torch.Generator().manual_seed(0))
    noise = noise.to(weight.device, weight.dtype)
    try:
        with _eval(network), _lengths(network) as lengths:
            seen, _ = record([network], lambda: network(noise))
    except (TypeError, ValueError, RuntimeError, AssertionError) as wrong:
        return Refusal(
            "Attention was asked for, but this network, {network}, did not take a picture of {height} × {width} pixels "
            "({reason}); choose a network that reads pictures.",
            network=type(network).__name__, height=noise.shape[2], width=noise.shape[3],
            reason=str(wrong).partition("\n")[0],
        )  # fmt: skip
    kernel = {_shape(call) for call in seen[0].calls if call.query is not None}
    return _reason(network, [_shape(call) for call in seen[0].calls], lengths, kernel)


def _reason(network: nn.Module, calls: list[Shape], lengths: set[int], kernel: set[Shape]) -> Refusal:
    """`calls`: of each; `lengths`: how many tokens any part gave out; `kernel`: of `calls` those that were seen as
    queries and keys, not at a softmax, which may be taken over anything."""
    if not calls:
        return Refusal(
            "Attention was asked for, but one pass through this network, {network}, made no attention that can be "
            "seen here; it holds convolutions ({convolutions}), linear layers ({linears}) and recurrent layers "
            "({recurrent}), and which of them mix its patches is not known; choose a transformer of a family that "
            "Patchlight reads.",
            network=type(network).__name__, convolutions=_count(network, nn.Conv2d), linears=_count(network, nn.Linear),
            recurrent=_count(network, nn.RNNBase),
        )  # fmt: skip
    widths = _widths(network)
    for call in calls:
        *_, heads, queries, keys = call
        if queries == keys > 1 and keys not in lengths and heads * keys in widths:
            return Refusal(
                "A map of patches was asked for in every block, but in this network, {network}, maps of {queries} × "
                "{keys} relate channels, not patches; choose a network whose patches look at patches.",
                network=type(network).__name__, queries=queries, keys=keys,
            )  # fmt: skip
        if heads > 1 and any(part.in_features == part.out_features == heads for part in _linears(network)):
            return Refusal(
                "Attention was asked for, but this network, {network}, mixes its {heads} heads' maps with one another "
                "around the softmax (talking heads), so that no head has a map of its own; choose another network.",
                network=type(network).__name__, heads=heads,
            )  # fmt: skip
    return _of_layout(network, calls, kernel)


def _of_layout(network: nn.Module, calls: list[Shape], kernel: set[Shape]) -> Refusal:
    """Reasons of where tokens lie, as far as sizes establish that tokens look at tokens."""
    for call in calls:
        if list(call[:-3]) != [1] and call[-1] == call[-2]:
            return Refusal(
                "A map over the picture was asked for, but this network, {network}, attends within groups of {units} "
                "units, and where in the picture each unit lies is not known here; choose another network.",
                network=type(network).__name__, units=call[-1],
            )  # fmt: skip
    for call in calls:
        queries, keys = call[-2:]
        if queries != keys and queries > 1 and call in kernel:
            return Refusal(
                "A map over patches was asked for, but in this network, {network}, {queries} queries look at {keys} "
                "keys: one side is pooled, so that the two are not the same patches; choose another network.",
                network=type(network).__name__, queries=queries, keys=keys,
            )  # fmt: skip
    return Refusal(
        "A map over patches was asked for, but of this network, {network}, only the size of its attention is known, "
        "{queries} × {keys}, not what it relates; choose a network of a family that Patchlight reads.",
        network=type(network).__name__, queries=calls[0][-2], keys=calls[0][-1],
    )  # fmt: skip


def _shape(call: Call) -> Shape:
    """(windows ..., heads, queries, keys)."""
    if call.logits is not None:
        return tuple(call.logits.shape)
    assert call.query is not None
    assert call.key is not None
    return (*call.query.shape[:-1], call.key.shape[-2])


def _widths(network: nn.Module) -> set[int]:
    convolutions = (part for part in network.modules() if isinstance(part, nn.Conv2d))
    return {part.out_features for part in _linears(network)} | {part.out_channels for part in convolutions}


def _linears(network: nn.Module) -> Iterator[nn.Linear]:
    return (part for part in network.modules() if isinstance(part, nn.Linear))


def _count(network: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(part, kind) for part in network.modules())


def _size(network: Any) -> tuple[int, int]:
    """(height, width) in pixels: timm's default configuration, else transformers', else 224."""
    told = getattr(network, "pretrained_cfg", None) or {}
    if "input_size" in told:
        return told["input_size"][1], told["input_size"][2]
    config = getattr(network, "config", None)
    side = getattr(getattr(config, "vision_config", config), "image_size", None) or 224
    return (side, side) if isinstance(side, int) else (side[0], side[1])


@contextmanager
def _lengths(network: nn.Module) -> Iterator[set[int]]:
    """How many tokens or pixels each part gives out while this is open: what a map of patches could have as a side."""
    found: set[int] = set()

    def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 3:
            found.add(output.shape[1])
        elif isinstance(output, Tensor) and output.ndim == 4:
            found.update((output.shape[2] * output.shape[3], output.shape[1] * output.shape[2]))

    hooks = [part.register_forward_hook(note) for part in network.modules()]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _eval(network: nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
