"""How does it learn?

    from training import Recipe, open_run
    for progress in open_run("first", Recipe("mae", images="shapes")).learn():
        ...                                     # stop with `break`; the run folder keeps everything

One objective is one file of `training/objectives/`, one dataset one file of `training/datasets/`; both are found by
themselves. Importing this package costs nothing: torch is imported when a name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.engine import Progress as Progress
    from training.engine import train as train
    from training.objective import Objective as Objective
    from training.objective import methods as methods
    from training.recipe import Recipe as Recipe
    from training.run import open_run as open_run
    from training.settings import Settings as Settings

_HOME = {
    "Objective": "objective", "Progress": "engine", "Recipe": "recipe", "Settings": "settings", "methods": "objective",
    "open_run": "run", "train": "engine",
}  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'training' has no attribute {name!r}")
    return getattr(importlib.import_module(f"training.{_HOME[name]}"), name)
