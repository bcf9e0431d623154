"""A picture is on one side of the split only, whatever a table, a folder or a hub says of it; classes are the training
part's everywhere."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import datasets
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
import torch

from models.faults import Fault
from tests.training.own_pictures import PARTS, grey, greys, laid, opened, sides, whole
from training.datasets._identity import firsts, meanings
from training.objectives.clip import same_meaning


@pytest.fixture(autouse=True)
def quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets.disable_progress_bars()
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))


def apart(found: dict[str, set[int]]) -> bool:
    return all(not found[one] & found[other] for one, other in combinations(found, 2))


def five_captions(folder: Path, kind: str) -> str:
    """Twelve pictures, five captions each, without a word on parts: by path, by bytes, copied, in a hub set."""
    numbers = [number for number in range(12) for _ in range(5)]
    told = [f"told {time} of {number}" for number in range(12) for time in range(5)]
    laid(folder, {f"images/{number}.png": number for number in range(12)})
    laid(folder, {f"copies/{number}-{time}.png": number for number in range(12) for time in range(5)})
    paths = [f"images/{number}.png" for number in numbers]
    copies = [f"copies/{number}-{time}.png" for number in range(12) for time in range(5)]
    cells = [{"bytes": grey(number), "path": None} for number in numbers]
    if kind == "hub":
        shape = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
        made = datasets.Dataset.from_dict({"image": cells, "text": told}, features=shape)
        (folder / "set").mkdir()
        made.to_parquet(folder / "set" / "train-00000-of-00001.parquet")
        return f"hub/{folder / 'set'}"
    columns = {"paths": paths, "copies": copies, "bytes": cells}[kind]
    parquet.write_table(arrow.table({"image": columns, "caption": told}), folder / "five.parquet")
    return str(folder / "five.parquet")


@pytest.mark.parametrize("kind", ["paths", "copies", "bytes", "hub"])
def test_a_picture_with_five_captions_is_on_one_side_with_all_of_them(tmp_path: Path, kind: str) -> None:
    """Otherwise every figure of retrieval is of pictures that were learnt (CLIP_prefix_caption, issue 15)."""
    name = five_captions(tmp_path, kind)
    parts = PARTS if kind != "hub" else PARTS[:2]
    found = {part: whole(opened(name, part)) for part in parts}
    assert apart({part: set(greys(batch)) for part, batch in found.items()})
    assert set().union(*(greys(batch) for batch in found.values())) == set(range(12))
    for batch in found.values():
        assert [greys(batch).count(number) for number in set(greys(batch))] == [5] * len(set(greys(batch)))


@pytest.mark.parametrize("kind", ["paths", "copies", "bytes", "hub"])
def test_captions_of_one_picture_are_never_negatives_of_each_other(tmp_path: Path, kind: str) -> None:
    batch = whole(opened(five_captions(tmp_path, kind)))
    assert batch.concepts is not None
    shown = torch.tensor(greys(batch))
    alike = (shown[:, None] == shown) & ~torch.eye(len(shown), dtype=torch.bool)
    assert torch.equal(same_meaning(batch.concepts), alike)


def test_one_caption_of_several_pictures_means_the_same_but_never_joins_pictures_with_captions_of_their_own() -> None:
    """Pictures 0 and 1 have one caption, the same; 2 and 3 have two each and share one of them."""
    assert meanings([0, 1, 2, 2, 4, 4], ["a cat", "a cat", "a dog", "rex", "a dog", "bob"]) == [0, 0, 2, 2, 4, 4]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_stream_cuts_as_the_copy_does_and_by_the_picture(tmp_path: Path, streaming: bool) -> None:
    """An evaluation reads the copy: pictures that a streamed run learnt from must not be among its answers."""
    shape = datasets.Features({"image": datasets.Image()})
    numbers = [number for number in range(60) for _ in range(2)]
    for file in range(3):
        cells = [{"bytes": grey(number), "path": None} for number in numbers[file * 40 : file * 40 + 40]]
        place = tmp_path / "set" / f"train-0000{file}-of-00003.parquet"
        place.parent.mkdir(exist_ok=True)
        datasets.Dataset.from_dict({"image": cells}, features=shape).to_parquet(place)
    held = set(greys(whole(opened(f"hub/{tmp_path / 'set'}", "validation"))))
    learnt = opened(f"hub/{tmp_path / 'set'}", streaming=streaming)
    seen = [greys(learnt.batch(step, seed=1, count=50, device="cpu")) for step in range(6)]
    assert set().union(*seen) == set(range(60)) - held
    assert len(held) > 1
    assert seen[0] != sorted(seen[0])


@pytest.mark.parametrize("kind", ["table", "folder", "hub"])
def test_what_is_stated_twice_stays_in_training_and_is_said(tmp_path: Path, kind: str) -> None:
    """Grey 3 is stated in all three parts, grey 12 in validation and test."""
    stated = {"train": [*range(10), 3], "validation": [3, 11, 12], "test": [3, 12, 13]}
    rows = [(part, number) for part, numbers in stated.items() for number in numbers]
    if kind == "folder":
        laid(tmp_path, {f"{part}/{place}.png": number for place, (part, number) in enumerate(rows)})
        name = str(tmp_path)
    elif kind == "table":
        cells = {"image": [grey(number) for _, number in rows], "split": [part for part, _ in rows]}
        parquet.write_table(arrow.table(cells), tmp_path / "t.parquet")
        name = str(tmp_path / "t.parquet")
    else:
        shape = datasets.Features({"image": datasets.Image()})
        for part, numbers in stated.items():
            cells = [{"bytes": grey(number), "path": None} for number in numbers]
            made = datasets.Dataset.from_dict({"image": cells}, features=shape)
            made.to_parquet(tmp_path / f"{part}-00000-of-00001.parquet")
        name = f"hub/{tmp_path}"
    assert sides(name) == {"train": set(range(10)), "validation": {11, 12}, "test": {13}}
    assert ["another part" in one.reason for one in opened(name, "test").skipped] == [True, True]


def test_a_part_whose_pictures_were_all_learnt_is_refused(tmp_path: Path) -> None:
    laid(tmp_path, {f"train/{number}.png": number for number in range(10)} | {"val/a.png": 1, "val/b.png": 2})
    with pytest.raises(Fault, match="each of its 2 pictures is in another part too"):
        opened(tmp_path, "validation")


def test_equal_pictures_are_told_from_those_of_equal_size_and_middle(tmp_path: Path) -> None:
    """Three rounds of comparison end in whole bytes: what differs in one byte at the end is another picture."""
    long = bytes(range(256)) * 64
    files = {"a": long, "b": long, "c": long[:-1] + b"x", "d": long + b"x", "empty": b"", "void": b""}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    paths = [tmp_path / name for name in (*files, "a", "gone", "gone")]
    assert firsts(paths) == [0, 0, 2, 3, 4, 5, 0, 7, 7]
    assert firsts([memoryview(long), None, memoryview(long), None, memoryview(files["c"])]) == [0, 1, 0, 3, 4]


THREE = {"apple": 10, "leaf": 100, "sky": 200}


def by_class(part: str, kinds: tuple[str, ...] = tuple(THREE), count: int = 12, first: int = 0) -> dict[str, int]:
    return {f"{part}{kind}/{n}.png": THREE[kind] + first + n for kind in kinds for n in range(count)}


@pytest.mark.parametrize("there", [("train",), ("train", "test"), ("train", "val"), ("Train", "VALID"), ("", "test")])
def test_a_part_that_is_not_there_is_cut_out_of_the_training_part_and_never_a_class(
    tmp_path: Path, there: tuple[str, ...]
) -> None:
    """fastai issue 1552: `test` and `train` became the classes, and validation came out of both."""
    learnt, *held = there
    laid(tmp_path, by_class(f"{learnt}/" if learnt else ""))
    for number, part in enumerate(held):
        laid(tmp_path, by_class(f"{part}/", count=4, first=50 + 10 * number))
    found = {part: opened(tmp_path, part, need="classes") for part in PARTS}
    assert {part.classes for part in found.values()} == {("apple", "leaf", "sky")}
    shown = sides(tmp_path)
    assert apart(shown)
    assert set().union(*shown.values()) >= set(by_class("").values())
    assert len(shown["train"]) >= 25
    kept = {"validation": "val" in "".join(held).lower(), "test": "test" in held}
    for part, stated in kept.items():
        assert all(number % 100 >= 50 for number in shown[part]) == stated
        for number, label in zip(greys(whole(found[part])), whole(found[part]).labels.tolist(), strict=True):  # pyright: ignore
            assert label == (0 if number < 100 else 1 if number < 200 else 2)


def test_numbers_of_classes_are_those_of_training_where_a_part_lacks_one_or_has_another(tmp_path: Path) -> None:
    """ultralytics issue 13936: without the first class every label was one too small."""
    laid(tmp_path, by_class("train/") | by_class("val/", ("leaf", "sky"), 3, 40) | {"val/wolf/0.png": 90})
    held = opened(tmp_path, "validation")
    assert held.classes == ("apple", "leaf", "sky")
    labels = whole(held).labels
    assert labels is not None
    assert labels.tolist() == [1, 1, 1, 2, 2, 2]
    assert [(Path(one.picture).parent.name, "wolf" in one.reason) for one in held.skipped] == [("wolf", True)]


def test_a_table_numbers_classes_as_training_does(tmp_path: Path) -> None:
    words, parts = [*(["apple", "leaf", "sky"] * 4), "sky", "leaf"], ["train"] * 12 + ["test"] * 2
    cells = [grey(number) for number in range(len(words))]
    parquet.write_table(arrow.table({"image": cells, "label": words, "split": parts}), tmp_path / "t.parquet")
    held = opened(tmp_path / "t.parquet", "test")
    labels = whole(held).labels
    assert labels is not None
    assert held.classes == ("apple", "leaf", "sky")
    assert labels.tolist() == [2, 1]


def test_a_folder_called_train_among_vehicles_is_asked_about(tmp_path: Path) -> None:
    """Neither guess is safe: a class would be lost, or the training part be one."""
    laid(tmp_path, {f"{kind}/{n}.png": THREE["leaf"] + n for kind in ("bus", "car", "train") for n in range(3)})
    with pytest.raises(Fault, match="train lies beside bus, car, so it may be the training part or a class"):
        opened(tmp_path)
