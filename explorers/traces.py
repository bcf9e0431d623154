"""Networks and what they did to pictures, kept for the whole process: the heavy pass runs once for each.

    seen = trace("registry/dinov2-small", "cat.jpg", side=518)
    seen.layers[-1].attention_from(0)

A trace is found again by checkpoint, picture (sha256 of its file) and input size; a run that has saved newer weights
is a new network. Both caches are bounded in bytes, by
`PATCHLIGHT_NETWORKS_MB` and `PATCHLIGHT_TRACES_MB`, each a quarter of this machine's memory unless told otherwise.
`trace` takes the gate itself.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

import models
from explorers import lent
from explorers.cache import Cache, clear_all
from explorers.call import check_stretch
from explorers.cost import Cost, held
from explorers.fed_words import fed, told
from explorers.forecast import cost, has_run, note
from explorers.gate import gate
from explorers.identity import digest_of, version
from models.faults import Fault
from models.image import open_image

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from models.backbone import Backbone, Layer
    from models.feeding import Box
    from models.fit import Fit
    from models.hub import Progress

__all__ = ["Traced", "backbone", "cost", "gate", "trace"]


@dataclass(frozen=True)
class Traced:
    """What a network did to a picture.

    key:         names checkpoint, picture and input size; the same key, the same numbers
    checkpoint:  id of the network
    digest:      sha256 of the picture's file
    image:       RGB, upright, in its own size
    pixels:      (channels, height, width) normalised, as the network was fed, on the CPU
    layers:      one for each block, on the CPU
    seconds:     that the pass took
    network:     behind `backbone`, held weakly
    """

    key: str
    digest: str
    checkpoint: str
    image: Image.Image
    pixels: Tensor
    layers: tuple[Layer, ...]
    fit: Fit
    seconds: float
    network: ReferenceType[Backbone]

    @property
    def backbone(self) -> Backbone:
        """The network, loaded again if it had to make room: a trace that is kept does not keep its network."""
        return self.network() or backbone(self.checkpoint)

    @property
    def box(self) -> Box:
        """(left, top, right, bottom) of what was fed, in pixels of the image."""
        return self.backbone.pixels.box((self.image.height, self.image.width), self.shape, self.fit)

    @property
    def told(self) -> dict[str, Any]:
        """How it was fed, in one sentence."""
        return told(fed(self.backbone.pixels, (self.image.height, self.image.width), self.shape, self.fit))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the input in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]


def backbone(checkpoint: str, progress: Progress | None = None) -> Backbone:
    """The network of this id, loaded once. `progress` is told (bytes here, bytes in all) while it is downloaded, and
    stops the download by raising. Raises `Fault`."""
    telling = None if progress is None else partial(_tell, progress)
    key = (checkpoint, version(checkpoint))
    try:
        return _networks.get(key, lambda: models.load(checkpoint, progress=telling), alone=gate.held)
    except _Halted as halted:
        raise halted.reason from None


def trace(checkpoint: str, image_file: str | Path, side: int | None = None, fit: Fit = "whole") -> Traced:
    """What the network did to the picture, its longer side fed at about `side` pixels. Raises `Fault`."""
    digest = digest_of(Path(image_file))
    key = (checkpoint, version(checkpoint), digest, side, fit)
    return _traces.get(key, lambda: _trace(checkpoint, Path(image_file), digest, side, fit), alone=gate.held)


class _Halted(Exception):
    """A download was stopped by the one who watched it, which is no answer to others who wait for the same network."""

    def __init__(self, reason: BaseException) -> None:
        self.reason = reason


def _tell(progress: Progress, here: int, whole: int) -> None:
    try:
        progress(here, whole)
    except BaseException as reason:
        raise _Halted(reason) from reason


def _trace(checkpoint: str, file: Path, digest: str, side: int | None, fit: Fit) -> Traced:
    image = open_image(file)
    network = backbone(checkpoint)
    shape = network.pixels.shape((image.height, image.width), side, fit)
    if has_run(network) or max(shape) > max(network.pixels.size):
        expected = cost(network, shape)
        _check_room(expected)
        check_stretch(expected.seconds)
    pixels = network.pixels(image, side, fit)
    layers, seconds = _pass(network, pixels)
    named = (checkpoint, version(checkpoint), digest, shape, fit)
    key = hashlib.sha256(repr(named).encode()).hexdigest()
    return Traced(key, digest, checkpoint, image, pixels, layers, fit, seconds, ref(network))


def _check_room(expected: Cost) -> None:
    if expected.bytes is not None and expected.bytes > _traces.limit:
        raise Fault(
            "A trace of {tokens} tokens was asked for, which takes {needed} MB where {limit} MB are kept for traces; "
            "choose a smaller input size, or raise PATCHLIGHT_TRACES_MB.",
            tokens=expected.tokens, needed=expected.bytes // 2**20, limit=_traces.limit // 2**20,
        )  # fmt: skip


def _pass(network: Backbone, pixels: Tensor) -> tuple[tuple[Layer, ...], float]:
    """The network's layers on the CPU, and the seconds that this took."""
    with gate():
        start = time.perf_counter()
        layers = _within_memory(network, pixels)
        seconds = time.perf_counter() - start
    if not bool(layers[-1].tokens.isfinite().all()):
        raise Fault(
            "{checkpoint} was run, but its output is not finite; its weights are damaged, choose another checkpoint.",
            checkpoint=network.card.id,
        )
    note(network, layers, seconds)
    return layers, seconds


def _within_memory(network: Backbone, pixels: Tensor) -> tuple[Layer, ...]:
    """One pass; where memory runs out everything kept is let go and the pass tried once more."""
    import torch  # a network is loaded, so this costs nothing any more

    try:
        return lent.trace(network, pixels)
    except (torch.OutOfMemoryError, MemoryError):
        clear_all()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    try:
        return lent.trace(network, pixels)
    except (torch.OutOfMemoryError, MemoryError) as full:
        height, width = pixels.shape[1:]
        raise Fault(
            "An input of {height} × {width} pixels was asked for, but memory ran out, twice; choose an input size of "
            "{side} pixels or less, or a smaller network.",
            height=height, width=width, side=max(height, width) // 2,
        ) from full  # fmt: skip


def _network_bytes(network: Backbone) -> int:
    weights = [*network.module.parameters(), *network.module.buffers()]
    return sum(weight.numel() * weight.element_size() for weight in weights)


def _trace_bytes(seen: Traced) -> int:
    return held(seen.layers) + seen.pixels.nbytes + 3 * seen.image.width * seen.image.height


def _limit(variable: str) -> int:
    """Bytes, from an environment variable in MB, else a quarter of the memory."""
    told = os.environ.get(variable)
    if told is None:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4 if hasattr(os, "sysconf") else 2**32
    if not told.isdigit() or int(told) == 0:
        raise Fault("{variable} was set to {told}; give megabytes as a whole number.", variable=variable, told=told)
    return int(told) * 2**20


_networks: Cache[Backbone] = Cache(_limit("PATCHLIGHT_NETWORKS_MB"), _network_bytes, most=32)
_traces: Cache[Traced] = Cache(_limit("PATCHLIGHT_TRACES_MB"), _trace_bytes)
