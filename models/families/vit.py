"""ViT and its descendants in timm: supervised, DeiT, DINO, DINOv2, DINOv3, EVA-02, BEiT, CLIP's and SigLIP's eyes, and
ViT with relative positions.

One sequence, prefix tokens first, every token looks at every token. What differs from one to the next is data: how many
prefix tokens and which, how position is known, how the last tokens are pooled.

ViT: Dosovitskiy et al. 2021, arXiv 2010.11929. DeiT: 2012.12877. DINO: 2104.14294. DINOv2: 2304.07193, with registers:
2309.16588. DINOv3: 2508.10104. EVA-02: 2303.11331. BEiT: 2106.08254. Relative positions over the whole picture: a table
as in Swin, 2103.14030, or an MLP over offsets as in SwinV2, 2111.09883.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import torch
from timm.layers.attention_pool import AttentionPoolLatent
from timm.layers.pos_embed_rel import RelPosMlp
from timm.models.beit import Beit
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from timm.models.vision_transformer_relpos import VisionTransformerRelPos
from torch import Tensor, nn

from models.backbone import Affinity, Backbone, Family, Layer, Parts
from models.card import Card
from models.faults import Refusal
from models.pixels import Pixels, check_shape
from models.positions import bias_affinity, rotary_affinity, table_affinity
from models.recorder import record
from models.sequence import layers_of

Network = VisionTransformer | Eva | Beit | VisionTransformerRelPos

CREATE_OPTIONS = {module: {"dynamic_img_size": True} for module in ("vision_transformer", "deit", "eva")}
"""By timm's module: what `create_model` must be told so that any input size and shape can be fed. BEiT and ViT with
relative positions have no such: their biases fit one grid."""


class ViT:
    """A plain vision transformer, read through the kernel that computes its attention."""

    def __init__(self, parts: Parts) -> None:
        self.network: Any = parts.network.eval()
        self.card: Card = parts.card
        self.pixels: Pixels = parts.pixels
        self.names = tuple(prefix_names(self.holds_tokens))

    @property
    def holds_tokens(self) -> Any:
        """The part that holds the tokens before the first patch."""
        return self.network

    @property
    def module(self) -> nn.Module:
        return self.network

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return list(self.network.blocks)

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        batch, grid = self._batch(pixels.unsqueeze(0))
        seen, _ = record(self.blocks, lambda: self.network.forward_features(batch))
        return layers_of(seen, grid, self.names)

    def positions(self) -> tuple[Affinity, ...]:
        network, grid = self.network, self.network.patch_embed.grid_size
        found = []
        if getattr(network, "pos_embed", None) is not None:
            table = network.pos_embed.detach()[0]
            rows_apart = 0 if getattr(network, "no_embed_class", False) else len(self.names)
            found.append(table_affinity(table[rows_apart:], grid, prefix=table[:rows_apart], random=self.card.random))
        found += rotary(network, grid)
        found += _relative(network, grid)
        return tuple(found)

    def _batch(self, pixels: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Pixels (images, 3, height, width) where and as the weights are, and the grid that they make."""
        embed: Any = self.network.patch_embed
        height, width = pixels.shape[-2:]
        check_shape((height, width), embed.patch_size, embed.img_size if embed.strict_img_size else None)
        weight = next(self.network.parameters())
        return pixels.to(weight.device, weight.dtype), embed.dynamic_feat_size((height, width))


class Classifier(ViT):
    """A ViT that ends in scores of classes."""

    def class_logits(self, pixels: Tensor) -> Tensor:
        return self.network(self._batch(pixels)[0])

    @torch.no_grad()
    def class_logits_from(self, layers: Sequence[Layer]) -> Tensor:
        tokens = layers[-1].tokens.to(next(self.network.parameters()))
        return self.network.forward_head(self.network.norm(tokens.unsqueeze(0)))[0]


class Pooler(ViT):
    """A ViT whose answer is gathered by a learned query, the attention pool's latent (SigLIP, arXiv 2303.15343)."""

    @property
    def pool(self) -> AttentionPoolLatent:
        pool = self.network.attn_pool
        assert isinstance(pool, AttentionPoolLatent)
        return pool

    def pooled_from(self, layers: Sequence[Layer]) -> Tensor:
        whole = getattr(self.network, "pool_include_prefix", True)
        skipped = 0 if whole else len(self.names)
        tokens = self.network.norm(layers[-1].tokens.to(next(self.network.parameters()).device).unsqueeze(0))
        seen, _ = record([self.pool], lambda: self.pool(tokens[:, skipped:]))
        call = seen[0].attention
        assert call.query is not None
        assert call.key is not None
        row = (call.scale * call.query[0, :, :1].float() @ call.key[0].float().transpose(-2, -1)).softmax(-1)[:, 0]
        return nn.functional.pad(row, (skipped, 0))


class PoolingClassifier(Pooler, Classifier):
    """Both: a classifier over an attention pool."""


def _open(parts: Parts) -> Backbone:
    assert isinstance(parts.network, Network)
    _require_one_map(parts.network)
    return reader_of(parts, ViT, Classifier, Pooler, PoolingClassifier)


def reader_of(
    parts: Parts, plain: type[ViT], classifier: type[Classifier], pooler: type[Pooler], both: type[PoolingClassifier]
) -> Backbone:
    """The one of these four that has the network's abilities."""
    classifies = _has_classifier(parts)
    if isinstance(getattr(parts.network, "attn_pool", None), AttentionPoolLatent):
        return (both if classifies else pooler)(parts)
    return (classifier if classifies else plain)(parts)


def _require_one_map(network: Network) -> None:
    """Blocks with two attentions side by side, or with the difference of two, have no map to show; one is tried."""
    embed: Any = network.patch_embed
    fits_one = isinstance(network, Beit | VisionTransformerRelPos)  # their biases fit their own grid only
    count = embed.num_patches if fits_one else 4
    weight = next(network.parameters())
    tokens = weight.new_zeros(1, network.num_prefix_tokens + count, network.embed_dim)
    seen, _ = record([network.blocks[0]], lambda: network.blocks[0](tokens))
    _ = seen[0].attention


def _has_classifier(parts: Parts) -> bool:
    """CLIP's projection into the joint space sits in timm's head too, with a bias of exactly zero since it has none;
    a trained classifier's bias has moved, and an untrained network's head says nothing either way."""
    head = getattr(parts.network, "head", None)
    if not isinstance(head, nn.Linear):
        return False
    return parts.card.random or head.bias is None or bool(head.bias.detach().any())


def prefix_names(network: Any) -> Iterator[str]:
    """In the order in which timm lays them out."""
    names = ["CLS"] if getattr(network, "cls_token", None) is not None else []
    if getattr(network, "dist_token", None) is not None:
        names.append("distillation")
    registers = getattr(network, "reg_token", None)
    if isinstance(registers, Tensor):
        names += [f"register {number + 1}" for number in range(registers.shape[1])]
    if len(names) != network.num_prefix_tokens:
        raise Refusal(
            "The tokens before the first patch were asked for, but the network says that there are {count} and has "
            "{names}; choose a network of a family that Patchlight reads.",
            count=network.num_prefix_tokens, names=", ".join(names) or "-",
        )  # fmt: skip
    yield from names


def rotary(network: Any, grid: tuple[int, int]) -> Iterator[Affinity]:
    """The network's own sines and cosines; learned apart for each block and head in RoPE-mixed (arXiv 2403.13298)."""
    rope = getattr(network, "rope", None)
    if rope is None:
        return
    half = bool(getattr(network.blocks[0].attn, "rotate_half", False))
    with torch.no_grad():
        embedding = rope.get_embed(shape=grid)
    if embedding.ndim == 2:
        yield rotary_affinity(embedding, grid, half)
    else:
        for block, heads in enumerate(embedding):
            yield rotary_affinity(heads, grid, half, block)


def _relative(network: Network, grid: tuple[int, int]) -> Iterator[Affinity]:
    """Biases between patches, of a table or of a small MLP; CLS, which has no place on the grid, is left out. BEiT's
    table has three more entries for it, ViT's with relative positions one."""
    prefix = network.num_prefix_tokens
    with torch.no_grad():
        for block, bias, kind in _biases(network):
            yield bias_affinity(kind, bias[..., prefix:, prefix:], grid, block)


def _biases(network: Network) -> Iterator[tuple[int | None, Tensor, Literal["relative bias", "continuous bias"]]]:
    """(block or None where all share it, (heads, queries, keys), kind)."""
    shared: Any = getattr(network, "rel_pos_bias", None)
    if shared is not None:
        yield None, shared(), "relative bias"
    parts: list[tuple[int | None, Any]] = [(None, getattr(network, "shared_rel_pos", None))]
    for block, module in enumerate(network.blocks):
        attention: Any = getattr(module, "attn", None)
        if getattr(attention, "relative_position_bias_table", None) is not None:
            yield block, attention._get_rel_pos_bias()[0], "relative bias"
        parts.append((block, getattr(attention, "rel_pos", None)))
    for block, part in parts:
        if part is not None:
            yield block, part.get_bias()[0], "continuous bias" if isinstance(part, RelPosMlp) else "relative bias"


FAMILY = Family("ViT", lambda network: isinstance(network, Network), _open)
