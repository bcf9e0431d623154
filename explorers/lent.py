"""A Space with ZeroGPU lends an accelerator to single functions; here are those that are worth it.

Such a function runs in a forked process: what it is given and returns is pickled, and whatever it leaves in memory is
lost. So it takes the id of a network, not the network, and returns tensors on the CPU. Everywhere else, `spaces`
installed or not, nothing here does anything.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

    from models.backbone import Backbone, Layer

F = TypeVar("F", bound=Callable[..., Any])

HERE = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "true") and importlib.util.find_spec("spaces") is not None
"""Whether this process is a Space with ZeroGPU."""


def gpu(function: F) -> F:
    """`function`, lent a GPU for each call on a ZeroGPU Space; elsewhere the function itself."""
    if not HERE:
        return function
    import spaces  # pyright: ignore[reportMissingImports]  not a requirement: the host brings it

    return spaces.GPU(function)


@gpu
def trace(checkpoint: str, pixels: Tensor) -> tuple[Layer, ...]:
    """One pass on the lent GPU, its layers on the CPU."""
    return tuple(layer.detached() for layer in _there(checkpoint).trace(pixels))


@gpu
def class_relevance(checkpoint: str, pixels: Tensor, target: int | Tensor) -> Tensor:
    """Relevance for a class, or for a text by its features (1, channels), as in `models.relevance`, on the CPU."""
    from explorers.attention_relevance import score_of
    from models import relevance

    network = _there(checkpoint)
    there = target if isinstance(target, int) else target.to(_device())
    return relevance.class_relevance(network, pixels, score_of(there)).detach().cpu()


def _there(checkpoint: str) -> Backbone:
    """The network on the GPU of this worker."""
    from explorers.traces import backbone

    network = backbone(checkpoint)
    network.module.to(_device())
    return network


def _device() -> str:
    """Of the worker: the GPU that it was lent, of which the process that asked knows nothing."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
