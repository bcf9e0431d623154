"""Where does the network look, block by block and head by head?

Point at a patch to see its own row; click to ask it. Attention says where information may flow. It does not say why the
network decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.attention_words import caption
from explorers.explorer import Explorer, Finding
from explorers.parameters import Fit, Parameters, checked, fitting, parameter
from explorers.permalink import from_query

if TYPE_CHECKING:
    from explorers.frame import Desk, Frame

DEFAULT = "registry/dinov2-small"


class Attention(Parameters):
    """What can be asked of a network's attention."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="Longer side; the network's own if empty.", unit="px")
    fit: Fit = fitting()
    view: Literal["from", "to", "rollout", "class"] = parameter(
        "from", title="View", help="Row, column, rollout (2005.00928) or class relevance (2103.15679)."
    )
    layer: int = parameter(-1, title="Layer", help="Counted from 0; -1 is the last.", least=-1, most=999)
    head: int | None = parameter(
        None, title="Head", help="Counted from 0; all heads fused if empty.", least=0, most=999
    )
    fusion: Literal["mean", "max", "min"] = parameter("mean", title="Fusion of heads")
    query: str = parameter(
        "auto", title="Query", help="auto, prefix 0 (CLS), patch ROW,COLUMN from 0, mean, or pool.", longest=40
    )
    discard: float = parameter(0.0, title="Discarded share", help="Of rollout's rows.", least=0, most=0.95, step=0.05)
    target: int | None = parameter(None, title="Class", help="Of class relevance; the best if empty.", least=0)
    text: str = parameter("", title="Text", help="Of class relevance in a network that reads text.", longest=200)
    share: float = parameter(
        0.6, title="Mass threshold", help="60 % in DINO, 2104.14294.", least=0.05, most=1, step=0.01
    )
    mark: Literal["off", "outline", "mask"] = parameter("off", title="Mark of the mass")
    opacity: float = parameter(0.85, title="Overlay", least=0, most=1, step=0.01)
    table: Literal["magma", "viridis", "grey"] = parameter("magma", title="Colour table")
    scaling: Literal["own", "shared", "clipped"] = parameter(
        "clipped", title="Scale", help="Colours up to the map's greatest, that of all maps, or its 99th percentile."
    )
    smooth: bool = parameter(True, title="Smooth", help="Interpolate between patches on the page.")


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Attention) -> Finding:
    """One map and the heads behind it.

    map:     (rows, columns) what the page shows: a row or column of attention, a rollout, or relevance
    prefix:  (prefix,) the same quantity on CLS, registers and their like
    heads:   (heads, rows, columns) before fusion, for "from" and "to"
    mask:    (rows, columns) bool, the smallest set of patches that holds `share` of the mass over patches
    """
    from explorers import attention_answers, traces

    seen = traces.trace(asked.checkpoint, Path(image or ""), asked.side, asked.fit)
    arrays, facts = attention_answers.answer(seen, asked)
    return Finding(arrays, caption(facts), facts)


def attention(image: str | Path, checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `attention("cat.jpg", layer=11, head=3, query="patch 12,7").arrays["map"]`."""
    return EXPLORER.run(image, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def picture(desk: Desk) -> Mapping[str, Any]:
    """Where the page finds all attention of the desk's picture; everything else is drawn there."""
    from explorers import attention_bundles, delivery, traces
    from explorers.desk_facts import photograph

    seen = traces.trace(desk.checkpoint, desk.file, desk.side, desk.fit)
    found = partial(traces.trace, desk.checkpoint, desk.file, desk.side, desk.fit)
    addresses = {
        "picture": delivery.place(photograph(seen), "image/jpeg"),
        "rows": delivery.offer(lambda values: attention_bundles.row_bundle(found(), values)),
        "rollout": delivery.offer(lambda values: attention_bundles.rollout_bundle(found(), asked_of(desk, values))),
        "relevance": delivery.offer(lambda values: attention_bundles.relevance_bundle(found(), asked_of(desk, values))),
        "figures": delivery.offer(lambda _: attention_bundles.figures_bundle(found())),
        "numbers": delivery.offer(partial(numbers, desk), filename="patchlight-attention.npz"),
    }
    return {"maps": delivery.place(attention_bundles.maps_bundle(seen, addresses))}


def numbers(desk: Desk, values: Mapping[str, str]) -> bytes:
    """What is shown, as the endpoint's `.npz`."""
    from explorers.export import npz

    return npz(explore(desk.file, asked_of(desk, values)))


def asked_of(desk: Desk, values: Mapping[str, str]) -> Attention:
    """Named texts of an address, checked, with the desk's network and picture."""
    plain = {name: text for name, text in values.items() if name not in ("checkpoint", "side", "fit")}
    asked = from_query(Attention, plain).model_dump()
    return checked(Attention, {**asked, "checkpoint": desk.checkpoint, "side": desk.side, "fit": desk.fit})


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """The stage, drawn by `assets/stage/attention.js`; it hears of a new picture or network through the desk."""
    frame.stage("attention", Attention, picture)


EXPLORER = Explorer("attention", "Attention", 10, Attention, explore, build)
