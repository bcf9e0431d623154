"""Masked autoencoders of transformers: ViT-MAE with its decoder, or its encoder alone.

He et al. 2021, arXiv 2111.06377. The network's own forward pass shuffles its patches even where none is hidden, and
keeps int(patches · (1 - ratio)) of them, which is off by one for many painted masks. Here its own modules are called
one by one instead: patches stay in reading order and exactly those that the mask leaves are kept; nothing in the
shared configuration is touched, so that one viewer's mask never meets another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import ViTMAEForPreTraining, ViTMAEModel

from models.backbone import Affinity, Backbone, Family, Layer, Parts, Reconstruction, mean_error
from models.card import Card
from models.masking import checked_each
from models.patches import patchify, statistics
from models.pixels import Pixels, check_shape
from models.positions import table_affinity
from models.recorder import record
from models.sequence import batch_and_grid, layers_of, part_layer
from models.structure import sincos_table


@dataclass(frozen=True)
class Encoder:
    """An encoder, which sees visible patches only. Traced, it sees all of them."""

    network: ViTMAEModel | ViTMAEForPreTraining
    card: Card
    pixels: Pixels

    @property
    def module(self) -> nn.Module:
        return self.network

    @property
    def encoder(self) -> ViTMAEModel:
        return self.network.vit if isinstance(self.network, ViTMAEForPreTraining) else self.network

    @property
    def patch(self) -> int:
        return self.encoder.embeddings.patch_embeddings.patch_size[0]

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return list(self.encoder.layers)

    @property
    def trained_grid(self) -> tuple[int, int]:
        patches = self.encoder.embeddings.patch_embeddings
        return patches.image_size[0] // patches.patch_size[0], patches.image_size[1] // patches.patch_size[1]

    def trace(self, pixels: Tensor) -> tuple[Layer, ...]:
        batch, grid = batch_and_grid(pixels[None], self.network, self.patch)
        visible = torch.ones(grid, dtype=torch.bool, device=batch.device)
        seen, _ = record(self.blocks, lambda: self._encode(batch, visible[None]))
        return layers_of(seen, grid, names=("CLS",))

    def positions(self) -> tuple[Affinity, ...]:
        """The encoder's fixed table; its row for CLS is zero by design. The decoder has one of its own, not shown."""
        table = self.encoder.embeddings.position_embeddings[0]
        return (table_affinity(table[1:], self.trained_grid, prefix=table[:1], random=self.card.random),)

    def _encode(self, batch: Tensor, visible: Tensor) -> Tensor:
        """(1, 3, height, width) and `visible` (masks, rows, columns) bool, equally many in each, to (masks, CLS and
        visible patches, channels)."""
        embeddings, masks = self.encoder.embeddings, visible.flatten(1)
        table = self._resized(embeddings.position_embeddings, (visible.shape[1], visible.shape[2]))
        patches = embeddings.patch_embeddings(batch) + table[:, 1:]
        kept = patches.expand(len(masks), -1, -1)[masks].view(len(masks), -1, patches.shape[-1])
        first = (embeddings.cls_token + table[:, :1]).expand(len(masks), -1, -1)
        tokens = torch.cat([first, kept], dim=1)
        for layer in self.encoder.layers:
            tokens = layer(tokens)
        return self.encoder.layernorm(tokens)

    def _resized(self, table: Tensor, grid: tuple[int, int]) -> Tensor:
        """(1, CLS and trained positions, channels) for another grid, bicubic over rows and columns.

        The decoder's table in transformers is resized as if it were one long row; it is a grid like the encoder's.
        """
        if grid == self.trained_grid:
            return table
        plane = table[:, 1:].transpose(1, 2).unflatten(2, self.trained_grid)
        resized = F.interpolate(plane, size=grid, mode="bicubic", align_corners=False)
        return torch.cat([table[:, :1], resized.flatten(2).transpose(1, 2)], dim=1)


class Autoencoder(Encoder):
    """An encoder with its decoder, which paints what was hidden."""

    def mask_grid(self, shape: tuple[int, int]) -> tuple[int, int]:
        check_shape(shape, (self.patch, self.patch))
        return shape[0] // self.patch, shape[1] // self.patch

    def reconstruct(self, pixels: Tensor, mask: Tensor) -> Reconstruction:
        """`pixels` (3, height, width), normalised; `mask` (rows, columns) of patches, 1 hidden, kept exactly.

        Prediction, target and error are in the space that the loss was trained in (`Reconstruction.normalised`); their
        vectors are laid out as in `models.patches`.
        """
        return self.reconstruct_each(pixels, mask[None])[0]

    @torch.no_grad()
    def reconstruct_each(self, pixels: Tensor, masks: Tensor) -> tuple[Reconstruction, ...]:
        network = self.network
        assert isinstance(network, ViTMAEForPreTraining)
        batch, grid = batch_and_grid(pixels[None], network, self.patch)
        hidden = checked_each(masks, grid).to(batch.device)
        predictions = self._decode(self._encode(batch, ~hidden), hidden).unflatten(1, grid).float()
        target = patchify(batch[0].float(), self.patch)
        normalised = bool(network.config.norm_pix_loss)
        if normalised:
            mean, deviation = statistics(target)
            target = (target - mean) / deviation
        errors = mean_error(predictions, target, absolute=False)
        return tuple(
            Reconstruction(mask.int(), prediction, target, error, float(error[mask].mean()), normalised)
            for mask, prediction, error in zip(hidden, predictions, errors, strict=True)
        )

    def trace_masked(self, pixels: Tensor, mask: Tensor) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
        network = self.network
        assert isinstance(network, ViTMAEForPreTraining)
        batch, grid = batch_and_grid(pixels[None], network, self.patch)
        hidden = checked_each(mask[None], grid).to(batch.device)
        blocks = [*self.blocks, *network.decoder.decoder_layers]
        seen, _ = record(blocks, lambda: self._decode(self._encode(batch, ~hidden), hidden))
        split = len(self.blocks)
        members = torch.cat([hidden.new_zeros(1, dtype=torch.long), 1 + (~hidden).flatten().nonzero()[:, 0]])
        encoder = tuple(part_layer(block, grid, members, names=("CLS",)) for block in seen[:split])
        return encoder, layers_of(seen[split:], grid, names=("CLS",))

    def _decode(self, latent: Tensor, hidden: Tensor) -> Tensor:
        """Encoder output to (masks, patches, patch · patch · 3): every hidden place is given the same learned token."""
        assert isinstance(self.network, ViTMAEForPreTraining)
        decoder = self.network.decoder
        visible, masks = decoder.decoder_embed(latent), hidden.flatten(1)
        patches = decoder.mask_token.repeat(*masks.shape, 1)
        patches[~masks] = visible[:, 1:].flatten(0, 1)
        table = self._resized(decoder.decoder_pos_embed, (hidden.shape[1], hidden.shape[2]))
        tokens = torch.cat([visible[:, :1], patches], dim=1) + table
        for layer in decoder.decoder_layers:
            tokens = layer(tokens)
        return decoder.decoder_pred(decoder.decoder_norm(tokens))[:, 1:]


@torch.no_grad()
def _lay_fixed_tables(backbone: Encoder) -> None:
    """transformers leaves these tables zero in a network made from a configuration; they are no weights but part of
    the architecture, so an untrained network has them too: columns first, after a row of zeros for CLS."""
    tables = [backbone.encoder.embeddings.position_embeddings]
    if isinstance(backbone.network, ViTMAEForPreTraining):
        tables.append(backbone.network.decoder.decoder_pos_embed)
    for table in tables:
        if not table.any():
            patches = sincos_table(backbone.trained_grid, table.shape[-1]).roll(table.shape[-1] // 2, dims=-1)
            table[:, 1:].copy_(patches)


def _open(parts: Parts) -> Backbone:
    network = parts.network
    assert isinstance(network, ViTMAEModel | ViTMAEForPreTraining)
    network.eval().set_attn_implementation("sdpa")
    kind = Autoencoder if isinstance(network, ViTMAEForPreTraining) else Encoder
    backbone = kind(network, parts.card, parts.pixels)
    if parts.card.random:
        _lay_fixed_tables(backbone)
    return backbone


FAMILY = Family("MAE", lambda network: isinstance(network, ViTMAEModel | ViTMAEForPreTraining), _open)
