"""Weights on the disk: safetensors only, looked at before anything is allocated, written so that a crash harms nothing.

A **checkpoint folder**, as `save` writes it, `run/<name>` and `bundled/<name>` open it and training fills it:

    config.json         the description that `models.create` takes: {"library": "timm", "name": ..., "options": {...}}
                        or {"library": "transformers", "class": ..., "config": {...}}, or one of them within
                        {"library": "probe", "network": ..., "features": ..., "classes": [...]}
    model.safetensors   the network's state dict under its own names, single or half precision
    card.json           {"title", "family", "training", "licence", "revision"}: strings of `models.card.Card`
    pixels.json         the fields of `models.pixels.Pixels`
    tokenizer.json      optional: a `tokenizers` file for the text tower, with padding and truncation set inside

Each file is complete or absent: written beside, flushed to the disk, then moved into place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor, nn

from models.card import Card
from models.disk import replace_file as replace_file
from models.faults import Fault
from models.pixels import Pixels

CONVERSION = (
    'python -c "from torch import load; import safetensors.torch as s; '
    "d = load('OLD.pth', map_location='cpu', weights_only=True); d = d.get('model', d.get('state_dict', d)); "
    "s.save_file({k: v.contiguous().clone() for k, v in d.items() if hasattr(v, 'dim')}, 'NEW.safetensors')\""
)
"""What turns a pickle into safetensors, to be run elsewhere by someone who trusts the file."""

_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_NAMED = 6
"""Names listed in one sentence; the rest are counted."""

Shapes = Mapping[str, tuple[int, ...]]


def header(path: Path) -> dict[str, Tensor]:
    """Every tensor of the file as a meta tensor: name, shape and type without a byte of its values."""
    if not path.is_file():
        raise Fault("There is no file {path}; check the path.", path=path)
    _refuse_pickles(path)
    try:
        with safe_open(path, "pt") as file:
            names = file.keys()
            entries = {name: file.get_slice(name) for name in names}
            return {
                name: torch.empty(entry.get_shape(), dtype=_DTYPES[entry.get_dtype()], device="meta")
                for name, entry in entries.items()
            }
    except (SafetensorError, OSError, KeyError) as damage:
        raise Fault(
            "{file} is not a whole safetensors file ({reason}); fetch or export it again.",
            file=path.name, reason=damage,
        ) from damage  # fmt: skip


def metadata(path: Path) -> dict[str, str]:
    """The free text in a safetensors header."""
    header(path)
    with safe_open(path, "pt") as file:
        return file.metadata() or {}


def tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of the file on the CPU, mapped from the disk; refused where a value is not finite."""
    header(path)
    with safe_open(path, "pt") as file:
        names = file.keys()
        loaded = {name: file.get_tensor(name) for name in names}
    broken = [name for name, value in loaded.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise Fault(
            "{file} holds values that are not finite numbers, in {names}; its training diverged or the file is "
            "damaged, so take an earlier checkpoint.",
            file=path.name, names=_listed(broken),
        )  # fmt: skip
    return loaded


def check(file: str, found: Mapping[str, Tensor], network: nn.Module) -> None:
    """Raise unless names and shapes are exactly those of `network`, which may be on the meta device."""
    wanted = network.state_dict()
    shapes = [name for name in wanted.keys() & found.keys() if wanted[name].shape != found[name].shape]
    if wanted.keys() != found.keys() or shapes:
        raise unfit(file, wanted.keys() - found.keys(), found.keys() - wanted.keys(), shapes)


class Unfit(Fault):
    """A whole file of weights, but of another network than the one it was read as."""


def unfit(file: str, missing: Iterable[str], extra: Iterable[str], shapes: Iterable[str]) -> Unfit:
    """The sentence for a file that is not this network's: which names are missing, extra, or of another shape."""
    return Unfit(
        "{file} does not fit this architecture: missing {missing}; not known to it {extra}; of another shape "
        "{shapes}. Take the file that belongs to it, or ask `python -m models doctor` what the file is.",
        file=file, missing=_listed(missing), extra=_listed(extra), shapes=_listed(shapes),
    )  # fmt: skip


def sha256(path: Path) -> str:
    """Of the file's bytes; a hub cache already names its large files so."""
    resolved = path.resolve()
    if len(resolved.name) == 64:
        return resolved.name
    digest = hashlib.sha256()
    with resolved.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def save(
    folder: Path,
    network: nn.Module,
    config: Mapping[str, Any],
    card: Card,
    pixels: Pixels,
    tokenizer: str | None = None,
    half: bool = False,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write a checkpoint folder. `tokenizer` is the text of a `tokenizers` file; `half` stores float16; `notes` are
    what `metadata` gives back."""
    state = {name: _stored(value, half) for name, value in network.state_dict().items()}
    kept = {name: getattr(card, name) for name in ("title", "family", "training", "licence", "revision")}
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / "model.safetensors", serialise(state, None if notes is None else dict(notes)))
    replace_file(folder / "pixels.json", _json(asdict(pixels)))
    replace_file(folder / "card.json", _json(kept))
    if tokenizer is not None:
        replace_file(folder / "tokenizer.json", tokenizer.encode())
    replace_file(folder / "config.json", _json(dict(config)))


def _stored(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu().contiguous().clone()
    return value.half() if half and value.is_floating_point() else value


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _refuse_pickles(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(4).startswith(_PICKLES):
            raise Fault(
                "{file} is a pickle, which can run any program when it is opened, so it was not; convert it where you "
                "trust it, with {command}, and give the .safetensors file.",
                file=path.name, command=CONVERSION,
            )  # fmt: skip


_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    shown = ", ".join(ordered[:_NAMED]) or "–"
    return f"{shown}, … ({len(ordered)})" if len(ordered) > _NAMED else shown
