"""A gallery's indexing against the plain loop that reads a picture and runs the encoder, and how long a search takes.

The plain loop opens, cuts and normalises 32 pictures, then makes one pass of them, and keeps nothing but the vectors.
Indexing does the same, makes thumbnails, skips what it cannot read, tells how far it is and writes all to the disk.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.measure import side_by_side, table
from explorers import gallery_index, gallery_page, retrieve_answers
from explorers.bundle import pack
from explorers.galleries import gallery
from explorers.gallery_index import Seen, index_of
from explorers.retrieve import Question
from explorers.traces import backbone
from models.backbone import Backbone, ZeroShot
from models.gallery import BATCH, fed, input_shape
from models.gallery_search import best, cells
from models.gallery_store import Index
from models.image import open_image

PICTURES = {"bundled/clip": 512, "registry/dinov2-small": 48}
"""Networks and how many pictures each is given."""

ROUNDS = {"bundled/clip": 5, "registry/dinov2-small": 3}
GALLERIES = (10_000, 100_000)
CHANNELS = 512
"""Of CLIP ViT-B."""


def measure() -> str:
    with tempfile.TemporaryDirectory() as place:
        os.environ["PATCHLIGHT_CACHE"] = place + "/cache"
        photographs = Path(place) / "pictures"
        written(photographs, max(PICTURES.values()))
        indexing = [indexed(checkpoint, photographs) for checkpoint in PICTURES]
    searches = [searched(count) for count in GALLERIES]
    head = ["pictures of 640 × 480 px, JPEG", "plain loop, pictures a second", "indexing", "indexing / plain"]
    found = ["pictures found among", "exact, ms", "the page's whole answer, ms", "by faiss, ms", "of faiss's 12 exact"]
    return table(head, indexing) + "\n\n" + table(found, searches)


def written(folder: Path, count: int) -> None:
    """Photographs as cameras write them: bundled ones, cut and tinted so that no two are the same."""
    folder.mkdir()
    sources = [gallery("photographs").open(number, 0).resize((720, 540)) for number in range(7)]
    generator = np.random.default_rng(0)
    for number in range(count):
        left, top = generator.integers(0, (80, 60))
        crop = sources[number % len(sources)].crop((left, top, left + 640, top + 480))
        crop.save(folder / f"{number:05d}.jpg", quality=90)


def indexed(checkpoint: str, folder: Path) -> list[str]:
    network, count = backbone(checkpoint), PICTURES[checkpoint]
    files = sorted(folder.glob("*.jpg"))
    for extra in files[count:]:
        extra.unlink()
    turn = iter(range(1000))

    def indexing() -> None:
        """Each time into a folder of its own, so that nothing is there already."""
        os.environ["PATCHLIGHT_CACHE"] = f"{folder.parent}/cache-{next(turn)}"
        gallery_index._indices.clear()
        assert index_of(checkpoint, "folder", str(folder)).fresh == count

    times = side_by_side({"plain": lambda: plain(network, files[:count]), "indexing": indexing}, ROUNDS[checkpoint])
    speeds = {name: count / seconds for name, seconds in times.items()}
    ratio = f"{speeds['indexing'] / speeds['plain']:.2f}"
    return [f"{count} through {network.card.title}", f"{speeds['plain']:.0f}", f"{speeds['indexing']:.0f}", ratio]


def plain(network: Backbone, files: list[Path]) -> torch.Tensor:
    shape = input_shape(network.pixels)
    encode = network.image_features if isinstance(network, ZeroShot) else gallery_index.encoder(network)[0]
    vectors = []
    with torch.no_grad():
        for start in range(0, len(files), BATCH):
            pictures = [fed(network.pixels, open_image(file), shape) for file in files[start : start + BATCH]]
            vectors.append(encode(torch.stack(pictures)))
    return torch.cat(vectors)


def searched(count: int) -> list[str]:
    """Vectors in groups, as embeddings lie, with thumbnails of 3 kB."""
    generator = np.random.default_rng(0)
    groups = generator.normal(size=(count // 20, CHANNELS)).astype(np.float32)
    vectors = groups[generator.integers(0, len(groups), count)]
    vectors += 0.7 * generator.normal(size=vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = tuple(f"folder/picture {number}.jpg" for number in range(count))
    index = Index(
        vectors, np.zeros(3000 * count, np.uint8), np.arange(count + 1) * 3000, names, names,
    )  # fmt: skip
    seen = Seen(index, "folder", "folder", "joint", (224, 224), 0, f"benchmark {count}")
    asked = generator.integers(0, count, 40).tolist()
    partition = cells(vectors)
    exact, alone = timed(lambda row: best(vectors @ vectors[row], 12), asked)
    quick, by_faiss = timed(lambda row: partition.nearest(vectors[row], 12)[0], asked)
    _, page = timed(lambda row: answer(seen, row), asked)
    share = statistics.mean(len({*map(int, a)} & {*map(int, b)}) / 12 for a, b in zip(exact, quick, strict=True))
    return [f"{count:,}", *(f"{ms:.1f}" for ms in (alone, page, by_faiss)), f"{share:.0%}"]


def answer(seen: Seen, row: int) -> bytes:
    """As the page is answered when a picture of the gallery is clicked: hits, histogram and thumbnails."""
    arrays, facts = retrieve_answers.found(seen, retrieve_answers.Query(item=row), Question(search="exact"))
    shown = gallery_page.thumbnails(seen.index, arrays["items"].tolist())
    np.histogram(arrays["cosines"], 60)
    return pack({**facts, "skipped": []}, shown)


def timed(act: Callable[[int], Any], asked: list[int]) -> tuple[list[Any], float]:
    """What came of each query, and the median milliseconds."""
    found, times = [], []
    for row in asked:
        start = time.perf_counter()
        found.append(act(row))
        times.append(1000 * (time.perf_counter() - start))
    return found, statistics.median(times)
