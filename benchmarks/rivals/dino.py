"""facebookresearch/dino, 7c446df: its student, teacher, loss and multi-crop, two crops of 96 and four of 48 pixels.

2,048 scores; its head with our widths.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from benchmarks.rivals.ground import PATCH, SIDE, Album, Side, loader, ours, rivals, source

OPTIONS = {"centring": "mean", "local": 4}


def sides(folder: Path, files: list[Path]) -> tuple[Side, Side]:
    authors, sight, tools = (source(rivals() / "dino", name) for name in ("main_dino", "vision_transformer", "utils"))
    if not dist.is_initialized():  # its loss reduces the centre over processes without asking whether there are any
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29517"}
        dist.init_process_group("gloo", rank=0, world_size=1)
    student, teacher = tower(sight, tools), tower(sight, tools)
    teacher.load_state_dict(student.state_dict())
    teacher.requires_grad_(False)
    criterion = authors.DINOLoss(2048, 6, 0.04, 0.04, 0, 10)

    def loss(views: list[torch.Tensor]) -> Any:
        with torch.no_grad():
            known = teacher(views[:2])
        return criterion(student(views), known, 0)

    @torch.no_grad()
    def after() -> None:
        for old, new in zip(teacher.parameters(), student.parameters(), strict=True):
            old.data.mul_(0.99).add_(0.01 * new.detach().data)

    album = Album(files, look(authors))
    mine = ours("dino", OPTIONS, folder)
    ready = [*mine.ready["global"].chunk(2), *mine.ready["local"].chunk(4)]
    return Side(student, loss, ready, lambda: loader(album), after), mine


def tower(sight: Any, tools: Any) -> Any:
    network = sight.VisionTransformer(
        img_size=[SIDE], patch_size=PATCH, embed_dim=192, depth=12, num_heads=3, qkv_bias=True
    )
    return tools.MultiCropWrapper(network, sight.DINOHead(192, 2048, hidden_dim=512, bottleneck_dim=128))


def look(authors: Any) -> Any:
    """Its transform with our sides; the authors wrote theirs, 224 and 96, into the class."""
    chosen = authors.DataAugmentationDINO((0.4, 1.0), (0.08, 0.4), 4)
    for part, side in (
        (chosen.global_transfo1, SIDE),
        (chosen.global_transfo2, SIDE),
        (chosen.local_transfo, SIDE // 2),
    ):
        part.transforms[0].size = (side, side)
    return chosen
