"""Tables and folders as people have them: how they are spelt, what their columns are, what is left out and said."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from models.faults import Fault
from tests.training.own_pictures import grey, greys, laid, opened, whole
from training.__main__ import main
from training.datasets._spelling import decoded

TOLD = ["рыжая кошка", "a fox, red", "чёрный пёс; спит"]


def written(
    folder: Path, mark: str = ",", encoding: str = "utf-8", header: str = "image,caption", name: str = "t.csv"
) -> Path:
    laid(folder, {f"{number}.png": number for number in range(3)})
    rows = [header.replace(",", mark), *(f'{number}.png{mark}"{text}"' for number, text in enumerate(TOLD))]
    (folder / name).write_bytes("\r\n".join(rows).encode(encoding))
    return folder / name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1251"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_encoding_and_separator_are_found_out(tmp_path: Path, encoding: str, mark: str) -> None:
    """A cp1251 table was learnt as the text of its bytes; a UTF-16 one was a traceback; tabs in a .csv were refused."""
    table = opened(written(tmp_path, mark, encoding), need="captions")
    assert whole(table).captions == tuple(TOLD)


@pytest.mark.parametrize(("header", "suffix", "mark"), [
    ("filepath,title", "csv", "\t"), ("image,caption", "tsv", ";"), ("Image , Caption", "tsv", "\t"),
])  # fmt: skip
def test_the_first_line_says_what_separates_not_the_suffix(tmp_path: Path, header: str, suffix: str, mark: str) -> None:
    """OpenCLIP's own tables have tabs in a file called .csv (open_clip issue 1083)."""
    table = opened(written(tmp_path, mark, header=header, name=f"t.{suffix}"), need="captions")
    assert whole(table).captions == tuple(TOLD)


@pytest.mark.parametrize(("text", "encoding"), [
    ("un été à la plage, naïf, forêt, çà et là", "cp1252"), ("рыжая кошка спит на окне", "koi8-r"),
    ("рыжая кошка спит на окне", "cp866"), ("żółta łódź", "cp1250"),
])  # fmt: skip
def test_an_encoding_that_cannot_be_told_is_asked_about(tmp_path: Path, text: str, encoding: str) -> None:
    """Each of these reads as cp1251 without an error, and would be learnt as nonsense."""
    (tmp_path / "t.csv").write_bytes(f"image,caption\n0.png,{text}\n".encode(encoding))
    with pytest.raises(Fault, match=r"neither UTF-8 nor UTF-16 nor Cyrillic of Windows; save it as CSV in UTF-8"):
        decoded(tmp_path / "t.csv")


def test_cells_of_a_text_file_stay_what_they_are(tmp_path: Path) -> None:
    """Classes 01 and 1 are two, and true is no True."""
    laid(tmp_path, {f"{number}.png": number for number in range(3)})
    (tmp_path / "t.csv").write_text("image,label\n0.png,01\n1.png,1\n2.png,true\n")
    assert opened(tmp_path / "t.csv").classes == ("01", "1", "true")


def test_a_column_of_bytes_is_no_text(tmp_path: Path) -> None:
    columns = {
        "image": [grey(0), grey(1)],
        "caption": [b"a fox", b"a cat"],
        "words": ["a fox", "a cat"],
        "label": [b"x", b"y"],
    }
    parquet.write_table(arrow.table(columns), tmp_path / "t.parquet")
    table = opened(tmp_path / "t.parquet")
    assert not table.captioned
    assert table.classes == ()
    assert table.taken.others == ("caption (bytes)", "words", "label (bytes)")  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(Fault, match=r"that holds text, of caption \(bytes\), words"):
        opened(tmp_path / "t.parquet", need="captions")
    with pytest.raises(Fault, match="that one holds no text; choose one of words"):
        opened(tmp_path / "t.parquet", captions="caption")
    assert whole(opened(tmp_path / "t.parquet", captions="words", need="captions")).captions == ("a fox", "a cat")


def test_a_cell_of_several_captions_is_several_rows(tmp_path: Path) -> None:
    """It was learnt as the text of a list, brackets and all."""
    columns = {"image": [grey(0), grey(1)], "captions": [["a fox", "red"], ["a cat"]]}
    parquet.write_table(arrow.table(columns), tmp_path / "t.parquet")
    batch = whole(opened(tmp_path / "t.parquet", need="captions"))
    assert (batch.captions, greys(batch)) == (("a fox", "red", "a cat"), [0, 0, 1])


def test_names_of_classes_in_a_parquet_schema_are_kept_in_their_order(tmp_path: Path) -> None:
    """They were called 0, 1 and 2, and a class without a picture moved the numbers of those after it."""
    shape = datasets.Features(
        {"picture_of_it": datasets.Image(), "kind": datasets.ClassLabel(names=["moss", "amber", "indigo"])}
    )
    cells = [{"bytes": grey(number), "path": None} for number in range(3)]
    made = datasets.Dataset.from_dict({"picture_of_it": cells, "kind": [2, 0, -1]}, features=shape)
    datasets.disable_progress_bars()
    made.to_parquet(tmp_path / "t.parquet")
    table = opened(tmp_path / "t.parquet", need="classes")
    labels = whole(table).labels
    assert labels is not None
    assert table.classes == ("moss", "amber", "indigo")
    assert labels.tolist() == [2, 0]
    assert [one.reason for one in table.skipped] == ["it has no class, as the other pictures have"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_table_beside_pictures_gives_them_captions(tmp_path: Path, suffix: str) -> None:
    """As image folders of the `datasets` library; a line without a picture and a picture without a line are said."""
    laid(tmp_path, {f"train/{number}.png": number for number in range(3)} | {"val/7.png": 7})
    rows = [{"file_name": f"{number}.png", "text": f"grey {number}", "id": number} for number in (0, 1, 9)]
    file = tmp_path / "train" / f"metadata.{suffix}"
    if suffix == "jsonl":
        file.write_text("\n".join(json.dumps(row) for row in rows))
    elif suffix == "csv":
        file.write_text("file_name,text,id\n" + "\n".join(",".join(map(str, row.values())) for row in rows))
    else:
        parquet.write_table(arrow.Table.from_pylist(rows), file)
    (tmp_path / "val" / "metadata.jsonl").write_text(json.dumps({"file_name": "7.png", "text": "grey 7"}))
    folder = opened(tmp_path, need="captions")
    batch = whole(folder)
    assert batch.captions == ("grey 0", "grey 1", "grey 0")
    said = {Path(one.picture).name: one.reason for one in folder.skipped}
    assert said.keys() == {"9.png", "2.png"}
    assert "names it, but it is no picture of this folder" in said["9.png"]
    assert "has no caption" in said["2.png"]
    assert folder.taken.others == ("id",)  # pyright: ignore[reportAttributeAccessIssue]
    assert whole(opened(tmp_path, "validation", need="captions")).captions == ("grey 7",)


def test_a_table_beside_pictures_speaks_of_nothing_outside_of_the_folder(tmp_path: Path) -> None:
    """An uploaded table must not tell which files there are on the machine, nor take others' pictures in."""
    laid(tmp_path, {"others/secret.png": 1, "own/0.png": 0})
    lines = [{"file_name": name, "text": "x"} for name in ("0.png", "../others/secret.png", "../others/none.png")]
    (tmp_path / "own" / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    folder = opened(tmp_path / "own", need="captions")
    assert folder.length == 1
    assert {one.reason.partition(" names")[2] for one in folder.skipped} == {" it, but it is no picture of this folder"}
    assert len(folder.skipped) == 2


def test_a_table_beside_pictures_gives_them_classes(tmp_path: Path) -> None:
    laid(tmp_path, {f"images/{number}.png": number for number in range(3)})
    lines = [
        json.dumps({"file_name": f"images/{number}.png", "label": "even" if number % 2 == 0 else "odd"})
        for number in range(3)
    ]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines))
    assert opened(tmp_path, need="classes").classes == ("even", "odd")


def test_one_odd_file_changes_nothing_and_everything_left_out_is_said(tmp_path: Path) -> None:
    """One picture beside the class folders took all classes away; of 30 files 20 were left out without a word."""
    laid(tmp_path, {f"{part}/{kind}/{n}.png": 10 * n + place for place, kind in enumerate("ab") for n in range(4)
                    for part in ("train",)})  # fmt: skip
    laid(tmp_path, {"train/cover.png": 200, "val/a/0.png": 201, "test/a/0.png": 202, "poster.png": 203})
    odd = ["train/a/0.ppm", "train/b/1.heic", "train/notes.txt", "README.md", "train/metadata.jsonl"]
    for name in odd:
        (tmp_path / name).write_text("{broken")
    (tmp_path / "train" / ".DS_Store").write_text("hidden")
    folder = opened(tmp_path, need="classes")
    assert folder.classes == ("a", "b")
    assert folder.length == 8
    said = {str(Path(one.picture).relative_to(tmp_path)): one.reason for one in folder.skipped}
    assert said.keys() == {*odd, "train/cover.png", "poster.png"}
    assert said["train/cover.png"] == "it has no class, as the other pictures have"
    assert said["poster.png"] == "it lies beside the folders of the parts, in none of them"
    assert said["train/a/0.ppm"].startswith("it is no picture of a kind that is read here (PNG, JPEG")


def test_one_folder_among_many_pictures_is_no_class(tmp_path: Path) -> None:
    """The other way round: what most pictures say is the meaning of the rest."""
    laid(tmp_path, {f"{n}.png": n for n in range(6)} | {"thumbnails/0.png": 100})
    folder = opened(tmp_path)
    assert folder.classes == ()
    assert folder.length == 7


def test_a_row_of_an_unknown_part_and_of_none_is_left_out_and_said(tmp_path: Path) -> None:
    columns = {"image": [grey(n) for n in range(4)], "split": ["Train", "valid", "held-out", None]}
    parquet.write_table(arrow.table(columns), tmp_path / "t.parquet")
    table = opened(tmp_path / "t.parquet")
    assert greys(whole(table)) == [0]
    assert greys(whole(opened(tmp_path / "t.parquet", "validation"))) == [1]
    assert [one.reason for one in table.skipped] == [
        "its part, held-out, is none of train, validation and test",
        "its part, None, is none of train, validation and test",
    ]


@pytest.mark.parametrize(("name", "says"), [
    ("coco.json", "which is there, but a file of its kind is no list of pictures"), ("list.txt", "of its kind"),
    ("shard-000000.tar", "but it is an archive; unpack it"), ("pictures.ZIP", "but it is an archive; unpack it"),
    ("broken.jpg", "but it is a single picture; give the path of its folder"), ("gone.json", "but nothing lies there"),
])  # fmt: skip
def test_what_is_there_is_never_said_not_to_be(tmp_path: Path, name: str, says: str) -> None:
    if not name.startswith("gone"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(Fault, match=says):
        opened(tmp_path / name)


def test_a_folder_of_other_files_says_what_lies_there(tmp_path: Path) -> None:
    for name in ("0.pgm", "1.pgm", "2.HEIC"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(Fault, match=r"of the 3 files there none is of a kind that is read \(\.heic, \.pgm\)"):
        opened(tmp_path)


def test_an_evaluation_says_what_it_took_before_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without captions and classes it printed one row of positions that nobody had asked for, and ended well."""
    laid(tmp_path, {f"{n}.png": 8 * n for n in range(30)} | {"bad.png": 0})
    (tmp_path / "bad.png").write_bytes(b"no picture")
    rows = [f"{n}.png,number {n},{'even' if n % 2 == 0 else 'odd'}" for n in range(30)]
    (tmp_path / "t.csv").write_text("\n".join(["image,name,kind", *rows, "bad.png,bad,odd"]))
    words = ["evaluate", "bundled/clip-emoji", "--images", str(tmp_path / "t.csv"), "--count", "40"]
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out.splitlines() == ["captions: none", "classes: none", "other columns: name, kind"]
    assert "say which of the columns name, kind holds captions, or call the one with classes label" in said.err
    assert main([*words, "--captions", "name"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["captions: column name", "classes: none", "other columns: kind"]
    assert lines[3].startswith("left out of ")
    assert "bad.png" in lines[3]
    assert any(line.startswith("caption among") for line in lines[4:])
