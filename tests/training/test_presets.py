"""Presets are recipes that learn: each is built and makes a step; time is what this machine says, not what we hope."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median

import pytest

from models.card_catalogue import runs_folder
from models.faults import Fault
from training.child import Withdrawn, answered
from training.curves import newest, oldest
from training.engine import train
from training.estimate import LASTS, LOOKING, estimate, fresh, measure
from training.fits import fitting
from training.presets import LAB, preset, presets
from training.recipe import Recipe, recipe
from training.run import open_run
from training.verdicts import ENOUGH, verdicts


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PATCHLIGHT_TRAINING_NICE", "0")


def test_names_are_unique_and_recipes_are_whole() -> None:
    names = [entry.name for entry in presets()]
    assert len(set(names)) == len(names)
    for entry in presets():
        assert recipe(json.loads(json.dumps(entry.recipe.plain()))).plain() == entry.recipe.plain()
        assert str(entry.title)
        assert str(entry.about)


@pytest.mark.parametrize("name", [entry.name for entry in presets() if entry.recipe.size == "nano"])
def test_small_presets_learn(name: str) -> None:
    made = preset(name).recipe
    images, objective = fresh(made)
    losses = [progress.loss for progress in islice(train(objective, images, made.engine), 2)]
    assert all(map(math.isfinite, losses))


@pytest.mark.parametrize("name", ["90s clip", "clip-diagonal"])
def test_an_untouched_preset_is_healthy(name: str) -> None:
    """Wrong if the page's own recipe were scolded: "gradients are cut hard", while pairs find each other."""
    made = preset(name).recipe
    own = {**made.settings, "minutes": 0.0, "steps": ENOUGH + 1, "watch": False, "keep_every": 1000}
    run = open_run("healthy", replace(made, settings=own))
    list(run.learn())
    said = verdicts(newest(run.folder), made.plain(), oldest(run.folder))
    assert [(one.severity, one.figure) for one in said] == [("good", "diagonal accuracy")]


def test_the_lab_takes_away_one_thing_at_a_time() -> None:
    whole = preset("lab each").recipe.plain()["options"]
    for name in LAB.keys() - {"each"}:
        other = preset(f"lab {name}").recipe.plain()["options"]
        assert len([key for key in whole if whole[key] != other[key]]) == 1
    assert preset("lab without sharpening").recipe.options["temperature"] == 0.1  # the student's


def test_a_preset_that_names_a_time_ends_by_the_clock() -> None:
    """Wrong if its length hung on a measurement: one that was taken on a busy machine made ten steps of ninety
    seconds."""
    timed = {entry.name: entry.recipe.engine.minutes for entry in presets() if entry.group == "time"}
    assert {name.split()[0]: minutes for name, minutes in timed.items()} == {"90s": 1.5, "5m": 5.0, "gpu": 10.0}
    assert all(entry.recipe.engine.minutes == 0 for entry in presets() if entry.group != "time")


def test_an_estimate_is_made_by_real_steps_and_says_how_many_fit(quiet: None) -> None:
    made = preset("90s mae").recipe
    cost = estimate(made)
    assert cost.steps == int(LOOKING * 90 / cost.seconds_per_step)
    assert cost.minutes == 1.5
    assert cost.pictures_per_second == pytest.approx(32 / cost.seconds_per_step)
    assert cost.parameters > 100_000
    assert cost.memory > 10_000_000
    counted = estimate(replace(made, settings={**made.settings, "minutes": 0.0, "steps": 70}))
    assert (counted.seconds_per_step, counted.taken) == (cost.seconds_per_step, cost.taken), "kept"
    assert counted.minutes == pytest.approx(70 * cost.seconds_per_step / 60)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has nothing else to do, whatever this one has."""
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))


class Measured:
    """Stands for the child process: seconds a step, one after another, and how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *paces: float) -> None:
        self.paces = list(paces)
        monkeypatch.setattr("training.estimate._asked", lambda made, wanted: self())

    def __call__(self) -> dict[str, float]:
        return {"parameters": 1, "seconds_per_step": self.paces.pop(0), "memory": 1}


def test_what_was_measured_on_a_busy_machine_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong if 9.1 s a step, taken beside somebody else's work, were told on the next day too."""
    Measured(monkeypatch, 9.1, 0.12, 0.5)
    monkeypatch.setattr("os.getloadavg", lambda: (1.0 + (os.cpu_count() or 1), 0.0, 0.0))
    found = estimate(Recipe("mae"))
    assert (found.seconds_per_step, found.busy) == (9.1, True)
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    found = estimate(Recipe("mae"))
    assert (found.seconds_per_step, found.busy) == (0.12, False)
    monkeypatch.setattr("os.getloadavg", lambda: (9.0, 0.0, 0.0))
    assert estimate(Recipe("mae")).seconds_per_step == 0.12, "what was taken in quiet is still so"


@pytest.mark.parametrize(
    ("variable", "value"), [("OMP_NUM_THREADS", "7"), ("CUDA_VISIBLE_DEVICES", "3")]
)  # fmt: skip
def test_no_speed_outlives_its_machine(variable: str, value: str, quiet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Measured(monkeypatch, 0.4, 0.1)
    assert [estimate(Recipe("mae")).seconds_per_step for _ in range(2)] == [0.4, 0.4]
    monkeypatch.setenv(variable, value)
    assert estimate(Recipe("mae")).seconds_per_step == 0.1


@pytest.mark.parametrize("moved", [LASTS + 1, -60.0])
def test_no_speed_outlives_its_hour(moved: float, quiet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one believed that was taken in what is the future now: the clock was set back."""
    Measured(monkeypatch, 0.4, 0.1)
    now = time.time()
    assert estimate(Recipe("mae")).taken == pytest.approx(now, abs=5)
    monkeypatch.setattr("training.estimate.time.time", lambda: now + moved)
    assert estimate(Recipe("mae")).seconds_per_step == 0.1


@pytest.mark.parametrize(("factor", "asked"), [(0.6, 1), (1.9, 1), (0.4, 2), (2.5, 2)])
def test_a_run_that_disagrees_by_two_has_it_measured_anew(
    factor: float, asked: int, quiet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is real; what was measured is so many times what its own steps take."""
    made = replace(preset("90s mae").recipe, settings={"steps": 8, "batch": 4, "device": "cpu"})
    list(open_run("first", made).learn())
    own = made.engine.batch / median(row["speed"] for row in newest(runs_folder() / "first"))
    monkeypatch.setattr("training.run.median", lambda speeds: made.engine.batch / own)
    paces = Measured(monkeypatch, factor * own, own)
    estimate(made)
    list(open_run("second", made).learn())
    estimate(made)
    assert len(paces.paces) == 2 - asked


def test_an_estimate_that_nobody_asks_any_more_ends_at_once() -> None:
    """Wrong if the next question waited behind it for minutes, or its process went on in secret."""
    begun = time.monotonic()
    child = [sys.executable, "-c", "import subprocess, sys, time; subprocess.Popen(['sleep', '77.31']); time.sleep(77)"]
    with pytest.raises(Withdrawn):
        answered(child, "", 60.0, lambda: time.monotonic() < begun + 1.5)
    assert time.monotonic() - begun < 10
    running = subprocess.run(["ps", "-eo", "stat,args"], capture_output=True, text=True, check=True).stdout
    assert not [line for line in running.splitlines() if "sleep 77.31" in line and not line.startswith("Z")]
    assert answered([sys.executable, "-c", "import time; time.sleep(77)"], "", 0.5) is None
    said = answered([sys.executable, "-c", "print(input()[::-1])"], "abc", 60.0)
    assert said is not None
    assert said.stdout == "cba\n"


def test_an_estimate_of_what_cannot_be_is_the_sentence_of_the_run() -> None:
    with pytest.raises(Fault, match="but nothing lies there") as caught:
        estimate(Recipe("mae", images="no/where", size="nano", side=32))
    assert caught.value.facts["path"] == "no/where"


def test_measuring_in_this_process_counts_real_steps() -> None:
    made = preset("90s simclr").recipe
    found = measure(made)
    assert 0 < found.seconds_per_step < 60
    assert found.minutes == made.engine.minutes == 1.5
    assert fitting(made) == 16, "half the batch fits where the whole one does"
