"""Pictures that cannot be read: a run goes on without them, counts them, and says at its end which they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from training.__main__ import main

SMALL = ["--size", "nano", "--side", "32", "--steps", "4", "--batch", "8", "--device", "cpu", "--decoder-width", "32"]


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Thirty pictures to learn from, of which one is cut short, one is a text and one is empty; others to validate."""
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    folder = tmp_path / "album" / "train"
    for number, part in enumerate(("train", "val", "test")):
        (folder.parent / part).mkdir(parents=True)
        Image.effect_noise((48, 40), 90 + number).convert("RGB").save(folder.parent / part / "more.jpg")
    (folder / "more.jpg").unlink()
    for number in range(27):
        Image.effect_noise((48, 40), 40 + number).convert("RGB").save(folder / f"{number:02}.jpg")
    (folder / "cut.jpg").write_bytes((folder / "00.jpg").read_bytes()[:300])
    (folder / "text.png").write_text("no picture at all")
    (folder / "empty.webp").touch()
    return folder


def test_unreadable_pictures_are_counted_and_listed_at_the_end(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mae", "--images", str(album.parent), "--run", "first", *SMALL]) == 0
    run = tmp_path / "runs" / "first"
    lines = (run / "skipped.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(Path(line.split("\t")[0]).name for line in lines) == ["cut.jpg", "empty.webp", "text.png"]
    assert all(line.split("\t")[1] for line in lines)
    assert "pictures skipped: 3, listed in skipped.txt" in (run / "log.txt").read_text(encoding="utf-8")
    assert f"pictures skipped: 3, listed in {run / 'skipped.txt'}" in capsys.readouterr().out


def test_a_second_session_adds_to_the_list_and_repeats_nothing(album: Path, tmp_path: Path) -> None:
    words = ["mae", "--images", str(album.parent), "--run", "twice", *SMALL, "--hours", "1e-9"]
    assert main(words) == 0
    listed = tmp_path / "runs" / "twice" / "skipped.txt"
    before = listed.read_text(encoding="utf-8").splitlines()
    for number in range(10, 20):
        (album / f"{number}.jpg").write_text("a picture no more")
    assert main(["resume", "twice", "--hours", "1"]) == 0
    after = listed.read_text(encoding="utf-8").splitlines()
    assert after[: len(before)] == before
    assert len(set(after)) == len(after) > len(before)


def test_a_folder_without_one_readable_picture_is_one_sentence(
    tmp_path: Path, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in album.glob("[0-9]*.jpg"):
        file.unlink()
    assert main(["mae", "--images", str(album.parent), "--run", "none", *SMALL]) == 2
    said = capsys.readouterr().err
    assert "none of 3 could be read" in said
    assert "Traceback" not in said
    assert (tmp_path / "runs" / "none" / "log.txt").exists()
