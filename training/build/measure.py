"""Figures of the networks that ship: measured on the test split, beside baselines and their random twins.

`figures.json` lies beside each network's weights with its recipe and what it cost; README.md of the folder is the table
of all of them.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from models.backbone import Backbone, ZeroShot
from models.card_catalogue import bundled_folder
from models.faults import Fault
from models.loading import RANDOM, load
from models.weights import replace_file
from training.datasets import Batch, Dataset, Source, open_dataset
from training.evaluate import classification, evaluate
from training.figures import Figure
from training.matching import zero_shot
from training.recipe import Recipe, recipe
from training.run import Run

PICTURES = 1000
"""Measured on so many pictures of the test split, with as many of the training split to learn a probe from."""

COST = ("pictures seen", "minutes", "threads", "hardware")
HELD = {"shapes": "combinations", "scenes": "styles"}
"""What the test split of a dataset has that no network was trained on."""


def made_by(run: Run) -> dict[str, Any]:
    """The recipe of a run and what it cost."""
    return {
        "pictures seen": run.status["seen"],
        "minutes": round(run.status["seconds"] / 60, 1),
        "threads": torch.get_num_threads(),
        "hardware": hardware(),
        "recipe": run.recipe.plain(),
    }


def made_before(name: str) -> dict[str, Any]:
    """The same of a network that lies in the folder already, from its figures."""
    file = bundled_folder() / name / "figures.json"
    if not file.exists():
        raise Fault("The network {name} was to be measured again, but it is not there; make it first.", name=name)
    told = json.loads(file.read_text(encoding="utf-8"))
    return {key: told[key] for key in (*COST, "recipe")}


def record(name: str, title: str, made: dict[str, Any]) -> None:
    """Writes figures.json of the network called `name`; `made` as `made_by` gives it."""
    backbone = load(f"bundled/{name}", device="cpu")
    twin = load(f"bundled/{name}{RANDOM}", device="cpu")
    learnt = recipe(made["recipe"])
    found = {
        "title": title,
        "images": learnt.images,
        **{key: made[key] for key in COST},
        "parameters": backbone.card.parameters,
        "recipe": made["recipe"],
        "figures": [dataclasses.asdict(figure) for figure in _figures(backbone, twin, learnt)],
    }
    content = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    replace_file(bundled_folder() / name / "figures.json", content.encode())


def _figures(backbone: Backbone, twin: Backbone, learnt: Recipe) -> Iterator[Figure]:
    learn, ask = (_opened(learnt, split) for split in ("train", "test"))
    yield from evaluate(backbone, learn, ask, PICTURES, untrained=twin)
    known, fresh = (learn.batch(0, seed=seed, count=PICTURES, device="cpu") for seed in (0, 1))
    plain = _seen(twin, known, fresh, learn.classes)
    for name, figure in _seen(backbone, known, fresh, learn.classes).items():
        yield replace(figure, name=f"{name}, {HELD[learnt.images]} seen", untrained=plain[name].value)


def _seen(backbone: Backbone, known: Batch, asked: Batch, classes: Sequence[str]) -> dict[str, Figure]:
    found = {figure.name: figure for figure in classification(backbone, known, asked)}
    if isinstance(backbone, ZeroShot):
        found |= {figure.name: figure for figure in zero_shot(backbone, asked, classes)}
    return found


def _opened(learnt: Recipe, split: Any) -> Dataset:
    objects = (learnt.few, learnt.many)
    return open_dataset(
        Source(learnt.images, side=learnt.side, split=split, objects=objects, smallest=learnt.smallest_object)
    )


def _drawn(learnt: Recipe) -> str:
    """Of what pictures: `shapes, 1–2 in each, their sides from 20 %`."""
    counts = str(learnt.few) if learnt.few == learnt.many else f"{learnt.few}–{learnt.many}"
    return f"{learnt.images}, {counts} in each, their sides from {100 * learnt.smallest_object:.0f} %"


def hardware() -> str:
    """The processor's name as the system tells it."""
    told = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.+)", told.read_text(encoding="utf-8")) if told.exists() else None
    return named[1].strip() if named else platform.processor() or platform.machine()


def table() -> None:
    """README.md of the folder, from the figures that lie beside the weights."""
    lines = [
        "# Networks that ship with Patchlight", "",
        "Trained by Patchlight itself on pictures that it draws (`training/datasets/`), 96 pixels wide; nobody's",
        "weights are in them. Apache-2.0, half precision. `make bundle` makes each again from the recipe in its",
        "`figures.json`, `make bundle ARGS=--measure` measures each again. Measured on the test split, which holds",
        "what no network was trained on: combinations of colour and shape, and for scenes the style emojione (95 %",
        "intervals). Among shapes a colour there speaks for the wrong shape, so k-NN and probes that learn from the",
        "training split may fall below one in eight; 'combinations seen' and 'styles seen' are fresh pictures of the",
        "training split. 'untrained' is the same architecture with random weights.", "",
        "| network | parameters | MB | learnt from, and measured on | pictures seen | minutes of wall time | on |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    found = {path.parent: json.loads(path.read_text()) for path in sorted(bundled_folder().glob("*/figures.json"))}
    for folder, facts in found.items():
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        drawn = _drawn(recipe(facts["recipe"]))
        lines.append(
            f"| {facts['title']} (`bundled/{folder.name}`) | {facts['parameters']:,} | {size:.1f} | {drawn} "
            f"| {facts['pictures seen']:,} | {facts['minutes']} | {facts['threads']} thread, {facts['hardware']} |"
        )
    lines += [
        "",
        "| network | figure | value | interval | untrained | baseline | of |",
        "|---|---|---|---|---|---|---|",
    ]
    for facts in found.values():
        for f in facts["figures"]:
            interval = f"{f['low']:.3f} to {f['high']:.3f}" if f["pictures"] else "–"
            untrained = "–" if f.get("untrained") is None else f"{f['untrained']:.3f}"
            lines.append(
                f"| {facts['title']} | {f['name']} | {f['value']:.3f} | {interval} | {untrained} "
                f"| {f['baseline']:.3f} | {f['against']} |"
            )
    if found:
        Path(bundled_folder() / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
