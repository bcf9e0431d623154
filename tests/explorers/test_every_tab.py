"""What holds for whatever a tab of the page asks: passes inside the gate, and nothing kept that nobody counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from explorers import delivery, traces
from explorers.bundle import unpack
from explorers.explorer import Explorer, explorers
from explorers.frame import Desk
from explorers.mask_sources import FINDERS
from models.faults import Fault, Refusal

NETWORKS = ("bundled/vit", "bundled/swin", "bundled/mae", "bundled/clip")
"""Together they can do what any explorer needs."""

LITTLE = 64 * 2**10
"""Bytes that an offer may hold beside names."""


class Stages:
    """Stands where the page's frame does, and takes what each explorer draws from."""

    def __init__(self) -> None:
        self.pictures: dict[str, Callable[[Desk], Mapping[str, Any]]] = {}

    def stage(self, name: str, parameters: Any, picture: Callable[[Desk], Mapping[str, Any]]) -> None:
        self.pictures[name] = picture

    def looks(self, *_: Any, **__: Any) -> None: ...

    def script(self, *_: Any, **__: Any) -> None: ...


def pictures() -> dict[str, Callable[[Desk], Mapping[str, Any]]]:
    stages = Stages()
    for explorer in explorers():
        if explorer.name != "training_run":
            explorer.build(stages)  # pyright: ignore[reportArgumentType]
    return stages.pictures


def opened(name: str, checkpoint: str) -> dict[str, delivery.Goods]:
    """What a tab that came to the front has put on the shelf."""
    before = set(delivery._shelf)
    try:
        made = pictures()[name](Desk(tab=name, picture="coffee", checkpoint=checkpoint))
    except Refusal:
        return {}
    bundle = delivery._shelf[str(made["maps"]).rpartition("/")[2]].data
    assert isinstance(bundle, bytes)
    unpack(bundle)
    return {name: goods for name, goods in delivery._shelf.items() if name not in before}


CASES = [
    (explorer.name, network) for explorer in explorers() if explorer.name != "training_run" for network in NETWORKS
]


@pytest.fixture
def outside() -> Iterator[list[str]]:
    """Modules that ran while their thread did not hold the gate."""
    seen: list[str] = []

    def look(module: nn.Module, _: Any) -> None:
        if not traces.gate.held:
            seen.append(type(module).__name__)

    hook = nn.modules.module.register_module_forward_pre_hook(look)
    yield seen
    hook.remove()


@pytest.mark.parametrize(("name", "checkpoint"), CASES)
def test_a_tab_uses_the_accelerator_inside_the_gate_alone(name: str, checkpoint: str, outside: list[str]) -> None:
    """A pass beside the gate runs together with another visitor's: both may run out of memory. Networks are opened
    before, which tries one block of each on four tokens."""
    for network in (checkpoint, *FINDERS):
        traces.backbone(network)
    outside.clear()
    for goods in opened(name, checkpoint).values():
        if not isinstance(goods.data, bytes):
            try:
                goods.data({})
            except Fault:
                continue  # what this network cannot do, or what a question without words cannot ask
    assert outside == []


@pytest.mark.parametrize(("name", "checkpoint"), CASES)
def test_what_a_tab_offers_holds_names_alone(name: str, checkpoint: str) -> None:
    """An offer that holds a picture or a trace keeps it for as long as others have room, and nobody counts it."""
    held = {name: size for name, goods in opened(name, checkpoint).items() if (size := _held(goods.data)) > LITTLE}
    assert held == {}


def _held(thing: object, known: set[int] | None = None) -> int:
    """Bytes of arrays and pictures that a function reaches by what it closes over, was given, or belongs to."""
    known = set() if known is None else known
    if id(thing) in known or isinstance(thing, (type, bytes, str)):
        return 0
    known.add(id(thing))
    if isinstance(thing, (torch.Tensor, np.ndarray)):
        return thing.nbytes
    if isinstance(thing, Image.Image):
        return 3 * thing.width * thing.height
    return sum(_held(part, known) for part in _parts(thing))


def _parts(thing: object) -> Iterator[object]:
    if isinstance(thing, MethodType):
        yield thing.__self__
    elif isinstance(thing, partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, FunctionType):
        yield from (cell.cell_contents for cell in thing.__closure__ or ())
    elif isinstance(thing, Mapping):
        yield from thing.values()
    elif isinstance(thing, (list, tuple, set)):
        yield from thing
    elif type(thing).__module__.startswith(("explorers", "models")):
        yield from vars(thing).values() if hasattr(thing, "__dict__") else ()


def test_the_cases_are_all_tabs() -> None:
    assert {name for name, _ in CASES} == set(pictures()), "a tab that is not drawn from `picture` is walked nowhere"
    assert all(isinstance(explorer, Explorer) for explorer in explorers())
