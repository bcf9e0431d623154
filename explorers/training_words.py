"""A run in numbers and sentences, for the endpoint and the shell: what the tab draws, without the tab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorers.explorer import Finding, Sentence
from models.card_catalogue import runs_folder
from models.faults import Fault
from models.visitor import owns

if TYPE_CHECKING:
    from training.curves import Curves
    from training.jobs import Job

SENTENCES: Mapping[str, str] = {
    "run": "Run {name}: {objective}, a network of size {size}, pictures: {images}, {side} × {side} pixels.",
    "progress": "After {step} of {steps} steps and {seen} pictures the loss is {loss}; it began at {first}.",
    "timed": "After {step} steps and {seen} pictures the loss is {loss}; it began at {first}.",
    "nothing": "It has not learnt a step yet.",
}


def finding(name: str) -> Finding:
    """Curves of the run called `name`, or of the newest. Raises `Fault`."""
    from training import jobs, verdicts
    from training.curves import curves, newest, oldest

    known = [one for one in jobs.jobs() if owns(runs_folder() / one.name)]
    job = next((one for one in known if not name or one.name == name), None)
    if job is None:
        raise Fault("No run is called {name}; begin one on the page or with `python -m training`.", name=name or "–")
    found = curves(runs_folder() / job.name)
    rows = newest(runs_folder() / job.name)
    said = verdicts.verdicts(rows, job.recipe, oldest(runs_folder() / job.name))
    meters = [one.sentence for one in said]
    if any(one.severity != "early" for one in said):
        meters.insert(0, verdicts.basis(rows))
    whole = {name: np.array(values, np.float32) for name, values in found.columns.items()}
    facts = {"run": job.name, "state": job.state, "recipe": dict(job.recipe), "figures": rows[-1] if rows else {}}
    return Finding(whole, (*_caption(job, found), *(Sentence(said.template, said.facts) for said in meters)), facts)


def _caption(job: Job, found: Curves) -> tuple[Sentence, ...]:
    about = {name: job.recipe[name] for name in ("objective", "size", "images", "side")}
    first = Sentence(SENTENCES["run"], {"name": job.name, **about})
    if not len(found):
        return first, Sentence(SENTENCES["nothing"])
    loss = [value for value in found.columns["loss"] if value is not None]
    told = {
        "step": job.step,
        "steps": job.steps,
        "seen": job.seen,
        "loss": f"{loss[-1]:.4g}",
        "first": f"{loss[0]:.4g}",
    }
    return first, Sentence(SENTENCES["progress" if job.steps else "timed"], told)
