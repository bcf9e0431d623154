"""Presets are recipes that learn: each is built and makes a step; time is what this machine says, not what we hope."""

from __future__ import annotations

import json
import math
from itertools import islice
from pathlib import Path

import pytest

from models.faults import Fault
from training.engine import train
from training.estimate import estimate, fresh, measure
from training.fits import fitting
from training.presets import LAB, LOOKING, preset, presets, timed
from training.recipe import Recipe, recipe


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


def test_the_lab_takes_away_one_thing_at_a_time() -> None:
    whole = preset("lab each").recipe.plain()["options"]
    for name in LAB.keys() - {"each"}:
        other = preset(f"lab {name}").recipe.plain()["options"]
        assert len([key for key in whole if whole[key] != other[key]]) == 1
    assert preset("lab without sharpening").recipe.options["temperature"] == 0.1  # the student's


def test_steps_fit_the_time_that_a_step_takes_here() -> None:
    """The estimate is made in a process of its own, by real steps, and kept."""
    chosen = preset("90s mae")
    steps = timed(chosen).engine.steps
    cost = estimate(chosen.recipe)
    assert steps == max(10, int(LOOKING * 90 / cost.seconds_per_step))
    assert estimate(timed(chosen)).minutes <= 1.5
    assert cost.pictures_per_second == pytest.approx(32 / cost.seconds_per_step)
    assert cost.parameters > 100_000
    assert cost.memory > 10_000_000
    assert timed(preset("clip-diagonal")).engine.steps == preset("clip-diagonal").recipe.engine.steps


def test_an_estimate_of_what_cannot_be_is_the_sentence_of_the_run() -> None:
    with pytest.raises(Fault, match="but nothing lies there") as caught:
        estimate(Recipe("mae", images="no/where", size="nano", side=32))
    assert caught.value.facts["path"] == "no/where"


def test_measuring_in_this_process_counts_real_steps() -> None:
    made = preset("90s simclr").recipe
    found = measure(made)
    assert 0 < found.seconds_per_step < 60
    assert found.minutes == pytest.approx(found.seconds_per_step * made.engine.steps / 60)
    assert fitting(made) == 16, "half the batch fits where the whole one does"
