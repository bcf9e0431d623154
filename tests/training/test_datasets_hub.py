"""A dataset of the hub by its name: a run learns from it over real HTTP, as a copy and as it comes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from tests.training.dataset_hub import serve_datasets

SMALL = ["--size", "nano", "--side", "32", "--steps", "3", "--batch", "8", "--device", "cpu", "--text-depth", "1"]


def png(number: int) -> bytes:
    kept = io.BytesIO()
    noise = np.random.default_rng(number).integers(0, 255, (20, 24, 3), np.uint8)
    Image.fromarray(noise).save(kept, "PNG")
    return kept.getvalue()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Forty pictures with captions in one parquet file, as the hub holds them; the fourth is broken."""
    root = tmp_path / "hub" / "datasets" / "someone" / "pets" / "main" / "data"
    root.mkdir(parents=True)
    kinds = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
    cells = [{"bytes": b"broken" if n == 3 else png(n), "path": None} for n in range(40)]
    made = datasets.Dataset.from_dict({"image": cells, "text": [f"noise {n}" for n in range(40)]}, features=kinds)
    made.to_parquet(root / "train-00000-of-00001.parquet")
    return tmp_path / "hub"


@pytest.mark.parametrize("streaming", ["--no-streaming", "--streaming"])
def test_a_run_learns_from_a_hub_dataset_by_its_name(repository: Path, tmp_path: Path, streaming: str) -> None:
    """A process of its own, since the libraries read the hub's address once, when they are imported."""
    with serve_datasets(repository) as hub:
        own = {
            "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home"), "HF_HUB_CACHE": str(tmp_path / "cache"),
            "PATCHLIGHT_RUNS": str(tmp_path / "runs"),
            "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1", "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        words = ["clip", "--images", "hub/someone/pets", "--run", "pets", streaming, *SMALL]
        done = subprocess.run(
            [sys.executable, "-m", "training", *words],
            env=os.environ | own,
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr
    assert "pets: finished at step 3" in done.stdout
    lines = (tmp_path / "runs" / "pets" / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert any("/datasets/someone/pets/resolve/" in asked for asked in hub.asked)
    assert "pictures skipped: 1" in done.stdout
