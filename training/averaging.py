"""Weights that follow other weights slowly: DINO's teacher, and the averaged network that a run saves."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def follower(module: M) -> M:
    """A copy of `module` that never learns by gradient."""
    return copy.deepcopy(module).requires_grad_(False)


@torch.no_grad()
def follow(target: nn.Module, source: nn.Module, momentum: float) -> None:
    """target ← momentum · target + (1 - momentum) · source for weights; buffers are copied."""
    old, new = list(target.parameters()), list(source.parameters())
    if old:
        torch._foreach_lerp_(cast("list[Tensor]", old), cast("list[Tensor]", new), 1 - momentum)
    for kept, fresh in zip(target.buffers(), source.buffers(), strict=True):
        kept.copy_(fresh)


@contextmanager
def averaged(module: nn.Module, snapshot: Mapping[str, Tensor]) -> Iterator[None]:
    """`module` with the averaged weights of a snapshot, `average/<name>`, where it has any, while it is looked at."""
    average = {name.removeprefix("average/"): value for name, value in snapshot.items() if name.startswith("average/")}
    if not average:
        yield
        return
    before = {name: value.clone() for name, value in module.state_dict().items()}
    module.load_state_dict(average)
    try:
        yield
    finally:
        module.load_state_dict(before)
