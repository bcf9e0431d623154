"""Two processes see one batch as one process does: same loss, same gradient, same centre."""

from __future__ import annotations

import multiprocessing
import os
import socket
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.datasets import Batch

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["training.run", "training.objectives.dino", "timm", "safetensors.torch"])

STEPS = 3


class Halves:
    """The tests' squares, 16 a step, whoever asks: with two processes each gets its half of the same pictures."""

    def __init__(self, processes: int) -> None:
        from tests.training.squares import Squares

        self.whole, self.processes = Squares(), processes
        self.classes, self.captioned, self.length, self.skipped = self.whole.classes, True, None, ()

    def batch(self, step: int, *, seed: int | None, count: int, device: torch.device | str) -> Batch:
        turn, part = divmod(step, self.processes)
        batch = self.whole.batch(turn, seed=seed, count=16, device=device)
        return batch[part * count : (part + 1) * count]


def still(name: str, objective: Any) -> Any:
    """Views that follow from the pictures alone, so that both ways of learning see the same."""

    def views(batch: Batch) -> dict[str, Tensor]:
        pixels = batch.images * 2 - 1
        if name == "dino":
            return {"global": torch.cat([pixels, pixels.flip(-1)]), "local": pixels[..., 8:24, 8:24]}
        if name == "simclr":
            return {"first": pixels, "second": pixels.flip(-1) * 0.9}
        ids = F.pad(batch.labels[:, None] + 4, (1, 30), value=2).contiguous()  # pyright: ignore[reportOptionalSubscript]
        ids[:, 2] = 3
        assert batch.concepts is not None
        return {"pixels": pixels, "ids": ids, "attend": torch.ones_like(ids), "concepts": batch.concepts}

    objective.views = views
    return objective


def learn(name: str, options: dict[str, Any], processes: int) -> tuple[list[tuple[float, float]], dict[str, Tensor]]:
    """(loss, gradient norm) of each step, and the state that is no weight."""
    from tests.training.test_engine import built, settings

    torch.set_num_threads(1)
    images = Halves(processes)
    objective = still(name, built(name, images.whole, **options))
    found, kept = [], {}
    from training.engine import train

    for progress in train(objective, images, settings(name, steps=STEPS, rate=1e-4, clip=0.0)):
        found.append((progress.loss, progress.figures["gradient norm"]))
        kept = {key: value.clone() for key, value in progress.snapshot().items() if key == "module/centre"}
    return found, kept


def work(rank: int, port: int, name: str, options: dict[str, Any], answers: Any) -> None:
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port), "ACCELERATE_USE_CPU": "true",
    }  # fmt: skip
    found, kept = learn(name, options, 2)
    if rank == 0:
        answers.put((found, {key: value.tolist() for key, value in kept.items()}))
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip", {}),
        ("siglip", {}),
        ("simclr", {}),
        ("dino", {"centring": "mean"}),
        ("dino", {"centring": "sinkhorn"}),
        ("dino", {"centring": "joint"}),
    ],
)
def test_two_processes_learn_as_one(name: str, options: dict[str, Any]) -> None:
    alone, state = learn(name, options, 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answers = PROCESSES.Queue()
    both = [PROCESSES.Process(target=work, args=(rank, port, name, options, answers)) for rank in range(2)]
    for process in both:
        process.start()
    found, kept = answers.get(timeout=240)
    for process in both:
        process.join()
        assert process.exitcode == 0
    torch.testing.assert_close(torch.tensor(found[0]), torch.tensor(alone[0]), rtol=2e-5, atol=1e-6)
    torch.testing.assert_close(torch.tensor(found), torch.tensor(alone), rtol=2e-3, atol=1e-5)
    assert kept.keys() == state.keys()
    for key, value in kept.items():
        torch.testing.assert_close(torch.tensor(value), state[key], rtol=1e-3, atol=1e-6)
