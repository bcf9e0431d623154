"""How much memory a computation needs at its peak, counted tensor by tensor while it runs once.

For a forward pass all of it grows with the batch, so one picture's peak times n is that of n together; what a kernel
takes for itself while it runs is not seen.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Count(TorchDispatchMode):
    """Bytes alive of all storages that come into being inside."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        before = {id(leaf.untyped_storage()) for leaf in tree_leaves((args, kwargs or {})) if isinstance(leaf, Tensor)}
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and id(leaf.untyped_storage()) not in before:
                self._watch(leaf.untyped_storage())
        self.peak = max(self.peak, self.now)
        return result

    def _watch(self, storage: torch.UntypedStorage) -> None:
        name, size = id(storage), storage.nbytes()
        if name in self._known:
            return
        self._known.add(name)
        self.now += size
        weakref.finalize(storage, self._gone, name, size).atexit = False

    def _gone(self, name: int, size: int) -> None:
        self._known.discard(name)
        self.now -= size


@torch.no_grad()
def peak_bytes(run: Callable[[], object]) -> int:
    """Most bytes of new tensors that live at one time while `run()` runs, its result included."""
    with _Count() as count:
        kept = run()
    del kept
    return count.peak
