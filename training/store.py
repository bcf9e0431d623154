"""A run's checkpoints: complete or absent, at whatever moment the machine dies.

    checkpoints/step-00000500/   model.safetensors, config.json … as `models.weights` writes them,
                                 and state.safetensors, all that learning needs to go on
    checkpoints/manifest.json    {"checkpoints": [{"step", "files": {name: sha256}}, …]}, oldest first

A checkpoint is written beside, flushed, moved into place, and counts only once the manifest names it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from models.disk import flush, replace_file, taken
from models.faults import Fault
from models.weights import sha256, tensors
from training.room import full
from training.settings import Settings

STATE = "state.safetensors"


class Store:
    """The checkpoints of the run that lies in `folder`."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder / "checkpoints", settings
        self.run = folder

    def steps(self) -> tuple[int, ...]:
        """Steps of the checkpoints that the manifest names, oldest first."""
        return tuple(entry["step"] for entry in self._manifest())

    def place(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"

    def write(self, step: int, snapshot: Mapping[str, Tensor], network: Callable[[Path], None]) -> None:
        """One more checkpoint: `snapshot` as state, and whatever `network` writes into the folder it is given.

        What is not among the newest or the chosen is removed afterwards.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f".step-{step:08d}"
        shutil.rmtree(beside, ignore_errors=True)
        try:
            beside.mkdir()
            replace_file(
                beside / STATE, save({name: value.detach().cpu().contiguous() for name, value in snapshot.items()})
            )
            network(beside)
            self._within_budget()
            shutil.rmtree(self.place(step), ignore_errors=True)
            os.replace(beside, self.place(step))
            flush(self.folder)
            self._name(step)
        except OSError as wrong:
            raise full(wrong, self.run) from wrong
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def sweep(self) -> None:
        """Removes what a killed session left half-written; only for the one who learns in this folder."""
        for left in self.folder.glob(".*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()

    def publish(self, step: int) -> None:
        """The network of a checkpoint in the run's own folder, where `run/<name>` looks for it."""
        try:
            for path in sorted(self.place(step).iterdir(), key=lambda path: path.name == "config.json"):
                if path.name != STATE:
                    replace_file(self.run / path.name, path.read_bytes())
        except OSError as wrong:
            raise full(wrong, self.run) from wrong

    def newest(self) -> dict[str, Tensor] | None:
        """The state of the newest checkpoint whose bytes are those that were written; None where there is none."""
        for entry in reversed(self._manifest()):
            place = self.place(entry["step"])
            if all(
                (place / name).exists() and sha256(place / name) == digest for name, digest in entry["files"].items()
            ):
                return tensors(place / STATE)
        return None

    def _manifest(self) -> list[dict]:
        path = self.folder / "manifest.json"
        return json.loads(path.read_text())["checkpoints"] if path.exists() else []

    def _name(self, step: int) -> None:
        """The manifest with `step` in it and without what need not stay; then the folders that it no longer names."""
        files = {path.name: sha256(path) for path in sorted(self.place(step).iterdir())}
        entries = [entry for entry in self._manifest() if entry["step"] < step] + [{"step": step, "files": files}]
        newest = {entry["step"] for entry in entries[-self.settings.keep_last :]}
        entries = [entry for entry in entries if entry["step"] in newest | self.settings.chosen]
        content = json.dumps({"checkpoints": entries}, indent=1) + "\n"
        replace_file(self.folder / "manifest.json", content.encode())
        flush(self.folder)
        kept = {self.place(entry["step"]) for entry in entries}
        for folder in self.folder.glob("step-*"):
            if folder not in kept:
                shutil.rmtree(folder)

    def _within_budget(self) -> None:
        size = taken(self.run)
        if size <= self.settings.disk * 1e6:
            return
        facts = {"size": f"{size / 1e6:.1f}", "budget": self.settings.disk}
        if not self.steps():
            raise Fault(
                "The run's folder would take {size} MB, but {budget} MB were allowed, and there is no checkpoint yet; "
                "resume with a larger disk budget, and it begins anew.",
                **facts,
            )
        raise Fault(
            "The run's folder would take {size} MB, but {budget} MB were allowed; the last checkpoint is kept, resume "
            "with a larger disk budget.",
            **facts,
        )
