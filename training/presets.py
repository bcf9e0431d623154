"""Recipes to begin with: so much time as there is, the collapse lab, and CLIP's diagonal.

    for preset in presets(): preset.title, preset.recipe

Those that name a time end by the clock, on whatever machine (`Settings.minutes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from training.recipe import Recipe
from training.sentences import Sentence


@dataclass(frozen=True)
class Preset:
    """name: of the preset, unique
    group:   "time", "lab" (of collapse) or "diagonal" (of CLIP)
    gpu:     made for one; on a CPU it would take hours
    """

    name: str
    group: Literal["time", "lab", "diagonal"]
    title: Sentence
    about: Sentence
    recipe: Recipe
    gpu: bool = False


@dataclass(frozen=True)
class Pace:
    """How much fits a time: what is drawn, how large, and the engine's settings."""

    own: dict[str, Any]
    settings: dict[str, Any]
    gpu: bool = False


PACES = {
    "90s": Pace(
        {"size": "nano", "side": 32, "patch": 4, "many": 2},
        {"batch": 32, "minutes": 1.5, "keep_every": 100},
    ),
    "5m": Pace(
        {"size": "micro", "side": 64, "patch": 8, "many": 3},
        {"batch": 64, "minutes": 5.0, "keep_every": 100},
    ),
    "gpu": Pace(
        {"images": "scenes", "size": "small", "side": 96, "patch": 8, "many": 5},
        {"batch": 256, "minutes": 10.0, "keep_every": 500}, gpu=True,
    ),
}  # fmt: skip

TITLES = {
    "90s": "90 seconds: {objective}",
    "5m": "5 minutes: {objective}",
    "gpu": "10 minutes on a GPU: {objective}",
}

NAMES = {
    "supervised": "ViT", "dino": "DINO", "mae": "MAE", "simmim": "SimMIM", "simclr": "SimCLR", "clip": "CLIP",
    "siglip": "SigLIP",
}  # fmt: skip

OPTIONS: dict[str, dict[str, Any]] = {
    "supervised": {"flip": False, "crop": 0.6},
    "dino": {"scores": 512, "local": 2},
    "mae": {"decoder_width": 64, "crop": 1},
    "simmim": {"crop": 1},
    "simclr": {},
    "clip": {"text_width": 64, "text_depth": 2, "crop": 0.9},
    "siglip": {"text_depth": 2, "crop": 0.9},
}
"""By objective: what makes it learn from drawn pictures in minutes; all other choices are its own defaults."""

MUON: dict[str, dict[str, Any]] = {"supervised": {}, "clip": {}, "siglip": {}, "mae": {"rate": 3e-3}}
"""Objectives that Muon brings along faster, as measured on these pictures, and the rate that small networks bear.

MAE's error after 300 steps at 32 pixels, against the nearest visible patch: AdamW 0.84 on crops and 0.74 on whole
pictures, Muon 0.70, and 0.63 at twice the rate. SimMIM's is 0.58 with either.
"""

CLIPPED = {"clip": 10.0, "siglip": 2.0}
"""Largest norm of the gradient, where 1 would cut nearly every step tenfold however well it goes.

The norm is 10 to 50 in CLIP's first 300 steps on these pictures, 2 to 13 in SigLIP's. CLIP finds as many pairs cut at 1
as uncut: 66 and 66 %, with seed 1 53 and 59 %; SigLIP, uncut, leaves the plateau later.
"""

LAB: dict[str, dict[str, Any]] = {
    "each": {},
    "without centring": {"centring": "none"},
    "without sharpening": {"temperature": 0.1},
    "without EMA": {"average": False},
}
"""What is taken away from DINO. Without sharpening the teacher is as warm as the student, τ_t = τ_s = 0.1.

Seen with seed 0: with each, 169 answers at step 200. Without centring 3 answers are left at step 56, while the loss
has fallen from 4.5 to 0.5 and goes on falling. Without sharpening entropy is past 97 % at step 87; the loss, 5.45, is
within 3 % of where it began. Without EMA KL is 0.003 at step 40 and the loss 0.24, its best.
"""


def presets() -> tuple[Preset, ...]:
    """All of them, in the order in which they are offered."""
    return (diagonal(), *(_timed(pace, objective) for pace in PACES for objective in OPTIONS), *lab())


def preset(name: str) -> Preset:
    """The preset called `name`; raises `KeyError`."""
    return {entry.name: entry for entry in presets()}[name]


def diagonal() -> Preset:
    """Seen with seed 0, seconds of one core, means of 50 batches: 30 % of pairs after 3,200 pictures and 9 s, 41 %
    after 6,400 and 18 s, 52 % after 12,800 and 38 s, 55 % after 16,000 and 49 s."""
    return Preset(
        "clip-diagonal", "diagonal",
        Sentence("CLIP's diagonal: pairs find each other"),
        Sentence("One coloured shape a picture, its caption says which and where. Of 32 pairs chance finds one."),
        Recipe(
            "clip", images="shapes", size="nano", side=32, patch=4, few=1, many=1,
            options={"text_width": 64, "text_depth": 2, "joint": 64, "crop": 0.9},
            settings={
                "batch": 32, "steps": 2500, "rate": 3e-3, "optimiser": "muon", "clip": CLIPPED["clip"],
                "keep_every": 250,
            },
        ),
    )  # fmt: skip


def lab() -> tuple[Preset, ...]:
    """DINO with everything that keeps it from collapse, and with one of three taken away."""
    return tuple(
        Preset(f"lab {name}", "lab", *_told(name), Recipe(
            "dino", images="shapes", size="nano", side=32, patch=4, many=2,
            options={"scores": 256, "local": 2, "centring": "mean", **taken},
            settings={"batch": 32, "steps": 300, "keep_every": 100},
        ))
        for name, taken in LAB.items()
    )  # fmt: skip


def _told(name: str) -> tuple[Sentence, Sentence]:
    return {
        "each": (
            Sentence("Collapse lab: DINO with all three"),
            Sentence("Centring, sharpening and a slow teacher together: answers are sharp and pictures stay apart."),
        ),
        "without centring": (
            Sentence("Collapse lab: DINO without centring"),
            Sentence("A few answers win for all pictures: their number falls while the loss looks better than ever."),
        ),
        "without sharpening": (
            Sentence("Collapse lab: DINO without sharpening"),
            Sentence("The teacher is as warm as the student: its entropy rises to the maximum, the loss stands still."),
        ),
        "without EMA": (
            Sentence("Collapse lab: DINO without a slow teacher"),
            Sentence("The teacher is the student of the step before: it follows whatever the student does."),
        ),
    }[name]  # fmt: skip


def _timed(pace: str, objective: str) -> Preset:
    chosen = PACES[pace]
    own = {"images": "shapes", **chosen.own, **({"patch": 4} if objective == "simmim" else {})}
    settings = dict(chosen.settings) | ({"clip": CLIPPED[objective]} if objective in CLIPPED else {})
    if objective in MUON:
        settings |= {"optimiser": "muon"} | ({} if chosen.gpu else MUON[objective])
    return Preset(
        f"{pace} {objective}", "time", Sentence(TITLES[pace], {"objective": NAMES[objective]}),
        Sentence("It learns for so long by the clock, as many steps as this machine makes in it."),
        Recipe(objective, **own, options=OPTIONS[objective], settings=settings), chosen.gpu,
    )  # fmt: skip
