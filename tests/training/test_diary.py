"""What a run's diary says to those who look on: what stays of it, what a killed session leaves, what is listed once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.faults import Fault
from training.datasets import Skipped
from training.diary import HEARTBEAT, Diary
from training.engine import Progress


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    return Diary(tmp_path)


def progress(step: int) -> Progress:
    return Progress(step, step / 10, 0.5, {"accuracy": 0.25}, 8 * step, 1e-3, 123.456, 1000, dict)


def test_a_run_without_a_word_has_stopped_before_its_first_step(diary: Diary) -> None:
    assert diary.status == {"state": "stopped", "step": 0, "seconds": 0.0}
    assert diary.skipped == ()


def test_what_a_note_does_not_say_stays(diary: Diary) -> None:
    """Wrong if a run that failed at step 7 began again at 0 for those who look on."""
    diary.note("running", None, progress(7), 3.5)
    diary.note("failed", Fault("The disk has {free} MB; free some.", free=2))
    said = diary.status
    assert (said["state"], said["step"], said["share"], said["seen"], said["seconds"]) == ("failed", 7, 0.7, 56, 3.5)
    assert said["sentence"] == "The disk has 2 MB; free some."
    assert (said["template"], said["facts"]) == ("The disk has {free} MB; free some.", {"free": "2"})
    diary.note("running")
    assert (diary.status["sentence"], diary.status["facts"]) == ("", {}), "a fault that is over is told no more"


def test_lines_after_the_checkpoint_are_dropped_and_so_is_half_a_line(diary: Diary) -> None:
    with diary.session(0) as session:
        for step in (1, 2, 3):
            session.write(progress(step))
    with open(diary.folder / "metrics.jsonl", "a") as metrics:
        metrics.write('{"step": 4, "lo')
    diary.rewind(2)
    assert [json.loads(line)["step"] for line in lines(diary)] == [1, 2]
    with diary.session(100) as session:
        session.write(progress(3))
    last = json.loads(lines(diary)[-1])
    assert (last["step"], last["accuracy"], last["seen"], last["speed"]) == (3, 0.25, 24, 123.46)
    assert last["seconds"] >= 100, "seconds go on from those of earlier sessions"


def test_the_status_follows_at_most_once_a_heartbeat(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [50.0]
    monkeypatch.setattr("training.diary.time.monotonic", lambda: clock[0])
    seen = []
    with diary.session(0) as session:
        for step, later in ((1, 0), (2, HEARTBEAT / 2), (3, HEARTBEAT)):
            clock[0] += later
            session.write(progress(step))
            seen.append(diary.status["step"])
    assert seen == [1, 1, 3]
    assert len(lines(diary)) == 3, "a line for every step all the same"


def test_a_picture_that_is_skipped_again_is_listed_once(diary: Diary) -> None:
    diary.list_skipped([Skipped("a.png", "cut\noff"), Skipped("b.png", "empty")])
    diary.list_skipped([Skipped("b.png", "empty")])
    diary.list_skipped([])
    assert diary.skipped == ("a.png\tcut off", "b.png\tempty")
    log = (diary.folder / "log.txt").read_text().splitlines()
    assert [line.partition(" pictures")[2] for line in log] == [" skipped: 2, listed in skipped.txt"] * 2


def lines(diary: Diary) -> list[str]:
    return (diary.folder / "metrics.jsonl").read_text().splitlines()
