"""What does the network lose when patches are told other places?

Take positions away, shuffle, mirror or blur them, swap two patches, or feed the picture at another size, and see
attention, features and answers before and after. One pass for one viewer: the network itself is never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.explorer import Explorer, Finding
from explorers.parameters import Fit, Parameters, checked, fitting, parameter
from explorers.places import place_of
from explorers.surgery_words import SENTENCES, caption
from models.label_lists import presets

if TYPE_CHECKING:
    from explorers.frame import Desk, Frame
    from explorers.surgery_effects import Side
    from explorers.traces import Traced
    from models.change import Change

DEFAULT = "registry/dinov2-small"


class Surgery(Parameters):
    """How positions are changed."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="Longer side; the network's own if empty.", unit="px")
    fit: Fit = fitting("trained")
    change: Literal["identity", "zero", "shuffle", "transpose", "mirror", "swap", "noise", "resize"] = parameter(
        "shuffle", title="Change", help="Or resize: the size of its training before, another one after."
    )
    strength: float = parameter(
        0.5, title="Strength", help="Of noise, in deviations of the table; of rotary, in patches.", least=0, most=10
    )
    seed: int = parameter(0, title="Seed", help="Of shuffle and noise.", least=0, most=2**31 - 1)
    first: str = parameter("0,0", title="First patch", help="ROW,COLUMN from 0, to be swapped.", longest=20)
    second: str = parameter("0,1", title="Second patch", help="ROW,COLUMN from 0, to be swapped.", longest=20)
    height: int | None = parameter(
        None, title="Height", help="Of the input after resizing; the desk's if empty.", unit="px", least=1, most=4096
    )
    width: int | None = parameter(
        None, title="Width", help="Of the input after resizing; the desk's if empty.", unit="px", least=1, most=4096
    )
    query: str = parameter(
        "auto", title="Query", help="auto, prefix 0, patch ROW,COLUMN, or mean over patches.", longest=40
    )
    labels: list[str] = parameter(
        list(presets()["photographs"]), title="Labels", help="Scored by a network that reads text.", longest=200
    )
    templates: list[str] = parameter(
        ["a photo of a {}."],
        title="Templates",
        help="Sentences with a pair of braces where the label goes.",
        longest=20,
    )


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Surgery) -> Finding:
    """One comparison; arrays are those of `surgery_figures.arrays` and `surgery_figures.table`, and for resizing

    before.rgb, after.rgb:  uint8 (height, width, 3) as fed
    distances:              (2, blocks, heads) mean attention distance before and after, in pixels of the picture
    """
    from dataclasses import replace

    from explorers import surgery_effects, surgery_figures, traces
    from explorers.attention_answers import network_facts

    seen = traces.trace(asked.checkpoint, Path(image or ""), asked.side, asked.fit)
    before, after = sides(seen, asked)
    found, told = surgery_figures.arrays(seen, before, after, surgery_figures.query(seen, asked.query))
    pictures, resized = surgery_figures.table(seen, after)
    if asked.change == "resize":
        found |= surgery_figures.sizes(seen, before, after)
    facts = {
        **network_facts(seen), **told, "fed": replace(seen, pixels=after.pixels).told,
        "resized": resized, "kinds": kinds(seen),
        **asked.model_dump(include={"change", "strength", "seed", "first", "second"}),
        "shapes": [list(side.pixels.shape[1:]) for side in (before, after)], "grids": [before.grid, after.grid],
        "heads": [layer.heads for layer in seen.layers],
        "shares": surgery_effects.answers(seen.backbone, before, after, asked.labels, asked.templates),
        "distances": surgery_figures.told_distances(found),
    }  # fmt: skip
    return Finding({**found, **pictures}, caption(facts), facts)


def sides(seen: Traced, asked: Surgery) -> tuple[Side, Side]:
    """Before and after. Raises `Fault`."""
    from explorers import surgery_effects

    if asked.change != "resize":
        change = change_of(asked, seen.layers[0].grid)
        return surgery_effects.as_it_is(seen), surgery_effects.changed(seen, change)
    shape = (asked.height or seen.shape[0], asked.width or seen.shape[1])
    return surgery_effects.at_size(seen, seen.backbone.pixels.size), surgery_effects.at_size(seen, shape)


def kinds(seen: Traced) -> list[str]:
    return list(dict.fromkeys(part.kind for part in seen.backbone.positions()))


def lacking(seen: Traced) -> list[str]:
    """Changes that this network cannot have with this picture: places on a grid that is not square have no transpose,
    and a network of one input size no other."""
    rows, columns = seen.backbone.pixels.grid(seen.shape)
    on_the_picture = any(part.scope == "picture" for part in seen.backbone.positions())
    return ["transpose"] * (on_the_picture and rows != columns) + ["resize"] * seen.backbone.pixels.fixed


def change_of(asked: Surgery, grid: tuple[int, int]) -> Change:
    """Raises `Fault` where the picture has no such patch."""
    from models.change import Change

    if asked.change != "swap":
        assert asked.change != "resize"
        return Change(asked.change, asked.strength, asked.seed)
    first, second = (_patch(name, getattr(asked, name), grid) for name in ("first", "second"))
    return Change(asked.change, first=first, second=second)


def _patch(name: str, text: str, grid: tuple[int, int]) -> int:
    row, column = place_of(name, text, grid)
    return row * grid[1] + column


def surgery(image: str | Path, checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `surgery("cat.jpg", change="mirror").arrays["after.11"]`."""
    return EXPLORER.run(image, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def picture(desk: Desk) -> Mapping[str, Any]:
    """Where the page asks for a change; each is one pass."""
    from explorers import delivery, traces
    from explorers.attention_answers import photograph
    from explorers.bundle import pack
    from explorers.desk_facts import desk_facts
    from explorers.long_lists import long_list
    from models.backbone import ZeroShot

    seen = traces.trace(desk.checkpoint, desk.file, desk.side, desk.fit)

    def operate(values: Mapping[str, str]) -> bytes:
        done = explore(desk.file, asked_of(desk, values))
        return pack(dict(done.facts), done.arrays)

    facts = {
        **desk_facts(seen), "sentences": dict(SENTENCES), "lacking": lacking(seen),
        "reads_text": isinstance(seen.backbone, ZeroShot),
        "presets": {name: list(labels) for name, labels in presets().items()}, "trained": seen.backbone.pixels.size,
        "photograph": delivery.place(photograph(seen), "image/jpeg"), "operate": delivery.offer(operate),
        "list": delivery.offer(lambda values: pack({"labels": long_list(values.get("set", ""))}, {})),
        "numbers": delivery.offer(lambda values: numbers(desk, values), filename="patchlight-surgery.npz"),
    }  # fmt: skip
    return {"maps": delivery.place(pack(facts, {}))}


def numbers(desk: Desk, values: Mapping[str, str]) -> bytes:
    """What is shown, as the endpoint's `.npz`."""
    from explorers.export import npz

    return npz(explore(desk.file, asked_of(desk, values)))


def asked_of(desk: Desk, values: Mapping[str, str]) -> Surgery:
    """Named texts of the page's script, checked, with the desk's network and picture. Lists travel as one text, a line
    for each."""
    from explorers.permalink import read

    lists = {name: values[name].splitlines() for name in ("labels", "templates") if name in values}
    asked = read(Surgery, {**values, **lists})
    return checked(Surgery, {**asked, "checkpoint": desk.checkpoint, "side": desk.side, "fit": desk.fit})


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """Two pictures, drawn by `assets/stage/surgery.js`."""
    frame.stage("surgery", Surgery, picture)


EXPLORER = Explorer("surgery", "Surgery", 22, Surgery, explore, build)
