"""Whether the command does what the page and the endpoint do, and says what is wrong in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from explorers.__main__ import main
from explorers.explorer import Explorer

PICTURE = Path(__file__).resolve().parent.parent.parent / "assets" / "pictures" / "cat.jpg"
ASK = ["norms", "--checkpoint", "timm/test_vit?random", "--image", str(PICTURE)]


def test_the_command_writes_what_python_returns(toy: Explorer, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "found"
    assert main([*ASK, "--layer", "-1", "--patch", "7", "--no-row", "--share", "0.25", "--out", str(out)]) == 0
    found = toy.run(PICTURE, "timm/test_vit?random", patch=7, row=False, share=0.25)
    with np.load(out / "norms.npz") as numbers:
        np.testing.assert_allclose(numbers["norms"], found.arrays["norms"], rtol=1e-6)
        assert "row" not in numbers.files
    assert json.loads((out / "norms.json").read_text("utf-8"))["facts"]["share"] == 0.25
    said = capsys.readouterr().out
    assert said.splitlines()[0] == found.said()
    assert str(out / "norms.npz") in said


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--layer", "x"], "The parameter layer was given 'x'; give a whole number from -1 to 99."),
        (["--layer", "50"], "The parameter layer was given 50, but this network and picture allow -1 to 5;"),
        (["--share", "nan"], "The parameter share was given 'nan'; give a number from 0 to 1."),
        (["--fit", "stretch"], "The parameter fit was given 'stretch'; give one of: whole, crop."),
        (["--image", "nowhere.jpg"], "The picture nowhere.jpg was asked for, but it cannot be opened;"),
        (["--image", __file__], "test_shell.py is not a picture"),
        (["--language", "ru", "--layer", "50"], "Параметру layer передано 50"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main([*ASK, "--out", str(tmp_path), *arguments]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(sentence)
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("toy")
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    assert main([*ASK, "--out", str(tmp_path / "file" / "found")]) == 1
    assert str(tmp_path / "file" / "found") in capsys.readouterr().err


@pytest.mark.usefixtures("toy")
def test_help_tells_what_there_is(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    listed = capsys.readouterr().out
    assert "How long each token's output is." in listed
    assert "attention" in listed
    with pytest.raises(SystemExit):
        main(["norms", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    for words in ("--image FILE", "--layer N", "{whole,crop}", "-1 to 99, default -1", "(px, 16 to 640)", "--no-row"):
        assert words in told
