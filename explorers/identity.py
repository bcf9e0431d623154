"""When two questions are the same question: the same picture, whatever its name, and the same weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

from models.card_catalogue import closed, is_open, runs_folder
from models.faults import Fault


def version(checkpoint: str) -> int:
    """When weights in a folder of this machine were last written, in ns; 0 for all others, which never change.

    Every cache has it in its key, so what is kept for one visitor opens for another only where loading would. Raises
    `Fault`.
    """
    if not is_open(checkpoint):
        raise closed(checkpoint)
    source, _, name = checkpoint.partition("?")[0].partition("/")
    if source not in ("run", "file"):
        return 0
    try:
        files = _files_of_run(name) if source == "run" else _files(Path(name))
        return max((file.stat().st_mtime_ns for file in files), default=0)
    except (OSError, ValueError):
        return 0  # there is no such file; loading says so


def _files(place: Path) -> list[Path]:
    return [place, *place.glob("*.safetensors")] if place.is_dir() else [place]


def _files_of_run(name: str) -> list[Path]:
    """Weights only: a folder in which a run lives changes every second, whether it has learnt or not."""
    run, _, step = name.partition("@")
    if not step:
        return [runs_folder() / run / "model.safetensors"]
    if not step.isdecimal():
        return []
    return [*(runs_folder() / run).glob(f"*/step-{step:0>8}/model.safetensors")]


def digest_of(file: Path) -> str:
    """sha256 of a file. Raises `Fault`."""
    found = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(2**20):
                found.update(chunk)
    except OSError as missing:
        raise Fault(
            "The picture {name} was asked for, but it cannot be opened; check that the file is there.", name=file.name
        ) from missing
    return found.hexdigest()
