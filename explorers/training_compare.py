"""Runs beside one another: which settings differ, and what each was measured to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorers.training_evaluation import evaluation
from explorers.training_form import TITLES
from explorers.training_owner import owned
from models.faults import Fault

MOST = 6
"""Runs at once; more colours could not be told apart."""


def compare(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings in which the runs differ, and their evaluations, figure by figure."""
    names = [name for name in str(values.get("runs", "")).split(",") if name]
    if not 1 <= len(names) <= MOST:
        raise Fault("{count} runs were to be compared; choose one to {most}.", count=len(names), most=MOST)
    jobs = [owned(name) for name in names]
    return {
        "runs": names,
        "settings": difference([flat(job.recipe) for job in jobs]),
        "evaluations": measured([evaluation(name) for name in names]),
    }


def flat(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """One level: an objective's options and the engine's settings beside the recipe's own."""
    own = {name: value for name, value in recipe.items() if name not in ("options", "settings")}
    return own | dict(recipe.get("options", {})) | dict(recipe.get("settings", {}))


def difference(recipes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Names whose values are not all the same, with each run's value; None where a run has no such setting."""
    names = list(dict.fromkeys(name for recipe in recipes for name in recipe))
    rows = [
        {"name": name, "title": TITLES.get(name, name), "values": [recipe.get(name) for recipe in recipes]}
        for name in names
    ]
    return [row for row in rows if any(value != row["values"][0] for value in row["values"])]


def measured(found: Sequence[Mapping[str, Any] | None]) -> list[dict[str, Any]]:
    """Figures by name, each with every run's value, interval and baseline; None where a run has it not."""
    tables = [{figure["name"]: figure for figure in (one or {}).get("figures", [])} for one in found]
    names = list(dict.fromkeys(name for table in tables for name in table))
    return [{"name": name, "values": [table.get(name) for table in tables]} for name in names]
