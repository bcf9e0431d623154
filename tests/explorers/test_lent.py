"""Whether the passes run where a ZeroGPU Space lends its GPU: in a forked worker, through pickles, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from explorers import lent
from explorers.explorer import explorers

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = str(ROOT / "assets" / "pictures" / "coffee.jpg")

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

ASKED: dict[str, tuple[str, str | None, str, dict[str, Any]]] = {
    "a row": ("attention", PICTURE, "bundled/vit", {"layer": 1}),
    "a class": ("attention", PICTURE, "bundled/vit", {"view": "class", "target": 2}),
    "a text": ("attention", PICTURE, "bundled/clip", {"view": "class", "text": "a red circle"}),
    "hidden patches": ("reconstruct", PICTURE, "bundled/mae", {"seed": 3, "masks": 8, "patch": "1,1"}),
    "labels": ("zero_shot", PICTURE, "bundled/clip", {"labels": ["red square", "blue circle"], "patches": "gradient"}),
    "words": ("zero_shot", PICTURE, "bundled/siglip", {"labels": ["red square"], "words": True, "matrix": "drawn"}),
    "pictures found": ("retrieve", None, "bundled/clip", {"text": "a red circle", "gallery": "photographs", "k": 2}),
    "pictures like it": ("retrieve", PICTURE, "bundled/dino", {"by": "picture", "gallery": "photographs", "k": 2}),
    "a plane": (
        "embedding_map",
        None,
        "bundled/clip",
        {"gallery": "photographs", "texts": ["a cat", "a dog", "a cup"]},
    ),
}
"""(explorer, picture, network, parameters): one of each way to the accelerator."""

BORROWED = {
    "trace", "class_relevance", "reconstruct", "trace_masked", "_read", "image_features", "picture_vectors",
    "patch_map", "word_relevance",
}  # fmt: skip

SCRIPT = """
import json, os, sys
from explorers import lent, page
import numpy, torch
torch.set_num_threads(1)
import spaces
from explorers.explorer import explorers
from models.faults import Fault
by_name = {explorer.name: explorer for explorer in explorers()}
asked, folder = json.loads(sys.argv[1]), sys.argv[2]
for place, (name, picture, checkpoint, values) in enumerate(asked.values()):
    arrays = by_name[name].run(picture, checkpoint, **values).arrays
    numpy.savez(f"{folder}/{place}.npz", **arrays)
try:
    lent.word_relevance(by_name and __import__("models").load("bundled/clip"), "word " * 99, None)
except Fault as fault:
    facts = [fault.template, fault.facts]
apart = all(pid != os.getpid() for _, pid in spaces.CALLS)
print(json.dumps({"calls": sorted({name for name, _ in spaces.CALLS}), "apart": apart, "facts": facts}))
"""


def test_on_a_zero_gpu_space_passes_run_in_the_workers_that_it_lends(tmp_path: Path) -> None:
    (tmp_path / "spaces.py").write_text(SPACES)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "SPACES_ZERO_GPU": "true", "OMP_NUM_THREADS": "1"}
    environment["PATCHLIGHT_CACHE"] = str(tmp_path / "cache")
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, json.dumps(ASKED), str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout.strip().splitlines()[-1])
    assert set(told["calls"]) == BORROWED
    assert told["apart"], "a pass ran in the serving process, which has no GPU there"
    template, facts = told["facts"]
    assert "{found}" in template, "a fault of the worker comes as template and facts, to be said in any language"
    assert facts["found"] == 99
    known = {explorer.name: explorer for explorer in explorers()}
    for place, (what, (name, picture, checkpoint, asked)) in enumerate(ASKED.items()):
        there = np.load(tmp_path / f"{place}.npz")
        here = known[name].run(picture, checkpoint, **asked).arrays
        assert set(there) == set(here), what
        for array, values in here.items():
            np.testing.assert_allclose(there[array], values, rtol=1e-3, atol=1e-4, err_msg=f"{what}: {array}")


def test_elsewhere_nothing_is_lent() -> None:
    assert not lent.HERE
    assert lent.borrows(len) is len
