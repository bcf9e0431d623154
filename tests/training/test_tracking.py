"""`--track tensorboard` writes curves that its viewer can read: every step's loss and figures."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from tests.training.squares import Squares
from training.__main__ import main

SMALL = ["--size", "nano", "--side", "32", "--steps", "3", "--batch", "8", "--device", "cpu", "--decoder-width", "32"]


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    monkeypatch.setattr("training.run.dataset", lambda made: Squares())
    monkeypatch.setattr("signal.signal", lambda *_: None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_gets_every_step(tmp_path: Path) -> None:
    accumulator = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    assert main(["mae", "--run", "first", *SMALL, "--track", "tensorboard"]) == 0
    (events,) = (tmp_path / "first").rglob("events.out.tfevents.*")
    read = accumulator.EventAccumulator(str(events.parent))
    read.Reload()
    lines = [json.loads(line) for line in (tmp_path / "first" / "metrics.jsonl").read_text().splitlines()]
    loss = read.Scalars("loss")
    assert [(entry.step, entry.value) for entry in loss] == [
        (line["step"], pytest.approx(line["loss"])) for line in lines
    ]
    assert "gradient norm" in read.Tags()["scalars"]


def test_without_tensorboard_it_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert main(["mae", "--run", "first", *SMALL, "--track", "tensorboard"]) == 2
    assert "pip install tensorboard" in capsys.readouterr().err
    assert not (tmp_path / "first").exists()
