"""`run/<name>` and `run/<name>@<step>`: checkpoints trained here, the chosen one or one on the way to it."""

from __future__ import annotations

from models.backbone import Parts
from models.catalogue import runs_folder
from models.sources.folder import open_named
from models.sources.request import Request


def open_parts(name: str, request: Request) -> Parts:
    """What the run called `name` has published, or its checkpoint after `step` steps."""
    run, _, step = name.partition("@")
    if not step:
        return open_named(runs_folder(), run, request)
    known = [place.name for place in runs_folder().iterdir()] if runs_folder().is_dir() else []
    steps = runs_folder() / run / "checkpoints" if run in known else runs_folder()
    return open_named(steps, f"step-{step:0>8}", request)
