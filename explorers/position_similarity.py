"""How does the network know where a patch is, before it has seen any picture?

Click a position to compare it with all others. A learned table that was told nothing of rows and columns finds them; a
fixed one is built of them; rotary embeddings and biases know offsets only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.explorer import Explorer, Finding
from explorers.parameters import Parameters, checked, parameter, within
from explorers.places import place_of
from explorers.position_words import SENTENCES, TITLES, caption

if TYPE_CHECKING:
    from explorers.frame import Desk, Frame

DEFAULT = "registry/dinov2-small"


class Positions(Parameters):
    """What can be asked of a network's positions."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    part: int = parameter(
        0, title="Part", help="Of a network with several: a kind, or a block's bias.", least=0, most=999
    )
    table: Literal["own", "random", "sin-cos"] = parameter(
        "own", title="Table", help="The network's own, or another of its shape to compare with."
    )
    figure: Literal["similarity", "components", "norms", "spectrum", "prefix"] = parameter(
        "similarity", title="Figure", help="On the page; the answer holds all of them."
    )
    measure: Literal["cosine", "dot", "distance"] = parameter(
        "cosine", title="Measure", help="Between rows of a table."
    )
    place: str = parameter("", title="Position", help="ROW,COLUMN from 0; the middle if empty.", longest=20)
    component: int | None = parameter(
        None, title="Head or band", help="Counted from 0; the mean of all if empty.", least=0, most=999
    )
    colours: Literal["viridis", "magma", "diverging"] = parameter("viridis", title="Colour table")


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(_: Path | None, asked: Positions) -> Finding:
    """One position's map, and all that its kind of position is made of.

    map:     (rows, columns) similarity, logits or kernel of the asked position with every other
    prefix:  (prefix, rows, columns) cosine of prefix tokens' own positions with those of patches, where there are such
    others:  as in `position_parts.arrays`
    """
    from explorers import position_parts, traces
    from explorers.attention_answers import revision
    from explorers.desk_facts import network_notes

    backbone = traces.backbone(asked.checkpoint)
    parts = position_parts.affinities(backbone)
    part = position_parts.compared_with(parts[within("part", asked.part, 0, len(parts) - 1)], asked.table)
    place, told = place_of("place", asked.place, part.grid), position_parts.facts(part)
    if asked.component is not None:
        within("component", asked.component, 0, len(told["heads"]) - 1)
    span = told["spans"][asked.measure if told["table"] else "mean" if asked.component is None else "each"]
    facts = {
        "part": told, "table": asked.table, "place": place, "component": asked.component,
        "low": span[0], "high": span[1],
        "relation": asked.measure if told["table"] else told["relation"], "parts": [one.kind for one in parts],
        "checkpoint": backbone.card.id, "title": backbone.card.title, "revision": revision(backbone.card),
        "random": backbone.card.random, "notes": network_notes(backbone.card),
    }  # fmt: skip
    arrays = {"map": position_parts.map_of(part, place, asked.measure, asked.component).numpy()}
    prefix = position_parts.prefix_cosines(part)
    arrays |= position_parts.arrays(part) | ({} if prefix is None else {"prefix": prefix.numpy()})
    return Finding(arrays, caption(facts), facts)


def positions(checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `positions("registry/dinov2-small", place="3,30").arrays["map"]`."""
    return EXPLORER.run(None, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def picture(desk: Desk) -> Mapping[str, Any]:
    """All of the network's positions for the page, which draws every map from them."""
    from explorers import delivery, position_parts, traces
    from explorers.bundle import pack
    from explorers.desk_facts import desk_facts

    seen = traces.trace(desk.checkpoint, desk.file, desk.side, desk.fit)
    parts = position_parts.affinities(seen.backbone)
    arrays = {f"{name}.{i}": one for i, part in enumerate(parts) for name, one in position_parts.arrays(part).items()}

    def other(values: Mapping[str, str]) -> bytes:
        asked, parts = _asked(desk, values), position_parts.affinities(traces.backbone(desk.checkpoint))
        part = position_parts.compared_with(parts[within("part", asked.part, 0, len(parts) - 1)], asked.table)
        told = {**position_parts.facts(part), "rival": asked.table}
        return pack({"parts": [told]}, {f"{name}.0": one for name, one in position_parts.arrays(part).items()})

    facts = {
        **desk_facts(seen), "parts": [position_parts.facts(part) for part in parts], "sentences": dict(SENTENCES),
        "titles": dict(TITLES), "others": delivery.offer(other),
        "numbers": delivery.offer(lambda values: numbers(desk, values), filename="patchlight-positions.npz"),
    }  # fmt: skip
    return {"maps": delivery.place(pack(facts, arrays))}


def numbers(desk: Desk, values: Mapping[str, str]) -> bytes:
    """What is shown, as the endpoint's `.npz`."""
    from explorers.export import npz

    return npz(explore(None, _asked(desk, values)))


def _asked(desk: Desk, values: Mapping[str, str]) -> Positions:
    from explorers.permalink import read

    plain = {name: text for name, text in values.items() if name != "checkpoint"}
    return checked(Positions, {**read(Positions, plain), "checkpoint": desk.checkpoint})


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """The maps, drawn by `assets/stage/positions.js`."""
    frame.stage("positions", Positions, picture)


EXPLORER = Explorer("positions", "Positions", 20, Positions, explore, build, pictureless=True)
