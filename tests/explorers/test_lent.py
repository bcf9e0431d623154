"""Whether the passes run where a ZeroGPU Space lends its GPU: in a forked worker, through pickles, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from explorers import lent

ROOT = Path(__file__).resolve().parent.parent.parent

SPACES = '''
"""What `spaces` does to a function on ZeroGPU: each call runs in a forked process, its values travel as pickles."""
import functools, multiprocessing, os, pickle

CALLS = []


def GPU(function):
    @functools.wraps(function)
    def run(*values):
        assert "torch" in __import__("sys").modules
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()

        def work(values):
            theirs.send_bytes(pickle.dumps((os.getpid(), function(*pickle.loads(values)))))

        worker = context.Process(target=work, args=(pickle.dumps(values),))
        worker.start()
        pid, answer = pickle.loads(ours.recv_bytes())
        worker.join()
        CALLS.append((function.__name__, pid))
        return answer

    return run
'''

SCRIPT = """
import json, os, sys
from explorers import lent, page
import torch
torch.set_num_threads(1)
import spaces
from explorers.attention_map import attention
row = attention("assets/pictures/coffee.jpg", "bundled/vit", layer=1)
why = attention("assets/pictures/coffee.jpg", "bundled/vit", view="class", target=2)
told = {"calls": [name for name, _ in spaces.CALLS], "apart": all(pid != os.getpid() for _, pid in spaces.CALLS)}
print(json.dumps({**told, "row": row.arrays["map"].tolist(), "why": why.arrays["map"].tolist()}))
"""


def test_on_a_zero_gpu_space_passes_run_in_the_workers_that_it_lends(tmp_path: Path) -> None:
    import numpy as np

    from explorers.attention_map import attention

    (tmp_path / "spaces.py").write_text(SPACES)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "SPACES_ZERO_GPU": "true", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout.strip().splitlines()[-1])
    assert told["calls"] == ["trace", "class_relevance"]
    assert told["apart"], "a pass ran in the serving process, which has no GPU there"
    picture = ROOT / "assets" / "pictures" / "coffee.jpg"
    for name, asked in (("row", {"layer": 1}), ("why", {"view": "class", "target": 2})):
        here = attention(picture, "bundled/vit", **asked).arrays["map"]
        np.testing.assert_allclose(np.array(told[name]), here, rtol=1e-4, atol=1e-6)


def test_elsewhere_nothing_is_lent() -> None:
    assert not lent.HERE
    assert lent.gpu(len) is len
