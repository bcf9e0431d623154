"""Runs live in processes of their own: whoever is killed, server or job, what is learnt is what would have been."""

from __future__ import annotations

import contextlib
import errno
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from models.card_catalogue import runs_folder
from models.faults import Fault
from training.__main__ import main
from training.arguments import parser_of
from training.jobs import Job, delete, duplicate, evaluate, job, jobs, pause, resume, stop, submit, tend
from training.ledger import Task, alone, take
from training.published import Published
from training.recipe import Recipe
from training.run import open_run
from training.tender import ROOT, command, surroundings

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["training.run", "training.objectives.mae", "transformers", "safetensors.torch"])


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PATCHLIGHT_TRAINING_NICE", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "runs"


def small(images: str = "shapes", **settings: Any) -> Recipe:
    own = {"steps": 60, "batch": 4, "keep_every": 10, "device": "cpu", **settings}
    options = {"decoder_width": 32, "decoder_depth": 1}
    return Recipe("mae", images=images, size="nano", side=32, patch=8, options=options, settings=own)


def losses(folder: Path) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"]) for line in lines]


def until(true: Callable[[], object], seconds: float = 300.0) -> None:
    """Waits for what another process does; the limit is for a machine that is busy with other things."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited for long enough"
        time.sleep(0.02)


@contextlib.contextmanager
def working(name: str, words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock of a job, as one that was started for it does."""
    task = Task(Path(os.environ["PATCHLIGHT_RUNS"]) / name)
    lock = take(task.lock)
    process = subprocess.Popen(words, pass_fds=(lock,), start_new_session=True)
    os.close(lock)
    with alone():
        task.note(queued=None, wanted="run", begun=time.time(), process=process.pid)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_run_outlives_its_server_and_its_own_death_and_ends_on_the_same_curve(runs: Path) -> None:
    """The real thing: a server is killed while a job learns, the job is killed too, another server goes on with it."""
    server = subprocess.Popen([sys.executable, "-m", "training", "jobs", "tend"], cwd=ROOT)
    submit("long", small(), owner="ann")
    until(lambda: job("long").state == "starting")
    submit("next", small(steps=2), owner="bob")
    until(lambda: job("long").step >= 12)
    server.kill()
    server.wait()
    seen = job("long")
    assert (seen.state, seen.place, job("next").place) == ("running", None, 1)
    assert (seen.held, job("next").held) == (False, True)
    assert seen.speed is not None
    assert seen.eta is not None
    assert seen.snapshots[:6] == (0, 1, 2, 3, 4, 6)
    tend()
    assert job("next").state == "waiting", "a second one was started beside the first"

    process = Task(runs / "long").entry()["process"]
    assert os.getsid(process) == process, "it would go with its server's session"
    os.kill(process, signal.SIGKILL)
    until(lambda: job("long").state == "lost", 3.0)
    assert "killed or crashed" in str(job("long").sentence)
    assert pause("next").state == "paused"

    assert resume("long").place == 1
    tend()
    assert job("long").state == "starting"
    before = job("long").step
    until(lambda: job("long").state == "running" and job("long").step > before)
    assert "stops after" in str(pause("long").sentence)
    until(lambda: job("long").state == "paused")
    run = open_run("long")
    assert run.store.steps()[-1] == job("long").step < 60
    list(run.learn())
    whole = open_run("whole", small())
    list(whole.learn())
    assert losses(runs / "long") == losses(runs / "whole")
    assert job("long").state == "finished"


def test_others_wait_in_order_and_see_their_place() -> None:
    for name, owner in (("a", "ann"), ("b", "bob"), ("c", "ann")):
        submit(name, small(), owner)
    assert [(seen.name, seen.place) for seen in reversed(jobs())] == [("a", 1), ("b", 2), ("c", 3)]
    assert not any(seen.held for seen in jobs()), "nothing learns: nobody waits for anybody"
    assert [seen.name for seen in jobs("ann")] == ["c", "a"]
    assert jobs("eve") == ()
    assert pause("a").state == "paused"
    assert (job("b").place, job("c").place) == (1, 2)
    assert (resume("a").state, job("a").place) == ("waiting", 3)
    assert stop("b").state == "stopped"
    delete("c")
    assert [(seen.name, seen.place) for seen in reversed(jobs())] == [("a", 1), ("b", None)]


def test_two_servers_do_not_start_the_same_run() -> None:
    submit("once", small())
    with alone():
        tend()
    assert job("once").state == "waiting"


def test_a_dead_process_is_seen_at_once_and_its_last_line_is_told(runs: Path) -> None:
    submit("dies", small())
    with working("dies", ["sleep", "60"]) as process:
        assert job("dies").state == "starting"
        (runs / "dies" / "output.txt").write_text("loading\nImportError: no such thing\n")
        process.kill()
        process.wait()
        assert job("dies").state == "lost"
    assert "ImportError: no such thing" in str(job("dies").sentence)
    assert resume("dies").state == "waiting"


def test_no_order_is_told_by_a_clock_that_may_be_set_back(runs: Path) -> None:
    """Wrong if a run that said that it finished were lost, an evaluation that came failed, or whoever came last went
    first, because somebody has set the clock."""
    ahead = time.time() + 3600
    submit("done", small(steps=1))
    with alone():
        Task(runs / "done").note(queued=None, begun=ahead)
    list(open_run("done").learn())
    assert (job("done").state, job("done").sentence) == ("finished", None)
    submit("lost", small(steps=1))
    with alone():
        Task(runs / "lost").note(queued=None, begun=time.time() - 60)
    list(open_run("lost").learn())
    with alone():
        Task(runs / "lost").note(begun=time.time() - 30)
    assert job("lost").state == "lost", "what an earlier start said is not what this one said"

    evaluate("done")
    with alone():
        Task(runs / "done", "evaluation").note(queued=None, begun=ahead)
    assert (
        main(
            ["evaluate", "run/done", "--images", "shapes", "--count", "8", "--out", str(runs / "done/evaluation.json")]
        )
        == 0
    )
    assert job("done").evaluation == "done"

    submit("first", small())
    with alone():
        Task(runs / "first").note(queued=ahead)
    submit("second", small())
    assert (job("first").place, job("second").place) == (1, 2)


def test_a_run_by_the_clock_tells_its_share_and_warns_of_too_few_steps(
    runs: Path, capsys: pytest.CaptureFixture
) -> None:
    """Wrong if such a run claimed a number of steps, had its whole time again after a stop, or said nothing where this
    machine is too slow for it."""
    words = [
        "mae",
        "--images",
        "shapes",
        "--size",
        "nano",
        "--side",
        "32",
        "--patch",
        "8",
        "--batch",
        "4",
        "--device",
        "cpu",
    ]
    assert main([*words, "--run", "quick", "--minutes", "0.02", "--keep-every", "1"]) == 0
    seen = job("quick")
    assert (seen.state, seen.steps, seen.share, seen.eta) == ("finished", None, 1.0, None)
    assert seen.sentence is not None
    assert (seen.sentence.facts["steps"], seen.sentence.facts["fewest"]) == (seen.step, 100)
    assert "too few to learn anything from" in str(seen.sentence)
    assert seen.snapshots[-1] == seen.step

    run = open_run("halved", small(minutes=0.02, steps=5))
    for progress in run.learn():
        if progress.share > 0.5:
            run.stop()
    left = job("halved").share
    assert (job("halved").state, job("halved").spent) == ("stopped", None)
    assert left > 0.5
    rest = [progress.share for progress in open_run("halved").learn()]
    assert rest[0] > left, "it goes on with the time that is left"
    assert rest[-1] == 1.0
    assert job("halved").state == "finished"


def test_a_process_that_does_not_stop_is_ended_when_asked_again() -> None:
    submit("deaf", small())
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with working("deaf", [sys.executable, "-c", deaf]) as process:
        time.sleep(0.5)
        assert stop("deaf").state == "starting"
        stop("deaf")
        process.wait(10)
        assert job("deaf").state == "stopped"


def test_deleting_ends_the_process_and_leaves_nothing(runs: Path) -> None:
    submit("gone", small())
    with working("gone", ["sleep", "60"]) as process:
        delete("gone")
        assert process.wait(10) == -signal.SIGKILL
    assert [path for path in runs.iterdir() if path.is_dir()] == []
    with pytest.raises(Fault, match="No run is called gone"):
        job("gone")


def test_a_stop_in_the_middle_of_a_checkpoint_breaks_nothing(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal comes while the files of step 4 are being written."""
    submit("stopped", small(steps=8, keep_every=4))
    run = open_run("stopped")
    write = Published.write

    def interrupted(self: Published, place: Path, *rest: Any) -> None:
        if place == run.store.folder / ".step-00000004":
            os.kill(os.getpid(), signal.SIGTERM)
        write(self, place, *rest)

    monkeypatch.setattr(Published, "write", interrupted)
    old = signal.signal(signal.SIGTERM, lambda *_: run.stop())
    try:
        list(run.learn())
    finally:
        signal.signal(signal.SIGTERM, old)
    assert (run.store.steps(), run.status["state"], job("stopped").step) == ((4,), "stopped", 4)
    assert run.store.newest() is not None
    assert not list(run.folder.glob("*/.step*"))
    list(open_run("stopped").learn())
    list(open_run("whole", small(steps=8, keep_every=4)).learn())
    assert losses(runs / "stopped") == losses(runs / "whole")


def test_a_full_disk_is_told_by_the_job_although_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)]).returncode:
        pytest.skip("a small file system cannot be mounted here")
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(disk))
    try:
        submit("full", small(steps=40, keep_every=1, keep_last=40))
        with pytest.raises(Fault, match="the disk is full"):
            list(open_run("full").learn())
        seen = job("full")
        assert seen.state == "waiting", "nobody started it for the queue"
        with alone():
            Task(disk / "full").note(queued=None)
        seen = job("full")
        assert seen.state == "failed"
        assert seen.sentence is not None
        assert "the disk is full; its last checkpoint is kept" in str(seen.sentence)
        assert seen.sentence.template.count("{folder}") == 1
        with contextlib.suppress(OSError), (disk / "rest").open("wb", buffering=0) as rest:
            while rest.write(bytes(4096)):
                pass
        with pytest.raises(Fault, match="the disk is full; make room and begin again"):
            submit("another", small())
        assert not (disk / "another").exists(), "nothing is left of a run that could not begin"
        (disk / "rest").unlink()
        assert submit("another", small()).state == "waiting"
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_checkpoint_is_promised_only_where_there_is_one(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong if a run that ends before its first checkpoint said that one is kept: on a full disk, at its disk budget,
    killed, or diverged, which no rate of a run that is there can mend."""
    write, before = Published.write, iter([False, True])

    def full(self: Published, place: Path, *rest: Any) -> None:
        if place.name.startswith(".step") and next(before, True):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, place, *rest)

    for name, keep in (("early", 50), ("late", 1)):
        before = iter([False] * (3 if name == "late" else 1))  # of snapshots and checkpoints that are written
        monkeypatch.setattr(Published, "write", full)
        steps = open_run(name, small(keep_every=keep)).learn()
        with pytest.raises(Fault) as caught:
            list(steps)
        monkeypatch.setattr(Published, "write", write)
        kept = (runs / name / "checkpoints" / "manifest.json").exists()
        assert kept == (name == "late")
        assert ("its last checkpoint is kept" in str(caught.value)) == kept
        assert ("before its first checkpoint" in str(caught.value)) != kept
    with pytest.raises(Fault, match="no checkpoint yet; resume with a larger disk budget, and it begins anew"):
        list(open_run("small", small(steps=2, disk=1.0, keep_every=1)).learn())
    submit("killed", small())
    with alone():
        Task(runs / "killed").note(queued=None, begun=1.0)
    assert (job("killed").state, "before its first checkpoint" in str(job("killed").sentence)) == ("lost", True)


def test_a_run_goes_on_beyond_the_limit_at_which_it_ended(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong if what the sentence advises could not be done from the page, or a host's own limit could be lifted so."""
    with pytest.raises(Fault, match="MB were allowed"):
        list(open_run("large", small(steps=2, disk=1.0, keep_every=1)).learn())
    assert (job("large").spent, job("large").state) == ("disk", "failed")
    with pytest.raises(Fault, match="only its hours and its disk can change"):
        resume("large", {"steps": 4})
    with pytest.raises(Fault, match="disk was given as -1"):
        resume("large", {"disk": -1.0})
    monkeypatch.setenv("PATCHLIGHT_TRAINING_DISK", "50")
    assert resume("large", {"disk": 100.0}).state == "waiting"
    assert job("large").recipe["settings"]["disk"] == 50
    with alone():
        Task(runs / "large").note(queued=None)
    list(open_run("large").learn())
    assert (job("large").spent, job("large").state) == (None, "finished")


def test_an_evaluation_that_fails_says_why(runs: Path, tmp_path: Path) -> None:
    """Wrong if it ended in silence: a page that only offers the button again leaves everybody guessing."""
    list(open_run("done", small(steps=1)).learn())
    evaluate("done")
    task, out = Task(runs / "done", "evaluation"), str(runs / "done" / "evaluation.json")
    with alone():
        task.note(queued=None, begun=time.time() - 5)
    assert job("done").unmeasured is not None
    assert "ended without a word" in str(job("done").unmeasured)
    assert main(["evaluate", "run/done", "--images", str(tmp_path / "gone"), "--out", out]) == 2
    assert "nothing lies there; put them there" in str(job("done").unmeasured)
    assert main(["evaluate", "run/done", "--images", "shapes", "--count", "8", "--out", out]) == 0
    assert (job("done").unmeasured, job("done").evaluation) == (None, "done")


def test_pictures_that_vanish_are_one_sentence(tmp_path: Path) -> None:
    """Half of them are in memory already: learning on with those would be another run than the one asked for."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(40):
        Image.new("RGB", (32, 32), (6 * number, 9, 9)).save(folder / f"{number}.png")
    run = open_run("photos", small(str(folder)))
    steps = run.learn()
    next(steps)
    shutil.move(folder, tmp_path / "elsewhere")
    with pytest.raises(Fault, match="has gone since; put it back"):
        list(steps)
    assert job("photos").state == "failed"
    with pytest.raises(Fault, match="nothing lies there"):
        list(open_run("photos").learn())
    shutil.move(tmp_path / "elsewhere", folder)
    list(open_run("photos").learn())
    assert job("photos").state == "finished"


def starve(name: str, megabytes: int) -> None:
    """Learns in a process that may have so much more memory than it has now, when every library is loaded: some wait
    for ever where they find no memory to begin with."""
    torch.set_num_threads(1)
    list(open_run(f"{name}-warm-{megabytes}", replace(small(steps=1), patch=4)).learn())
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + (megabytes << 20)
    (runs_folder() / "limit").write_text(str(limit))
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with contextlib.suppress(Fault):
        list(open_run(name).learn())


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="limits memory as Linux does")
def test_out_of_memory_names_a_batch_that_fits() -> None:
    open_run("large", replace(small(batch=1024, steps=2), patch=4))
    for megabytes in (200, 220, 240, 260):  # some libraries abort where they find no memory; no Python survives that
        process = PROCESSES.Process(target=starve, args=("large", megabytes))
        process.start()
        process.join()
        if process.exitcode == 0:
            break
    seen = job("large")
    assert seen.state == "failed", process.exitcode
    assert seen.sentence is not None
    assert seen.sentence.template.startswith("Memory was out")
    fits = int(str(seen.sentence.facts["fits"]))
    assert 32 <= fits < 1024, "found in processes that begin afresh: in the one that failed hardly 4 would fit"
    duplicate("large", "smaller", {"settings": {"batch": fits}})
    limit = int((runs_folder() / "limit").read_text())
    words = ["prlimit", f"--as={limit}", sys.executable, "-m", "training", "resume", "smaller"]
    done = subprocess.run(words, env=surroundings(), capture_output=True, timeout=300, text=True)
    assert done.returncode == 0, (fits, done.stdout, done.stderr)
    assert open_run("smaller").status["state"] == "finished"


def test_a_copy_takes_changes_and_leaves_the_original() -> None:
    submit("first", small())
    copy = duplicate("first", "second", {"size": "micro", "settings": {"steps": 5}, "options": {"crop": 0.9}}, "bob")
    assert (copy.owner, copy.recipe["size"], copy.recipe["settings"]["steps"]) == ("bob", "micro", 5)
    assert (copy.recipe["options"]["crop"], copy.recipe["options"]["decoder_width"]) == (0.9, 32)
    assert job("first").recipe["size"] == "nano"
    other = duplicate("first", "third", {"objective": "simclr"})
    assert "temperature" in other.recipe["options"]


def test_what_cannot_be_done_is_one_sentence(runs: Path) -> None:
    list(open_run("done", small(steps=1)).learn())
    with pytest.raises(Fault, match="finished already; duplicate"):
        resume("done")
    with pytest.raises(Fault, match="there already"):
        submit("done", small())
    with pytest.raises(Fault, match="No run is called \\.\\./out"):
        delete("../out")
    submit("young", small())
    with pytest.raises(Fault, match="no network yet"):
        evaluate("young")


def test_measuring_waits_in_the_same_queue_and_names_the_same_pictures(runs: Path) -> None:
    list(open_run("done", replace(small(steps=1), many=2)).learn())
    assert (evaluate("done").evaluation, job("done").state) == ("waiting", "finished")
    words = command(Task(runs / "done", "evaluation"))
    given = vars(parser_of(words)[0].parse_args(words))
    assert (given["checkpoint"], given["images"], given["few"], given["many"]) == ("run/done", "shapes", 1, 2)
    assert given["out"] == str((runs / "done" / "evaluation.json").resolve())
    (runs / "done" / "evaluation.json").write_text("{}")
    with alone():
        Task(runs / "done", "evaluation").note(queued=None, begun=1.0)
    assert job("done").evaluation == "done"


def test_runs_from_a_shell_are_seen_too() -> None:
    run = open_run("shell", small(steps=3))
    for progress in run.learn():
        seen: Job = job("shell")
        assert (seen.state, seen.owner, seen.place) == ("running", "", None)
        assert seen.step == progress.step
    assert job("shell").state == "finished"


def test_listing_runs_needs_no_torch(runs: Path) -> None:
    submit("listed", small())
    code = (
        "import sys; from training.jobs import jobs; assert jobs()[0].name == 'listed' and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
