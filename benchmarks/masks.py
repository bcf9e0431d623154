"""A reconstruction against the network's own forward pass, and n masks in one batch against one by one."""

from __future__ import annotations

from typing import Any

import torch
from transformers import SwinConfig, SwinForMaskedImageModeling, ViTMAEConfig, ViTMAEForPreTraining

from benchmarks.measure import side_by_side, table
from models.card import Card
from models.coverage import masks_of
from models.loading import open_network
from models.masking import hidden_count, mask_of
from models.memory import peak_bytes
from models.pixels import Pixels

HALF = (0.5, 0.5, 0.5)
MASKS = 16

SMALL = {
    "hidden_size": 192, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 768,
    "decoder_hidden_size": 96, "decoder_num_hidden_layers": 2, "decoder_num_attention_heads": 3,
    "decoder_intermediate_size": 384,
}  # fmt: skip

NETWORKS: dict[str, tuple[int, int, dict[str, Any]]] = {
    "MAE, 96 px, 192 wide": (96, 8, SMALL),
    "MAE ViT-B/16": (224, 16, {}),
}
"""Title: side, patch, what differs from transformers' own configuration, which is that of MAE's authors."""

SIMMIM = {"image_size": 192, "window_size": 6, "embed_dim": 128, "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32]}
"""SimMIM's Swin-B at 192 pixels (arXiv 2111.09886, table 1)."""


def measure() -> str:
    return table(
        ["network", "forward pass", "`reconstruct` to it", f"{MASKS} masks, batch to one by one",
         "memory said", "memory used"],
        [autoencoder(title, *shape) for title, shape in NETWORKS.items()] + [simmim()],
    )  # fmt: skip


def autoencoder(title: str, side: int, patch: int, config: dict[str, Any]) -> list[str]:
    network = ViTMAEForPreTraining(ViTMAEConfig(image_size=side, patch_size=patch, **config)).eval()
    backbone: Any = open_network(network, Card("random/mae", title, "MAE", random=True), _pixels(side, patch, patch))
    pixels, grid = torch.randn(3, side, side), (side // patch, side // patch)
    mask = mask_of("random", grid, hidden_count(0.75, grid[0] * grid[1]))
    network.config.mask_ratio = 0.75
    return _row(title, backbone, pixels, mask, lambda: network(pixels[None], noise=mask.flatten()[None].float()))


def simmim() -> list[str]:
    network = SwinForMaskedImageModeling(SwinConfig(**SIMMIM)).eval()
    card = Card("random/simmim", "SimMIM Swin-B", "SimMIM", random=True)
    backbone: Any = open_network(network, card, _pixels(192, 4, 32))
    pixels, mask = torch.randn(3, 192, 192), mask_of("random", (6, 6), 27)
    fine = mask.repeat_interleave(8, 0).repeat_interleave(8, 1).flatten()[None].bool()
    return _row(card.title, backbone, pixels, mask, lambda: network(pixels[None], bool_masked_pos=fine))


@torch.no_grad()
def _row(title: str, backbone: Any, pixels: torch.Tensor, mask: torch.Tensor, forward: Any) -> list[str]:
    once = side_by_side({"plain": forward, "own": lambda: backbone.reconstruct(pixels, mask)}, 9)
    masks = masks_of((mask.shape[0], mask.shape[1]), int(mask.sum()), MASKS)
    many = side_by_side(
        {
            "batch": lambda: backbone.reconstruct_each(pixels, masks),
            "turns": lambda: [backbone.reconstruct(pixels, one) for one in masks],
        },
        3,
    )
    said = MASKS * peak_bytes(lambda: backbone.reconstruct(pixels, mask))
    used = peak_bytes(lambda: backbone.reconstruct_each(pixels, masks))
    return [
        title, f"{once['plain'] * 1e3:.1f} ms", f"{once['own'] / once['plain']:.2f} ×",
        f"{many['turns'] / many['batch']:.1f} × faster", f"{said / 1e6:,.0f} MB", f"{used / 1e6:,.0f} MB",
    ]  # fmt: skip


def _pixels(side: int, patch: int, multiple: int) -> Pixels:
    return Pixels((side, side), patch, multiple, HALF, HALF)
