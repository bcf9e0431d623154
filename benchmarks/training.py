"""A training step against the authors' own code: same shape of network, same pictures, batch, precision and optimiser.

Needs the authors' repositories, cloned side by side into the folder that PATCHLIGHT_RIVALS names: facebookresearch/mae
(efb2a80) as `mae`, facebookresearch/dino (7c446df) as `dino`. 192 channels, 12 blocks, 96 pixels, patch 8, batch 32,
single precision. "bare" is forward, backward and update; "end to end" also augments, theirs picture by picture on PIL
images that are in memory already, ours in batches.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torchvision import transforms
from torchvision.transforms.functional import to_pil_image

from benchmarks.measure import side_by_side, table
from models.faults import Fault
from training.datasets import Batch, Source, open_dataset
from training.objective import Objective, Plan, method
from training.optimisers import optimisers
from training.settings import Settings, checked

COUNT, SIDE, PATCH = 32, 96, 8


def measure() -> str:
    folder = Path(os.environ.get("PATCHLIGHT_RIVALS", ""))
    if not (folder / "mae").is_dir() or not (folder / "dino").is_dir():
        raise Fault("The authors' code was to be measured, but it is not there; clone it and set PATCHLIGHT_RIVALS.")
    batch = open_dataset(Source("shapes", SIDE)).batch(0, seed=0, count=COUNT, device="cpu")
    rows = []
    for name, pair in {"MAE": mae(folder / "mae", batch), "DINO": dino(folder / "dino", batch)}.items():
        for kind, rivals in pair.items():
            times = side_by_side(rivals, rounds=3)
            theirs, ours = COUNT / times["theirs"], COUNT / times["ours"]
            rows.append([name, kind, f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.2f} ×"])
    return table(["", "", "authors, pictures a second", "Patchlight", "ratio"], rows)


def mae(folder: Path, batch: Batch) -> dict[str, dict[str, Callable[[], float]]]:
    """Their file was written for timm 0.3 and NumPy 1: it gets today's blocks, which are faster, and the old name."""
    authors: Any = source(folder, "models_mae")
    block = authors.Block
    authors.Block = lambda *shape, qk_scale=None, **options: block(*shape, **options)
    np.float = float  # pyright: ignore[reportAttributeAccessIssue]
    theirs = authors.MaskedAutoencoderViT(
        img_size=SIDE, patch_size=PATCH, embed_dim=192, depth=12, num_heads=3, decoder_embed_dim=128, decoder_depth=2,
        decoder_num_heads=4, norm_layer=nn.LayerNorm,
    )  # fmt: skip
    ours = objective("mae", {"decoder_width": 128, "decoder_depth": 2})
    still, pictures = ours.views(batch), [to_pil_image(image) for image in batch.images]
    look = transforms.Compose([
        transforms.RandomResizedCrop(SIDE, scale=(0.5, 1.0), interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3),
    ])  # fmt: skip
    step, other = learner(theirs), learner(ours.module)
    return {
        "bare": {
            "theirs": lambda: step(theirs(still["pixels"])[0]),
            "ours": lambda: other(ours.loss(still)[0]),
        },
        "end to end": {
            "theirs": lambda: step(theirs(torch.stack([tensor(look(picture)) for picture in pictures]))[0]),
            "ours": lambda: other(ours.loss(ours.views(batch))[0]),
        },
    }


def dino(folder: Path, batch: Batch) -> dict[str, dict[str, Callable[[], float]]]:
    """Two crops of 96 and four of 48 pixels, 2,048 scores; their head with our widths."""
    authors, sight, tools = source(folder, "main_dino"), source(folder, "vision_transformer"), source(folder, "utils")
    if not dist.is_initialized():
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29517"}
        dist.init_process_group("gloo", rank=0, world_size=1)

    def tower() -> Any:
        network = sight.VisionTransformer(
            img_size=[SIDE], patch_size=PATCH, embed_dim=192, depth=12, num_heads=3, qkv_bias=True
        )
        return tools.MultiCropWrapper(network, sight.DINOHead(192, 2048, hidden_dim=512, bottleneck_dim=128))

    student, teacher = tower(), tower()
    criterion = authors.DINOLoss(2048, 6, 0.04, 0.04, 0, 10)
    ours = objective("dino", {"centring": "mean", "local": 4})
    still, pictures = ours.views(batch), [to_pil_image(image) for image in batch.images]
    look = authors.DataAugmentationDINO((0.4, 1.0), (0.08, 0.4), 4)
    for chosen, side in ((look.global_transfo1, SIDE), (look.global_transfo2, SIDE), (look.local_transfo, SIDE // 2)):
        chosen.transforms[0].size = (side, side)
    step, other = learner(student), learner(ours.module)

    def theirs(views: list[Tensor]) -> float:
        with torch.no_grad():
            known = teacher(views[:2])
        value = step(criterion(student(views), known, 0))
        with torch.no_grad():
            for old, new in zip(teacher.parameters(), student.parameters(), strict=True):
                old.data.mul_(0.99).add_(0.01 * new.detach().data)
        return value

    def mine(views: dict[str, Tensor]) -> float:
        value = other(ours.loss(views)[0])
        ours.after_step(0.5)
        return value

    ready = [*still["global"].chunk(2), *still["local"].chunk(4)]
    return {
        "bare": {"theirs": lambda: theirs(ready), "ours": lambda: mine(still)},
        "end to end": {
            "theirs": lambda: theirs([torch.stack(view) for view in zip(*map(look, pictures), strict=True)]),
            "ours": lambda: mine(ours.views(batch)),
        },
    }


def objective(name: str, options: dict[str, Any]) -> Objective:
    chosen = method(name)
    made = chosen.builds(Plan("tiny", SIDE, PATCH, checked(chosen.options, options)))
    made.module.train()
    return made


def learner(module: nn.Module) -> Callable[[Tensor], float]:
    made = optimisers(module, checked(Settings, {"rate": 1e-4}))

    def step(loss: Tensor) -> float:
        loss.backward()
        for optimiser in made:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        return loss.item()

    return step


def source(folder: Path, name: str) -> ModuleType:
    """A module of somebody else's repository, which imports its neighbours by their bare names."""
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(folder))


def tensor(value: Any) -> Tensor:
    assert isinstance(value, Tensor)
    return value
