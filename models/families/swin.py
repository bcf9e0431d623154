"""Swin, SwinV2 and SwinV2-CR of timm: windows, cyclic shift and shift mask are data of each block, as the network keeps
them.

Swin: Liu et al. 2021, arXiv 2103.14030. SwinV2, whose cosine attention never reaches the fused kernel and whose logits
are read at the softmax instead: 2111.09883.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from timm.models.swin_transformer import SwinTransformer
from timm.models.swin_transformer_v2 import SwinTransformerV2
from timm.models.swin_transformer_v2_cr import SwinTransformerV2Cr
from torch import Tensor, nn

from models.backbone import Affinity, Backbone, Family, Layer, Parts
from models.card import Card
from models.pixels import Pixels, check_shape
from models.positions import bias_affinity
from models.recorder import Seen, record
from models.windows import window_bands, window_members

Network = SwinTransformer | SwinTransformerV2 | SwinTransformerV2Cr

_MODULES = ("swin_transformer", "swin_transformer_v2", "swin_transformer_v2_cr")
CREATE_OPTIONS = {module: {"strict_img_size": False} for module in _MODULES}
"""By timm's module: what `create_model` must be told so that any input size and shape can be fed. The shift mask is
then made for each input, and nothing on the network, which viewers share, is changed; `set_input_size` would."""


class Swin:
    """A window transformer, one `Layer` a block; the grid shrinks by half from stage to stage."""

    def __init__(self, parts: Parts) -> None:
        assert isinstance(parts.network, Network)
        self.network: Network = parts.network.eval()
        self.card: Card = parts.card
        self.pixels: Pixels = parts.pixels

    @property
    def module(self) -> nn.Module:
        return self.network

    @property
    def blocks(self) -> Sequence[nn.Module]:
        stages: Any = getattr(self.network, "layers", None) or self.network.stages
        return [block for stage in stages for block in stage.blocks]

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        batch = self._batch(pixels.unsqueeze(0))
        seen, _ = record(self.blocks, lambda: self.network.forward_features(batch))
        return tuple(_layer(block, what) for block, what in zip(self.blocks, seen, strict=True))

    def positions(self) -> tuple[Affinity, ...]:
        with torch.no_grad():
            return tuple(_bias(number, block) for number, block in enumerate(self.blocks))

    def _batch(self, pixels: Tensor) -> Tensor:
        embed: Any = self.network.patch_embed
        check_shape(pixels.shape[-2:], embed.patch_size, embed.img_size if embed.strict_img_size else None)
        weight = next(self.network.parameters())
        return pixels.to(weight.device, weight.dtype)


class Classifier(Swin):
    """A Swin that ends in scores of classes."""

    def class_logits(self, pixels: Tensor) -> Tensor:
        return self.network(self._batch(pixels))

    @torch.no_grad()
    def class_logits_from(self, layers: Sequence[Layer]) -> Tensor:
        tokens = layers[-1].tokens.to(next(self.network.parameters())).unflatten(0, layers[-1].grid)
        if isinstance(self.network, SwinTransformerV2Cr):  # its last block ends in the norm
            return self.network.forward_head(tokens.permute(2, 0, 1).unsqueeze(0))[0]
        return self.network.forward_head(self.network.norm(tokens.unsqueeze(0)))[0]


def _layer(block: Any, seen: Seen) -> Layer:
    call = seen.attention
    assert seen.output is not None
    rows, columns = seen.output.shape[1:3]
    lie = (rows, columns), block.window_size, block.shift_size
    members, bands = window_members(*lie).to(seen.output.device), window_bands(*lie).to(seen.output.device)
    return Layer(
        grid=(rows, columns), queries=call.query, keys=call.key, bias=call.bias, scale=call.scale,
        members=members, prefix=0, tokens=seen.output[0].flatten(0, 1), logits=call.logits, bands=bands,
    )  # fmt: skip


def _bias(number: int, block: Any) -> Affinity:
    attention = block.attn
    if hasattr(attention, "meta_mlp"):
        bias = attention._relative_positional_encodings()[0]
        return bias_affinity("continuous bias", bias, block.window_size, number, "window")
    if hasattr(attention, "cpb_mlp"):
        bias = continuous_bias(attention.cpb_mlp, attention.relative_coords_table, attention.relative_position_index)
        return bias_affinity("continuous bias", bias, block.window_size, number, "window")
    return bias_affinity("relative bias", attention._get_rel_pos_bias()[0], block.window_size, number, "window")


def continuous_bias(mlp: nn.Module, offsets: Tensor, index: Tensor) -> Tensor:
    """16 · sigmoid of the network's small MLP on log-spaced offsets (SwinV2, equations 3 and 4, and the authors' code
    for the sigmoid): (heads, queries, keys)."""
    table = mlp(offsets).flatten(0, -2)
    return 16 * table[index].permute(2, 0, 1).sigmoid()


def _open(parts: Parts) -> Backbone:
    return Classifier(parts) if getattr(parts.network, "num_classes", 0) > 0 else Swin(parts)


FAMILY = Family("Swin", lambda network: isinstance(network, Network), _open)
