"""Meters in words: what is said for figures of healthy and of collapsed learning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training.curves import newest, oldest
from training.recipe import Recipe
from training.verdicts import ENOUGH, SOON, basis, recent, verdicts


def said(objective: str, figures: dict[str, float], *, first: dict[str, float] | None = None) -> list[tuple[str, str]]:
    early = [{"step": step, **figures, **(first or {})} for step in range(1, 30)]
    rows: list[dict[str, Any]] = [{"step": step, **figures} for step in range(181, 201)]
    return judged(objective, rows, early)


def judged(objective: str, rows: list[dict[str, Any]], first: list[dict[str, Any]]) -> list[tuple[str, str]]:
    recipe = Recipe(objective, settings={"batch": 32}).plain()
    return [(verdict.severity, str(verdict.sentence)) for verdict in verdicts(rows, recipe, first)]


DINO = {"teacher entropy / maximum": 0.6, "KL from mean": 0.8, "feature deviation": 0.7, "rank": 10.0}


@pytest.mark.parametrize(
    ("objective", "figures", "severity", "words"),
    [
        ("dino", DINO, "good", "the entropy of its answers is 60 %"),
        ("dino", DINO | {"teacher entropy / maximum": 0.99}, "bad", "Collapsing: teacher entropy at 99 %"),
        ("dino", DINO | {"KL from mean": 0.01}, "bad", "every picture gets the same answer, 0.01 nats"),
        ("dino", DINO | {"teacher entropy / maximum": 0.03, "KL from mean": 0.6}, "bad", "share 2.3 answers"),
        ("dino", DINO | {"feature deviation": 0.02}, "bad", "Features hardly differ"),
        ("dino", DINO | {"rank": 1.5}, "watch", "rank 1.5 of at most 32"),
        ("clip", {"diagonal accuracy": 0.04}, "watch", "Still on the plateau: 4 % of pairs found, chance is 3.1 %"),
        ("clip", {"diagonal accuracy": 0.5}, "good", "50 %, chance is 3.1 %"),
        ("clip", {"diagonal accuracy": 0.5, "temperature": 0.01}, "watch", "limit of 0.01"),
        ("simclr", {"partner found": 0.9}, "good", "chance is 1.6 %"),
        ("mae", {"error / nearest visible patch": 1.2}, "watch", "worse than by copying a neighbour: 120 %"),
        ("mae", {"error / nearest visible patch": 0.5}, "good", "better than by copying a neighbour: 50 %"),
        ("mae", {"gradient norm": 50.0}, "watch", "norm 50.0, allowed 1.0"),
    ],
)  # fmt: skip
def test_each_meter_has_its_words(objective: str, figures: dict[str, float], severity: str, words: str) -> None:
    found = said(objective, figures)
    assert [severity for severity, text in found if words in text] == [severity], found


def test_a_loss_that_grows_is_told_before_the_engine_stops() -> None:
    assert said("mae", {"loss": 2.0}, first={"loss": 1.0})[0] == (
        "bad", "The loss grows: 2.0, it began at 1.0; lower the learning rate."
    )  # fmt: skip
    assert said("mae", {"loss": 0.9}, first={"loss": 1.0}) == []


def test_the_worst_comes_first_and_early_steps_say_nothing() -> None:
    collapsed = DINO | {"KL from mean": 0.0, "rank": 1.0}
    assert [severity for severity, _ in said("dino", collapsed)] == ["bad", "watch"]
    assert judged("dino", [], []) == []


@pytest.mark.parametrize(
    ("objective", "figures", "told"),
    [
        ("dino", DINO, ["early", "early", "good"]),
        ("dino", DINO | {"KL from mean": 0.01}, ["early", "bad", "bad"]),
        ("clip", {"diagonal accuracy": 0.03}, ["early", "early", "watch"]),
        ("mae", {"error / nearest visible patch": 1.2, "gradient norm": 30.0}, ["early", "early", "watch"]),
    ],
)
def test_nothing_is_judged_until_there_is_enough(objective: str, figures: dict[str, float], told: list[str]) -> None:
    """Wrong if a teacher of ten steps were praised for being sharp, or a network scolded for standing where every one
    stands at first; a collapse is complete sooner."""
    found = []
    for steps in (SOON - 1, SOON, ENOUGH):
        rows = [{"step": step, **figures} for step in range(1, steps + 1)]
        found.append(judged(objective, rows, rows)[0])
    assert [severity for severity, _ in found] == told
    assert (
        found[0][1]
        == f"Too early to tell how it goes: after 100 steps there is enough to judge from, and this is step {SOON - 1}."
    )


def test_where_a_long_run_began_is_told_by_its_first_lines(tmp_path: Path) -> None:
    """Wrong if the oldest of the newest lines were called the beginning: of a long run they are its end."""
    lines = [json.dumps({"step": step, "loss": 1.0 if step < 30 else 3.0}) + "\n" for step in range(1, 5000)]
    (tmp_path / "metrics.jsonl").write_text("".join(lines))
    rows, first = newest(tmp_path), oldest(tmp_path)
    assert rows[0]["step"] > 1000
    assert [row["step"] for row in first[:3]] == [1, 2, 3]
    assert judged("mae", rows, first) == [("bad", "The loss grows: 3.0, it began at 1.0; lower the learning rate.")]
    assert str(basis(rows)) == "Means of steps 4980 to 4999."
    assert recent(rows) == {"step": 4989.5, "loss": 3.0}


def test_every_verdict_names_its_rule_and_source() -> None:
    rows = [{"step": step, **DINO, "feature deviation": 0.2} for step in range(200)]
    for verdict in verdicts(rows, Recipe("dino").plain(), rows):
        assert verdict.figure in DINO
        assert "arXiv" in verdict.source
