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

from models.backbone import Affinity, Backbone, Family, Layer, Parts, Reconstruction
from models.card import Card
from models.faults import Fault
from models.patches import patchify, statistics
from models.pixels import Pixels
from models.positions import table_affinity
from models.recorder import record
from models.sequence import batch_and_grid, layers_of
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
        seen, _ = record(self.blocks, lambda: self._encode(batch, visible))
        return layers_of(seen, grid, names=("CLS",))

    def positions(self) -> tuple[Affinity, ...]:
        """The encoder's fixed table; its row for CLS is zero by design. The decoder has one of its own, not shown."""
        table = self.encoder.embeddings.position_embeddings[0]
        return (table_affinity(table[1:], self.trained_grid, prefix=table[:1], kind="sin-cos table"),)

    def _encode(self, batch: Tensor, visible: Tensor) -> Tensor:
        """(1, 3, height, width) and `visible` (rows, columns) bool to (1, CLS and visible patches, channels)."""
        embeddings = self.encoder.embeddings
        table = self._resized(embeddings.position_embeddings, (visible.shape[0], visible.shape[1]))
        patches = embeddings.patch_embeddings(batch) + table[:, 1:]
        tokens = torch.cat([embeddings.cls_token + table[:, :1], patches[:, visible.flatten()]], dim=1)
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

    @torch.no_grad()
    def reconstruct(self, pixels: Tensor, mask: Tensor) -> Reconstruction:
        """`pixels` (3, height, width), normalised; `mask` (rows, columns) of patches, 1 hidden, kept exactly.

        Prediction, target and error are in the space that the loss was trained in (`Reconstruction.normalised`); their
        vectors are laid out as in `models.patches`.
        """
        assert isinstance(self.network, ViTMAEForPreTraining)
        batch, grid = batch_and_grid(pixels[None], self.network, self.patch)
        hidden = _checked(mask, grid).to(batch.device)
        prediction = self._decode(self._encode(batch, ~hidden), hidden)[0].unflatten(0, grid).float()
        target = patchify(batch[0].float(), self.patch)
        normalised = bool(self.network.config.norm_pix_loss)
        if normalised:
            mean, deviation = statistics(target)
            target = (target - mean) / deviation
        error = (prediction - target).square().mean(-1)
        return Reconstruction(hidden.int(), prediction, target, error, float(error[hidden].mean()), normalised)

    def _decode(self, latent: Tensor, hidden: Tensor) -> Tensor:
        """Encoder output to (1, patches, patch · patch · 3): every hidden place is given the same learned token."""
        assert isinstance(self.network, ViTMAEForPreTraining)
        decoder = self.network.decoder
        visible = decoder.decoder_embed(latent)
        patches = decoder.mask_token.repeat(1, hidden.numel(), 1)
        patches[:, ~hidden.flatten()] = visible[:, 1:]
        table = self._resized(decoder.decoder_pos_embed, (hidden.shape[0], hidden.shape[1]))
        tokens = torch.cat([visible[:, :1], patches], dim=1) + table
        for layer in decoder.decoder_layers:
            tokens = layer(tokens)
        return decoder.decoder_pred(decoder.decoder_norm(tokens))[:, 1:]


def _checked(mask: Tensor, grid: tuple[int, int]) -> Tensor:
    """(rows, columns) bool, True where hidden; something is hidden and something is not."""
    if tuple(mask.shape) != grid:
        raise Fault(
            "A mask of {shape} patches was given, but this image makes {rows} rows and {columns} columns; make the "
            "mask fit the image.",
            shape=" × ".join(map(str, mask.shape)), rows=grid[0], columns=grid[1],
        )  # fmt: skip
    if not ((mask == 0) | (mask == 1)).all():
        raise Fault("A mask holds 1 where a patch is hidden and 0 elsewhere, but other numbers were found; use those.")
    hidden = mask.bool()
    if hidden.all() or not hidden.any():
        raise Fault(
            "The mask hides {hidden} of {patches} patches, but a masked autoencoder fills in hidden patches from "
            "visible ones; hide at least one and leave at least one.",
            hidden=int(hidden.sum()), patches=hidden.numel(),
        )  # fmt: skip
    return hidden


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
