"""What a run writes of the network that learns in it: for whoever opens it, and for whoever watches it learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.card import Card
from models.weights import save
from training import shown
from training.averaging import averaged
from training.datasets import Dataset
from training.engine import Progress
from training.objective import Objective, Shows
from training.recipe import Recipe
from training.snapshots import Snapshots

Snapshot = Mapping[str, Any]
"""What `Progress.snapshot` gives: the step, and the averaged weights as `average/<name>`."""


class Published:
    """The network of the run in `folder`, as the explorers open it."""

    def __init__(self, folder: Path, made: Recipe, objective: Objective) -> None:
        self.folder, self.recipe, self.objective = folder, made, objective

    def write(self, place: Path, snapshot: Snapshot) -> None:
        """A checkpoint folder at `place`."""
        result = self.objective.result()
        config = dict(result.config)
        if result.classes:
            config["classes"] = list(result.classes)
        words = None if result.tokenizer is None else result.tokenizer.to_str(pretty=False)
        card = Card(
            id=f"run/{self.folder.name}", title=self.folder.name, family=result.family, licence="Apache-2.0",
            training="Trained here by a recipe of one's own; see settings.json of the run.",
        )  # fmt: skip
        with averaged(self.objective.module, snapshot):
            save(place, result.network, config, card, result.pixels, words, notes={"step": str(int(snapshot["step"]))})

    def looks(self, images: Dataset, start: Snapshot | None) -> Callable[[Progress], None]:
        """What is written after a step for those who look on; the untrained network is written at once.

        start: what the run goes on from, None at its beginning
        """
        result = self.objective.result()
        if not self.recipe.engine.watch:
            return lambda progress: None
        snapshots = Snapshots(self.folder, self.recipe.engine.disk)
        snapshots.rewind(int(start["step"]) if start else -1)
        batch = shown.fixed(self.recipe, images)
        views = shown.views_of(self.objective, batch) if isinstance(self.objective, Shows) else {}

        def look(step: int, snapshot: Callable[[], Snapshot], last: bool = False) -> None:
            snapshots.look(
                step,
                lambda place: self.write(place, snapshot()),
                lambda place: shown.write_shown(place, self.objective, views),
                last,
            )

        if start is None:
            shown.write_views(self.folder, self.objective, batch, result.pixels)
            look(0, lambda: {"step": 0})
        if result.still:
            return lambda progress: None
        return lambda progress: look(progress.step, progress.snapshot, progress.share == 1)
