"""The doctor's door on the page: which files it opens for whom, and what it answers of those it does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from gradio.utils import get_upload_folder

from explorers import checkup
from models.faults import Fault

WEIGHTS = Path("assets/weights/vit/model.safetensors")


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    assert Path(get_upload_folder()) == tmp_path / "uploads"
    return tmp_path / "uploads"


def examined(path: Path, answers: str = "") -> dict[str, Any]:
    return checkup._examined(str(path), answers)


def sentences(found: dict[str, Any]) -> list[str]:
    return [one["template"].format_map(one["facts"]) for one in found["said"]]


def test_only_what_was_uploaded_is_looked_at(uploads: Path, tmp_path: Path) -> None:
    """Neither a file of the machine, nor one reached through a link or dots, nor a folder."""
    shutil.copy(WEIGHTS, tmp_path / "own.safetensors")
    (uploads / "link.safetensors").symlink_to(tmp_path / "own.safetensors")
    (uploads / "folder").mkdir()
    for path in (tmp_path / "own.safetensors", uploads / "link.safetensors", uploads / ".." / "own.safetensors",
                 uploads / "folder", uploads / "nothing.safetensors"):  # fmt: skip
        with pytest.raises(Fault, match="was not uploaded here"):
            examined(path)
    with pytest.raises(Fault, match="was not uploaded here"):
        examined(Path("\0"))


def test_a_public_page_opens_none_even_of_those(uploads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(WEIGHTS, uploads / "own.safetensors")
    monkeypatch.setenv("PATCHLIGHT_PUBLIC", "1")
    with pytest.raises(Fault, match="this page is public and opens none"):
        examined(uploads / "own.safetensors")


def test_a_file_that_tells_too_little_asks_and_opens_with_the_answer(uploads: Path) -> None:
    shutil.copy(WEIGHTS, uploads / "own.safetensors")
    found = examined(uploads / "own.safetensors")
    assert found["id"] is None, "the number of heads is in no weight"
    assert [(ask["name"], ask["form"]) for ask in found["asks"]] == [("heads", "heads=12"), ("grid", "grid=8x32")]
    opened = examined(uploads / "own.safetensors", "heads=4&grid=12x12")
    assert opened["id"].startswith(f"file/{uploads / 'own.safetensors'}?"), "as it is opened later, with the answers"
    assert opened["asks"] == []
    tabs = sentences(opened)[-1]
    assert tabs.startswith("Tabs that will work: ")
    assert "Attention" in tabs
    assert "Zero-shot" not in tabs, "it reads no text"


def test_an_answer_that_is_none_is_told_and_the_file_stays_closed(uploads: Path) -> None:
    shutil.copy(WEIGHTS, uploads / "own.safetensors")
    found = examined(uploads / "own.safetensors", "heads=many")
    assert (found["id"], found["asks"]) == (None, [])
    assert "many" in sentences(found)[0]


def test_what_is_no_weights_is_an_answer(uploads: Path) -> None:
    (uploads / "own.safetensors").write_bytes(b"no weights")
    found = examined(uploads / "own.safetensors")
    assert found["id"] is None
    assert "own.safetensors" in sentences(found)[-1]
