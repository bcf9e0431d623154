"""Galleries without a page: search against brute force, files that survive and make room, the gap by its formula."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from models import gallery_store
from models.faults import Fault
from models.gallery import features, fed, input_shape
from models.gallery_search import best, cells
from models.gallery_store import Index
from models.layouts import laid_out
from models.modality_gap import gap, gap_plane, principal_plane
from models.pixels import Pixels

HALF = (0.5, 0.5, 0.5)


def unit(count: int, channels: int = 24, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, channels)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def clustered(count: int, channels: int = 32) -> np.ndarray:
    """As embeddings lie: groups of near vectors."""
    vectors = unit(50, channels)[np.arange(count) % 50] + 0.5 * unit(count, channels, seed=1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(("count", "without"), [(1, None), (7, None), (7, 3), (200, None), (199, 5)])
def test_search_is_brute_force(count: int, without: int | None) -> None:
    vectors, query = unit(200), unit(200)[3]
    cosines = vectors @ query
    rows = best(cosines, count, without)
    kept = [row for row in range(200) if row != without]
    assert rows.tolist() == sorted(kept, key=lambda row: (-cosines[row], row))[:count]
    assert np.isfinite(cosines).all(), "the caller's cosines are changed"


def test_equal_pictures_keep_their_order() -> None:
    vectors = np.repeat(unit(3), 4, axis=0)
    assert best(vectors @ vectors[4], 6).tolist()[:4] == [4, 5, 6, 7]


def test_faiss_finds_what_brute_force_finds() -> None:
    vectors = clustered(4000)
    partition = cells(vectors)
    assert partition.probed < partition.cells
    hits = 0
    for asked in range(0, 4000, 200):
        rows, cosines = partition.nearest(vectors[asked], 10)
        assert np.allclose(cosines, vectors[rows] @ vectors[asked], atol=1e-5)
        assert rows[0] == asked
        assert asked not in partition.nearest(vectors[asked], 10, without=asked)[0]
        hits += len({*rows.tolist()} & {*best(vectors @ vectors[asked], 10).tolist()})
    assert hits / 200 >= 0.9, "of the ten nearest"


def test_faiss_probes_on_until_it_has_enough() -> None:
    vectors = clustered(300)
    rows, _ = cells(vectors).nearest(vectors[0], 300)
    assert sorted(rows.tolist()) == list(range(300))


def test_without_faiss_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(Fault, match="install the package faiss-cpu"):
        cells(unit(10))


# -- on the disk -------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATCHLIGHT_CACHE", str(tmp_path))
    return tmp_path / "galleries"


def index(count: int = 5, seed: int = 0) -> Index:
    files = [bytes([number]) * (number + 1) for number in range(count)]
    return Index(
        vectors=unit(count, seed=seed), thumbnails=np.frombuffer(b"".join(files), np.uint8),
        starts=np.cumsum([0, *map(len, files)]), names=tuple(f"picture {number}" for number in range(count)),
        stamps=tuple(f"stamp {number}" for number in range(count)), concepts=tuple(range(count)),
        skipped=({"name": "broken.png", "said": "It is.", "template": "It is.", "facts": {}},), seconds=1.5,
    )  # fmt: skip


def test_an_index_comes_back_as_it_was(cache: Path) -> None:
    kept = gallery_store.keep("who", "what", index())
    read = gallery_store.read("who", "what")
    assert read is not None
    assert np.array_equal(read.vectors, index().vectors)
    assert (read.names, read.stamps, read.concepts, read.skipped) == (
        kept.names,
        kept.stamps,
        (0, 1, 2, 3, 4),
        kept.skipped,
    )
    assert [read.thumbnail(number) for number in (0, 4)] == [b"\0", b"\4" * 5]
    assert read.bytes == next(cache.iterdir()).stat().st_size


def test_another_gallery_or_a_changed_one_is_not_taken_for_it() -> None:
    gallery_store.keep("who", "what", index())
    assert gallery_store.read("who", "since changed") is None
    assert gallery_store.read("other", "what") is None
    earlier = gallery_store.earlier("who")
    assert earlier is not None
    assert earlier.rows["stamp 3"] == 3


def test_a_damaged_file_is_as_good_as_none(cache: Path) -> None:
    gallery_store.keep("who", "what", index())
    file = next(cache.iterdir())
    for damage in (file.read_bytes()[:-3], b"\x50" * 40, b""):
        file.write_bytes(damage)
        assert gallery_store.read("who", "what") is None


def test_older_indices_make_room(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_store, "BYTES", 3 * gallery_store.keep("0", "what", index()).bytes)
    for who in "123456":
        gallery_store.keep(who, "what", index(seed=int(who)))
        gallery_store.read("1", "what")
    assert {file.name[0] for file in cache.iterdir()} == {"1", "5", "6"}, "what is used stays"


def test_only_the_newest_index_of_a_gallery_is_kept(cache: Path) -> None:
    for what in ("part", "then", "now"):
        gallery_store.keep("who", what, index())
    assert [file.name for file in cache.iterdir()] == ["who.now.safetensors"]


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_every_picture_is_fed_at_one_shape() -> None:
    free, fixed = Pixels((518, 518), 14, 14, HALF, HALF), Pixels((96, 96), 8, 8, HALF, HALF, fixed=True)
    assert (input_shape(free), input_shape(free, 98), input_shape(fixed)) == ((224, 224), (98, 98), (96, 96))
    for size in ((40, 300), (300, 40), (224, 224)):
        assert fed(free, Image.new("RGB", size), (224, 224)).shape == (3, 224, 224)


def test_the_middle_is_fed() -> None:
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    pixels = Pixels((32, 32), 8, 8, (0, 0, 0), (1, 1, 1))
    assert fed(pixels, image, (32, 32))[:, 16, 16].tolist() == pytest.approx([0, 0, 1])
    assert fed(pixels, image, (32, 32)).mean((1, 2))[2] > 0.95


def test_where_memory_runs_out_the_batch_is_halved() -> None:
    sizes = []

    def encode(batch: torch.Tensor) -> torch.Tensor:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError
        return batch.flatten(1)

    found = features(encode, torch.randn(7, 3, 2, 2))
    assert found.shape == (7, 12)
    assert torch.allclose(found.norm(dim=1), torch.ones(7))
    assert max(sizes[1:]) < 7
    with pytest.raises(Fault, match="memory ran out"):
        features(lambda _: (_ for _ in ()).throw(torch.OutOfMemoryError()), torch.zeros(1, 3, 2, 2))


# -- the gap -----------------------------------------------------------------------------------------------------------


def test_the_gap_is_the_distance_of_centroids() -> None:
    pictures, texts = np.array([[1, 0, 0], [0, 1, 0]], np.float32), np.array([[0, 0, 1], [0, 0, -1]], np.float32)
    found = gap(pictures, texts, np.array([0, 1]))
    assert found.length == pytest.approx(np.sqrt(0.5))
    assert (found.matched, found.others, found.pictures, found.texts) == pytest.approx((0, 0, 0, -1))
    same = gap(texts, texts, np.array([0, 1]))
    assert (same.length, same.matched, same.others) == pytest.approx((0, 1, -1))


def test_matched_and_others_are_means_over_pairs() -> None:
    pictures, texts, own = unit(6), unit(4, seed=1), np.array([0, 1, 2, 3, -1, 0])
    cosines = pictures @ texts.T
    pairs = [(picture, text) for picture, text in enumerate(own) if text >= 0]
    found = gap(pictures, texts, own)
    assert found.matched == pytest.approx(np.mean([cosines[pair] for pair in pairs]))
    rest = [cosines[picture, text] for picture, mine in pairs for text in range(4) if text != mine]
    assert found.others == pytest.approx(np.mean(rest))


def test_components_are_those_of_greatest_variance_with_a_stated_sign() -> None:
    vectors = unit(50) * np.array([5, 3, *[0.2] * 22])
    plane = principal_plane(vectors)
    covariance = np.cov(vectors.T, bias=True)
    values = np.linalg.eigvalsh(covariance)[::-1]
    assert plane.explained == pytest.approx(values[:2] / values.sum(), rel=1e-4)
    assert np.allclose(plane.places.var(0), values[:2], rtol=1e-4)
    assert [part[np.abs(part).argmax()] > 0 for part in plane.components] == [True, True]
    turned = principal_plane(vectors[::-1])
    assert np.allclose(turned.components, plane.components, atol=1e-4), "the order of points decides nothing"


def test_along_the_gap_the_whole_gap_is_seen() -> None:
    pictures, texts = unit(40), unit(30, seed=1)
    texts = texts + np.eye(24, dtype=np.float32)[5] * 2
    found = gap(pictures, texts, np.full(40, -1))
    plane = gap_plane(np.concatenate([pictures, texts]), found.direction)
    means = plane.places[:40].mean(0) - plane.places[40:].mean(0)
    assert means == pytest.approx([found.length, 0], abs=1e-4)
    assert np.allclose(plane.components @ plane.components.T, np.eye(2), atol=1e-4)


# -- layouts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "setting"), [
    ("tsne", ("perplexity", 89 / 3)), pytest.param("umap", ("neighbours", 15), marks=pytest.mark.slow),
])  # fmt: skip
def test_layouts_keep_groups_together_and_are_repeatable(method: Any, setting: tuple) -> None:
    """UMAP's first layout is slow, since it compiles itself, and `make test-slow` alone installs it."""
    groups = np.arange(90) % 3
    vectors = np.eye(24, dtype=np.float32)[groups] + 0.05 * unit(90)
    places, settings = laid_out(vectors, method)
    assert np.array_equal(places, laid_out(vectors, method)[0])
    assert settings[setting[0]] == pytest.approx(setting[1])
    far = np.linalg.norm(places[:, None] - places[None], axis=-1) + 1e9 * np.eye(90)
    assert (groups[far.argmin(1)] == groups).mean() > 0.95


@pytest.mark.parametrize(("method", "module", "package"), [
    ("tsne", "sklearn.manifold", "scikit-learn"), ("umap", "umap", "umap-learn"),
])  # fmt: skip
def test_without_its_library_a_sentence_says_what_to_install(
    method: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Fault, match=f"install the package {package}"):
        laid_out(unit(10), method)  # pyright: ignore[reportArgumentType]
