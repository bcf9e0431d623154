"""What both sides of a race share: pictures on disk, sizes, optimiser, and what is counted."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.transforms.functional import to_pil_image

from benchmarks.measure import kept_bytes
from models.faults import Fault
from training.datasets import Source, open_dataset
from training.engine import train
from training.objective import Objective, Plan, method
from training.optimisers import optimisers
from training.settings import Settings, checked

COUNT, SIDE, PATCH, STORED = 32, 96, 8, 256
PICTURES = 8 * COUNT
SETTINGS: dict[str, Any] = {"rate": 1e-4, "batch": COUNT, "precision": "fp32", "device": "cpu", "keep_every": 10_000}


@dataclass(frozen=True)
class Side:
    """One side of a race.

    module:  what learns
    loss:    from views, as `ready` and `rounds` give them, to a scalar
    ready:   views of one batch, made beforehand
    rounds:  views of every picture on disk once, decoded and augmented as its users do
    after:   what follows an update
    """

    module: nn.Module
    loss: Callable[[Any], Tensor]
    ready: Any
    rounds: Callable[[], Iterator[Any]]
    after: Callable[[], None] = lambda: None


def stepper(side: Side, halved: bool = False) -> Callable[[Any], float]:
    """One update from views: forward, backward, AdamW; `halved`: the forward pass in bf16."""
    side.module.train()
    made = optimisers(side.module, checked(Settings, SETTINGS))

    def step(views: Any) -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=halved):
            loss = side.loss(views)
        loss.backward()
        for optimiser in made:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        side.after()
        return loss.item()

    return step


def kept(side: Side, halved: bool) -> int:
    """Bytes that the forward pass keeps for the backward pass, and the weights."""
    held: list[Tensor] = list(side.module.parameters())
    precision = torch.autocast("cpu", torch.bfloat16, enabled=halved)
    with (
        precision,
        torch.autograd.graph.saved_tensors_hooks(lambda value: held.append(value) or value, lambda value: value),
    ):
        side.loss(side.ready)
    return kept_bytes(held)


class Album(torch.utils.data.Dataset[Any]):
    """Files, read as the authors' loaders do: PIL, RGB, their transform, one at a time."""

    def __init__(self, files: Sequence[Path], look: Callable[[Image.Image], Any], told: Sequence[Tensor] = ()) -> None:
        self.files, self.look, self.told = files, look, told

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, place: int) -> Any:
        with Image.open(self.files[place]) as picture:
            seen = self.look(picture.convert("RGB"))
        return (seen, self.told[place]) if self.told else seen


def loader(album: Album) -> Iterator[Any]:
    """Batches from as many loading processes as there are processors."""
    return iter(DataLoader(album, COUNT, shuffle=True, drop_last=True, num_workers=os.cpu_count() or 1))


def pictures(folder: Path) -> list[Path]:
    """Scenes as JPEG files with a table of captions beside them, which Patchlight reads as anybody's."""
    lines = ["image,caption,split"]
    drawn = open_dataset(Source("scenes", STORED, objects=(1, 3)))
    for step in range(PICTURES // COUNT):
        batch = drawn.batch(step, seed=0, count=COUNT, device="cpu")
        for place, (image, caption) in enumerate(zip(batch.images, batch.captions or (), strict=True)):
            name = f"{step * COUNT + place:04}.jpg"
            to_pil_image(image).save(folder / name, quality=90)
            lines.append(f'{name},"{caption}",train')
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sorted(folder.glob("*.jpg"))


def ours(name: str, options: dict[str, Any], folder: Path, words: Any = None) -> Side:
    """Patchlight's side; its rounds come from the table, decoded in the first one."""
    made, images = objective(name, options, words), opened(folder)

    def rounds() -> Iterator[Any]:
        for step in range(PICTURES // COUNT):
            yield made.views(images.batch(step, seed=0, count=COUNT, device="cpu"))

    ready = made.views(opened(folder).batch(0, seed=0, count=COUNT, device="cpu"))
    return Side(made.module, lambda views: made.loss(views)[0], ready, rounds, lambda: made.after_step(0.5))


def opened(folder: Path) -> Any:
    return open_dataset(Source(str(folder / "table.csv"), SIDE))


def objective(name: str, options: dict[str, Any], words: Any = None) -> Objective:
    chosen = method(name)
    torch.manual_seed(0)
    made = chosen.builds(Plan("tiny", SIDE, PATCH, checked(chosen.options, options), (), words))
    made.module.train()
    return made


def learning(made: Objective, images: Any) -> list[float]:
    """Seconds of each step of one round over `images` by the engine itself, the first left out."""
    clock, found = time.perf_counter(), []
    steps = PICTURES // COUNT
    for _ in train(made, images, checked(Settings, {**SETTINGS, "steps": steps})):
        found.append(time.perf_counter() - clock)
        clock = time.perf_counter()
    return found[1:]


def theirs(side: Side, step: Callable[[Any], float]) -> list[float]:
    """The same of the authors' side."""
    clock, found = time.perf_counter(), []
    for views in side.rounds():
        step(views)
        found.append(time.perf_counter() - clock)
        clock = time.perf_counter()
    return found[1:]


def rivals() -> Path:
    """The folder with the authors' code."""
    folder = Path(os.environ.get("PATCHLIGHT_RIVALS", ""))
    if not all((folder / name).is_dir() for name in ("mae", "dino", "packages")):
        raise Fault(
            "The authors' code was to be measured, but it is not in {folder}; see benchmarks/training.py.",
            folder=folder,
        )
    if str(folder / "packages") not in sys.path:
        sys.path.append(str(folder / "packages"))
    return folder


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
