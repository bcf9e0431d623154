"""`run/<name>`: checkpoints trained here."""

from __future__ import annotations

from models.backbone import Parts
from models.catalogue import runs_folder
from models.sources.folder import open_named
from models.sources.request import Request


def open_parts(name: str, request: Request) -> Parts:
    """The latest checkpoint of the run called `name`."""
    return open_named(runs_folder(), name, request)
