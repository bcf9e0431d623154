"""README's command starts two processes that learn as one; a launch that would start one says so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = "--size nano --side 32 --patch 8 --steps 1 --batch 16 --no-watch --device cpu --precision fp32"
LAUNCHERS = {"torchrun": "torch.distributed.run", "accelerate launch": "accelerate.commands.launch", "python": ""}


def launched(line: str, run: str, runs: Path) -> subprocess.CompletedProcess[str]:
    """A line of a shell, by this Python and without what names a run."""
    told = {**os.environ, "PATCHLIGHT_RUNS": str(runs), "OMP_NUM_THREADS": "1"}
    start = next(name for name in LAUNCHERS if line.startswith(name))
    by = ["-m", LAUNCHERS[start]] if LAUNCHERS[start] else []
    port = ["--standalone"] if start == "torchrun" else []
    rest = re.sub(r"--run \S+", f"--run {run}", line.removeprefix(start)).split()
    words = [sys.executable, *by, *port, *rest, *SMALL.split()]
    return subprocess.run(words, env=told, capture_output=True, text=True, timeout=240)


def first_loss(run: Path) -> float:
    return json.loads((run / "metrics.jsonl").read_text().splitlines()[0])["loss"]


def test_the_readmes_command_runs_two_processes_on_one_batch(tmp_path: Path) -> None:
    """Two that knew nothing of each other would each begin with the loss of one process, to the last digit."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^(torchrun [^#\n]+)", readme, flags=re.MULTILINE)
    done = launched(line, "two", tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "processes: 2" in (tmp_path / "two" / "log.txt").read_text()
    assert json.loads((tmp_path / "two" / "status.json").read_text())["processes"] == 2
    assert done.stdout.count("look at it as run/two") == 1
    alone = launched("python -m training clip --images shapes --run one", "one", tmp_path)
    assert alone.returncode == 0, alone.stderr[-2000:]
    assert "processes: 1" in (tmp_path / "one" / "log.txt").read_text()
    one, two = first_loss(tmp_path / "one"), first_loss(tmp_path / "two")
    assert two == pytest.approx(one, abs=0.3)  # ln 16 and a little, both; ln 8 were each half by itself
    assert two != one


def test_accelerate_on_a_cpu_says_that_it_starts_one_process(tmp_path: Path) -> None:
    line = "accelerate launch --cpu --num_processes 2 -m training clip --images shapes --run three"
    done = launched(line, "three", tmp_path)
    assert "training: Several processes were asked of accelerate, but" in done.stderr
    assert "torchrun --nproc_per_node 2 -m -- training" in done.stderr
    assert not (tmp_path / "three").exists()
