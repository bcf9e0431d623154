"""A gallery through a network, once: kept in memory and on the disk, and made again where pictures have changed.

    index = index_of("bundled/clip", "folder", "/home/me/pictures")

Whoever asks while it is being made waits for the same making; one that is stopped leaves what is done for the next.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image
from torch import Tensor

from explorers import lent, traces
from explorers.beginnings import AnyGallery, beginning
from explorers.cache import Cache
from explorers.galleries import Gallery, Name, gallery
from explorers.gallery_making import Making, Progress
from explorers.gate import gate
from explorers.identity import version
from models import gallery_store
from models.backbone import Backbone, ZeroShot
from models.features import Features
from models.gallery import Encode, fed, input_shape, joint
from models.gallery_search import Cells, cells
from models.gallery_store import Index

Space = Literal["joint", "CLS", "mean"]
KEPT = 2**30
"""Bytes of vectors in memory."""


@dataclass(frozen=True)
class Seen:
    """A gallery as a network sees it.

    index:  vectors, names and thumbnails
    space:  what the vectors are: "joint" with texts, the "CLS" token of the last block, or the "mean" of its patches
    shape:  (height, width) in pixels at which every picture was fed
    fresh:  pictures that went through the network now; the others were kept from before
    key:    of network and pictures
    """

    index: Index
    gallery: Name
    place: str
    space: Space
    shape: tuple[int, int]
    fresh: int
    key: str

    def cells(self) -> Cells:
        """The vectors in cells for faiss, made when first wanted. Raises `Fault`."""
        return _partitions.get(self.key, lambda: cells(self.index.vectors))


def index_of(
    checkpoint: str, name: AnyGallery, place: str = "", side: int | None = None, progress: Progress | None = None
) -> Seen:
    """The gallery `name` (of the folder `place`) through the network. `progress` is told (pictures done, of how many)
    and stops the making by raising. Raises `Fault`."""
    pictures = gallery(beginning(checkpoint).gallery if name == "auto" else name, place)
    network = traces.backbone(checkpoint)
    who, what = identity(network, pictures, side), content(pictures)
    return _indices.get((who, what), lambda: _seen(network, pictures, side, who, what, progress), alone=gate.held)


def identity(network: Backbone, pictures: Gallery, side: int | None) -> str:
    """Who looked at what: the weights, the input size, and the gallery's name or folder."""
    card = network.card
    shape = input_shape(network.pixels, side)
    told = (card.id, card.sha256, card.revision, card.random, version(card.id), shape, pictures.name, pictures.place)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:24]


def content(pictures: Gallery) -> str:
    """What lies in the gallery now."""
    return hashlib.sha256("\n".join(pictures.stamps).encode()).hexdigest()[:24]


def picture_vector(checkpoint: str, image: Image.Image, side: int | None = None) -> np.ndarray:
    """One picture as a gallery's are: unit vector (channels,)."""
    network = traces.backbone(checkpoint)
    pixels = fed(network.pixels, image, input_shape(network.pixels, side))
    with gate():
        return lent.picture_vectors(network, pixels[None])[0].numpy()


def _seen(
    network: Backbone, pictures: Gallery, side: int | None, who: str, what: str, progress: Progress | None
) -> Seen:
    with gate():
        _, space = encoder(network)
    index, fresh = gallery_store.read(who, what), 0
    if index is None:
        making = Making(network, pictures, input_shape(network.pixels, side), gallery_store.earlier(who))
        index, fresh = making.run(who, what, progress or (lambda here, whole: None)), making.fresh
    shape = input_shape(network.pixels, side)
    return Seen(index, pictures.name, pictures.place, space, shape, fresh, f"{who} {what}")


def encoder(network: Backbone) -> tuple[Encode, Space]:
    """How the network makes one vector of a picture; inside the gate, since it may have to be tried once."""
    if isinstance(network, ZeroShot):
        return joint(network), "joint"
    with _lock:
        if network not in _summaries:
            _summaries[network] = Features(network).eval()
        summary = _summaries[network]
    weight = next(network.module.parameters())

    def encode(batch: Tensor) -> Tensor:
        return summary(batch.to(weight.device, weight.dtype))

    return encode, "CLS" if summary.pooled.cls else "mean"


_summaries: WeakKeyDictionary[Any, Features] = WeakKeyDictionary()
_lock = threading.Lock()


_indices: Cache[Seen] = Cache(KEPT, lambda seen: seen.index.vectors.nbytes, most=32)
_partitions: Cache[Cells] = Cache(KEPT, lambda found: found.bytes, most=8)
