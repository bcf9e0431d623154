"""What every dataset that draws its pictures must keep, and what the bundled emoji must be."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch
from PIL import Image

import training.datasets
from models.faults import Fault
from training.datasets import Batch, Dataset, Source, found, names, once, open_dataset
from training.datasets._contract import order, stream
from training.datasets.emoji import PICTURES, SPLITS, drawings

DRAWN = ("emoji", "scenes", "shapes")
SIDE = 48
SPLIT_NAMES = ("train", "validation", "test")


def opened(name: str, **asked) -> Dataset:
    return open_dataset(Source(name, side=SIDE, **asked))


def equal(one: Batch, two: Batch) -> bool:
    """Bit for bit, in every field."""
    pairs = [(getattr(one, field.name), getattr(two, field.name)) for field in fields(Batch)]
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)


@pytest.fixture(scope="module", params=DRAWN)
def drawn(request) -> Dataset:
    return opened(request.param, split="validation", language="both")


def test_a_stream_is_a_function_of_seed_and_step(drawn: Dataset) -> None:
    """Otherwise a killed run, resumed, would see other pictures."""
    ahead = drawn.batch(7, seed=3, count=8, device="cpu")
    fresh = opened(drawn.source.name, split="validation", language="both")  # pyright: ignore[reportAttributeAccessIssue]
    assert equal(ahead, fresh.batch(7, seed=3, count=8, device="cpu"))
    assert not torch.equal(ahead.images, fresh.batch(8, seed=3, count=8, device="cpu").images)
    assert not torch.equal(ahead.images, fresh.batch(7, seed=4, count=8, device="cpu").images)


def test_a_batch_has_the_stated_axes(drawn: Dataset) -> None:
    batch = drawn.batch(0, seed=0, count=6, device="cpu")
    assert batch.images.shape == (6, 3, SIDE, SIDE)
    assert batch.images.dtype == torch.float32
    assert batch.images.min() >= 0
    assert batch.images.max() <= 1
    assert batch.masks is not None
    assert batch.masks.shape == (6, SIDE, SIDE)
    assert batch.boxes is not None
    assert batch.objects is not None
    assert batch.boxes.shape == (*batch.objects.shape, 4)
    assert batch.labels is not None
    assert torch.equal(batch.labels, batch.objects[:, 0])
    assert int(batch.labels.max()) < len(drawn.classes)
    assert batch.captions is not None
    assert len(batch.captions) == len(batch) == 6


def test_boxes_are_the_tight_boxes_of_masks(drawn: Dataset) -> None:
    batch = drawn.batch(1, seed=5, count=16, device="cpu")
    assert batch.masks is not None
    assert batch.boxes is not None
    assert batch.objects is not None
    for mask, boxes, objects in zip(batch.masks, batch.boxes.long().tolist(), batch.objects.tolist(), strict=True):
        for number, (box, kind) in enumerate(zip(boxes, objects, strict=True), start=1):
            place = (mask == number).nonzero()
            if not len(place):
                assert box == [0, 0, 0, 0]
                continue
            assert kind >= 0
            assert box == [*place.amin(0).tolist(), *(place.amax(0) + 1).tolist()]


def test_a_slice_of_a_batch_slices_everything() -> None:
    batch = opened("shapes").batch(0, seed=0, count=5, device="cpu")
    part = batch[1:3]
    assert len(part) == 2
    assert batch.captions is not None
    assert part.captions == batch.captions[1:3]
    assert part.masks is not None
    assert batch.masks is not None
    assert torch.equal(part.masks, batch.masks[1:3])


def test_order_shows_every_picture_once_a_round() -> None:
    """Otherwise some pictures would be learnt more often than others."""
    steps = torch.cat([order(step, seed=2, count=4, length=10) for step in range(5)])
    assert steps[:10].sort().values.tolist() == list(range(10))
    assert steps[10:].sort().values.tolist() == list(range(10))
    assert steps[:10].tolist() != steps[10:].tolist()
    assert order(2, seed=None, count=4, length=10).tolist() == [8, 9, 0, 1]


def test_neighbouring_seeds_and_steps_share_no_stream() -> None:
    assert len({stream(seed, step) for seed in range(40) for step in range(40)}) == 1600


def test_once_gives_each_picture_once() -> None:
    emoji = opened("emoji", split="test")
    batches = list(once(emoji, count=400, device="cpu"))
    assert sum(len(batch) for batch in batches) == emoji.length
    concepts = torch.cat([batch.concepts for batch in batches if batch.concepts is not None])
    assert torch.equal(concepts, drawings("test").concepts)


def test_styles_never_cross_splits() -> None:
    """Otherwise the test would be on drawings that were learnt."""
    everything = [style for styles in SPLITS.values() for style in styles]
    assert len(everything) == len(set(everything)) == 7
    assert SPLITS["validation"] == ("twemoji",)
    assert SPLITS["test"] == ("emojione",)
    assert any({"fluent-3d", "fluent-flat"} <= set(styles) for styles in SPLITS.values())
    for split in SPLIT_NAMES:
        assert set(drawings(split).styles) == set(SPLITS[split])
    assert {entry.as_py() for entry in parquet.read_table(PICTURES, columns=["style"])["style"].unique()} == set(
        everything
    )


def test_the_bundle_is_small_whole_and_transparent() -> None:
    assert PICTURES.stat().st_size <= 16_000_000
    table = parquet.read_table(PICTURES)
    rows = table.slice(0, table.num_rows).take(list(range(0, table.num_rows, 97))).to_pylist()
    for row in rows:
        picture = Image.open(io.BytesIO(row["image"]["bytes"]))
        assert picture.size == (64, 64)
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
        assert alpha.max() > 127
        assert alpha.min() == 0 or row["style"] == "fxemoji", "some of its drawings fill their square"
        assert row["english"]
        assert row["russian"]
    for column in ("english", "russian", "group", "subgroup_english", "subgroup_russian"):
        assert all(table[column].to_pylist()), column
    assert len(set(table["hexcode"].to_pylist())) > 1600


def test_a_concept_is_one_number_in_every_style() -> None:
    """Otherwise classes learnt in one style could not be tested in another."""
    fox = {
        int(drawings(split).concepts[number])
        for split in SPLIT_NAMES
        for number, name in enumerate(drawings(split).english)
        if name == "a fox"
    }
    assert len(fox) == 1
    train, test = drawings("train"), drawings("test")
    assert train.classes == test.classes
    known = dict(zip(train.concepts.tolist(), train.labels.tolist(), strict=True))
    assert all(known[c] == label for c, label in zip(test.concepts.tolist(), test.labels.tolist(), strict=True))


def test_every_style_has_its_licence_beside_it() -> None:
    page = (PICTURES.parent / "README.md").read_text()
    for styles in SPLITS.values():
        for style in styles:
            line = next(line for line in page.splitlines() if line.startswith(f"| {style} |"))
            assert any(licence in line for licence in ("Apache-2.0", "MIT", "CC-BY-4.0"))
            assert "SA" not in line


NEWCOMER = """
from training.datasets import Found
from training.datasets.shapes import Shapes
FOUND = Found("newcomer", "A new one.", lambda name: name == "newcomer", Shapes, endless=True)
"""


def test_a_new_file_is_found_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding a dataset touches one file."""
    (tmp_path / "newcomer.py").write_text(NEWCOMER)
    assert "newcomer" not in names()
    monkeypatch.setattr(training.datasets, "__path__", [*training.datasets.__path__, str(tmp_path)])
    assert set(names()) >= {"emoji", "folder", "hub", "scenes", "shapes", "table", "newcomer"}
    assert len({entry.name for entry in found()}) == len(names())
    assert len(opened("newcomer").batch(0, seed=0, count=2, device="cpu")) == 2


def test_looking_at_the_list_imports_nothing_heavy() -> None:
    """The page lists datasets before anybody trains."""
    code = (
        "import sys, training.datasets as d; d.names(); sys.exit('torch' in sys.modules or 'datasets' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "says"), [("no/such/folder", "nothing lies there"), ("emojis", "No dataset is called")]
)
def test_what_is_not_there_is_said_in_a_sentence(name: str, says: str) -> None:
    with pytest.raises(Fault, match=says):
        open_dataset(Source(name))


def test_too_many_objects_are_refused() -> None:
    with pytest.raises(Fault, match="one to 5"):
        open_dataset(Source("scenes", objects=(1, 9)))
