"""A zip comes from a stranger: nothing of it lands outside of its folder, and it cannot fill the disk."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import training.zipped
from models.faults import Fault
from training.datasets import Source, open_dataset
from training.zipped import left_out, unpacked


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))


def picture(shade: int = 9) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (16, 16), (shade, shade, shade)).save(made, "PNG")
    return made.getvalue()


def packed(tmp_path: Path, entries: dict[str, bytes], name: str = "pictures.zip") -> Path:
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as file:
        for path, content in entries.items():
            file.writestr(path, content)
    return tmp_path / name


def everything(tmp_path: Path) -> set[str]:
    """Files below the runs' folder, and beside it."""
    return {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}


def test_pictures_land_in_a_folder_that_can_be_learnt_from(tmp_path: Path) -> None:
    entries = {f"{kind}/{n}.png": picture(n * 9) for kind in ("cats", "dogs") for n in range(10)}
    extra = {"notes.txt": b"no picture", "__MACOSX/cats/._1.png": b"x", ".hidden/a.png": b"x", "run.py": b"evil"}
    folder = unpacked(packed(tmp_path, entries | extra))
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == set(entries)
    dataset = open_dataset(Source(str(folder), side=16))
    assert dataset.classes == ("cats", "dogs")
    assert dataset.batch(0, seed=0, count=4, device="cpu").images.shape == (4, 3, 16, 16)
    assert unpacked(tmp_path / "pictures.zip") == folder
    assert unpacked(tmp_path / "pictures.zip", owner="ann") != folder


def test_captions_in_a_table_beside_pictures_come_along_and_the_rest_is_counted(tmp_path: Path) -> None:
    """They were dropped without a word, and HEIC files with them."""
    entries = {f"pets/{n}.png": picture(n * 9) for n in range(4)}
    told = "\n".join(json.dumps({"file_name": f"{n}.png", "text": f"pet {n}"}) for n in range(4)).encode()
    more = {"pets/metadata.jsonl": told, "pets/5.heic": b"x", "pets/notes.txt": b"x", "__MACOSX/pets/._1.png": b"x"}
    archive = packed(tmp_path, entries | more)
    dataset = open_dataset(Source(str(unpacked(archive)), side=16), need="captions")
    assert dataset.batch(0, seed=None, count=4, device="cpu").captions == ("pet 0", "pet 1", "pet 2", "pet 3")
    assert left_out(archive) == 2


def test_a_folder_that_was_packed_whole_is_no_class(tmp_path: Path) -> None:
    entries = {f"pets/{kind}/{n}.png": picture(n * 9) for kind in ("cats", "dogs") for n in range(10)}
    folder = unpacked(packed(tmp_path, entries, "my pets.zip"))
    assert folder.name == "my pets", "a run shows where its pictures came from"
    assert open_dataset(Source(str(folder), side=16)).classes == ("cats", "dogs")


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/out.png", "..\\out.png", "C:\\out.png"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path, {"a.png": picture(), name: picture()})
    before = everything(tmp_path)
    with pytest.raises(Fault, match="outside of its own folder"):
        unpacked(archive)
    assert everything(tmp_path) == before


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(Fault, match="outside of its own folder"):
        unpacked(tmp_path / "link.zip")


def test_a_bomb_is_refused_by_what_it_says_of_itself(tmp_path: Path) -> None:
    archive = packed(tmp_path, {"a.png": bytes(30 << 20)})
    assert archive.stat().st_size < 50_000
    with pytest.raises(Fault, match="far more than it is"):
        unpacked(archive)


def test_a_bomb_that_lies_about_its_size_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    """The directory at the end says 100 bytes; the data goes on for a megabyte."""
    archive = packed(tmp_path, {"a.png": bytes(1 << 20)})
    content = bytearray(archive.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 100)
    archive.write_bytes(content)
    with pytest.raises(Fault, match=r"damaged|far more"):
        unpacked(archive)
    assert not [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]


def test_too_many_too_large_nested_locked_empty_and_broken_are_one_sentence_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Fault, match=r"another archive, more\.zip"):
        unpacked(packed(tmp_path, {"a.png": picture(), "more.zip": b"PK"}))
    with pytest.raises(Fault, match="no pictures"):
        unpacked(packed(tmp_path, {"a.txt": b"text"}, "none.zip"))
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(Fault, match=r"broken\.zip is none, or is damaged"):
        unpacked(tmp_path / "broken.zip")
    with pytest.raises(Fault, match="is none, or is damaged"):
        unpacked(packed(tmp_path, {"a.png": picture(), "a.png/b.png": picture()}, "both.zip"))
    monkeypatch.setattr(training.zipped, "PICTURES", 2)
    with pytest.raises(Fault, match="holds 3 pictures"):
        unpacked(packed(tmp_path, {f"{n}.png": picture() for n in range(3)}, "many.zip"))
    monkeypatch.setenv("PATCHLIGHT_TRAINING_DISK", "0.0001")
    with pytest.raises(Fault, match="pictures of 0 MB"):
        unpacked(packed(tmp_path, {f"{n}.png": picture() for n in range(2)}, "large.zip"))


def test_a_password_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path, {"a.png": picture()})
    content = bytearray(archive.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(Fault, match="password"):
        unpacked(archive)
