"""The networks that ship with Patchlight, each from its recorded recipe: `python -m training.build.bundle [NAME …]`.

Learns in pieces if need be (`--hours`), since every network is an ordinary run that resumes; a finished one is written
in half precision into the folder that `bundled/<name>` opens, with its card, and measured on pictures that nobody tuned
on (`training.build.measure`).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from typing import Any

from safetensors.torch import load_file

from models.card import Card
from models.card_catalogue import bundled_folder, runs_folder
from models.create import create
from models.faults import Fault
from models.pixels import Pixels
from models.weights import save
from training.build.measure import made_before, made_by, record, table
from training.recipe import Recipe
from training.run import Run, open_run


@dataclass(frozen=True)
class Bundled:
    """title, training: what its card says."""

    recipe: Recipe
    title: str
    training: str


def _recipe(objective: str, many: int, steps: int, batch: int = 64, patch: int = 8, **rest: Any) -> Recipe:
    settings = {
        "steps": steps, "batch": batch, "ema": 0.995, "keep_every": 100, "optimiser": "muon", "rate": 1.5e-3,
        **rest.pop("settings", {}),
    }  # fmt: skip
    return Recipe(
        objective, images="shapes", size="micro", side=96, patch=patch, many=many, options=rest, settings=settings
    )


BUNDLED = {
    "vit": Bundled(
        _recipe("supervised", 2, 1500, drop=0.5, flip=False, crop=0.6, hue=0.5),
        "ViT, supervised", "Learnt to name the largest of drawn shapes, with labels.",
    ),
    "swin": Bundled(
        _recipe("supervised", 2, 1000, patch=4, network="swin", flip=False, crop=0.6),
        "Swin, supervised", "Learnt to name the largest of drawn shapes, with labels.",
    ),
    "dino": Bundled(
        replace(
            _recipe(
                "dino", 1, 2000, local=2, drop=0.5, scores=32, hue=0.5, smallest=0.3, split=0.6,
                settings={"rate": 2e-3, "ema": 0.0},
            ),
            smallest_object=0.4,
        ),
        "DINO", "Learnt without labels from crops of drawn shapes.",
    ),
    "mae": Bundled(
        _recipe("mae", 3, 4000, decoder_width=96, crop=1, settings={"rate": 3e-3, "ema": 0.998}),
        "MAE", "Learnt without labels to rebuild hidden patches of drawn shapes.",
    ),
    "simmim": Bundled(
        _recipe("simmim", 3, 1500, patch=4, crop=1, settings={"rate": 2e-3}),
        "SimMIM", "Learnt without labels to rebuild hidden squares of drawn shapes.",
    ),
    "clip": Bundled(
        replace(_recipe("clip", 2, 2800, batch=96, text_depth=2, crop=1), alike=8),
        "CLIP", "Learnt to match drawn shapes and their English captions.",
    ),
    "siglip": Bundled(
        replace(_recipe("siglip", 2, 5000, batch=96, text_depth=2, crop=1), alike=8, smallest_object=0.35),
        "SigLIP", "Learnt to say which English caption belongs to which drawn shapes.",
    ),
    "clip-emoji": Bundled(
        replace(
            _recipe("clip", 1, 4200, batch=96, drop=0.5, text_depth=2),
            images="scenes", size="milli", smallest_object=0.55, synonyms=True,
        ),
        "CLIP on emoji", "Learnt to match emoji of five styles, over any background, and their English names.",
    ),
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m training.build.bundle", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which networks; all where none is named")
    parser.add_argument("--hours", type=float, default=0.0, help="stop each run after so much time; run again to go on")
    parser.add_argument("--take", action="store_true", help="also take a run that is not finished, as it stands")
    parser.add_argument("--measure", action="store_true", help="only measure again what is there, without learning")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(BUNDLED):
        parser.error(f"no such network: {', '.join(sorted(unknown))}; there are {', '.join(BUNDLED)}")
    for name in given.names or BUNDLED:
        if given.measure:
            record(name, BUNDLED[name].title, made_before(name))
            continue
        run = learnt(name, given.hours)
        if given.take or run.status["state"] == "finished":
            write(name, run)
            record(name, BUNDLED[name].title, made_by(run))
    table()
    return 0


def learnt(name: str, hours: float) -> Run:
    """The run of one network, learnt on from wherever it stands."""
    made = BUNDLED[name].recipe
    there = (runs_folder() / name / "settings.json").exists()
    run = open_run(name, budgets={"hours": hours}) if there else open_run(name, _limited(made, hours))
    if run.status["state"] != "finished":
        for progress in run.learn():
            if progress.step % 50 == 0:
                sys.stdout.write(f"{name}: step {progress.step} of {run.settings.steps}, loss {progress.loss:.4f}\n")
    return run


def write(name: str, run: Run) -> None:
    """The run's newest network in half precision, with its card."""
    if not (run.folder / "config.json").exists():
        raise Fault("The run {name} has no network yet; let it learn until its first checkpoint.", name=name)
    config, pixels = (json.loads((run.folder / file).read_text()) for file in ("config.json", "pixels.json"))
    network = create(config)
    network.load_state_dict(load_file(run.folder / "model.safetensors"))
    words = run.folder / "tokenizer.json"
    stated = json.loads((run.folder / "card.json").read_text())
    card = Card(
        f"bundled/{name}", BUNDLED[name].title, stated["family"], BUNDLED[name].training, licence="Apache-2.0",
        revision=f"step {run.status['step']}",
    )  # fmt: skip
    shapes: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in pixels.items()}
    text = words.read_text(encoding="utf-8") if words.exists() else None
    save(bundled_folder() / name, network, config, card, Pixels(**shapes), text, half=True)


def _limited(made: Recipe, hours: float) -> Recipe:
    return replace(made, settings={**made.settings, "hours": hours})


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fault as fault:
        sys.exit(f"bundle: {fault}")
