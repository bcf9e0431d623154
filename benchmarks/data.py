"""Drawing a batch of 64 against learning from it: a supervised step of ViT 192×6 at 96 px, patch 8, with AdamW."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

import timm
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.measure import side_by_side, table
from training.datasets import Dataset, Source, open_dataset

BATCH = 64
SIDE = 96
OBJECTS = {"scenes, 1 to 5 objects": (1, 5), "scenes, 1 object": (1, 1)}


def measure() -> str:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    drawn = {name: open_dataset(Source("scenes", SIDE, objects=objects)) for name, objects in OBJECTS.items()}
    drawn |= {name: open_dataset(Source(name, SIDE)) for name in ("shapes", "emoji")}
    batch = next(iter(drawn.values())).batch(0, seed=1, count=BATCH, device=device)
    assert batch.labels is not None
    rivals: dict[str, Callable[[], object]] = {"step": learner(batch.images, batch.labels, device)}
    rivals |= {name: drawer(dataset, device) for name, dataset in drawn.items()}
    times = side_by_side(rivals)
    rows = [
        [name, f"{1000 * times[name]:.0f}", f"{BATCH / times[name]:,.0f}", f"{times[name] / times['step']:.1%}"]
        for name in drawn
    ]
    rows.append(["training step", f"{1000 * times['step']:.0f}", f"{BATCH / times['step']:,.0f}", "100.0%"])
    return table(["", f"ms a batch ({device})", "pictures a second", "share of a step"], rows)


def learner(images: Tensor, labels: Tensor, device: str) -> Callable[[], float]:
    network = timm.create_model(
        "vit_tiny_patch16_224", img_size=SIDE, patch_size=8, embed_dim=192, depth=6, num_heads=3, num_classes=95
    ).to(device)
    optimiser = torch.optim.AdamW(network.parameters())

    def step() -> float:
        optimiser.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def drawer(dataset: Dataset, device: str) -> Callable[[], float]:
    steps = partial(next, count())
    return lambda: dataset.batch(steps(), seed=1, count=BATCH, device=device).images[0, 0, 0, 0].item()
