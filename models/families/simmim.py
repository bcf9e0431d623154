"""SimMIM, a Swin of transformers that learns by painting hidden pixels: Xie et al. 2021, arXiv 2111.09886."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from transformers.models.swin.modeling_swin import SwinForMaskedImageModeling
from transformers.models.swinv2.modeling_swinv2 import Swinv2ForMaskedImageModeling

from models.backbone import Family, Layer, Parts, Reconstruction, mean_error
from models.families.window_encoder import Swin
from models.faults import Fault, Refusal
from models.masking import checked_each
from models.patches import patchify
from models.pixels import check_shape
from models.recorder import record

_PAINTERS = (SwinForMaskedImageModeling, Swinv2ForMaskedImageModeling)


class SimMIM(Swin):
    """A Swin that paints what is hidden: l1 on hidden pixels, hidden in squares of the decoder's stride (32 pixels).

    It takes the one size that it was built for: transformers lays its patches back as a square of that size.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        side = self.network.config.image_size
        if not isinstance(side, int):
            raise Refusal(
                "The network paints pictures of {height} × {width} pixels, but its code in transformers lays every "
                "picture as a square; open one that was trained on squares.",
                height=side[0], width=side[1],
            )  # fmt: skip
        self.pixels = replace(self.pixels, size=(side, side), fixed=True)

    def mask_grid(self, shape: tuple[int, int]) -> tuple[int, int]:
        side, unit = self.network.config.image_size, self.network.config.encoder_stride
        check_shape(shape, (unit, unit), (side, side))
        return side // unit, side // unit

    def reconstruct(self, pixels: Tensor, mask: Tensor) -> Reconstruction:
        return self.reconstruct_each(pixels, mask[None])[0]

    @torch.no_grad()
    def reconstruct_each(self, pixels: Tensor, masks: Tensor) -> tuple[Reconstruction, ...]:
        squares, hidden = self._hidden(pixels, masks)
        batch = pixels.expand(len(masks), *pixels.shape)
        painted = self._run(self.network, batch, bool_masked_pos=hidden)[0].reconstruction.float().cpu()
        target = patchify(pixels.float().cpu(), self.network.config.encoder_stride)
        return tuple(_reconstruction(*each, target) for each in zip(squares.cpu(), painted, strict=True))

    def trace_masked(self, pixels: Tensor, mask: Tensor) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
        """The encoder's layers; there are none after it, since one linear layer paints each square from its token."""
        _, hidden = self._hidden(pixels, mask[None])
        seen, (_, windows) = record(self.blocks, lambda: self._run(self.network, pixels[None], bool_masked_pos=hidden))
        return self._layers(pixels, seen, windows), ()

    def _hidden(self, pixels: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Masks as checked (masks, rows, columns) and as the encoder takes them, (masks, patches); both bool."""
        grid, unit = self.mask_grid((pixels.shape[1], pixels.shape[2])), self.network.config.encoder_stride
        if tuple(masks.shape[1:]) != grid:
            raise Fault(
                "A mask of {rows} × {columns} was given, but this network hides squares of {unit} pixels, "
                "{count} × {count} of them; give such a mask.",
                rows=masks.shape[1], columns=masks.shape[-1], unit=unit, count=grid[0],
            )  # fmt: skip
        squares, finer = checked_each(masks, grid), unit // self.network.config.patch_size
        patches = squares.repeat_interleave(finer, 1).repeat_interleave(finer, 2)
        return squares, patches.flatten(1).to(self.network.device)


def _reconstruction(hidden: Tensor, painted: Tensor, target: Tensor) -> Reconstruction:
    prediction = patchify(painted, painted.shape[1] // hidden.shape[0])
    error = mean_error(prediction, target, absolute=True)
    loss = float(error[hidden].mean())
    return Reconstruction(hidden.int(), prediction, target, error, loss, normalised=False, absolute=True)


FAMILY = Family("SimMIM", lambda network: isinstance(network, _PAINTERS), SimMIM)
