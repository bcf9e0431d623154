"""What a page may do to runs: estimate, begin, pause, resume, stop, delete, evaluate. Each is the visitor's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from explorers.call import current
from explorers.gate import Gate
from explorers.training_form import asked
from explorers.training_owner import own_name, owner
from models.faults import Fault

if TYPE_CHECKING:
    from training.recipe import Recipe

Values = Mapping[str, Any]

_measuring = Gate(longest=8, patience=240.0)
"""One estimate at a time: two side by side would measure each other."""

_asked_last: dict[object, object] = {}
"""The newest question of each form, while it is open."""

ACTS = ("pause", "resume", "stop", "delete", "evaluate")


def estimate(values: Values) -> dict[str, Any]:
    """Parameters, seconds a step, memory, steps and minutes of a recipe, from a few real steps in a process of its own.
    Nothing where nobody asks any more: the same form has asked anew, has begun a run, or its page has gone. What was
    being measured then ends at once, so that nobody waits behind it."""
    from training.child import Withdrawn
    from training.course import FEWEST
    from training.estimate import estimate
    from training.limits import limits, switched_on

    switched_on(limits())
    made = asked(values.get("recipe"))
    with _newest((owner(), values.get("form"))) as wanted, _measuring():
        try:
            found = estimate(made, wanted)
        except Withdrawn:
            return {}
    return {**dataclasses.asdict(found), "fewest": FEWEST}


@contextmanager
def _newest(form: tuple[str, object]) -> Iterator[Callable[[], bool]]:
    """Whether nothing newer was asked since by this form of this visitor, and its page is still there."""
    ticket, call = object(), current()
    key = form if isinstance(form[1], str) and form[1] else ticket
    _asked_last[key] = ticket
    try:
        yield lambda: _asked_last.get(key) is ticket and not call.gone()
    finally:
        if _asked_last.get(key) is ticket:
            del _asked_last[key]


def start(values: Values) -> dict[str, Any]:
    """Queue a new run; on a machine where nothing learns it begins within a second and measures itself: what its form
    has asked for is no longer estimated."""
    from training import jobs

    form = values.get("form")
    if isinstance(form, str):
        _asked_last.pop((owner(), form), None)
    wanted = values.get("name")
    if not isinstance(wanted, str) or len(wanted) > 80:
        raise Fault("A run was to be begun without a name; give a short one.")
    made = asked(values.get("recipe"))
    _open(made)
    return {"name": jobs.submit(wanted, made, owner(), free=True).name}


def _open(made: Recipe) -> None:
    """Raises `Fault` now where files of one's own are not there or do not suit, and not when its turn has come."""
    from training.recipe import dataset

    if "/" in made.images and not made.images.startswith("hub/"):
        dataset(made)


def act(values: Values) -> dict[str, Any]:
    """Pause, resume (with other limits, if need be), stop, delete or evaluate a run of one's own."""
    from training import jobs

    wanted = values.get("act")
    if wanted not in ACTS:
        raise Fault("Something was asked of a run that is none of {known}.", known=", ".join(ACTS))
    name = own_name(values.get("run"))
    if wanted == "resume":
        jobs.resume(name, _budgets(values.get("budgets")))
    else:
        done: Callable[[str], object] = getattr(jobs, wanted)
        done(name)
    return {"done": wanted}


def _budgets(given: object) -> dict[str, Any]:
    if given is None or (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        return dict(given or {})
    raise Fault("A run was to be resumed with limits that are none; use the page's own form.")
