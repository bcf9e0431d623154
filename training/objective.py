"""What every way of learning looks like from outside: `Objective`, and the `Method` by which its file is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from models.faults import Fault

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor, nn

    from models.pixels import Pixels
    from training.datasets import Batch, Dataset

Views: TypeAlias = "dict[str, Tensor]"
"""What one step reads: augmented, normalised pixels and whatever belongs to them, on the device."""

Figures: TypeAlias = "Mapping[str, Tensor]"
"""Named scalars that tell how learning goes, without gradient."""


@dataclass(frozen=True)
class Result:
    """What stays of a run: the network that the explorers read.

    network:   the module; what learns of it is part of `Objective.module`
    config:    what `models.create` builds the same module from
    family:    how it was trained, as people group it: "ViT", "Swin", "DINO" ...
    classes:   names of its classes, where it has a classification head
    still:     the network stays as it is and only a head beside it learns, so that one look on the way shows all of it
    """

    network: nn.Module
    config: dict[str, Any]
    pixels: Pixels
    family: str
    classes: tuple[str, ...] = ()
    tokenizer: Tokenizer | None = None
    still: bool = False


class Objective(Protocol):
    """Something to learn. Losses are means over pictures, so that equal shares of a batch may be averaged."""

    @property
    def module(self) -> nn.Module:
        """Everything with weights or state that a checkpoint must hold: backbone, heads, teacher, centre."""
        ...

    def views(self, batch: Batch) -> Views:
        """Augmented pictures of a batch, without gradient; random numbers come from torch's own generators."""
        ...

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        """A scalar, the mean over pictures, and named figures."""
        ...

    def after_step(self, progress: float) -> None:
        """Called after each update with the share of the steps that are done, in (0, 1]."""
        ...

    def result(self) -> Result:
        """The network to keep, with the head that was learnt where there is one."""
        ...


@runtime_checkable
class Shows(Protocol):
    """An objective that has something to draw of a batch, beside its figures."""

    def shows(self, views: Views) -> dict[str, Tensor]:
        """Named arrays of a whole batch of views, on this process alone; called without gradient, in eval mode."""
        ...


@runtime_checkable
class Judged(Protocol):
    """An objective whose answers can be told right from wrong on pictures that it never learns from."""

    def judge(self, batch: Batch) -> Figures:
        """`loss` and `accuracy`, means over a batch of whole pictures; called without gradient, in eval mode."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """An objective that need not see every picture anew at each step."""

    def remembered(self, images: Dataset) -> Dataset:
        """What it learns from instead of `images`, which it may be as well."""
        ...


@dataclass(frozen=True)
class Pace:
    """How fast some weights learn: `share` of the run's rate, and the decay of those that are matrices."""

    share: float
    decay: float


@runtime_checkable
class Paced(Protocol):
    """An objective some of whose weights learn at a pace of their own."""

    def paces(self) -> Mapping[str, Pace]:
        """By the beginning of their names in `module`."""
        ...


@dataclass(frozen=True)
class Plan:
    """What an objective is built from.

    size:     name of a size in `training.networks`
    side:     height and width of the pictures in pixels
    patch:    side of a patch in pixels
    options:  the method's own choices, an instance of `Method.options`
    classes:  names of the dataset's classes; may be empty
    words:    the tokenizer, for objectives that read captions
    """

    size: str
    side: int
    patch: int
    options: Any
    classes: tuple[str, ...] = ()
    words: Tokenizer | None = None


@dataclass(frozen=True)
class Method:
    """The one constant, `METHOD`, by which the room finds an objective's file.

    name:     what people call it in the shell
    title:    what it is called on the page
    about:    one sentence for `--help`
    options:  a frozen dataclass of the method's own choices
    builds:   makes the objective with fresh weights
    need:     what it cannot learn without
    idle:     choices of `Recipe` and `Settings` that do nothing here, so that nobody is asked for them
    whole:    its loss compares the pictures of a batch with one another, so that a batch cannot be passed in parts
    side:     of the pictures, by the method's own choices, where it learns from a network that is there already
    settings: defaults of `training.settings.Settings` that suit this method at teaching sizes
    """

    name: str
    title: str
    about: str
    options: type
    builds: Callable[[Plan], Objective]
    need: Literal["classes", "captions"] | None = None
    idle: tuple[str, ...] = ()
    whole: bool = False
    side: Callable[[Any], int] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def names() -> tuple[str, ...]:
    """Every file of `training/objectives/`, without importing any."""
    import training.objectives as room

    return tuple(sorted(entry.name for entry in pkgutil.iter_modules(room.__path__)))


def methods() -> tuple[Method, ...]:
    """The `METHOD` of every file of `training/objectives/`."""
    return tuple(importlib.import_module(f"training.objectives.{name}").METHOD for name in names())


def method(name: str) -> Method:
    """The method called `name`."""
    if name not in names():
        raise Fault(
            "No objective is called {name}; choose one of {names}.", name=name, names=", ".join(names())
        )  # fmt: skip
    return importlib.import_module(f"training.objectives.{name}").METHOD
