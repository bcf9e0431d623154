"""What the page's form is made of, and what it sends back: objectives, their settings, sizes, pictures, presets.

Everything is read from the declarations of `training`, so a new objective or setting appears by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from explorers.training_paper import MATTERS, PAPERS
from explorers.training_told import spoken
from models.faults import Fault

if TYPE_CHECKING:
    from training.datasets import Found
    from training.objective import Method
    from training.presets import Preset
    from training.recipe import Recipe


TITLES: Mapping[str, str] = {
    "accumulate": "Parts of a batch", "average": "Averaged teacher", "hue": "Turn of colours", "batch": "Batch", "bias":
    "First bias", "blocks_rate": "Blocks' rate, share", "blocks_decay": "Blocks' weight decay", "measure_every":
    "Steps a measurement",
    "captions": "Column of captions", "alike": "Pictures of like colours", "centring": "Centring",
    "checkpoint": "Network to probe", "clip": "Gradient clipping", "crop": "Smallest crop", "decay": "Weight decay",
    "decoder_depth": "Decoder blocks", "decoder_width": "Decoder channels", "device": "Device", "disk": "Disk, MB",
    "drop": "Dropped patches", "ema": "Averaged weights", "few": "Fewest objects", "final": "Final rate, share",
    "flip": "Mirroring", "frozen": "Frozen", "hours": "Hours at most", "joint": "Common space", "keep_every":
    "Steps a checkpoint", "keep_last": "Checkpoints kept", "keep_steps": "Steps kept for good", "language": "Language",
    "local": "Small crops", "many": "Most objects", "minutes": "Minutes by the clock", "mixup": "Mixup α",
    "momentum": "Teacher's momentum",
    "network": "Architecture", "normalised": "Normalised targets", "optimiser": "Optimiser", "patch": "Patch, px",
    "precision": "Precision", "projection": "Projection", "rate": "Learning rate", "ratio": "Hidden share",
    "scale": "First scale", "scores": "Scores K", "seed": "Seed", "side": "Picture side, px",
    "smallest": "Smallest small crop", "smallest_object": "Smallest object", "smoothing": "Label smoothing", "split":
    "Small and large crops",
    "steps": "Steps", "streaming": "Streaming", "synonyms": "Synonyms", "temperature": "Temperature τ",
    "text_depth": "Text blocks", "text_width": "Text channels", "unit": "Hidden square, px", "warmup": "Warm-up, share",
    "watch": "Snapshots for watching", "images": "Pictures", "size": "Network", "objective": "Objective",
}  # fmt: skip
"""What the form and comparisons call each setting; one without a title keeps its own name."""


def declared() -> dict[str, Any]:
    """For the page: everything that can be chosen, with defaults, bounds, meaning and the papers' values."""
    import torch

    from explorers.safety import LARGEST_UPLOAD
    from training import estimate, limits, presets

    return {
        **_everything(),
        "free": estimate.FREE,
        "upload": LARGEST_UPLOAD,
        "presets": [_preset(preset) for preset in presets.presets()],
        "gpu": torch.cuda.is_available(),
        "limits": dataclasses.asdict(limits.limits()),
    }


@cache
def _everything() -> dict[str, Any]:
    from models.families import families

    families()  # imports transformers, which objectives do too, where no other thread does so meanwhile
    from training.datasets import found
    from training.networks import SIZES
    from training.objective import methods
    from training.recipe import CHOICES
    from training.settings import Settings

    sets = {one.name: one for one in found()}
    return {
        "objectives": [_method(method) for method in methods()],
        "recipe": _choices(CHOICES),
        "settings": _choices(dataclasses.fields(Settings)),
        "sizes": {name: dataclasses.asdict(size) for name, size in SIZES.items()},
        "datasets": [{"name": one.name, "about": one.about, "reads": one.reads} for one in sets.values() if one.named],
        "reads": _reads(sets.values()),
    }


def _reads(sets: Iterable[Found]) -> dict[str, list[str]]:
    """Settings that pictures from elsewhere heed, by the way they come, and all that any set heeds."""
    own = {one.name: one.reads for one in sets}
    return {
        "zip": [*own["a folder"]], "path": [*own["a folder"], *own["a table"]], "hub": [*own["hub/<owner>/<name>"]],
        "all": sorted({name for names in own.values() for name in names}),
    }  # fmt: skip


def _preset(preset: Preset) -> dict[str, Any]:
    return {
        "name": preset.name, "group": preset.group, "title": spoken(preset.title), "about": spoken(preset.about),
        "recipe": preset.recipe.plain(), "gpu": preset.gpu,
    }  # fmt: skip


def _method(method: Method) -> dict[str, Any]:
    return {
        "name": method.name, "title": method.title, "about": method.about, "need": method.need, "idle": method.idle,
        "given": method.side is not None,
        "options": _choices(dataclasses.fields(method.options)), "settings": dict(method.settings),
        "matters": MATTERS.get(method.name, ("rate",)),
        "papers": {name: dataclasses.asdict(paper) for name, paper in PAPERS.get(method.name, {}).items()},
    }  # fmt: skip


def _choices(fields: Iterable[dataclasses.Field]) -> list[dict[str, Any]]:
    return [
        {
            "name": field.name, "title": TITLES.get(field.name, field.name),
            "default": field.default, "kind": type(field.default).__name__,
            **field.metadata,
        }
        for field in fields
    ]  # fmt: skip


# -- what comes back ---------------------------------------------------------------------------------------------------


def asked(values: object) -> Recipe:
    """The recipe that the form sent, checked by the declarations and by this host's limits. Raises `Fault`."""
    from training.limits import limits, within
    from training.recipe import recipe

    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise Fault("A run was asked for without its settings; fill in the form again.")
    for name in ("options", "settings"):
        if not isinstance(values.get(name, {}), Mapping):
            raise Fault("A run was asked for with {name} that are no settings; fill in the form again.", name=name)
    return within(recipe(values), limits())
