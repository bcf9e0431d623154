"""A run folder survives whatever happens to the process, and what comes after is the curve that would have come."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import models
from models.faults import Fault
from training.recipe import Recipe, recipe
from training.run import Run, open_run
from training.store import STATE, Store

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["training.run", "training.objectives.dino", "timm", "safetensors.torch"])
"""Killed workers are forks of a server that has imported everything, so a kill costs no start."""


def work(folder: str, said: Any) -> None:
    """Resumes the run `killed` in a process of its own and says each step; the pictures are the tests' squares."""
    import torch

    import training.run
    from tests.training.squares import Squares

    torch.set_num_threads(1)
    os.environ["PATCHLIGHT_RUNS"] = folder
    training.run.dataset = lambda made: Squares()
    for progress in open_run("killed").learn():
        said.send(progress.step)


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.training.squares import Squares

    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("training.run.dataset", lambda made: Squares())


def small(objective: str = "mae", **settings: Any) -> Recipe:
    own = {"steps": 8, "batch": 8, "keep_every": 3, "device": "cpu", **settings}
    options = {"mae": {"decoder_width": 32, "decoder_depth": 1}}.get(objective, {})
    return Recipe(objective, images="squares", size="nano", side=32, options=options, settings=own)


def curve(run: Run) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without what the clock and the machine decide."""
    lines = (run.folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in ("speed", "memory", "seconds")} for line in lines]


def test_a_run_leaves_what_it_promises_and_opens_as_a_network() -> None:
    run = open_run("whole", small("supervised", ema=0.5))
    assert [progress.step for progress in run.learn()] == list(range(1, 9))
    assert run.status["state"] == "finished"
    assert run.status["seen"] == 64
    assert [line["step"] for line in curve(run)] == list(range(1, 9))
    assert run.store.steps() == (6, 8)
    assert {path.name for path in run.store.folder.iterdir()} == {"manifest.json", "step-00000006", "step-00000008"}
    backbone = models.load("run/whole", device="cpu")
    layers = backbone.trace(__import__("torch").zeros(3, 32, 32))
    assert (len(layers), layers[0].grid) == (2, (4, 4))


def test_the_averaged_weights_are_what_is_saved() -> None:
    from safetensors.torch import load_file

    run = open_run("averaged", small(ema=0.9))
    list(run.learn())
    state, saved = load_file(run.store.place(8) / STATE), load_file(run.folder / "model.safetensors")
    name = "vit.embeddings.patch_embeddings.projection.weight"
    assert (saved[name] == state[f"average/network.{name}"]).all()
    assert (saved[name] != state[f"module/network.{name}"]).any()


def test_stopping_keeps_the_step_and_resuming_ends_on_the_same_curve() -> None:
    whole = open_run("whole", small())
    list(whole.learn())
    parts = open_run("parts", small())
    for progress in parts.learn():
        if progress.step == 4:
            parts.stop()
    assert parts.status["state"] == "stopped"
    assert parts.store.steps()[-1] == 4
    list(open_run("parts").learn())
    assert curve(parts) == curve(whole)


def test_killed_ten_times_at_random_moments_the_curve_is_the_same_bit_for_bit() -> None:
    """Kills fall into learning as well as into writing: a checkpoint follows each second step. PATCHLIGHT_KILLS=200
    kills more often."""
    wanted = int(os.environ.get("PATCHLIGHT_KILLS", "10"))
    chosen = small("dino", steps=6 * wanted, keep_every=2)
    whole = open_run("whole", chosen)
    list(whole.learn())
    run = open_run("killed", chosen)
    chance = random.Random(int(os.environ.get("PATCHLIGHT_KILLS_SEED", "0")))
    kills = 0
    while kills < wanted and run.status["state"] != "finished":
        hears, says = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=work, args=(os.environ["PATCHLIGHT_RUNS"], says))
        process.start()
        says.close()
        with contextlib.suppress(EOFError):
            for _ in range(chance.randint(1, 6)):
                hears.recv()
        time.sleep(chance.random() * 0.1)
        process.kill()
        process.join()
        kills += 1
        newest = run.store.newest()
        assert newest is None or int(newest["step"]) == run.store.steps()[-1]
    list(open_run("killed").learn())
    assert curve(run) == curve(whole)
    assert not list(run.store.folder.glob(".*"))


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before() -> None:
    run = open_run("damaged", small())
    list(run.learn())
    expected = curve(run)
    file = run.store.place(8) / STATE
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    newest = run.store.newest()
    assert newest is not None
    assert int(newest["step"]) == 6
    list(open_run("damaged").learn())
    assert curve(run) == expected


def test_chosen_steps_stay() -> None:
    run = open_run("chosen", small(steps=9, keep_every=2, keep_last=1, keep_steps="3, 4"))
    list(run.learn())
    assert run.store.steps() == (3, 4, 9)


def test_a_full_disk_is_one_sentence_and_the_checkpoint_before_stays(tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(disk)]).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        os.environ["PATCHLIGHT_RUNS"] = str(disk)
        run = open_run("full", small(steps=6, keep_every=1, keep_steps="1,2,3,4,5,6"))
        with pytest.raises(Fault, match="the disk is full"):
            list(run.learn())
        kept = run.store.steps()
        newest = run.store.newest()
        assert kept
        assert newest is not None
        assert int(newest["step"]) == kept[-1] < 6
        assert not list(run.store.folder.glob(".step*"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_budget_stops_before_it_is_passed() -> None:
    run = open_run("budget", small(disk=2.0, keep_every=1, keep_steps="1,2,3,4,5,6,7,8"))
    with pytest.raises(Fault, match=r"but 2\.0 MB were allowed"):
        list(run.learn())
    assert run.status["state"] == "failed"
    assert sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file()) < 2.1e6


def test_an_hour_budget_stops_and_a_larger_one_goes_on() -> None:
    run = open_run("hours", small(hours=1e-9))
    assert len(list(run.learn())) == 1
    assert run.status["state"] == "stopped"
    more = open_run("hours", budgets={"hours": 1.0})
    assert len(list(more.learn())) == 7
    assert more.status["state"] == "finished"


def test_two_processes_cannot_learn_in_one_folder() -> None:
    first, second = open_run("shared", small()), open_run("shared")
    steps = first.learn()
    next(steps)
    with pytest.raises(Fault, match="learning already"):
        next(second.learn())
    steps.close()


@pytest.mark.parametrize(
    ("name", "made", "sentence"),
    [
        ("../out", small(), "letters, digits"),
        ("none", None, "No run is called none"),
        ("bad", Recipe("magic"), "No objective is called magic"),
        ("bad", Recipe("mae", few=4, many=2), "the fewest be no more than the most"),
        ("bad", Recipe("mae", options={"ratio": 2.0}), "ratio was given as 2.0"),
        ("bad", Recipe("mae", settings={"keep_steps": "one"}), "whole numbers separated by commas"),
    ],
)
def test_what_cannot_be_is_one_sentence(name: str, made: Recipe | None, sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        open_run(name, made)


def test_a_recipe_survives_its_file() -> None:
    made = small("clip")
    assert recipe(json.loads(json.dumps(made.plain()))).plain() == made.plain()


def test_manifest_names_every_byte(tmp_path: Path) -> None:
    run = open_run("bytes", small(steps=3))
    list(run.learn())
    manifest = json.loads((run.store.folder / "manifest.json").read_text())
    (entry,) = manifest["checkpoints"]
    assert set(entry["files"]) == {path.name for path in Store(run.folder, run.settings).place(3).iterdir()}
