"""Parameters declared once, as one strict model, for controls, endpoint, shell and permalink alike.

    class Maps(Parameters):
        layer: int = parameter(-1, title="Layer", help="Counted from 0; -1 is the last.", least=-1, most=63)
        fusion: Literal["mean", "max", "min"] = parameter("mean", title="Fusion of heads")

    checked(Maps, {"layer": 3.5})        Fault: The parameter layer was given 3.5; give a whole number from -1 to 63.

Strict means: a number is never true or false, never text, never NaN or infinite; a single value is never a list; a name
that is not declared is refused. What depends on the network, such as its number of layers, is checked with `within`.
As text, in addresses and in the shell, parameters are read and written by `explorers/permalink.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from explorers.parameter_faults import refused, shown
from models.faults import Fault
from models.fit import Fit

__all__ = ["Declared", "Fit", "P", "Parameters", "checked", "declarations", "fitting", "parameter", "shown", "within"]

LONGEST_TEXT = 2000
"""Characters of one text where its declaration names no other limit."""

LONGEST_LIST = 65536
"""Values of one list where its declaration names no other limit."""


class Parameters(BaseModel):
    """Base of every explorer's parameters."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


P = TypeVar("P", bound=Parameters)
Kind = Literal["whole number", "number", "truth", "option", "text"]
_KINDS: dict[Any, Kind] = {int: "whole number", float: "number", bool: "truth", str: "text"}


def parameter(
    default: Any = ...,
    *,
    title: str,
    help: str = "",
    unit: str = "",
    least: float | None = None,
    most: float | None = None,
    step: float | None = None,
    longest: int | None = None,
    options: Mapping[str, str] | None = None,
) -> Any:
    """A field of a `Parameters` class; without `default` it must be given.

    title, help:  English, keys of the text catalogue
    unit:         "px", "%", "bits" ...
    least, most:  bounds of a number, inclusive
    step:         of a slider
    longest:      characters of a text, values of a list
    options:      value to English name, for a `Literal` whose values are not words for people
    """
    extra: dict[str, Any] = {"unit": unit, "step": step, "options": dict(options or {})}
    bounds: dict[str, Any] = {"ge": least, "le": most, "max_length": longest}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return Field(default, title=title, description=help, json_schema_extra=extra, **given)


FITS: Mapping[str, str] = {"whole": "Uncut", "crop": "Cropped", "trained": "As trained"}


def fitting(default: Fit = "whole") -> Any:
    """How the picture is fed: one declaration for every explorer that traces one."""
    return parameter(
        default, title="Fit", help="The whole picture, cut to shape, or fed as the network's authors do.", options=FITS
    )


@dataclass(frozen=True)
class Declared:
    """One parameter as it was declared: what a control, an argument or an address needs to know.

    least, most:  bounds of a number, inclusive
    longest:      characters of a text, values of a list
    options:      value to English name, for kind "option"
    many:         True for a list of `kind`
    optional:     True where None may be given
    """

    name: str
    kind: Kind
    default: Any
    title: str
    help: str
    unit: str
    least: float | None
    most: float | None
    step: float | None
    longest: int
    options: Mapping[str, str]
    many: bool
    optional: bool
    required: bool


def declarations(cls: type[Parameters]) -> tuple[Declared, ...]:
    """Every parameter of `cls`, in the order of its declaration."""
    return tuple(_declared(name, info) for name, info in cls.model_fields.items())


def checked(cls: type[P], values: Mapping[str, Any]) -> P:
    """`values` as `cls`, or a `Fault` that names the first wrong parameter, what was found and what is allowed."""
    known = {declared.name: declared for declared in declarations(cls)}
    for name in values:
        if name not in known:
            raise Fault(
                "The parameter {name} was given, but there is no such parameter; choose from {known}.",
                name=shown(name), known=", ".join(known),
            )  # fmt: skip
    for name, declared in known.items():
        if declared.required and name not in values:
            raise Fault("The parameter {name} is missing; give it together with the others.", name=name)
        if isinstance(values.get(name), (str, list)) and len(values[name]) > declared.longest:
            raise refused(declared, values[name])
    try:
        return cls(**values)
    except ValidationError as wrong:
        name = str(wrong.errors(include_url=False, include_context=False, include_input=False)[0]["loc"][0])
        raise refused(known[name], values[name]) from None


def within(name: str, value: int, least: int, most: int) -> int:
    """`value`, or a `Fault` where the network at hand has no such layer, head, patch ..."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Fault(
            "The parameter {name} was given {found}, but this network and picture allow {least} to {most}; "
            "choose one of those.",
            name=name, found=shown(value), least=least, most=most,
        )  # fmt: skip
    return value


def _declared(name: str, info: FieldInfo) -> Declared:
    annotation, optional = _without_none(info.annotation)
    many = get_origin(annotation) is list
    kind = get_args(annotation)[0] if many else annotation
    literal = get_origin(kind) is Literal
    if not literal and kind not in _KINDS:
        raise TypeError(f"{name}: {info.annotation} is not a kind of parameter that controls, endpoint and shell know")
    extra: dict[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    bound = {
        key: getattr(rule, key) for rule in info.metadata for key in ("ge", "le", "max_length") if hasattr(rule, key)
    }
    words = extra.get("options", {})
    return Declared(
        name=name, kind="option" if literal else _KINDS[kind], default=None if info.is_required() else info.default,
        title=info.title or name, help=info.description or "", unit=extra.get("unit", ""),
        least=bound.get("ge"), most=bound.get("le"), step=extra.get("step"),
        longest=bound.get("max_length", LONGEST_LIST if many else LONGEST_TEXT),
        options={value: words.get(value, value) for value in get_args(kind)},
        many=many, optional=optional, required=info.is_required(),
    )  # fmt: skip


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """`X | None` as (X, True), anything else as (itself, False)."""
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, False
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    return (kinds[0] if len(kinds) == 1 else annotation), len(kinds) < len(get_args(annotation))
