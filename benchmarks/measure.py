"""Side by side: rivals take turns in one run, so that whatever slows the machine slows them alike."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor


def side_by_side(rivals: Mapping[str, Callable[[], object]], rounds: int = 7) -> dict[str, float]:
    """Median seconds of each rival over `rounds` turns, after one turn that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(rounds + 1):
        for name, run in rivals.items():
            start = time.perf_counter()
            run()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def ratios(rivals: Mapping[str, Callable[[], object]], plain: str, rounds: int) -> dict[str, float]:
    """Median over `rounds` turns of each rival's seconds divided by those of `plain` in the same turn.

    On a machine that others use too, one turn's ratio suffers less from them than two medians of minutes apart. The
    order is turned about from turn to turn, so that nobody always comes after the same one.
    """
    found: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(rounds + 2):
        seconds: dict[str, float] = {}
        for name in sorted(rivals, reverse=bool(turn % 2)):
            start = time.perf_counter()
            rivals[name]()
            seconds[name] = time.perf_counter() - start
        for name in rivals:
            if turn > 1:
                found[name].append(seconds[name] / seconds[plain])
    return {name: statistics.median(values) for name, values in found.items()}


def kept_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes of memory that these tensors keep alive, each storage counted once."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    return f"{platform.machine()}, {device}, torch {torch.__version__}"
