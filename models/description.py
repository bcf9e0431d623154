"""What others wrote beside their weights: which file describes a network, and who wrote it.

| description             | weights, or else `<weights>.index.json` | writers                        |
|-------------------------|-----------------------------------------|--------------------------------|
| `config.json`           | `model.safetensors`                     | Patchlight, timm, transformers |
| `open_clip_config.json` | `open_clip_model.safetensors`           | OpenCLIP                       |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from models.faults import Fault

Writer = Literal["Patchlight", "timm", "transformers", "OpenCLIP"]

CONFIG, OPEN_CLIP = "config.json", "open_clip_config.json"
WEIGHTS = {CONFIG: "model.safetensors", OPEN_CLIP: "open_clip_model.safetensors"}
"""By the description's name: the weights that its writer puts beside it."""


@dataclass(frozen=True)
class Description:
    """file:    where it stands
    writer:  whose words it uses
    config:  what it says
    """

    file: Path
    writer: Writer
    config: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def weights(self) -> str:
        """The name under which its writer keeps the weights."""
        return WEIGHTS[self.file.name]


def descriptions(folder: Path) -> tuple[Description, ...]:
    """Those in `folder` that describe a network: a `config.json` of any other tool is none. Raises `Fault`."""
    found = (description(folder / name) for name in WEIGHTS if (folder / name).is_file())
    return tuple(each for each in found if each is not None)


def description(file: Path) -> Description | None:
    """The description in `file`, or None where what it says is of no network."""
    config = read_json(file)
    writer = _writer(file.name, config)
    return None if writer is None else Description(file, writer, config)


def read_json(file: Path) -> dict[str, Any]:
    """The JSON object in a file that others wrote, in any of Unicode's encodings, marked or not. Raises `Fault`."""
    try:
        said = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as damage:
        raise Fault(
            "{file} in {folder} is missing or damaged; fetch or export it again.",
            file=file.name, folder=file.parent.name,
        ) from damage  # fmt: skip
    if not isinstance(said, dict):
        raise Fault(
            "{file} in {folder} was read, but it holds a {kind} instead of named values; fetch or export it again.",
            file=file.name, folder=file.parent.name, kind=type(said).__name__,
        )  # fmt: skip
    return said


def _writer(name: str, config: Mapping[str, Any]) -> Writer | None:
    if name == OPEN_CLIP:
        return "OpenCLIP"
    if isinstance(config.get("library"), str) and ("name" in config or "class" in config):
        return "Patchlight"
    if isinstance(config.get("architecture"), str):
        return "timm"
    stated = config.get("model_type"), config.get("architectures")
    return "transformers" if isinstance(stated[0], str) or isinstance(stated[1], list) else None
