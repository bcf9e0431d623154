"""facebookresearch/mae, efb2a80: its model and the transform of its main_pretrain.py.

The file was written for timm 0.3 and NumPy 1: it gets today's blocks with attention written out, as they had it then.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from torchvision import transforms

from benchmarks.rivals.ground import PATCH, SIDE, Album, Side, loader, ours, rivals, source

OPTIONS = {"decoder_width": 128, "decoder_depth": 2, "crop": 0.2}


def sides(folder: Path, files: list[Path]) -> tuple[Side, Side]:
    authors: Any = source(rivals() / "mae", "models_mae")
    block = authors.Block
    authors.Block = lambda *shape, qk_scale=None, **options: block(*shape, **options)
    np.float = float  # pyright: ignore[reportAttributeAccessIssue]
    network = authors.MaskedAutoencoderViT(
        img_size=SIDE, patch_size=PATCH, embed_dim=192, depth=12, num_heads=3, decoder_embed_dim=128, decoder_depth=2,
        decoder_num_heads=4, norm_layer=nn.LayerNorm,
    )  # fmt: skip
    for part in network.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
    album = Album(files, look())
    mine = ours("mae", OPTIONS, folder)
    ready = mine.ready["pixels"]
    return Side(network, lambda pixels: network(pixels)[0], ready, lambda: loader(album)), mine


def look() -> transforms.Compose:
    return transforms.Compose([
        transforms.RandomResizedCrop(SIDE, scale=(0.2, 1.0), interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3),
    ])  # fmt: skip
