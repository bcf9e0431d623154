"""A shared host allows what its environment says, one sentence each; one's own machine allows everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.faults import Fault
from training.jobs import job, resume, submit
from training.limits import Limits, limits, uploads, within
from training.recipe import Recipe


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))


def recipe(images: str = "shapes", **settings: Any) -> Recipe:
    return Recipe("mae", images=images, size="nano", side=32, settings=settings)


def test_ones_own_machine_allows_everything() -> None:
    assert limits({}) == Limits()
    assert within(recipe("/anywhere", steps=10**9), limits({})) == recipe("/anywhere", steps=10**9)


def test_training_is_off_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    submit("early", recipe())
    monkeypatch.setenv("PATCHLIGHT_TRAINING", "off")
    for asked in (lambda: submit("late", recipe()), lambda: resume("early")):
        with pytest.raises(Fault, match="switched off"):
            asked()


def test_steps_are_refused_and_time_and_disk_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("STEPS", "100"), ("SECONDS", "90"), ("DISK", "50")):
        monkeypatch.setenv(f"PATCHLIGHT_TRAINING_{name}", value)
    with pytest.raises(Fault, match="101 steps was asked for, but this page allows 100"):
        submit("long", recipe(steps=101))
    kept = submit("short", recipe(steps=100, hours=5.0)).recipe["settings"]
    assert (kept["steps"], kept["hours"], kept["disk"]) == (100, 0.025, 50)
    assert submit("shorter", recipe(steps=9, hours=0.01, disk=7.0)).recipe["settings"]["hours"] == 0.01


def test_the_queue_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_TRAINING_QUEUE", "2")
    for name in ("a", "b"):
        submit(name, recipe())
    with pytest.raises(Fault, match="2 wait already and no more than 2 may"):
        submit("c", recipe())
    with pytest.raises(Fault, match="No run is called c"):
        job("c")


@pytest.mark.parametrize("images", ["/etc", "table.csv", "hub/somebody/photos", "shapes+/etc", "../runs"])
def test_visitors_name_no_files_of_the_server(images: str) -> None:
    with pytest.raises(Fault, match="on a public page"):
        within(recipe(images), limits({"PATCHLIGHT_PUBLIC": "1"}))


def test_visitors_name_bundled_sets_and_their_uploads() -> None:
    public = limits({"PATCHLIGHT_PUBLIC": "1"})
    (uploads() / "abc").mkdir(parents=True)
    for images in ("shapes", "shapes+emoji", str(uploads() / "abc")):
        assert within(recipe(images), public).engine.hours == 1.0
    with pytest.raises(Fault, match="only bundled and registered"):
        within(Recipe("probe", images="shapes", options={"checkpoint": "file//etc/secret"}), public)


def test_a_limit_that_is_no_number_is_told() -> None:
    with pytest.raises(Fault, match="PATCHLIGHT_TRAINING_STEPS is many"):
        limits({"PATCHLIGHT_TRAINING_STEPS": "many"})
