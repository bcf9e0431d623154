"""Runs, sentences and curves in the plain values that the page's scripts take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorers.delivery import plain

if TYPE_CHECKING:
    from training.curves import Curves
    from training.jobs import Job
    from training.sentences import Sentence
    from training.verdicts import Verdict


def told(job: Job) -> dict[str, Any]:
    """A run as the page's scripts take it."""
    own = (
        "name", "state", "place", "held", "step", "steps", "share", "seen", "seconds", "eta",
        "speed", "memory", "spent", "evaluation",
    )  # fmt: skip
    return {
        **{name: getattr(job, name) for name in own},
        "recipe": dict(job.recipe),
        "kept": list(job.snapshots),
        "sentences": [spoken(said) for said in (job.sentence, job.unmeasured) if said is not None],
    }


def spoken(said: Sentence) -> dict[str, Any]:
    """A sentence as the page's scripts take it: they say it in the reader's language."""
    return {"template": said.template, "facts": {name: plain(fact) for name, fact in said.facts.items()}}


def verdict(said: Verdict) -> dict[str, Any]:
    return {**spoken(said.sentence), "severity": said.severity, "figure": said.figure, "source": said.source}


def axes(found: Curves) -> dict[str, Any]:
    """What `columns` are called, where to go on reading, and whether they begin at the run's first step."""
    return {"names": list(found.columns), "since": found.since, "whole": found.whole}


def columns(found: Curves) -> dict[str, np.ndarray]:
    """column.0 … in the order of their names: float32 (points,), NaN where a step has none."""
    return {f"column.{place}": np.array(values, np.float32) for place, values in enumerate(found.columns.values())}
