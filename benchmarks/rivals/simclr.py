"""lightly's SimCLR: its transform, projection head and loss around timm's ViT, as timm gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
from torch import nn

from benchmarks.rivals.ground import PATCH, SIDE, Album, Side, loader, ours, rivals

OPTIONS: dict[str, Any] = {}


def sides(folder: Path, files: list[Path]) -> tuple[Side, Side]:
    rivals()
    from lightly.loss import NTXentLoss  # pyright: ignore[reportMissingImports]
    from lightly.models.modules import SimCLRProjectionHead  # pyright: ignore[reportMissingImports]
    from lightly.transforms.simclr_transform import SimCLRTransform  # pyright: ignore[reportMissingImports]

    network = timm.create_model("vit_tiny_patch16_224", img_size=SIDE, patch_size=PATCH, num_classes=0)
    module = nn.Sequential(network, SimCLRProjectionHead(192, 192, 128))
    criterion: Any = NTXentLoss(temperature=0.2)
    album = Album(files, SimCLRTransform(input_size=SIDE))
    mine = ours("simclr", OPTIONS, folder)

    def loss(views: Any) -> Any:
        return criterion(module(views[0]), module(views[1]))

    ready = [mine.ready["first"], mine.ready["second"]]
    return Side(module, loss, ready, lambda: loader(album)), mine
