"""The shell names what there is, learns, resumes, and says in one sentence what cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.squares import Squares
from training.__main__ import main
from training.objective import names

SMALL = ["--size", "nano", "--side", "32", "--steps", "4", "--batch", "8", "--device", "cpu", "--keep-every", "2"]


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    monkeypatch.setattr("training.run.dataset", lambda made: Squares())
    monkeypatch.setattr("signal.signal", lambda *_: None)


def test_help_names_every_objective_without_importing_torch() -> None:
    code = "import sys, training.__main__ as shell; shell.main([]); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in (*names(), "resume", "evaluate", "examples:"))


@pytest.mark.parametrize("name", names())
def test_every_objective_explains_its_settings(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "arXiv" in shown
    assert "--keep-every" in shown
    assert "default" in shown


def test_a_run_learns_resumes_and_says_where_to_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mae", "--run", "first", *SMALL, "--decoder-width", "32"]) == 0
    assert "look at it as run/first" in capsys.readouterr().out
    assert json.loads((tmp_path / "first" / "settings.json").read_text())["options"]["decoder_width"] == 32
    assert main(["resume", "first"]) == 0
    assert json.loads((tmp_path / "first" / "status.json").read_text())["step"] == 4


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["mae", "--run", "x", "--ratio", "2"], "ratio was given as 2.0"),
        (["mae", "--run", "x", "--size", "giant"], "the sizes are nano"),
        (["mae", "--run", "x", "--side", "33"], "needs a multiple of 8"),
        (["resume", "nothing"], "No run is called nothing"),
        (["evaluate", "nothing"], "is not the id of a checkpoint"),
    ],
)
def test_what_cannot_be_is_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
