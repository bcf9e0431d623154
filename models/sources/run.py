"""`run/<name>` and `run/<name>@<step>`: checkpoints trained here, the newest one or one on the way to it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from models import weights
from models.backbone import Parts
from models.card_catalogue import known_runs, runs_folder
from models.sources.folder import open_named, read
from models.sources.request import Request


def open_parts(name: str, request: Request) -> Parts:
    """What the run called `name` has published, or its checkpoint or snapshot after `step` steps."""
    run, _, step = name.partition("@")
    known = [place.name for place in known_runs()]
    if run not in known or not (step or (runs_folder() / run / "config.json").exists()):
        return open_named(runs_folder(), run, request)
    if not step:
        return _live(runs_folder() / run, request)
    folder, place = runs_folder() / run, f"step-{step:0>8}"
    kept = folder / "snapshots" if (folder / "snapshots" / place / "config.json").exists() else folder / "checkpoints"
    parts = open_named(kept, place, request)
    return parts if request.random else _at(parts, run, step)


def _live(folder: Path, request: Request) -> Parts:
    """A run may write the next network at any moment, so what is read is a copy that nobody writes."""
    with TemporaryDirectory() as still:
        copy = Path(still) / folder.name
        copy.mkdir()
        for file in ("model.safetensors", "config.json", "card.json", "pixels.json", "tokenizer.json"):
            if (folder / file).is_file():
                shutil.copyfile(folder / file, copy / file)
        parts = read(copy, request)
        step = None if request.random else weights.metadata(copy / "model.safetensors").get("step")
    return parts if step is None else _at(parts, folder.name, step)


def _at(parts: Parts, run: str, step: str) -> Parts:
    """Every caption names run and step: the id alone would not say which weights of a live run were looked at."""
    return replace(parts, card=replace(parts.card, title=f"{run}@{int(step)}", revision=f"step {int(step)}"))
