"""`bundled/<name>`: checkpoints that ship with Patchlight."""

from __future__ import annotations

from models.backbone import Parts
from models.card_catalogue import bundled_folder
from models.sources.folder import open_named
from models.sources.request import Request


def open_parts(name: str, request: Request) -> Parts:
    """The bundled checkpoint called `name`."""
    return open_named(bundled_folder(), name, request)
