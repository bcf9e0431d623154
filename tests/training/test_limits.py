"""A shared host allows what its environment says, one sentence each; one's own machine allows everything."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from models.card_catalogue import runs_folder
from models.faults import Fault
from models.visitor import NOBODY, asked_by
from training.jobs import job, jobs, pause, resume, submit
from training.leftovers import check_room, sweep
from training.limits import Limits, limits, within
from training.recipe import Recipe, dataset, sources
from training.uploads import handle, home, uploads


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_PUBLIC", "1")


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


@pytest.mark.usefixtures("shared")
def test_visitors_name_bundled_sets_and_their_uploads() -> None:
    public = limits()
    folder = home("ann") / "abc" / "mine"
    folder.mkdir(parents=True)
    with asked_by("ann"):
        for images in ("shapes", "shapes+emoji", str(folder), handle(folder), f"shapes+{handle(folder)}"):
            assert within(recipe(images), public).engine.hours == 1.0
    for checkpoint in ("file//etc/secret", "hf/somebody/secret", "run/bobs"):
        with pytest.raises(Fault, match="only bundled and registered"):
            within(Recipe("probe", images="shapes", options={"checkpoint": checkpoint}), public)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    "images",
    [
        "{bobs}", "{bobs_handle}", "{home}", "{uploads}", "{mine}/..", "{mine}/", "{mine}/../../../bob/abc/photos",
        "/{mine_handle}", "shapes+{bobs}", "/usr/share+{back}{mine}", "hub/somebody/photos+/..{mine}", "{mine}+{home}",
        "upload/abc", "upload/../bob/abc/photos", "a folder", "hub/<owner>/<name>",
    ],
)  # fmt: skip
def test_a_visitor_names_their_own_uploads_and_nothing_near_them(images: str) -> None:
    """Each part is looked up in the list of what is theirs, as it is opened: nothing is normalised and compared."""
    bobs, mine = home("bob") / "abc" / "photos", home("ann") / "abd" / "mine"
    for folder in (bobs, mine):
        folder.mkdir(parents=True)
    named = images.format(
        bobs=bobs, bobs_handle=handle(bobs), home=bobs.parent.parent, uploads=uploads(), mine=mine,
        mine_handle=handle(mine), back="/.." * 20,
    )  # fmt: skip
    with asked_by("ann"), pytest.raises(Fault, match="on a public page"):
        within(recipe(named), limits())
    with asked_by(NOBODY), pytest.raises(Fault, match="on a public page"):
        within(recipe(handle(mine)), limits())


@pytest.mark.usefixtures("shared")
def test_what_is_judged_is_what_is_opened() -> None:
    """The parts that `within` judged are those that a run opens, each by its own name."""
    mine = home("ann") / "abd" / "mine"
    mine.mkdir(parents=True)
    Image.new("RGB", (32, 32), (0, 255, 0)).save(mine / "1.png")
    with asked_by("ann"):
        assert sources(f"shapes+{handle(mine)}") == ("shapes", handle(mine))
        green = dataset(within(recipe(handle(mine)), limits())).batch(0, seed=0, count=1, device="cpu").images
    assert green.mean((0, 2, 3)).tolist() == [0, 1, 0]
    with asked_by("bob"), pytest.raises(Fault, match="is not there any more"):
        dataset(recipe(handle(mine)))


@pytest.mark.usefixtures("shared")
def test_nobody_fills_the_queue_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        submit(f"a{number}", recipe(), "ann")
    with pytest.raises(Fault, match="2 of yours wait already and no more than 2 of one visitor may"):
        submit("a2", recipe(), "ann")
    pause("a1")
    submit("a2", recipe(), "ann")
    with pytest.raises(Fault, match="of one visitor may"):
        resume("a1")
    assert submit("b", recipe(), "bob").place == 3, "others still may"


@pytest.mark.usefixtures("shared")
def test_a_visitor_has_a_share_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100 MB in all, 10 for one visitor, their runs and uploads counted together, and all visitors' together."""
    monkeypatch.setenv("PATCHLIGHT_TRAINING_KEPT", "100")
    held = limits()
    run = runs_folder() / submit("mine", recipe(), "ann").name
    (run / "big.bin").write_bytes(bytes(6_000_000))
    photos = home("ann") / "abd" / "mine"
    photos.mkdir(parents=True)
    (photos / "1.png").write_bytes(bytes(3_000_000))
    check_room(held, "ann", 900_000)
    with pytest.raises(Fault, match="take 9 MB here and 2 MB more were to come, but a visitor may keep 10 MB"):
        check_room(held, "ann", 2_000_000)
    check_room(held, "bob", 2_000_000)
    for other in range(10):
        folder = home(f"visitor{other}") / "abd" / "theirs"
        folder.mkdir(parents=True)
        (folder / "1.png").write_bytes(bytes(9_100_000))
    with pytest.raises(Fault, match="All that visitors may keep here is taken"):
        check_room(held, "bob", 2_000_000)


@pytest.mark.usefixtures("shared")
def test_what_visitors_leave_behind_has_an_end() -> None:
    """An upload that a run names stays with it, one without a run a day, a visitor's ended run a week, the host's own
    for good."""
    named, loose, fresh = (home("ann") / name / "photos" for name in ("aa", "ab", "ac"))
    for folder in (named, loose, fresh):
        folder.mkdir(parents=True)
    with asked_by("ann"):
        Image.new("RGB", (32, 32)).save(named / "1.png")
        submit("mine", recipe(handle(named)), "ann")
    submit("hosts", recipe())
    pause("mine")
    pause("hosts")
    past(loose, named, days=2)
    sweep(limits())
    assert [folder.is_dir() for folder in (named, loose, fresh)] == [True, False, True]
    past(runs_folder() / "mine", runs_folder() / "hosts", days=8)
    sweep(limits())
    assert [one.name for one in jobs()] == ["hosts"]
    sweep(limits())
    assert not named.is_dir(), "its run is gone"
    submit("waits", recipe(), "ann")
    past(runs_folder() / "waits", days=8)
    sweep(limits())
    assert "waits" in [one.name for one in jobs()], "what waits or works is not over"


def past(*folders: Path, days: float) -> None:
    then = time.time() - days * 86400
    for folder in folders:
        for path in (*folder.rglob("*"), folder):
            os.utime(path, (then, then))


def test_a_limit_that_is_no_number_is_told() -> None:
    with pytest.raises(Fault, match="PATCHLIGHT_TRAINING_STEPS is many"):
        limits({"PATCHLIGHT_TRAINING_STEPS": "many"})
