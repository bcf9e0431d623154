"""Small masked autoencoders with random weights in a runs folder, opened as any run is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from models.card import Card
from models.create import create
from models.pixels import Pixels
from models.weights import save

HALF = (0.5, 0.5, 0.5)
SIDE = 96

MAE: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "image_size": SIDE,
    "patch_size": 8, "decoder_hidden_size": 32, "decoder_num_attention_heads": 2, "decoder_num_hidden_layers": 2,
    "decoder_intermediate_size": 64, "norm_pix_loss": False,
}  # fmt: skip
SIMMIM: dict[str, Any] = {
    "image_size": SIDE, "patch_size": 4, "embed_dim": 16, "depths": [1, 1, 1], "num_heads": [1, 2, 4], "window_size": 6,
    "encoder_stride": 16,
}  # fmt: skip

PAINTERS = {
    "mae": ("ViTMAEForPreTraining", "MAE", MAE, 8),
    "norm": ("ViTMAEForPreTraining", "MAE", {**MAE, "norm_pix_loss": True}, 8),
    "encoder": ("ViTMAEModel", "MAE", {name: value for name, value in MAE.items() if "decoder" not in name}, 8),
    "simmim": ("SwinForMaskedImageModeling", "SimMIM", SIMMIM, 4),
    "tuned": ("ViTMAEForPreTraining", "MAE", MAE, 8),
}
TRAININGS = {"tuned": "Its decoder was tuned with a GAN loss."}


def save_painters(runs: Path) -> None:
    """`run/mae`, `run/norm`, `run/encoder`, `run/simmim`, `run/tuned`: the same weights each time."""
    for name, (kind, family, config, patch) in PAINTERS.items():
        torch.manual_seed(0)
        told = {"library": "transformers", "class": kind, "config": config}
        network = create(told).eval()
        multiple = 16 if family == "SimMIM" else patch
        card = Card(f"run/{name}", f"small {name}", family, training=TRAININGS.get(name, ""))
        save(runs / name, network, told, card, Pixels((SIDE, SIDE), patch, multiple, HALF, HALF))
