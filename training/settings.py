"""What a person may choose about learning: declared once, read by the shell, by settings.json and by the page.

A choice is a dataclass field made with `option`, which carries its sentence for `--help` and its range.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from models.faults import Fault

T = TypeVar("T")


def option(
    default: Any, help: str, *, least: float | None = None, most: float | None = None, choices: tuple[str, ...] = (),
    named: tuple[tuple[int, str], ...] = (), others: str = "", network: bool = False,
) -> Any:  # fmt: skip
    """A dataclass field with the sentence that explains it and what it may be; bounds are inclusive.

    named: numbers that mean something of their own, each with the words that a form shows in its place; others: what
    all other numbers are called there. network: whether it is the id of a network.
    """
    bounds = {"least": least, "most": most, "choices": choices, "named": named, "others": others, "network": network}
    return field(default=default, metadata={"help": help, **bounds})


@dataclass(frozen=True)
class Settings:
    """How the engine learns, whatever the objective."""

    steps: int = option(2000, "updates of the weights, where no minutes are given", least=1)
    minutes: float = option(
        0.0,
        "learn for so long by the clock: every schedule follows the share of it that is over; 0 counts steps",
        least=0,
    )
    batch: int = option(64, "pictures an update, over all processes and accumulated parts", least=2)
    accumulate: int = option(1, "parts in which each process passes its share of a batch", least=1)
    rate: float = option(1e-3, "learning rate at its peak", least=0)
    warmup: float = option(0.05, "share of the steps in which the rate rises from zero", least=0, most=1)
    final: float = option(0.01, "rate at the end, as a share of the peak", least=0, most=1)
    optimiser: str = option("adamw", "AdamW, or Muon for the blocks' matrices", choices=("adamw", "muon"))
    decay: float = option(0.05, "weight decay of matrices; vectors, tokens and tables have none", least=0)
    clip: float = option(1.0, "largest norm of the gradient; 0 leaves it as it is", least=0)
    ema: float = option(0.0, "momentum of averaged weights, which are then what is saved; 0 is off", least=0, most=1)
    precision: str = option(
        "auto", "numbers of the forward pass; auto: bf16, but fp32 on a CPU without instructions for it",
        choices=("auto", "bf16", "fp32"),
    )  # fmt: skip
    device: str = option("auto", "where to learn", choices=("auto", "cpu"))
    seed: int = option(0, "equal seeds give equal runs", least=0)
    keep_every: int = option(250, "steps between checkpoints", least=1)
    keep_last: int = option(2, "how many of the newest checkpoints stay", least=1)
    keep_steps: str = option("", "steps whose checkpoints stay for good, separated by commas")
    measure_every: int = option(
        100, "steps between two measurements of a classifier on the validation part; 0: never", least=0
    )
    hours: float = option(0.0, "stop after so much time, all sessions of a run together; 0 is no limit", least=0)
    watch: bool = option(True, "keep the network at steps 0, 1, 2, 3, 4, 6, 8, 11, 16 …, to be looked at and played")
    disk: float = option(2000.0, "megabytes that the run's folder may take", least=1)

    def reached(self, step: int, seconds: float) -> float:
        """How far a run is after so many updates and seconds of learning, in [0, steps]: what schedules go by, whether
        steps or minutes were given."""
        return self.steps * min(1.0, seconds / (60 * self.minutes)) if self.minutes else step

    @property
    def chosen(self) -> frozenset[int]:
        """Steps whose checkpoints are never removed."""
        parts = [part.strip() for part in self.keep_steps.split(",") if part.strip()]
        if not all(part.isdigit() for part in parts):
            raise Fault(
                "Steps to keep were given as {steps}, which are not whole numbers separated by commas; "
                "write for example 500,1000.",
                steps=self.keep_steps,
            )  # fmt: skip
        return frozenset(map(int, parts))


KINDS = {
    int: "The setting {name} was given as {value}, but it is a whole number; write one.",
    float: "The setting {name} was given as {value}, but it is a finite number; write one.",
    bool: "The setting {name} was given as {value}, but it is either on or off; say which.",
    str: "The setting {name} was given as {value}, but it is a word; write one.",
}


def checked(kind: type[T], values: Mapping[str, Any]) -> T:
    """An instance of the dataclass `kind` from plain values; an unknown name or a bad value is a `Fault`."""
    known = {choice.name: choice for choice in fields(kind)}  # pyright: ignore[reportArgumentType]
    hints = typing.get_type_hints(kind)
    for name, value in values.items():
        if name not in known:
            raise Fault(
                "A setting called {name} was given, but there are only {names}; use one of those.",
                name=name, names=", ".join(known),
            )  # fmt: skip
        _check(name, value, hints[name], known[name].metadata)
    return kind(**values)


def _check(name: str, value: Any, hint: type, bounds: Mapping[str, Any]) -> None:
    plain = type(value) is hint or (hint is float and type(value) is int)
    if not plain or (isinstance(value, float) and not math.isfinite(value)):
        raise Fault(KINDS[hint], name=name, value=value)
    least, most = bounds.get("least"), bounds.get("most")
    if (least is not None and value < least) or (most is not None and value > most):
        raise Fault(
            "The setting {name} was given as {value}, but it lies between {least} and {most}; choose one in between.",
            name=name, value=value, least=least, most="∞" if most is None else most,
        )  # fmt: skip
    if bounds.get("choices") and value not in bounds["choices"]:
        raise Fault(
            "The setting {name} was given as {value}, but it is one of {choices}; choose one of those.",
            name=name, value=value, choices=", ".join(bounds["choices"]),
        )  # fmt: skip
