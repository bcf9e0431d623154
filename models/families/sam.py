"""The image encoder of Segment Anything in timm: most blocks look within windows, a few over the whole picture.

What a block knows of position depends on the query: the logit of a pair gains the query's product with a vector for the
rows between them and one for the columns (decomposed relative positions, MViTv2, arXiv 2112.01526, equation 4). The
kernel is handed the sum of both as a mask of tokens × tokens; here it travels as further channels of queries and keys,
which give the same logits and take rows + columns numbers a token instead.

SAM: Kirillov et al. 2023, arXiv 2304.02643. The encoder: ViTDet, Li et al. 2022, arXiv 2203.16527.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from timm.models.vision_transformer_sam import VisionTransformerSAM
from torch import Tensor, nn
from torch.nn.functional import one_hot

from models.backbone import Affinity, Backbone, Family, Layer, Parts
from models.card import Card
from models.pixels import Pixels, check_shape
from models.positions import rotary_affinity, table_affinity
from models.recorder import Seen, record
from models.windows import window_members


class Sam:
    """A plain network without prefix tokens whose blocks look within windows or everywhere."""

    def __init__(self, parts: Parts) -> None:
        assert isinstance(parts.network, VisionTransformerSAM)
        self.network: VisionTransformerSAM = parts.network.eval()
        self.card: Card = parts.card
        self.pixels: Pixels = parts.pixels

    @property
    def module(self) -> nn.Module:
        return self.network

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return list(self.network.blocks)

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        batch = self._batch(pixels.unsqueeze(0))
        seen, _ = record(self.blocks, lambda: self.network.forward_features(batch))
        return tuple(_layer(block, what) for block, what in zip(self.blocks, seen, strict=True))

    def positions(self) -> tuple[Affinity, ...]:
        """The table, where there is one; decomposed relative positions say nothing before there is a query."""
        network, found = self.network, []
        if network.pos_embed is not None:
            table = network.pos_embed.detach()[0]
            found.append(table_affinity(table.flatten(0, 1), (table.shape[0], table.shape[1]), random=self.card.random))
        if network.rope_global is not None:
            with torch.no_grad():
                embedding: Any = network.rope_global.get_embed()
            found.append(rotary_affinity(embedding, self.pixels.grid(self.pixels.size), False))
        return tuple(found)

    def _batch(self, pixels: Tensor) -> Tensor:
        embed: Any = self.network.patch_embed
        check_shape(pixels.shape[-2:], embed.patch_size, embed.img_size if embed.strict_img_size else None)
        weight = next(self.network.parameters())
        return pixels.to(weight.device, weight.dtype)


class Classifier(Sam):
    """One that ends in scores of classes."""

    def class_logits(self, pixels: Tensor) -> Tensor:
        return self.network(self._batch(pixels))

    @torch.no_grad()
    def class_logits_from(self, layers: Sequence[Layer]) -> Tensor:
        tokens = layers[-1].tokens.to(next(self.network.parameters())).unflatten(0, layers[-1].grid)
        return self.network.forward_head(self.network.neck(tokens.permute(2, 0, 1).unsqueeze(0)))[0]


def _layer(block: Any, seen: Seen) -> Layer:
    call = seen.attention
    assert seen.output is not None
    assert call.query is not None
    assert call.key is not None
    rows, columns = seen.output.shape[1:3]
    side = (block.window_size,) * 2 if block.window_size else (rows, columns)
    query, key = (part.unflatten(0, (-1, block.attn.num_heads)) for part in (call.query, call.key))
    if call.bias is not None:
        query, key = _in_channels(query, key, call.bias.view(*query.shape[:3], -1), side[1], call.scale)
    return Layer(
        grid=(rows, columns), queries=query, keys=key, bias=None, scale=call.scale,
        members=window_members((rows, columns), side).to(seen.output.device), prefix=0,
        tokens=seen.output[0].flatten(0, 1),
    )  # fmt: skip


def _in_channels(query: Tensor, key: Tensor, bias: Tensor, columns: int, scale: float) -> tuple[Tensor, Tensor]:
    """Queries and keys (windows, heads, tokens, dim + columns + rows) whose products, times `scale`, are those of
    before plus `bias` (windows, heads, queries, keys): a part for the key's column and one for its row."""
    tokens = key.shape[2]
    across, down = bias[..., :columns], bias[..., ::columns] - bias[..., :1]
    place = torch.arange(tokens, device=key.device)
    marks = torch.cat([one_hot(place % columns, columns), one_hot(place // columns, tokens // columns)], dim=-1)
    wide = marks.to(key.dtype).expand(*key.shape[:2], -1, -1)
    return torch.cat([query, across / scale, down / scale], dim=-1), torch.cat([key, wide], dim=-1)


def _open(parts: Parts) -> Backbone:
    return Classifier(parts) if getattr(parts.network, "num_classes", 0) > 0 else Sam(parts)


FAMILY = Family("SAM", lambda network: isinstance(network, VisionTransformerSAM), _open)
