"""Parameters as text: in the page's address, and wherever else texts come in.

Only what differs from its default is written, so that an address stays short and a better default reaches old links.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from explorers.parameters import Declared, P, Parameters, checked, declarations
from models.faults import Fault


def to_query(parameters: Parameters) -> dict[str, str | list[str]]:
    """The parameters that differ from their defaults, as texts for the page's address."""
    query: dict[str, str | list[str]] = {}
    for declared in declarations(type(parameters)):
        value = getattr(parameters, declared.name)
        if declared.required or value != declared.default:
            query[declared.name] = [written(item) for item in value] if isinstance(value, list) else written(value)
    return query


def from_query(cls: type[P], query: Mapping[str, str | Sequence[str]]) -> P:
    """Parameters out of an address. Names that `cls` does not declare are left alone: the address is shared with the
    page's own (tab, language) and with Gradio's. Raises `Fault` like `checked`."""
    return checked(cls, read(cls, query))


def heard(cls: type[P], query: Mapping[str, str | Sequence[str]]) -> tuple[P, dict[str, Fault]]:
    """As `from_query`, but a wrong value stays at its default, with its name and fault told; the others are kept."""
    values, wrong = read(cls, query), {}
    while True:
        try:
            return checked(cls, values), wrong
        except Fault as fault:
            name = str(fault.facts["name"])
            wrong[name] = fault
            del values[name]


def read(cls: type[Parameters], given: Mapping[str, Any]) -> dict[str, Any]:
    """Texts as values, by the declaration; what cannot be read stays text, for `checked` to refuse."""
    values = {}
    for declared in declarations(cls):
        if declared.name not in given:
            continue
        found = given[declared.name]
        single = isinstance(found, str)
        if declared.many:
            values[declared.name] = [_value(declared, text) for text in ([found] if single else found)]
        else:
            values[declared.name] = _value(declared, found) if single else found
    return values


def _value(declared: Declared, text: str) -> Any:
    if declared.optional and text == "":
        return None
    if declared.kind == "whole number" and re.fullmatch(r"[+-]?[0-9]{1,15}", text):
        return int(text)
    if declared.kind == "number" and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", text):
        return float(text)
    if declared.kind == "truth" and text in ("true", "false"):
        return text == "true"
    return text


def written(value: object) -> str:
    """A single value as `read` understands it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
