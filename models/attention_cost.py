"""What self-attention costs: the attention matrix, its bytes and its multiplications, predicted and counted.

One multiplication here is one multiply-add. With n tokens of C channels in h heads, L layers and windows of m tokens
(m = n without windows), following Swin, arXiv 2103.14030, equations 1 and 2:

    numbers of one layer's matrices      h · n · m
    multiplications, scores and sum      2 · n · m · C
    multiplications, projections         4 · n · C²
    multiplications, MLP of ratio r      2 · r · n · C²

A materialised kernel writes those matrices; a fused one (Dao et al., arXiv 2205.14135) writes one logarithm of a sum
for each row and head instead. Query, key, value and output take n · C numbers each in both; multiplications are the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from models.backbone import Backbone, Layer
from models.faults import Fault

Precision = Literal["fp32", "fp16", "bf16", "int8"]
Kernel = Literal["materialised", "fused"]

BYTES: Mapping[Precision, int] = {"fp32": 4, "fp16": 2, "bf16": 2, "int8": 1}


@dataclass(frozen=True)
class Attention:
    """One network's attention, of any size: nothing is built to predict it.

    height, width:  of the picture in pixels
    patch:          side in pixels; 1 makes every pixel a token
    prefix:         tokens before the first patch
    channels:       of a token, over all heads
    window:         side of a window in patches, or None where every token looks at every token
    mlp:            numbers of a block's MLP for each 2 C²: its hidden channels for each channel of the token, where it
                    has two matrices
    """

    height: int = 224
    width: int = 224
    patch: int = 16
    prefix: int = 1
    channels: int = 768
    heads: int = 12
    layers: int = 12
    window: int | None = None
    mlp: float = 4.0

    def __post_init__(self) -> None:
        if min(self.height, self.width) < self.patch:
            raise Fault(
                "A picture of {height} × {width} pixels was given with patches of {patch} pixels, so there is no whole "
                "patch; choose a larger picture or a smaller patch.",
                height=self.height, width=self.width, patch=self.patch,
            )  # fmt: skip

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns); an incomplete patch at the edge is none."""
        return self.height // self.patch, self.width // self.patch

    @property
    def tokens(self) -> int:
        return self.prefix + self.grid[0] * self.grid[1]

    @property
    def reach(self) -> int:
        """Tokens that one token looks at."""
        return self.tokens if self.window is None else min(self.window**2, self.tokens)

    @property
    def entries(self) -> int:
        """Numbers of all heads' matrices in one layer."""
        return self.heads * self.tokens * self.reach

    @property
    def attention_multiplications(self) -> int:
        """Of all layers: scores and weighted sum."""
        return self.layers * 2 * self.tokens * self.reach * self.channels

    @property
    def projection_multiplications(self) -> int:
        """Of all layers: query, key, value and output."""
        return self.layers * 4 * self.tokens * self.channels**2

    @property
    def mlp_multiplications(self) -> int:
        return round(self.layers * 2 * self.mlp * self.tokens * self.channels**2)

    def matrix_bytes(self, precision: Precision = "fp32") -> int:
        """The matrices of all layers and heads, as a gradient or a picture of all of them needs them."""
        return self.layers * self.layer_bytes(precision, "materialised")

    def layer_bytes(self, precision: Precision = "fp32", kernel: Kernel = "materialised") -> int:
        """What one layer's attention writes beside query, key, value and output, all heads."""
        if kernel == "materialised":
            return self.entries * BYTES[precision]
        return self.heads * self.tokens * BYTES["fp32"]

    def stream_bytes(self, precision: Precision = "fp32") -> int:
        """Query, key, value and output of one layer, whichever the kernel."""
        return 4 * self.tokens * self.channels * BYTES[precision]


@dataclass(frozen=True)
class Passed:
    """One pass of one picture, all blocks.

    attention:    multiplications between activations: scores and weighted sums
    weights:      multiplications of activations with weights: projections and MLP
    matrices:     bytes that attention writes beside query, key, value and output
    """

    attention: int
    weights: int
    matrices: int


def predicted(backbone: Backbone, layers: Sequence[Layer], kernel: Kernel = "materialised") -> Passed:
    """Of a loaded network, by the formulas above, block by block: padded windows are counted as they are computed."""
    attention = weights = matrices = 0
    for block, layer in zip(backbone.blocks, layers, strict=True):
        windows, reach = layer.members.shape
        used = products(block)
        attention += 2 * windows * reach**2 * layer.tokens.shape[-1]
        weights += windows * reach * used.projections + layer.length * used.mlp + used.table
        matrices += layer.heads * windows * reach * (reach if kernel == "materialised" else 1) * BYTES["fp32"]
    return Passed(attention, weights, matrices)


@dataclass(frozen=True)
class Products:
    """Multiplications of one block's weights.

    projections:  query, key, value and output, for each token of each window, padding included
    mlp:          everything else, for each token
    table:        a table of offsets worked out by an MLP of its own (SwinV2, arXiv 2111.09883, equation 5), once a pass
    """

    projections: int
    mlp: int
    table: int


def products(block: nn.Module) -> Products:
    """Read from the block's own matrices; what belongs to its attention is told by the name that its authors gave."""
    projections = mlp = table = 0
    for name, part in block.named_modules():
        if not isinstance(part, nn.Linear):
            continue
        size = part.weight.numel()
        if any(word in name for word in _TABLES):
            table += size * _offsets(block, name)
        elif "attn" in name or "attention" in name:
            projections += size
        else:
            mlp += size
    return Products(projections, mlp, table)


_TABLES = {
    "cpb_mlp": "relative_coords_table", "continuous_position_bias_mlp": "relative_coords_table",
    "meta_mlp": "relative_coordinates_log", "rel_pos.mlp": "rel_coords_log",
}  # fmt: skip
"""What an MLP over offsets is called, and the table of offsets that it reads."""


def _offsets(block: nn.Module, name: str) -> int:
    """Rows of the table that the MLP at `name` reads."""
    word = next(word for word in _TABLES if word in name)
    owner, _, _ = (name[: name.index(word)] + word).rpartition(".")
    table: Any = getattr(block.get_submodule(owner), _TABLES[word])
    return table.numel() // table.shape[-1]


def counted(forward: Callable[[], Any], kernel: Kernel = "materialised") -> Passed:
    """Run `forward` once and count every product that it makes. `weights` then holds all that the network has outside
    its blocks too: patches, merging, head."""
    counter = _Counter()
    backends = [SDPBackend.MATH]
    if kernel == "fused":
        backends = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.CUDNN_ATTENTION]
    with torch.no_grad(), sdpa_kernel(backends), counter:
        forward()
    return Passed(counter.attention, counter.weights, counter.matrices)


class _Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.attention = self.weights = self.matrices = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: Mapping | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in ("bmm", "baddbmm"):
            self.attention += result.numel() * args[-1].shape[-2]
        elif name in ("mm", "addmm"):
            self.weights += result.numel() * args[-1].shape[-2]
        elif name == "convolution":
            self.weights += result.numel() * args[1][0].numel()
        elif name in ("_softmax", "_safe_softmax") and result.ndim == 4:
            self.matrices += result.numel() * result.element_size()
        elif name.startswith("_scaled_dot_product_"):
            query, key = args[:2]
            self.attention += 2 * query.numel() * key.shape[-2]
            self.matrices += result[1].numel() * result[1].element_size()
        return result
