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
import re
import shlex
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
from models.faults import Fault, shortened
from models.pixels import Pixels

CONVERSION = "python -m models convert OLD.pth NEW.safetensors"
"""What turns a training's checkpoint into safetensors, in the shell and nowhere else; see `models.conversion`."""

_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_NAMED = 6
"""Names listed in one sentence; the rest are counted."""

_LONGEST_NAME = 60
"""Characters of a tensor's name in a sentence."""

MOST_TENSORS = 4096
"""More than three times what the largest published vision networks have, teacher and student in one file included;
what has more is refused before any of it is looked at."""

Shapes = Mapping[str, tuple[int, ...]]


def header(path: Path) -> dict[str, Tensor]:
    """Every tensor of the file as a meta tensor: name, shape and type without a byte of its values."""
    if not path.is_file():
        raise Fault("There is no file {path}; check the path.", path=path)
    _refuse_pickles(path)
    try:
        with safe_open(path, "pt") as file:
            names = file.keys()
            _require_few(path, len(names))
            entries = {name: file.get_slice(name) for name in names}
            kinds = {name: entry.get_dtype() for name, entry in entries.items()}
            _require_read(path, kinds)
            return {
                name: torch.empty(entry.get_shape(), dtype=_DTYPES[kinds[name]], device="meta")
                for name, entry in entries.items()
            }
    except (SafetensorError, OSError) as damage:
        raise _unopened(path, str(damage)) from damage


def _require_few(path: Path, count: int) -> None:
    if count > MOST_TENSORS:
        raise Fault(
            "{file} holds {count} tensors where at most {most} are looked at, more than any published vision network "
            "has; give the file of one network.",
            file=path.name, count=count, most=MOST_TENSORS,
        )  # fmt: skip


def _require_read(path: Path, kinds: Mapping[str, str]) -> None:
    unread = next((name for name, kind in kinds.items() if kind not in _DTYPES), None)
    if unread is not None:
        raise Fault(
            "{file} is whole, but {name} is stored as {kind}, which is not read here; export it as float32, float16 or "
            "bfloat16.",
            file=path.name, name=shortened(unread, _LONGEST_NAME), kind=kinds[unread],
        )  # fmt: skip


def _unopened(path: Path, reason: str) -> Fault:
    """Damage, or a type of numbers that the library of safetensors on this machine has never heard of."""
    unknown = _UNKNOWN.search(reason)
    if unknown:
        return Fault(
            "{file} stores tensors as {kind}, a type that the safetensors library here does not know; update the "
            "library, or export the file as float32.",
            file=path.name, kind=shortened(unknown[1], _LONGEST_NAME),
        )  # fmt: skip
    return Fault(
        "{file} is not a whole safetensors file ({reason}); fetch or export it again.",
        file=path.name, reason=shortened(reason, 200),
    )  # fmt: skip


_UNKNOWN = re.compile(r"unknown variant `([^`]*)`")


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
            file=path.name, names=listed(broken),
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
        file=file, missing=listed(missing), extra=listed(extra), shapes=listed(shapes),
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
                "{file} is a pickle, which can run any program when it is opened, so it was not; turn it into "
                "safetensors in the shell, with {command}, and give that file.",
                file=path.name, command=f"python -m models convert {shlex.quote(path.name)}",
            )  # fmt: skip


_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def listed(names: Iterable[str]) -> str:
    ordered = [str(shortened(name, _LONGEST_NAME)) for name in sorted(names)]
    shown = ", ".join(ordered[:_NAMED]) or "–"
    return f"{shown}, … ({len(ordered)})" if len(ordered) > _NAMED else shown
