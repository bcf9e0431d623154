"""Watch a vision transformer learn: its loss, its health, and what it makes of the same pictures from its first step.

A run lives in a process of its own. Close this page and open it again: the run is still there.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.explorer import Explorer, Finding
from explorers.parameters import Parameters, parameter

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from explorers.frame import Frame


class Learning(Parameters):
    """Which run is watched, and how."""

    checkpoint: str = parameter(
        "", title="Network", help="A run as run/<name>; the newest run if it is none.", longest=400
    )
    run: str = parameter("", title="Run", help="Its name alone, for the page's address.", longest=100)
    beside: str = parameter("", title="Compare with", help="Names of further runs, separated by commas.", longest=600)
    frame: int = parameter(-1, title="Step", help="Of the pictures; -1 follows the newest.", least=-1)
    preset: str = parameter("90s mae", title="Preset", help="Of the form, where nothing in it was changed.", longest=60)
    recipe: str = parameter(
        "", title="Recipe", help="What the form asks for, as JSON, where it is no preset.", longest=4000
    )
    drawn: Literal["", "attention", "reconstruction", "similarity", "teacher", "positions", "views"] = parameter(
        "", title="Pictures", help="What is drawn of each snapshot; the objective's own if empty.",
        options={"": "the objective's own"},
    )  # fmt: skip
    over: Literal["step", "seen", "seconds"] = parameter(
        "step", title="Curves over", options={"step": "Steps", "seen": "Pictures", "seconds": "Seconds"}
    )
    smoothing: float = parameter(0.6, title="Smoothing", help="Of curves; 0 is none.", least=0, most=0.99, step=0.01)


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Learning) -> Finding:
    """Curves of a run, unsmoothed and thinned to at most 2,000 points:

    step, seen, seconds:  (points,) updates, pictures and seconds since the run began
    one array a figure:   (points,) under its own name, such as "loss"
    """
    from explorers.training_words import finding

    return finding(asked.run or asked.checkpoint.partition("run/")[2].partition("@")[0])


# -- build -------------------------------------------------------------------------------------------------------------


_looks = itertools.count()


def build(frame: Frame) -> None:
    """Form, curves and pictures, drawn by `assets/stage/training_run.js`, which asks `routes` for everything."""
    stage = frame.script("training_run", defaults=json.loads(Learning().model_dump_json()))

    def look(desk: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"made": {"alone": next(_looks)}, "of": desk}  # another value each time, or the page would not be told

    frame.looks("training_run", look, stage)


def routes() -> Sequence[BaseRoute]:
    from explorers import training_addresses

    return training_addresses.routes()


EXPLORER = Explorer("training_run", "Train", 90, Learning, explore, build, pictureless=True, routes=routes)
"""`/training_run`, `python -m explorers training_run`, the tab "Train"."""
