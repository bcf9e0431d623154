"""open_clip: its CLIP, its loss and the transform of its image_transform, with the same tokens of our tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.csv as csv

from benchmarks.rivals.ground import PATCH, SIDE, Album, Side, loader, ours, rivals
from training.words import LENGTH, encoded, words

OPTIONS = {"text_width": 128, "text_depth": 3, "joint": 128, "crop": 0.9}


def sides(folder: Path, files: list[Path]) -> tuple[Side, Side]:
    rivals()
    from open_clip.loss import ClipLoss  # pyright: ignore[reportMissingImports]
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg  # pyright: ignore[reportMissingImports]
    from open_clip.transform import image_transform  # pyright: ignore[reportMissingImports]

    captions = csv.read_csv(folder / "table.csv")["caption"].to_pylist()
    made = words(captions)
    ids, _ = encoded(made, captions)
    network: Any = CLIP(
        128,
        CLIPVisionCfg(layers=12, width=192, head_width=64, patch_size=PATCH, image_size=SIDE),
        CLIPTextCfg(context_length=LENGTH, vocab_size=made.get_vocab_size(), width=128, heads=4, layers=3),
    )
    criterion = ClipLoss()
    album = Album(files, image_transform(SIDE, is_train=True, mean=(0.5,) * 3, std=(0.5,) * 3), list(ids))
    mine = ours("clip", OPTIONS, folder, made)
    ready = (mine.ready["pixels"], ids[: len(mine.ready["pixels"])])
    return Side(network, lambda views: criterion(*network(*views)), ready, lambda: loader(album)), mine
