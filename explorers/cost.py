"""What a run will cost, said before it starts: tokens, memory, time.

Tokens follow from the patch grid and the network's prefix. A trace's memory follows from the axes of what it holds:
queries, keys, outputs and members grow with the tokens, a bias or logits over one window with their square; one pass
tells the coefficients. Time is this machine's own: seconds a unit of arithmetic, over the network's last runs.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from models.backbone import Layer

RUNS = 8
"""Runs of one network whose rates are kept."""

_FIELDS = ("queries", "keys", "bias", "logits", "bands", "members", "tokens")


@dataclass(frozen=True)
class Cost:
    """grid:     (rows, columns) of patches
    tokens:   prefix included; None while nothing but the card is known
    bytes:    that the trace will hold; None likewise
    seconds:  of the pass; None likewise
    """

    grid: tuple[int, int]
    tokens: int | None = None
    bytes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Growth:
    """One tensor's size: `size · ((prefix + patches) / (prefix + patches then)) ** power`, in bytes."""

    size: int
    prefix: int
    power: int

    def at(self, patches: float, then: float) -> float:
        return self.size * ((self.prefix + patches) / (self.prefix + then)) ** self.power


@dataclass
class Law:
    """How one network's cost grows with the patches of its input, learned from a trace of `patches` of them.

    sizes:       each tensor of that trace
    squares:     multiply-adds of attention over one window that spans the picture, in that trace
    parameters:  count of the network's numbers, each used once a token
    rates:       seconds a unit of `work`, of the last runs
    tried:       True while the only rate is that of a trial
    """

    prefix: int
    patches: int
    sizes: tuple[Growth, ...]
    squares: float
    parameters: int
    rates: deque[float] = field(default_factory=lambda: deque(maxlen=RUNS))
    tried: bool = False

    def cost(self, grid: tuple[int, int], pixels: int) -> Cost:
        """`pixels`: of the input, which is kept with its trace."""
        patches = grid[0] * grid[1]
        held = sum(size.at(patches, self.patches) for size in self.sizes) + 3 * 4 * pixels
        seconds = median(self.rates) * self.work(patches) if self.rates else None
        return Cost(grid, self.prefix + patches, round(held), seconds)

    def work(self, patches: int) -> float:
        """Multiply-adds of one pass, but for a factor that all input sizes share."""
        tokens = self.prefix + patches
        return self.parameters * tokens + self.squares * (tokens / (self.prefix + self.patches)) ** 2


class Ledger:
    """Laws of the networks that have run in this process."""

    def __init__(self) -> None:
        self._laws: dict[str, Law] = {}
        self._lock = threading.Lock()

    def law(self, checkpoint: str) -> Law | None:
        return self._laws.get(checkpoint)

    def note(
        self, checkpoint: str, layers: Sequence[Layer], parameters: int, seconds: float, trial: bool = False
    ) -> Law:
        """Remember that a pass took `seconds`; the first one also tells how memory grows. The time of a `trial`, which
        is small and has cold caches, counts until a real pass has been measured."""
        patches = layers[0].grid[0] * layers[0].grid[1]
        with self._lock:
            law = self._laws.setdefault(checkpoint, _law(layers, parameters))
            if law.tried and not trial:
                law.rates.clear()
            law.tried = trial
            law.rates.append(seconds / law.work(patches))
        return law


def held(layers: Sequence[Layer]) -> int:
    """Bytes of memory that `layers` keep alive: whole storages, each counted once."""
    return sum(size for _, _, _, size in _storages(layers))


def _law(layers: Sequence[Layer], parameters: int) -> Law:
    patches = layers[0].grid[0] * layers[0].grid[1]
    windowed = any(layer.windows > 1 for layer in layers)
    sizes = tuple(
        Growth(size, 0 if windowed else layer.prefix, _power(name, tensor, windowed))
        for layer, name, tensor, size in _storages(layers)
    )
    spanning = 0.0 if windowed else sum(2.0 * layer.length**2 * layer.tokens.shape[-1] for layer in layers)
    return Law(layers[0].prefix, patches, sizes, spanning, parameters)


def _power(name: str, tensor: Tensor, windowed: bool) -> int:
    if name not in ("bias", "logits"):
        return 1
    if windowed:
        return 1 if tensor.shape[0] > 1 else 0
    return 2


def _storages(layers: Sequence[Layer]) -> Iterator[tuple[Layer, str, Tensor, int]]:
    """Each storage once, with the first tensor that lies in it: queries and keys are often views of one with values."""
    seen = set()
    for layer in layers:
        for name in _FIELDS:
            tensor = getattr(layer, name)
            if tensor is None or tensor.untyped_storage().data_ptr() in seen:
                continue
            seen.add(tensor.untyped_storage().data_ptr())
            yield layer, name, tensor, tensor.untyped_storage().nbytes()
