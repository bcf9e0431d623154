"""The sentence for a value that its declaration does not allow, and how such a value is shown."""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING, Any

from models.faults import Fault

if TYPE_CHECKING:
    from explorers.parameters import Declared

_LONGEST_SHOWN = 40
_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = _LONGEST_SHOWN
_brief.maxlist = _brief.maxtuple = _brief.maxset = _brief.maxdict = 3
_brief.maxlevel = 2


def refused(declared: Declared, found: object) -> Fault:
    """For the value `found` of this parameter."""
    facts: dict[str, Any] = {"name": declared.name, "found": shown(found)}
    if declared.many:
        return Fault(
            "The parameter {name} was given {found}; give a list of at most {longest} values of its kind.",
            **facts, longest=declared.longest,
        )  # fmt: skip
    if declared.kind == "option":
        known = ", ".join(declared.options)
        return Fault("The parameter {name} was given {found}; give one of: {known}.", **facts, known=known)
    if declared.kind == "truth":
        return Fault("The parameter {name} was given {found}; give true or false.", **facts)
    if declared.kind == "text":
        return Fault(
            "The parameter {name} was given {found}; give a text of at most {longest} characters.",
            **facts, longest=declared.longest,
        )  # fmt: skip
    return _number_fault(declared, facts)


def _number_fault(declared: Declared, facts: dict[str, Any]) -> Fault:
    least, most = (None if bound is None else f"{bound:g}" for bound in (declared.least, declared.most))
    whole = declared.kind == "whole number"
    if least is not None and most is not None:
        if whole:
            return Fault(
                "The parameter {name} was given {found}; give a whole number from {least} to {most}.",
                **facts, least=least, most=most,
            )  # fmt: skip
        return Fault(
            "The parameter {name} was given {found}; give a number from {least} to {most}.",
            **facts, least=least, most=most,
        )  # fmt: skip
    if least is not None:
        if whole:
            return Fault(
                "The parameter {name} was given {found}; give a whole number of at least {least}.", **facts, least=least
            )
        return Fault("The parameter {name} was given {found}; give a number of at least {least}.", **facts, least=least)
    if whole:
        return Fault("The parameter {name} was given {found}; give a whole number.", **facts)
    return Fault("The parameter {name} was given {found}; give a finite number.", **facts)


def shown(value: object) -> str:
    """`value` as a person may safely see it: short, on one line, without a character that means something in HTML."""
    huge = isinstance(value, int) and value.bit_length() > 128
    text = f"{value:#x}"[:_LONGEST_SHOWN] + "..." if huge else _brief.repr(value)
    text = text if len(text) <= 2 * _LONGEST_SHOWN else text[: 2 * _LONGEST_SHOWN] + "..."
    return re.sub("[<>&`]", lambda found: f"\\x{ord(found[0]):02x}", text)
