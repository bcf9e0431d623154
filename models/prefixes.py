"""Where in a file of weights do a network's names begin? Marks of a layout are searched for behind any prefix.

Trainings put what they like before an encoder's names (`module.base_encoder.`, `teacher.backbone.`, `visual.trunk.`),
and compilers and shardings put words between their parts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

V = TypeVar("V")

_WRAPPED = re.compile(r"\b(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")

_CHUNKED = re.compile(r"\bblocks\.\d+\.(?=\d+\.)")
"""DINOv2 trains in chunks of blocks, which are numbered through (facebookresearch/dinov2, vision_transformer.py)."""

_FIRST, _LAST = {"teacher", "target", "ema"}, {"student", "momentum", "predictor"}
"""Words of a prefix: authors evaluate the average of many steps; in MoCo and BYOL it only serves the training."""


def plain_name(name: str) -> str:
    """A tensor's name without what compilers, shardings and chunks put into it."""
    return _CHUNKED.sub("blocks.", _WRAPPED.sub("", name))


def plain_names(state: Mapping[str, V]) -> dict[str, V]:
    """`state` under plain names, or as it is where two would become one."""
    plain = {plain_name(name): value for name, value in state.items()}
    return plain if len(plain) == len(state) else dict(state)


def prefixes(names: Collection[str], marks: Sequence[str]) -> tuple[str, ...]:
    """Every prefix behind which all `marks` stand, the one to take first: a teacher before its student, then the
    shorter."""
    ends = (name for name in names if name == marks[0] or name.endswith("." + marks[0]))
    starts = (name[: -len(marks[0])] for name in ends)
    return tuple(in_order(start for start in starts if all(start + mark in names for mark in marks)))


def in_order(prefixes: Iterable[str]) -> list[str]:
    """Names of networks, the one to take first."""
    return sorted(prefixes, key=lambda prefix: (_rank(words(prefix)), len(prefix), prefix))


def fitting(names: Iterable[str], take: str) -> list[str]:
    """The network that is called `take`, else all that have it as a word or as a part between dots."""
    listed = [(name, name.rstrip(".")) for name in names]
    whole = [name for name, plain in listed if take == plain]
    return whole or [name for name, plain in listed if take in {*words(plain), *plain.split(".")}]


def words(prefix: str) -> set[str]:
    return set(re.split(r"[._/]", prefix)) - {""}


def _rank(said: set[str]) -> int:
    return 0 if said & _FIRST else 2 if said & _LAST else 1
