"""Whether a declaration is kept by everything that reads it."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest

from explorers.parameters import Parameters, checked, declarations, parameter, shown, within
from explorers.permalink import from_query, to_query
from models.faults import Fault


class Toy(Parameters):
    checkpoint: str = parameter(title="Network", longest=30)
    layer: int = parameter(-1, title="Layer", least=-1, most=11)
    side: int | None = parameter(None, title="Input size", unit="px", least=14)
    mass: float = parameter(0.6, title="Mass", least=0, most=1)
    gain: float = parameter(1.0, title="Gain")
    fusion: Literal["mean", "max"] = parameter("mean", title="Fusion", options={"mean": "Mean", "max": "Maximum"})
    own: bool = parameter(True, title="Own scale")
    prompts: list[str] = parameter([], title="Prompts", longest=3)


WRONG = [
    ({"layer": 12}, "layer was given 12; give a whole number from -1 to 11."),
    ({"layer": True}, "layer was given True; give a whole number from -1 to 11."),
    ({"layer": 3.0}, "layer was given 3.0; give a whole number from -1 to 11."),
    ({"layer": [3]}, "layer was given [3]; give a whole number from -1 to 11."),
    ({"layer": "3"}, "layer was given '3'; give a whole number from -1 to 11."),
    ({"layer": None}, "layer was given None; give a whole number from -1 to 11."),
    ({"layer": 10**5000}, "give a whole number from -1 to 11."),
    ({"side": 13}, "side was given 13; give a whole number of at least 14."),
    ({"mass": float("nan")}, "mass was given nan; give a number from 0 to 1."),
    ({"mass": True}, "mass was given True; give a number from 0 to 1."),
    ({"gain": float("inf")}, "gain was given inf; give a finite number."),
    ({"fusion": "min"}, "fusion was given 'min'; give one of: mean, max."),
    ({"fusion": ["mean"]}, "fusion was given ['mean']; give one of: mean, max."),
    ({"own": 1}, "own was given 1; give true or false."),
    ({"checkpoint": "x" * 31}, "give a text of at most 30 characters."),
    ({"prompts": ["a", 3]}, "prompts was given ['a', 3]; give a list of at most 3 values of its kind."),
    ({"prompts": ["a"] * 4}, "give a list of at most 3 values of its kind."),
    ({"prompts": "abc"}, "prompts was given 'abc'; give a list of at most 3 values of its kind."),
    ({"lyer": 3}, "'lyer' was given, but there is no such parameter; choose from checkpoint, layer,"),
]


@pytest.mark.parametrize(("values", "said"), WRONG, ids=[f"{i}" for i in range(len(WRONG))])
def test_what_is_not_declared_is_refused_in_one_sentence(values: dict[str, Any], said: str) -> None:
    with pytest.raises(Fault, match=re.escape(said)) as refused:
        checked(Toy, {"checkpoint": "a", **values})
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


def test_what_is_missing_is_named() -> None:
    with pytest.raises(Fault, match="checkpoint is missing"):
        checked(Toy, {})


def test_a_found_value_is_short_and_harmless_in_html() -> None:
    nasty = shown("<img src=x onerror=`alert(1)`>&" * 10_000 + "\u202e\n")
    assert not set(nasty) & set("<>&`\n\u202e")
    assert len(nasty) < 200
    assert shown("слой 3") == "'слой 3'"
    assert len(shown([["a" * 999] * 999] * 999)) < 200


def test_what_depends_on_the_network_is_checked_alike() -> None:
    assert within("head", 5, 0, 5) == 5
    for wrong in (6, -1, True):
        with pytest.raises(Fault, match="allow 0 to 5"):
            within("head", wrong, 0, 5)


def test_an_address_says_what_was_asked_and_nothing_else() -> None:
    asked = checked(
        Toy, {"checkpoint": "timm/a b&c", "layer": 3, "own": False, "mass": 0.25, "prompts": ["a cat", "é"]}
    )
    query = to_query(asked)
    assert query == {
        "checkpoint": "timm/a b&c", "layer": "3", "own": "false", "mass": "0.25", "prompts": ["a cat", "é"]
    }  # fmt: skip
    assert from_query(Toy, {**query, "__theme": "dark", "language": "ru"}) == asked
    assert to_query(checked(Toy, {"checkpoint": "a"})) == {"checkpoint": "a"}


@pytest.mark.parametrize("text", ["1e999", "nan", "-inf", "0x1", "1_000", "٣", "", " 1", "1" * 400])
def test_an_address_takes_plain_numbers_only(text: str) -> None:
    for name in ("layer", "gain"):
        with pytest.raises(Fault, match=f"The parameter {name} was given"):
            from_query(Toy, {"checkpoint": "a", name: text})


def test_controls_can_read_the_declaration() -> None:
    found = {one.name: one for one in declarations(Toy)}
    assert (found["layer"].kind, found["layer"].least, found["layer"].most) == ("whole number", -1, 11)
    assert (found["side"].optional, found["side"].unit, found["side"].default) == (True, "px", None)
    assert found["fusion"].options == {"mean": "Mean", "max": "Maximum"}
    assert (found["prompts"].many, found["prompts"].longest, found["checkpoint"].required) == (True, 3, True)


def test_a_kind_that_no_control_knows_cannot_be_declared() -> None:
    class Odd(Parameters):
        place: tuple[int, int] = parameter((0, 0), title="Place")

    with pytest.raises(TypeError, match="place"):
        declarations(Odd)
