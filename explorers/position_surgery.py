"""What does the network lose when patches are told other places?

Take positions away, shuffle, mirror or blur them, or swap two patches, and see attention, features and answers before
and after. One pass for one viewer: the network itself is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.explorer import Explorer, Finding
from explorers.parameters import Parameters, checked, parameter, shown, within
from explorers.surgery_words import SENTENCES, caption
from models.faults import Fault

if TYPE_CHECKING:
    from explorers.frame import Desk, Frame
    from explorers.traces import Traced
    from models.surgery import Change

DEFAULT = "registry/dinov2-small"


class Surgery(Parameters):
    """How positions are changed."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="Longer side; the network's own if empty.", unit="px")
    fit: Literal["whole", "crop"] = parameter("whole", title="Fit", help="The whole picture, or cut to shape.")
    change: Literal["identity", "zero", "shuffle", "transpose", "mirror", "swap", "noise"] = parameter(
        "shuffle", title="Change"
    )
    strength: float = parameter(
        0.5, title="Strength", help="Of noise, in deviations of the table; of rotary, in patches.", least=0, most=10
    )
    seed: int = parameter(0, title="Seed", help="Of shuffle and noise.", least=0, most=2**31 - 1)
    first: str = parameter("0,0", title="First patch", help="ROW,COLUMN from 0, to be swapped.", longest=20)
    second: str = parameter("0,1", title="Second patch", help="ROW,COLUMN from 0, to be swapped.", longest=20)
    texts: list[str] = parameter([], title="Texts", help="To be scored by a network that reads text.", longest=32)


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Surgery) -> Finding:
    """One change and what it does; the arrays are those of `surgery_effects.arrays`."""
    from explorers import surgery_effects, traces

    seen = traces.trace(asked.checkpoint, Path(image or ""), asked.side, asked.fit)
    before = {}
    if surgery_effects.answers(seen.backbone, asked.texts):
        with traces.gate():
            before = surgery_effects.shares(seen.backbone, seen.pixels, asked.texts)
    return finding(seen, asked, before, surgery_effects.resizing(seen))


def finding(
    seen: Traced, asked: Surgery, before: Mapping[str, float], resizing: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> Finding:
    """before: probabilities without a change, empty where the network answers with none
    resizing: arrays and facts of the table, which no change touches"""
    from explorers import surgery_effects
    from explorers.attention_answers import network_facts

    found = surgery_effects.effect(seen, change_of(asked, seen.layers[0].grid), asked.texts)
    arrays, told = surgery_effects.arrays(seen, found, surgery_effects.read_out(seen))
    told["query"] = "CLS" if told["query"].startswith("prefix") else "mean"
    changed = asked.model_dump(include={"change", "strength", "seed", "first", "second"})
    shares = surgery_effects.told_shares(dict(before), found.shares) if before else []
    facts = {**network_facts(seen), **told, **changed, **resizing[1], "shares": shares}
    return Finding({**arrays, **resizing[0]}, caption(facts), facts)


def change_of(asked: Surgery, grid: tuple[int, int]) -> Change:
    """Raises `Fault` where the picture has no such patch."""
    from models.surgery import Change

    if asked.change != "swap":
        return Change(asked.change, asked.strength, asked.seed)
    first, second = (_patch(name, getattr(asked, name), grid) for name in ("first", "second"))
    return Change(asked.change, first=first, second=second)


def _patch(name: str, text: str, grid: tuple[int, int]) -> int:
    row, comma, column = text.partition(",")
    if not (comma and row.isdecimal() and column.isdecimal()):
        raise Fault("The patch {place} was asked for; give ROW,COLUMN counted from 0.", place=shown(text))
    return within(name, int(row), 0, grid[0] - 1) * grid[1] + within(name, int(column), 0, grid[1] - 1)


def surgery(image: str | Path, checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `surgery("cat.jpg", change="mirror").arrays["after.11"]`."""
    return EXPLORER.run(image, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def picture(desk: Desk) -> Mapping[str, Any]:
    """Where the page asks for a change; each is one pass."""
    from functools import cache, partial

    from explorers import delivery, surgery_effects, traces
    from explorers.attention_answers import photograph
    from explorers.bundle import pack
    from explorers.desk_facts import desk_facts
    from models.backbone import ZeroShot

    found = partial(traces.trace, desk.checkpoint, desk.file, desk.side, desk.fit)
    seen = found()
    resizing = surgery_effects.resizing(seen)

    @cache
    def before(texts: tuple[str, ...]) -> dict[str, float]:
        with traces.gate():
            return surgery_effects.shares(found().backbone, found().pixels, texts)

    def operate(values: Mapping[str, str]) -> bytes:
        asked, now = asked_of(desk, values), found()
        answers = surgery_effects.answers(now.backbone, asked.texts)
        done = finding(now, asked, before(tuple(asked.texts)) if answers else {}, resizing)
        return pack(dict(done.facts), done.arrays)

    facts = {
        **desk_facts(seen), "sentences": dict(SENTENCES), "reads_text": isinstance(seen.backbone, ZeroShot),
        "photograph": delivery.place(photograph(seen), "image/jpeg"), "operate": delivery.offer(operate),
        "numbers": delivery.offer(lambda values: numbers(desk, values), filename="patchlight-surgery.npz"),
    }  # fmt: skip
    return {"maps": delivery.place(pack(facts, {}))}


def numbers(desk: Desk, values: Mapping[str, str]) -> bytes:
    """What is shown, as the endpoint's `.npz`."""
    from explorers.export import npz

    return npz(explore(desk.file, asked_of(desk, values)))


def asked_of(desk: Desk, values: Mapping[str, str]) -> Surgery:
    """Named texts of an address, checked, with the desk's network and picture."""
    from explorers.permalink import from_query

    plain = {name: text for name, text in values.items() if name not in ("checkpoint", "side", "fit")}
    asked = from_query(Surgery, plain).model_dump()
    return checked(Surgery, {**asked, "checkpoint": desk.checkpoint, "side": desk.side, "fit": desk.fit})


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """Two pictures, drawn by `assets/stage/surgery.js`."""
    stage = frame.script("surgery", defaults=json.loads(Surgery().model_dump_json()))

    def look(desk: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from frame.working(desk, picture)

    frame.looks("surgery", look, stage)


EXPLORER = Explorer("surgery", "Surgery", 22, Surgery, explore, build)
