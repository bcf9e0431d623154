"""What several processes must share for a loss over the whole batch to stay the loss over the whole batch."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def processes() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if processes() > 1 else 0


class _Everyone(torch.autograd.Function):
    """Concatenates over processes; backwards, each process gets the sum of what all others owe its rows."""

    @staticmethod
    def forward(ctx: object, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(processes())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: object, owed: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        owed = owed.contiguous().clone()
        dist.all_reduce(owed)
        return owed.chunk(processes())[rank()]


def everyone(rows: Tensor) -> Tensor:
    """(rows, …) of every process in the order of ranks, with gradient; the same tensor where there is one process."""
    return rows if processes() == 1 else _Everyone.apply(rows)  # pyright: ignore[reportReturnType]


@torch.no_grad()
def total(values: Tensor) -> Tensor:
    """Sum over processes, without gradient."""
    values = values.clone()
    if processes() > 1:
        dist.all_reduce(values)
    return values


def own(count: int) -> slice:
    """This process's `count` rows within `everyone`'s."""
    return slice(rank() * count, (rank() + 1) * count)


def agreed(wish: bool) -> bool:
    """True on every process as soon as one of them wishes it."""
    return wish if processes() == 1 else bool(total(torch.tensor(float(wish), device=_device())))


def shared(value: float) -> float:
    """Mean over processes of what each has measured, so that all go by the same."""
    own = torch.tensor(value, dtype=torch.float64)
    return value if processes() == 1 else float(total(own.to(_device()))) / processes()


def _device() -> str:
    return "cuda" if dist.get_backend() == "nccl" else "cpu"
