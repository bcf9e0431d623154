"""What the meters mean, in plain words: each rule with its threshold and where that comes from.

A rule looks at the means of the newest steps (`recent`, which the page shows as the figures' values too), so one odd
batch says nothing. Of a run that has just begun nothing is said; what goes wrong is told sooner than what goes well or
does not move yet, since everything looks so at first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from training.sentences import Sentence

Severity = Literal["good", "watch", "bad", "early"]

SOON = 40
"""Steps before a collapse is told: the fastest of the lab, without EMA, is complete then (`training.presets.LAB`)."""

ENOUGH = 100
"""Steps before anything else is said: rates have risen, and no preset has left chance sooner."""

FEW = 3.0
"""Answers for a whole batch of pictures that are too few to tell them apart."""

NEWEST = 20
"""Steps over which a figure's mean is taken, and at a run's beginning likewise."""


@dataclass(frozen=True)
class Verdict:
    """sentence: what is going on · figure: the meter that tells · source: where the threshold comes from"""

    severity: Severity
    sentence: Sentence
    figure: str = ""
    source: str = ""


@dataclass(frozen=True)
class Meters:
    """Means of the newest steps by name of figure, and what the thresholds depend on."""

    now: Mapping[str, float]
    first: Mapping[str, float]
    recipe: Mapping[str, Any]

    @property
    def batch(self) -> int:
        return int(self.recipe["settings"]["batch"]) // int(self.recipe["settings"].get("accumulate", 1))


Rule = Callable[[Meters], "Verdict | None"]


def verdicts(
    rows: Sequence[Mapping[str, Any]], recipe: Mapping[str, Any], first: Sequence[Mapping[str, Any]]
) -> tuple[Verdict, ...]:
    """What the newest lines of metrics.jsonl, and its first ones, say of a run by this recipe, the worst first; that it
    is too early, where there is not enough to tell."""
    if not rows:
        return ()
    steps = int(rows[-1]["step"])
    meters = Meters(recent(rows), _means(first[:NEWEST]), recipe)
    found = [verdict for rule in RULES if (verdict := rule(meters)) is not None]
    said = [verdict for verdict in found if steps >= (SOON if verdict.severity == "bad" else ENOUGH)]
    if not said and steps < ENOUGH:
        return (_early(steps),)
    return tuple(sorted(said, key=lambda verdict: ("bad", "watch", "good").index(verdict.severity)))


def _early(steps: int) -> Verdict:
    facts = {"steps": steps, "enough": ENOUGH}
    said = Sentence(
        "Too early to tell how it goes: after {enough} steps there is enough to judge from, and this is step {steps}.",
        facts,
    )
    return Verdict("early", said)


def recent(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Means of the figures over the newest steps, by name: what is judged."""
    return _means(rows[-NEWEST:])


def basis(rows: Sequence[Mapping[str, Any]]) -> Sentence:
    """From how much is judged."""
    newest = rows[-NEWEST:]
    return Sentence(
        "Means of steps {first} to {last}.", {"first": int(newest[0]["step"]), "last": int(newest[-1]["step"])}
    )


def teacher(meters: Meters) -> Verdict | None:
    """Both ways to collapse show in entropy and KL, not in the loss. Together they tell how many answers a batch uses:
    the entropy of the mean answer is the mean entropy and the mean KL from it."""
    figure, source = "teacher entropy / maximum", "Caron et al. 2021, arXiv 2104.14294, figure 7"
    entropy, apart = meters.now.get(figure), meters.now.get("KL from mean")
    if entropy is None or apart is None:
        return None
    share = {"share": round(100 * entropy)}
    if entropy > 0.97:
        said = Sentence("Collapsing: teacher entropy at {share} % of its maximum, no answer stands out.", share)
        return Verdict("bad", said, figure, source)
    if apart < 0.1:
        facts = {"apart": _short(apart, 2)}
        said = Sentence("Collapsing: every picture gets the same answer, {apart} nats from their mean.", facts)
        return Verdict("bad", said, "KL from mean", source)
    answers = math.exp(entropy * math.log(meters.recipe["options"]["scores"]) + apart)
    if answers < FEW:
        facts = {"answers": round(answers, 1)}
        said = Sentence("Collapsing: all pictures share {answers} answers, however low the loss.", facts)
        return Verdict("bad", said, "KL from mean", source)
    said = Sentence(
        "The teacher tells pictures apart, {apart} nats from their mean; the entropy of its answers is {share} % of "
        "its maximum.",
        {**share, "apart": _short(apart, 2)},
    )
    return Verdict("good", said, figure, source)


def deviation(meters: Meters) -> Verdict | None:
    """SimSiam, arXiv 2011.10566, section 4.1: 1 for isotropic unit features, 0 once all are one."""
    figure = "feature deviation"
    value = meters.now.get(figure)
    if value is None or value > 0.3 or meters.recipe["objective"] == "supervised":
        return None
    facts = {"value": round(value, 2)}
    severity: Severity = "bad" if value < 0.1 else "watch"
    said = Sentence("Features hardly differ between pictures: deviation {value}, 1 would be isotropic.", facts)
    return Verdict(severity, said, figure, "Chen and He 2021, arXiv 2011.10566, section 4.1")


def directions(meters: Meters) -> Verdict | None:
    """RankMe, arXiv 2210.02885: how many directions features use; a handful is dimensional collapse."""
    value = meters.now.get("rank")
    if value is None or value > 0.1 * meters.batch:
        return None
    facts = {"value": round(value, 1), "most": meters.batch}
    said = Sentence("Features use few directions: rank {value} of at most {most} in this batch.", facts)
    return Verdict("watch", said, "rank", "Garrido et al. 2023, arXiv 2210.02885, equation 1")


def pairs(meters: Meters) -> Verdict | None:
    """Against chance, 1/n: on the plateau at ln(n) contrastive learning begins, and there it often stays."""
    chances = {"diagonal accuracy": 1 / meters.batch, "partner found": 1 / (2 * meters.batch - 1)}
    figure = next((name for name in chances if name in meters.now), None)
    if figure is None:
        return None
    value, chance = meters.now[figure], chances[figure]
    facts = {"share": round(100 * value), "chance": round(100 * chance, 1)}
    source = "chance; the plateau: mlfoundations/open_clip, issue 17"
    if value < 2 * chance:
        said = Sentence("Still on the plateau: {share} % of pairs found, chance is {chance} %.", facts)
        return Verdict("watch", said, figure, source)
    said = Sentence("Pairs are found: {share} %, chance is {chance} %.", facts)
    return Verdict("good", said, figure, source)


def temperature(meters: Meters) -> Verdict | None:
    """CLIP, arXiv 2103.00020, section 2.5: the scale is held at 100, so the temperature stands still at 0.01."""
    value = meters.now.get("temperature")
    if value is None or value > 0.0102:
        return None
    said = Sentence("The temperature is at its limit of 0.01: the network would be surer than it may be.", {})
    return Verdict("watch", said, "temperature", "Radford et al. 2021, arXiv 2103.00020, section 2.5")


def hidden(meters: Meters) -> Verdict | None:
    """Beside what copying the nearest visible patch costs."""
    figure = "error / nearest visible patch"
    value = meters.now.get(figure)
    if value is None:
        return None
    facts, source = {"share": round(100 * value)}, "the trivial baseline: the nearest visible patch"
    if value >= 1:
        said = Sentence("Hidden patches are guessed worse than by copying a neighbour: {share} % of its error.", facts)
        return Verdict("watch", said, figure, source)
    said = Sentence("Hidden patches are guessed better than by copying a neighbour: {share} % of its error.", facts)
    return Verdict("good", said, figure, source)


def gradient(meters: Meters) -> Verdict | None:
    """Where every step is cut, the rate is what the cut says, not what was set."""
    value, limit = meters.now.get("gradient norm"), float(meters.recipe["settings"].get("clip", 0.0))
    if value is None or not limit or value < 10 * limit:
        return None
    facts = {"value": round(value, 1), "limit": limit}
    said = Sentence("Gradients are cut hard: norm {value}, allowed {limit}; the learning rate may be too high.", facts)
    return Verdict("watch", said, "gradient norm", "Pascanu et al. 2013, arXiv 1211.5063, section 3.2")


def growing(meters: Meters) -> Verdict | None:
    """Far above where it began; the engine stops at ten times."""
    now, first = meters.now.get("loss"), meters.first.get("loss")
    if now is None or first is None or now < 1.5 * max(abs(first), 0.1):
        return None
    facts = {"now": _short(now), "first": _short(first)}
    said = Sentence("The loss grows: {now}, it began at {first}; lower the learning rate.", facts)
    return Verdict("bad", said, "loss", "training.engine, which stops at ten times the first loss")


RULES: tuple[Rule, ...] = (teacher, deviation, directions, pairs, temperature, hidden, gradient, growing)


def _short(value: float, digits: int = 3) -> float:
    """With so many significant digits; a number still, which each language writes in its own way."""
    return float(f"{value:.{digits}g}")


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    found = {name: [row[name] for row in rows if row.get(name) is not None] for name in names}
    return {name: math.fsum(values) / len(values) for name, values in found.items() if values}
