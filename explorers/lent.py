"""A Space with ZeroGPU lends an accelerator to single functions; here are those that are worth it.

    lent.reconstruct(network, pixels, masks)      here, or in a worker that was lent a GPU: callers need not know

Such a worker is a forked process: what it is given and returns is pickled, and whatever it leaves in memory is lost. So
it is told who asks and the id of a network, opens that itself, and returns tensors on the CPU. Everywhere else,
`spaces` installed or not, these are plain functions. Callers hold the gate.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from models.visitor import asked_by, visitor

if TYPE_CHECKING:
    from torch import Tensor

    from models.backbone import Backbone, Layer, Reconstruction
    from models.text_to_patches import Way
    from models.word_relevance import WordRelevance

F = TypeVar("F", bound=Callable[..., Any])

HERE = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "true") and importlib.util.find_spec("spaces") is not None
"""Whether this process is a Space with ZeroGPU."""


def borrows(function: F) -> F:
    """`function(network, *values)`, lent a GPU for each call on a ZeroGPU Space; elsewhere the function itself.

    The host tells only the kind of an error in a worker, so those that are answered or told return as values.
    """
    if not HERE:
        return function
    import spaces  # pyright: ignore[reportMissingImports]  not a requirement: the host brings it

    @spaces.GPU
    @wraps(function)
    def there(asking: str, checkpoint: str, *values: Any) -> tuple[Any, Exception | None]:
        import torch

        from models.faults import Fault

        try:
            with asked_by(asking):
                return function(_on_gpu(checkpoint), *values), None
        except (Fault, MemoryError, torch.OutOfMemoryError) as told:
            return None, told

    @wraps(function)
    def asked(network: Backbone, *values: Any) -> Any:
        found, told = there(visitor(), network.card.id, *values)
        if told is not None:
            raise told
        return found

    return asked  # pyright: ignore[reportReturnType]


def _on_gpu(checkpoint: str) -> Backbone:
    """The network on the GPU of this worker, of which the process that asked knows nothing."""
    import torch

    from explorers.traces import backbone

    network = backbone(checkpoint)
    network.module.to("cuda" if torch.cuda.is_available() else "cpu")
    return network


# -- attention ---------------------------------------------------------------------------------------------------------


@borrows
def trace(network: Backbone, pixels: Tensor) -> tuple[Layer, ...]:
    """One pass, its layers on the CPU."""
    return tuple(layer.detached() for layer in network.trace(pixels))


@borrows
def class_relevance(network: Backbone, pixels: Tensor, target: int | Tensor) -> Tensor:
    """Relevance for a class, or for a text by its features (1, channels), as in `models.relevance`, on the CPU."""
    from explorers.attention_relevance import score_of
    from models import relevance

    return relevance.class_relevance(network, pixels, score_of(target)).detach().cpu()


# -- masks -------------------------------------------------------------------------------------------------------------


@borrows
def reconstruct(network: Any, pixels: Tensor, masks: Tensor) -> tuple[Reconstruction, ...]:
    """One picture under a batch of masks (masks, rows, columns) of a `Reconstructs`, on the CPU."""
    return tuple(found.detached() for found in network.reconstruct_each(pixels, masks))


@borrows
def trace_masked(network: Any, pixels: Tensor, mask: Tensor) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """Layers of encoder and decoder of a `Decodes` under one mask, on the CPU."""
    encoder, decoder = network.trace_masked(pixels, mask)
    return tuple(layer.detached() for layer in encoder), tuple(layer.detached() for layer in decoder)


# -- pictures and texts ------------------------------------------------------------------------------------------------


def text_features(network: Any, texts: Sequence[str]) -> Tensor:
    """As `models.text_bank.text_features`: only texts that are new go through the network of a `ZeroShot`."""
    from models import text_bank

    return text_bank.text_features(network, texts, _read)


@borrows
def _read(network: Any, texts: Sequence[str]) -> Tensor:
    from models import text_bank

    return text_bank.read(network, texts)


@borrows
def image_features(network: Any, pixels: Tensor) -> Tensor:
    """Unit vectors (images, channels) of a `ZeroShot`'s joint space, on the CPU."""
    import torch

    with torch.no_grad():
        return network.image_features(pixels).float().cpu()


@borrows
def picture_vectors(network: Backbone, pixels: Tensor) -> Tensor:
    """Unit vectors (images, channels) as a gallery's, of any network, on the CPU."""
    from explorers.gallery_index import encoder
    from models.gallery import features

    return features(encoder(network)[0], pixels)


@borrows
def patch_map(network: Backbone, layers: Sequence[Layer], pixels: Tensor, text: Tensor, way: Way) -> Tensor:
    """As `models.text_to_patches.patch_map`, which reads no more than the last two layers."""
    from models import text_to_patches

    return text_to_patches.patch_map(network, layers, pixels, text, way)


@borrows
def word_relevance(network: Any, prompt: str, picture: Tensor) -> WordRelevance:
    """As `models.word_relevance.word_relevance`."""
    from models import word_relevance

    return word_relevance.word_relevance(network, prompt, picture)
