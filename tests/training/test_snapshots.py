"""What stays of a run to look at: on time, whole, true to the weights, and no part of what is learnt."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import models
from models.faults import Fault
from tests.training.squares import Squares
from training.recipe import Recipe
from training.run import Run, open_run
from training.snapshots import Snapshots, due, kept, live, place


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("training.run.dataset", lambda made: Squares())


def small(objective: str = "mae", **settings: Any) -> Recipe:
    own = {"steps": 7, "batch": 8, "keep_every": 5, "keep_last": 5, "device": "cpu", **settings}
    options = {
        "mae": {"decoder_width": 32, "decoder_depth": 1}, "dino": {"scores": 96, "local": 1}
    }.get(objective, {})  # fmt: skip
    return Recipe(objective, images="squares", size="nano", side=32, options=options, settings=own)


def learnt(name: str, made: Recipe) -> Run:
    run = open_run(name, made)
    list(run.learn())
    return run


def losses(run: Run) -> list[float]:
    return [json.loads(line)["loss"] for line in (run.folder / "metrics.jsonl").read_text().splitlines()]


def test_the_schedule_is_dense_at_first_and_sparse_later() -> None:
    assert [step for step in range(200) if due(step)] == [0, 1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181]


def test_snapshots_stand_at_their_steps_and_the_first_is_untrained() -> None:
    run = learnt("kept", small())
    assert kept(run.folder) == (0, 1, 2, 3, 4, 5, 6, 7)  # 5 is a checkpoint, 7 the last
    _images, objective = open_run("other", small())._made()
    fresh = objective.module["network"].state_dict()  # pyright: ignore[reportIndexIssue]
    first = place(run.folder, 0)
    assert first is not None
    assert all(torch.equal(value, fresh[name]) for name, value in load_file(first / "model.safetensors").items())


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_snapshot_is_its_checkpoint_bit_for_bit(ema: float) -> None:
    """Snapshot and checkpoint of one step are written apart; so are the network of this minute and its snapshot."""
    run = learnt("twice", small("dino" if not ema else "mae", keep_every=4, ema=ema))
    pictures = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
    attention = []
    for home in ("snapshots", "checkpoints"):
        source = run.folder / home / "step-00000004"
        backbone = models.load(f"file/{source}", device="cpu")
        attention.append([layer.attention_from(0) for layer in backbone.trace(pictures)])
    named = [layer.attention_from(0) for layer in models.load("run/twice@4", device="cpu").trace(pictures)]
    assert all(torch.equal(a, b) and torch.equal(a, c) for a, b, c in zip(*attention, named, strict=True))
    newest, last = models.load("run/twice", device="cpu"), models.load("run/twice@7", device="cpu")
    assert newest.card.revision == "step 7"
    pairs = zip(newest.trace(pictures), last.trace(pictures), strict=True)
    assert all(torch.equal(a.attention_from(0), b.attention_from(0)) for a, b in pairs)


def test_the_network_of_this_minute_is_the_newest_snapshot_while_learning() -> None:
    run = open_run("now", small(steps=40))
    for progress in run.learn():
        if due(progress.step):
            assert live(run.folder) == progress.step
            assert models.load("run/now", device="cpu").card.revision == f"step {progress.step}"
        if progress.step == 16:
            break
    assert live(run.folder) == 16


def test_the_newest_network_is_written_between_snapshots_where_time_allows(tmp_path: Path) -> None:
    written: list[Path] = []
    snapshots = Snapshots(tmp_path, 10)
    snapshots._rest_until = 0.0
    snapshots.look(100, written.append, written.append)
    snapshots.look(101, written.append, written.append)
    assert written == [tmp_path]


def test_looking_changes_nothing_of_what_is_learnt() -> None:
    """SimCLR draws its views by chance, DINO moves a centre: neither may notice that somebody looked."""
    for objective in ("simclr", "dino"):
        seen = learnt(f"{objective}-seen", small(objective))
        unseen = learnt(f"{objective}-unseen", small(objective, watch=False))
        assert losses(seen) == losses(unseen)
        assert not (unseen.folder / "snapshots").exists()


@pytest.mark.parametrize(
    ("objective", "shapes"),
    [
        ("clip", {"similarity": (32, 32), "same": (32, 32)}),
        ("siglip", {"similarity": (32, 32), "same": (32, 32)}),
        ("simclr", {"similarity": (64, 64), "same": (64, 64)}),
        ("dino", {"similarity": (32, 32), "teacher": (32, 64)}),
        ("mae", {}),
    ],
)
def test_each_objective_shows_what_it_has(objective: str, shapes: dict[str, tuple[int, int]]) -> None:
    run = learnt(objective, small(objective, steps=2))
    for step in (0, 1, 2):
        file = run.folder / "snapshots" / f"step-{step:08d}" / "shown.safetensors"
        shown = load_file(file) if file.exists() else {}
        assert {name: tuple(value.shape) for name, value in shown.items()} == shapes
    if "same" in shapes:
        assert shown["similarity"].abs().max() <= 1 + 1e-5
        assert shown["same"].sum(1).min() >= 1
    if objective == "simclr":
        assert torch.equal(shown["same"], shown["same"].T)
        assert shown["same"].diagonal().sum() == 0
        assert torch.allclose(shown["similarity"].diagonal(), torch.ones(64), atol=1e-5)
    assert (run.folder / "captions.json").exists()


def test_the_pictures_and_their_views_are_kept_once() -> None:
    run = learnt("views", small("simclr", steps=1))
    views = load_file(run.folder / "views.safetensors")
    assert {name: tuple(value.shape) for name, value in views.items()} == {
        "pictures": (8, 3, 32, 32), "views/first": (8, 3, 32, 32), "views/second": (8, 3, 32, 32)
    }  # fmt: skip
    expected = Squares().batch(0, seed=1 << 20, count=32, device="cpu").images[:8]
    assert torch.equal(views["pictures"], (expected * 255).round().byte())
    assert not torch.equal(views["views/first"], views["views/second"])


def test_resuming_drops_what_a_killed_session_wrote_later_and_writes_it_again() -> None:
    whole = learnt("whole", small())
    run = open_run("killed", small())
    steps = run.learn()
    for _ in range(6):
        next(steps)
    steps.close()
    (run.folder / ".model.safetensors.left").write_bytes(b"half")
    (run.folder / "snapshots" / ".step-00000009").mkdir()
    list(open_run("killed").learn())
    assert kept(run.folder) == kept(whole.folder)
    assert not [*run.folder.glob(".model*"), *(run.folder / "snapshots").glob(".*")]
    for step in kept(whole.folder):
        ours, theirs = place(run.folder, step), place(whole.folder, step)
        assert ours is not None
        assert theirs is not None
        one, other = load_file(ours / "model.safetensors"), load_file(theirs / "model.safetensors")
        assert all(torch.equal(one[name], other[name]) for name in other)


def test_snapshots_make_room_where_they_are_crowded(tmp_path: Path) -> None:
    """The first and the last stay, and so does the order of magnitude of everything between."""
    snapshots = Snapshots(tmp_path, disk=0.02)  # 10 kB for snapshots, 1 kB each
    write: Callable[[Path], None] = lambda folder: bool((folder / "config.json").write_bytes(bytes(1000)))  # type: ignore  # noqa: E731
    steps = [step for step in range(5000) if due(step)]
    for step in steps:
        snapshots.look(step, write, lambda folder: None)
    stayed = kept(tmp_path)
    assert 5 < len(stayed) <= 10
    assert (stayed[0], stayed[-1]) == (0, steps[-1])
    ratios = [(later + 1) / (earlier + 1) for earlier, later in itertools.pairwise(stayed)]
    assert max(ratios) < 8


def test_a_step_that_was_not_kept_is_one_sentence() -> None:
    learnt("few", small(steps=2))
    with pytest.raises(Fault, match="There is no checkpoint run/few@9"):
        models.load("run/few@9", device="cpu")


def test_runs_begun_before_there_were_snapshots_go_on_without() -> None:
    run = open_run("old", small())
    values = json.loads((run.folder / "settings.json").read_text())
    del values["settings"]["watch"]
    (run.folder / "settings.json").write_text(json.dumps(values))
    assert open_run("old").settings.watch is False
