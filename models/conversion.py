"""A training's checkpoint as safetensors: which networks lie in it, which one is taken, and nothing in it is run.

    python -m models convert checkpoint.pth [OUT.safetensors] [--take student]

DINO, DINOv2, MAE, MoCo v3, SimMIM, timm, OpenCLIP and lightly leave nested dictionaries, `teacher`, `student`, `model`,
`model_ema`, `state_dict`, beside optimisers, epochs and the arguments of their run. torch's restricted unpickler reads
them (`torch.load`, `weights_only=True`) with a short list of classes that only hold values; a checkpoint that names any
other is refused by that name. In the shell only: the page reads no pickles.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import pickle
import re
import struct
import types
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.faults import Fault, shortened
from models.layout import in_transformers, networks
from models.prefixes import fitting, in_order, plain_names

DEPTH = 4
"""Levels of dictionaries that are looked into; trainings nest two."""

_LISTED = 12


@dataclass(frozen=True)
class Conversion:
    """there:    what lies in the checkpoint, by its own names
    taken:    the network that was written, and how many tensors
    others:   the networks that `take` could have chosen
    out:      the file that was written
    """

    there: tuple[str, ...]
    taken: str
    tensors: int
    others: tuple[str, ...]
    out: Path


def convert(file: Path, out: Path | None = None, take: str | None = None) -> Conversion:
    """Write a network of the checkpoint `file` to `out`, or beside it. `take` is its name or a word of that; a teacher
    or an average of weights comes before the rest, a student last. Raises `Fault`, and then writes nothing."""
    target = out or file.with_suffix(".safetensors")
    if target.exists():
        raise Fault("{file} is there already; give another name, or move it away.", file=target)
    checkpoint = _loaded(file)
    there, states = _contents(checkpoint), dict(_states(checkpoint))
    found = _networks(states)
    taken = _taken(file, take, found, states, there)
    state = _dense(found.get(taken) or plain_names(states[taken]))
    part = target.with_name(f".{target.name}.part")
    save_file(state, part, {"converted from": file.name, "network": taken})
    os.replace(part, target)
    return Conversion(there, taken, len(state), tuple(name for name in found if name != taken), target)


class _Settings:
    """In the place of dictionaries of settings that other libraries subclass: an ordinary one."""

    def __new__(cls, *_: object) -> Any:
        return OrderedDict()


_SETTINGS = (
    "yacs.config.CfgNode", "easydict.EasyDict", "pytorch_lightning.utilities.parsing.AttributeDict",
    "lightning.pytorch.utilities.parsing.AttributeDict", "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
)  # fmt: skip

_NUMBER = np.float64(0).__reduce__()[0]
"""What numpy pickles a single number by."""

_HARMLESS: tuple[Any, ...] = (
    argparse.Namespace, types.SimpleNamespace, pathlib.PurePosixPath, np.dtype,
    *(type(np.dtype(kind)) for kind in ("float16", "float32", "float64", "int32", "int64", "bool")),
    *((_NUMBER, f"numpy.{module}.multiarray.scalar") for module in ("core", "_core")),
    *((pathlib.PurePosixPath, f"{module}.PosixPath") for module in ("pathlib", "pathlib._local")),
    *((_Settings, name) for name in _SETTINGS),
)  # fmt: skip
"""Classes beside torch's own that a checkpoint may name: they hold values and do nothing."""


def _loaded(file: Path) -> object:
    if not file.is_file():
        raise Fault("There is no file {path}; check the path.", path=file)
    try:
        with torch.serialization.safe_globals(list(_HARMLESS)), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of protocols that other versions of Python write
            return torch.load(file, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError,
        AssertionError, OSError, struct.error,
    ) as refused:  # fmt: skip
        raise _unread(file, str(refused)) from None


def _unread(file: Path, reason: str) -> Fault:
    named = re.search(r"GLOBAL (\S+)", reason)
    if named:
        return Fault(
            "{file} names {thing}, which is no plain weights and could run a program, so nothing of it was opened; "
            "where you trust it, load it there and save its state_dict() alone.",
            file=file.name, thing=shortened(named[1], 100),
        )  # fmt: skip
    if "TorchScript" in reason:
        return Fault(
            "{file} is a TorchScript archive, a program together with its weights, so nothing of it was opened; where "
            "you trust it, load it there and save its state_dict() alone.",
            file=file.name,
        )
    return Fault(
        "{file} is no checkpoint that torch's restricted reader understands ({reason}); fetch it again, or save its "
        "state_dict() with torch.save.",
        file=file.name, reason=shortened(reason.strip().partition("\n")[0], 200),
    )  # fmt: skip


def _states(content: object, path: str = "", depth: int = DEPTH) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Every dictionary that holds tensors under names, by the keys that lead to it."""
    if not isinstance(content, Mapping) or depth < 0:
        return
    state = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
    if state:
        yield path, state
    for name, value in content.items():
        if isinstance(name, str):
            yield from _states(value, f"{path}.{name}" if path else name, depth - 1)


def _networks(states: Mapping[str, dict[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
    """Networks that are known here by name, the one to take first; what lies beside one in its dictionary stays with
    it, but for the other networks."""
    found = {}
    for path, state in states.items():
        plain = plain_names(state)
        places = networks(plain) or (("",) if in_transformers(plain) else ())
        for place in places:
            others = tuple(other for other in places if other and not place.startswith(other))
            name = ".".join(filter(None, (path, place.rstrip(".")))) or "weights"
            found[name] = (
                {key: value for key, value in plain.items() if not key.startswith(others)} if others else plain
            )
    return {name: found[name] for name in in_order(found)}


def _taken(
    file: Path, take: str | None, found: Mapping[str, Any], states: Mapping[str, Any], there: tuple[str, ...]
) -> str:
    if take is None and found:
        return next(iter(found))
    chosen = [] if take is None else fitting(found, take) or [name for name in states if name == take]
    if len(chosen) == 1:
        return chosen[0]
    if take is None:
        raise Fault(
            "{file} holds no network that is known here; in it lie {there}. Choose what to write with --take and its "
            "name, or give another checkpoint.",
            file=file.name, there=", ".join(there) or "–",
        )  # fmt: skip
    raise Fault(
        "{take} was asked for, but {file} holds {known}; choose one of those.",
        take=take, file=file.name, known=", ".join(found) or ", ".join(there) or "–",
    )  # fmt: skip


def _dense(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each tensor by itself, as safetensors wants it. Raises `Fault` for those that it cannot hold."""
    odd = next((name for name, value in state.items() if value.layout != torch.strided or value.is_quantized), None)
    if odd is not None:
        raise Fault(
            "{name} is stored sparse or quantised, which safetensors does not hold; save the weights as ordinary "
            "tensors.",
            name=shortened(odd, 60),
        )
    return {name: value.detach().contiguous().clone() for name, value in state.items()}


def _contents(checkpoint: object) -> tuple[str, ...]:
    """What lies in a checkpoint: each dictionary of tensors with its first name, and what else there is."""
    states = dict(_states(checkpoint))
    told = [
        f"{path or 'weights'} ({len(state)}: {shortened(next(iter(state)), 40)}, …)" for path, state in states.items()
    ]
    if isinstance(checkpoint, Mapping):
        held = {path.partition(".")[0] for path in states}
        told += [str(shortened(name, 40)) for name in checkpoint if name not in held and "" not in states]
    elif not told:
        told.append(type(checkpoint).__name__)
    return (*told[:_LISTED], *(("…",) if len(told) > _LISTED else ()))
