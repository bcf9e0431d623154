"""Pictures that lie somewhere: folders, tables, and hub datasets through the real `datasets` library, all local."""

from __future__ import annotations

import io
from pathlib import Path

import datasets
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
import torch
from PIL import Image

from models.faults import Fault
from training.datasets import Source, open_dataset
from training.datasets._parts import side_of
from training.datasets.hub import NAMED, address


def picture(number: int, side: int = 24) -> Image.Image:
    """A plain picture whose grey value is its number."""
    return Image.new("RGB", (side, side + 6), (number, number, number))


def save(folder: Path, names: list[str]) -> list[Path]:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / name)
    return [folder / name for name in names]


def png(number: int) -> bytes:
    held = io.BytesIO()
    picture(number).save(held, "PNG")
    return held.getvalue()


def greys(batch) -> list[int]:
    return (batch.images[:, 0, 0, 0] * 255).round().int().tolist()


def test_a_folder_without_classes(tmp_path: Path) -> None:
    save(tmp_path, [f"{number}.png" for number in range(5)])
    folder = open_dataset(Source(str(tmp_path), side=16))
    batch = folder.batch(0, seed=None, count=5, device="cpu")
    assert batch.images.shape == (5, 3, 16, 16)
    assert greys(batch) == [0, 1, 2, 3, 4]
    assert batch.labels is None
    assert batch.captions is None


def test_subfolders_are_classes(tmp_path: Path) -> None:
    save(tmp_path, [f"{kind}/{number}.png" for kind in ("cat", "dog") for number in range(3)])
    folder = open_dataset(Source(str(tmp_path), side=16), need="classes")
    batch = folder.batch(0, seed=None, count=6, device="cpu")
    assert folder.classes == ("cat", "dog")
    assert batch.labels is not None
    assert batch.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_split_folders_are_obeyed(tmp_path: Path) -> None:
    save(tmp_path, ["train/a/0.png", "train/b/1.png", "val/a/2.png", "val/b/3.png"])
    train, held = (open_dataset(Source(str(tmp_path), side=16, split=split)) for split in ("train", "validation"))
    assert train.classes == held.classes == ("a", "b")
    assert train.length == held.length == 2
    assert greys(held.batch(0, seed=None, count=2, device="cpu")) == [2, 3]


def test_without_split_folders_names_decide(tmp_path: Path) -> None:
    """No picture on two sides, and none moves when others are added."""
    names = [f"{number}.png" for number in range(60)]
    save(tmp_path, names)
    parts = {
        split: open_dataset(Source(str(tmp_path), side=16, split=split)) for split in ("train", "validation", "test")
    }
    seen = {
        split: set(greys(part.batch(0, seed=None, count=part.length or 0, device="cpu")))
        for split, part in parts.items()
    }
    assert set.union(*seen.values()) == set(range(60))
    assert sum(len(part) for part in seen.values()) == 60
    assert all({side_of(names[number]) for number in part} == {split} for split, part in seen.items())


def test_unreadable_pictures_are_replaced_counted_and_listed(tmp_path: Path) -> None:
    files = save(tmp_path, [f"{number}.png" for number in range(4)])
    files[1].write_bytes(b"not a picture")
    files[2].write_bytes(files[2].read_bytes()[:40])
    folder = open_dataset(Source(str(tmp_path), side=16))
    batch = folder.batch(0, seed=None, count=4, device="cpu")
    assert greys(batch) == [0, 3, 3, 3]
    assert [skipped.picture for skipped in folder.skipped] == [str(files[1]), str(files[2])]
    assert all(skipped.reason for skipped in folder.skipped)
    again = open_dataset(Source(str(tmp_path), side=16)).batch(0, seed=None, count=4, device="cpu")
    assert torch.equal(batch.images, again.images)


def test_nothing_readable_is_said(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(Fault, match="none of 3 could be read"):
        open_dataset(Source(str(tmp_path))).batch(0, seed=0, count=2, device="cpu")


def test_empty_folder_one_class_and_missing_captions_are_said(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="none lies there"):
        open_dataset(Source(str(tmp_path)))
    save(tmp_path, ["only/0.png", "only/1.png"])
    with pytest.raises(Fault, match=r"at least two of them, but .* has 1"):
        open_dataset(Source(str(tmp_path)), need="classes")
    with pytest.raises(Fault, match="a caption for each picture"):
        open_dataset(Source(str(tmp_path)), need="captions")
    with pytest.raises(Fault, match="none of its 2 pictures falls there"):
        open_dataset(Source(str(tmp_path), split="validation"))
    with pytest.raises(Fault, match="nothing lies there"):
        open_dataset(Source(str(tmp_path / "gone")))


def test_few_pictures_are_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two, the first to come are let go, and come again alike."""
    save(tmp_path, [f"{number}.png" for number in range(6)])
    monkeypatch.setattr("training.datasets._stored.MEMORY", 2 * 16 * 16 * 3)
    folder = open_dataset(Source(str(tmp_path), side=16))
    assert [greys(folder.batch(step, seed=None, count=4, device="cpu")) for step in range(3)] == [
        [0, 1, 2, 3], [4, 5, 0, 1], [2, 3, 4, 5],
    ]  # fmt: skip
    assert len(folder._pictures) == 2  # pyright: ignore[reportAttributeAccessIssue]


def test_a_csv_with_captions_classes_and_commas(tmp_path: Path) -> None:
    save(tmp_path, ["pics/0.png", "pics/1.png", "pics/2.png"])
    (tmp_path / "list.csv").write_text(
        'file_name,caption,label\npics/0.png,"a fox, red",fox\npics/1.png,лиса и пицца,fox\npics/2.png,,dog\n'
    )
    table = open_dataset(Source(str(tmp_path / "list.csv"), side=16), need="captions")
    batch = table.batch(0, seed=None, count=3, device="cpu")
    assert table.classes == ("dog", "fox")
    assert batch.captions == ("a fox, red", "лиса и пицца", "a fox, red")
    assert batch.labels is not None
    assert batch.labels.tolist() == [1, 1, 1]
    assert [(skipped.picture, "no caption" in skipped.reason) for skipped in table.skipped] == [("pics/2.png", True)]


@pytest.mark.parametrize("cells", ["bytes", "datasets"])
def test_parquet_holds_the_pictures_themselves(tmp_path: Path, cells: str) -> None:
    """As plain bytes, and as the `datasets` library writes them."""
    data = [png(number) if cells == "bytes" else {"bytes": png(number), "path": None} for number in range(4)]
    words = ["a", "b", "c", "d"]
    splits = ["train", "val", "train", "train"]
    parquet.write_table(arrow.table({"image": data, "text": words, "split": splits}), tmp_path / "t.parquet")
    table = open_dataset(Source(str(tmp_path / "t.parquet"), side=16))
    batch = table.batch(0, seed=None, count=3, device="cpu")
    assert greys(batch) == [0, 2, 3]
    assert batch.captions == ("a", "c", "d")


def test_the_bundled_emoji_open_as_a_table() -> None:
    """Our own file is an ordinary parquet with pictures: others can use it, too."""
    from training.datasets.emoji import PICTURES

    table = open_dataset(Source(str(PICTURES), side=16, captions="russian"), need="captions")
    batch = table.batch(0, seed=1, count=4, device="cpu")
    assert batch.images.shape == (4, 3, 16, 16)
    assert all(batch.captions or ())


def test_tables_without_what_is_needed_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(Fault, match="columns x, y"):
        open_dataset(Source(str(tmp_path / "a.csv")))
    (tmp_path / "b.csv").write_text("image,title\n0.png,x\n")
    with pytest.raises(Fault, match="choose one of those"):
        open_dataset(Source(str(tmp_path / "b.csv"), captions="words"))
    (tmp_path / "c.parquet").write_bytes(b"nothing")
    with pytest.raises(Fault, match="cannot be read"):
        open_dataset(Source(str(tmp_path / "c.parquet")))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A dataset folder as the hub keeps it: parquet files named for their splits, typed columns; one picture broken."""
    root = tmp_path_factory.mktemp("hub") / "set"
    (root / "data").mkdir(parents=True)
    kinds = datasets.Features(
        {"img": datasets.Image(), "label": datasets.ClassLabel(names=["even", "odd"]), "text": datasets.Value("string")}
    )
    for split, count in (("train", 40), ("test", 5)):
        first = 0 if split == "train" else 200
        data = [{"bytes": png(first + number), "path": None} for number in range(count)]
        if split == "train":
            data[3] = {"bytes": b"broken", "path": None}
        rows = {"img": data, "label": [n % 2 for n in range(count)], "text": [f"grey {n}" for n in range(count)]}
        made = datasets.Dataset.from_dict(rows, features=kinds)
        made.to_parquet(root / "data" / f"{split}-00000-of-00001.parquet")
    return f"hub/{root}"


@pytest.fixture(autouse=True)
def quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets.disable_progress_bars()
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
    monkeypatch.setattr("datasets.config.SLEEP_TIME_ON_THREADS_SHUTDOWN", 0)  # five seconds at each round's end


@pytest.mark.parametrize("streaming", [False, True])
def test_a_hub_dataset_through_the_real_library(hub: str, streaming: bool) -> None:
    data = open_dataset(Source(hub, side=16, streaming=streaming), need="captions")
    assert data.classes == ("even", "odd")
    batch = data.batch(0, seed=5, count=16, device="cpu")
    shown = greys(batch)
    assert batch.captions == tuple(f"grey {number}" for number in shown)
    assert batch.labels is not None
    assert batch.labels.tolist() == [number % 2 for number in shown]
    assert 3 not in shown


@pytest.mark.parametrize("streaming", [False, True])
def test_a_hub_stream_is_a_function_of_seed_and_step(hub: str, streaming: bool) -> None:
    """Read in turn over the end of a round, and read by a fresh process that jumps there."""
    one, two = (open_dataset(Source(hub, side=16, streaming=streaming)) for _ in range(2))
    in_turn = [one.batch(step, seed=5, count=12, device="cpu") for step in range(6)]
    jumped = two.batch(5, seed=5, count=12, device="cpu")
    assert torch.equal(in_turn[5].images, jumped.images)
    assert in_turn[5].captions == jumped.captions
    every_second = [two.batch(step, seed=5, count=12, device="cpu") for step in (0, 2, 4)]
    assert [greys(batch) for batch in every_second] == [greys(batch) for batch in in_turn[::2]]
    assert not torch.equal(in_turn[4].images, in_turn[5].images)
    assert not torch.equal(two.batch(5, seed=6, count=12, device="cpu").images, jumped.images)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_missing_validation_part_is_cut_from_the_training_part(hub: str, streaming: bool) -> None:
    parts = {}
    for split in ("train", "validation"):
        data = open_dataset(Source(hub, side=16, split=split, streaming=streaming))
        batch = data.batch(0, seed=None, count=data.length or 30, device="cpu")
        parts[split] = set(greys(batch))
    assert parts["validation"]
    assert not parts["train"] & parts["validation"]
    held = open_dataset(Source(hub, side=16, split="test", streaming=streaming))
    assert greys(held.batch(0, seed=None, count=5, device="cpu")) == [200, 201, 202, 203, 204]


def test_unreadable_pictures_of_a_stream_are_listed(hub: str) -> None:
    """Once each, however often the set is read over and in whatever order."""
    data = open_dataset(Source(hub, side=16, streaming=True))
    for step in range(12):
        data.batch(step, seed=4, count=8, device="cpu")
    assert [skipped.picture for skipped in data.skipped] == [f"{hub}, row 3"]
    assert data.skipped[0].reason


def test_two_sets_have_short_names(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert address("cifar10") == ("uoft-cs/cifar10", None)
    assert address("fashion-mnist") == ("zalando-datasets/fashion_mnist", None)
    assert address("hub/someone/pets:small") == ("someone/pets", "small")
    monkeypatch.setitem(NAMED, "cifar10", hub.removeprefix("hub/"))
    assert open_dataset(Source("cifar10", side=16), need="classes").classes == ("even", "odd")


def test_a_hub_dataset_that_cannot_be_had_is_said() -> None:
    with pytest.raises(Fault, match="it cannot be had"):
        open_dataset(Source("hub/nobody/nothing"))
