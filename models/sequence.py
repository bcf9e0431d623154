"""Networks whose blocks attend over one whole sequence: prefix tokens, then every patch. Shared by the towers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from models.backbone import Layer
from models.faults import Fault
from models.pixels import check_shape
from models.recorder import Seen


def batch_and_grid(pixels: Tensor, network: nn.Module, patch: int) -> tuple[Tensor, tuple[int, int]]:
    """Pixels (images, 3, height, width) where and as the weights are, and the (rows, columns) that they make."""
    height, width = pixels.shape[-2:]
    check_shape((height, width), (patch, patch))
    weight = next(network.parameters())
    return pixels.to(weight.device, weight.dtype), (height // patch, width // patch)


def layers_of(seen: Sequence[Seen], grid: tuple[int, int], names: tuple[str, ...] = ()) -> tuple[Layer, ...]:
    """One `Layer` with a single window for each block; `names` are those of the prefix tokens."""
    return tuple(_layer(block, grid, names) for block in seen)


def _layer(block: Seen, grid: tuple[int, int], names: tuple[str, ...]) -> Layer:
    call = block.attention
    assert block.output is not None
    tokens = block.output[0]
    return Layer(
        grid=grid, queries=call.query, keys=call.key, bias=call.bias, scale=call.scale, logits=call.logits,
        members=torch.arange(len(tokens), device=tokens.device)[None], prefix=len(names), tokens=tokens, names=names,
    )  # fmt: skip


def part_layer(block: Seen, grid: tuple[int, int], members: Tensor, names: tuple[str, ...] = ()) -> Layer:
    """A block that saw only the tokens `members` of the whole sequence; the others' outputs are zero."""
    call = block.attention
    assert block.output is not None
    tokens = block.output.new_zeros(len(names) + grid[0] * grid[1], block.output.shape[-1])
    tokens[members] = block.output[0]
    return Layer(
        grid=grid, queries=call.query, keys=call.key, bias=call.bias, scale=call.scale, logits=call.logits,
        members=members[None], prefix=len(names), tokens=tokens, names=names,
    )  # fmt: skip


def tokenised(
    tokenizer: Callable[[Sequence[str]], Mapping[str, Tensor]] | None, texts: Sequence[str], network: nn.Module
) -> dict[str, Tensor]:
    """The text tower's keyword arguments (texts, tokens), where the weights are."""
    if tokenizer is None:
        raise Fault("Texts were given, but this checkpoint came without its tokeniser; open one that brings its own.")
    if isinstance(texts, str) or not texts:
        raise Fault("Texts were asked about, but none was given as a list; give at least one.")
    device = next(network.parameters()).device
    return {name: values.to(device) for name, values in tokenizer(list(texts)).items()}
