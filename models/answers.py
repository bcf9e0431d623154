"""What a reader says of a bare file in its id, where the weights do not tell: `file/PATH?heads=12&grid=8x32`.

No shape tells how many heads share a width, whether norms come before or after attention, which activation an MLP
computes, how a table of places is laid out. A wrong guess draws maps of a network that does not exist, so it is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from models.card import Note
from models.faults import Fault, Refusal

FORMS = {
    "heads": "heads=12", "grid": "grid=8x32", "norm": "norm=pre, norm=post",
    "act": "act=gelu, act=gelu_tanh, act=quick_gelu", "eps": "eps=1e-6", "take": "take=student",
    "architecture": "architecture=vit_small_patch16_dinov3",
}  # fmt: skip
"""How each answer is written."""

_RULES = {
    "heads": r"[1-9]\d{0,2}", "grid": r"[1-9]\d{0,3}x[1-9]\d{0,3}", "norm": "pre|post",
    "act": "gelu|gelu_tanh|quick_gelu", "eps": r"[1-9]e-\d{1,2}", "take": r"[\w.-]{1,100}",
    "architecture": r"[a-z0-9_.]{1,100}",
}  # fmt: skip

_QUERY = re.compile(r"\?(?=\w+=)")


@dataclass(frozen=True)
class Answers:
    """heads:         attention heads of every block
    grid:          (rows, columns) of the table of places
    norm:          layer norms "pre" (before attention and MLP, as ViT) or "post" (after them, inside the residual
                   branch, as SwinV2, arXiv 2111.09883, section 3.2)
    act:           activation of the MLPs
    eps:           ε of the layer norms
    take:          which of several networks in the file: a word of the prefix of its names
    architecture:  timm's name, which answers everything but the grid
    """

    heads: int | None = None
    grid: tuple[int, int] | None = None
    norm: str | None = None
    act: str | None = None
    eps: float | None = None
    take: str | None = None
    architecture: str | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in FORMS)

    def __str__(self) -> str:
        """As it stands in an id."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return "&".join(f"{name}={_written(value)}" for name, value in given.items() if value is not None)


@dataclass(frozen=True)
class Ask:
    """One question. choices: what may be answered, none for any; usual: the usual answer, with which a form begins."""

    name: str
    choices: tuple[str, ...] = ()
    usual: str = ""


NOTHING = Answers()


class Untold(Refusal):
    """A healthy file of which the weights do not tell enough; `asks` are what a form asks."""

    asks: tuple[Ask, ...] = ()


def split(id: str) -> tuple[str, Answers]:
    """An id or path and what is said after its question mark. Raises `Fault` for what is no answer."""
    found = _QUERY.search(id)
    return (id[: found.start()], answers(id[found.end() :])) if found else (id, NOTHING)


def answers(query: str) -> Answers:
    """`heads=12&grid=8x32` as `Answers`, strictly: known names, each once, in its one form. Raises `Fault`."""
    given: dict[str, Any] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name not in FORMS:
            raise Fault(
                "{name} was said of a file of weights, but what can be said is {known}; correct the id.",
                name=name, known=", ".join(FORMS),
            )  # fmt: skip
        if name in given or not re.fullmatch(_RULES[name], value, re.ASCII):
            raise Fault(
                "{part} was said of a file of weights, but each answer is given once and written as in {form}; correct "
                "the id.",
                part=part, form=FORMS[name],
            )  # fmt: skip
        given[name] = _read(name, value)
    return Answers(**given)


def unasked(id: str) -> Fault:
    """For answers about a network that its source describes."""
    return Fault(
        "{id} says what a network is, but this one is described by those who made it; take what follows the question "
        "mark out of the id.",
        id=id,
    )


def notes(said: Answers) -> tuple[Note, ...]:
    """The answers as sentences under every picture."""
    found = []
    if said.architecture:
        found.append(Note("Built as timm's {architecture}, as you said.", {"architecture": said.architecture}))
    if said.heads:
        found.append(Note("Heads: {heads}, as you said.", {"heads": said.heads}))
    if said.grid:
        rows, columns = said.grid
        found.append(Note("Grid of places: {rows} × {columns}, as you said.", {"rows": rows, "columns": columns}))
    if said.norm:
        found.append(
            Note("Norms stand before attention and MLP, as you said.")
            if said.norm == "pre"
            else Note("Norms stand after attention and MLP, as you said.")
        )
    if said.act:
        found.append(Note("Activation: {act}, as you said.", {"act": said.act}))
    if said.eps:
        found.append(Note("ε of the norms: {eps}, as you said.", {"eps": _written(said.eps)}))
    return tuple(found)


def _read(name: str, value: str) -> Any:
    if name == "grid":
        rows, columns = value.split("x")
        return int(rows), int(columns)
    return {"heads": int, "eps": float}.get(name, str)(value)


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return f"{value:.0e}".replace("e-0", "e-") if isinstance(value, float) else str(value)
