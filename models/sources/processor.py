"""How a checkpoint of transformers says that its pictures are fed, as its own image processor reads it.

What a processor does by default is taken from transformers; what is told and cannot be done here is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import AutoImageProcessor

from models.description import CONFIG, read_json
from models.faults import Fault
from models.feeding import Recipe, Size
from models.pixels import Interpolation

FILES = ("preprocessor_config.json", "processor_config.json")

PLAIN = ("Beit", "Bit", "CLIP", "ConvNext", "DeiT", "Siglip", "ViT")
"""Processors that resize bytes, cut out the middle and normalise."""

_UNLISTED = {
    "clip_vision_model": "CLIPImageProcessor", "dinov2_with_registers": "BitImageProcessor",
    "siglip_vision_model": "SiglipImageProcessor", "siglip2_vision_model": "Siglip2ImageProcessor",
}  # fmt: skip
"""What publishers of these networks state, and transformers does not know where nobody states it."""

_RESAMPLING: dict[int, Interpolation] = {
    0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming",
}  # fmt: skip


@dataclass(frozen=True)
class Fed:
    """mean, std: of each channel, for pictures in [0, 1]"""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: Interpolation
    recipe: Recipe


def fed(folder: Path, own: Size, patch: int) -> Fed:
    """What the files in `folder` say of a network trained at `own` (height, width) pixels. Raises `Fault`."""
    told = {name: read_json(folder / name) for name in (*FILES, CONFIG) if (folder / name).is_file()}
    if not told.keys() & {*FILES}:
        raise Fault(
            "{folder} has no preprocessor_config.json, so it is not known how the network is fed; put that file beside "
            "its config.json.",
            folder=folder.name,
        )
    try:
        stated = _processor(told)
    except (ValueError, OSError, TypeError, KeyError, AttributeError, ImportError) as damage:
        raise Fault(
            "transformers cannot read how the network in {folder} is fed ({reason}); correct its "
            "preprocessor_config.json.",
            folder=folder.name, reason=str(damage).partition("\n")[0][:200],
        ) from damage  # fmt: skip
    # a picture in [0, 1] is `factor` times too small for (rgb · factor − mean) / std
    factor = 255 * stated.rescale_factor if stated.do_rescale else 255.0
    mean, std = (stated.image_mean, stated.image_std) if stated.do_normalize else (0.0, 1.0)
    mean, std = (tuple(value / factor for value in _each(values)) for values in (mean, std))
    recipe = _recipe(stated, folder.name, own, patch)
    if not _states_size(told):
        recipe = replace(recipe, size=None)
    return Fed(mean, std, _RESAMPLING[int(stated.resample)], recipe)


def _processor(told: Mapping[str, dict[str, Any]]) -> Any:
    """transformers' own, from what was read: it would take the files in one encoding alone."""
    unlisted = _UNLISTED.get(str(told.get(CONFIG, {}).get("model_type")))
    with TemporaryDirectory() as folder:
        for name, said in told.items():
            usual = {"image_processor_type": unlisted} if unlisted and name != CONFIG else {}
            Path(folder, name).write_text(json.dumps({**usual, **said}), encoding="utf-8")
        return AutoImageProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _states_size(told: Mapping[str, dict[str, Any]]) -> bool:
    """Whether the files name a size: the default of transformers' class is of no network in particular."""
    stated = (told[name].get("image_processor", told[name]) for name in FILES if name in told)
    return any(key in each for each in stated for key in ("size", "max_num_patches"))


def _each(values: float | Iterable[float]) -> tuple[float, ...]:
    return tuple(values) if isinstance(values, Iterable) else (float(values),)


def _recipe(stated: Any, folder: str, own: Size, patch: int) -> Recipe:
    kind = type(stated).__name__.removesuffix("Fast").removesuffix("ImageProcessor")
    if kind == "Siglip2":
        return Recipe("patches", size=_of_patches(stated.max_num_patches, patch), by="bytes")
    if kind not in (*PLAIN, "DINOv3ViT"):
        raise _unknown(folder, type(stated).__name__)
    for step, wanted in (("do_resize", True), ("do_pad", False)):
        if bool(getattr(stated, step, None)) is not wanted:
            raise _unknown(folder, f"{step} = {not wanted}".lower())
    size, crop = dict(stated.size), dict(stated.crop_size or {}) if stated.do_center_crop else {}
    size, crop = ({side: length for side, length in sides.items() if length} for sides in (size, crop))
    by = "floats" if kind == "DINOv3ViT" else "bytes"
    cut = (crop["height"], crop["width"]) if {*crop} == {"height", "width"} else None
    if {*size} == {"shortest_edge"} and cut:
        return Recipe("shorter", min(cut) / size["shortest_edge"], _other(cut, own), by)
    if {*size} == {"height", "width"}:
        whole = size["height"], size["width"]
        cut = cut or whole
        if cut[0] * whole[1] == cut[1] * whole[0]:
            return Recipe("both", cut[0] / whole[0], _other(cut, own), by)
    raise _unknown(folder, f"size = {size}, crop_size = {crop}")


def _other(stated: Size, own: Size) -> Size | None:
    return None if stated == own else stated


def _of_patches(count: int, patch: int) -> Size:
    """(height, width) of exactly so many patches, as square as can be."""
    rows = next(rows for rows in range(isqrt(count), 0, -1) if count % rows == 0)
    return rows * patch, count // rows * patch


def _unknown(folder: str, what: str) -> Fault:
    return Fault(
        "{folder} says that its pictures are fed by {what}, which is not done here; export it with a plain image "
        "processor.",
        folder=folder, what=what,
    )  # fmt: skip
