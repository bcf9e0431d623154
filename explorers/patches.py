"""How does a picture become tokens, and what does attention over them cost?

Click a patch to see its pixels and the token that the projection makes of them. The calculator takes any picture, patch
and network; beside it stands what the loaded network really does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.explorer import Explorer, Finding
from explorers.parameters import Fit, Parameters, checked, fitting, parameter
from explorers.patch_words import SENTENCES, caption
from explorers.places import place_of

if TYPE_CHECKING:
    from explorers.frame import Desk, Frame
    from explorers.traces import Traced
    from models.attention_cost import Attention

DEFAULT = "registry/dinov2-small"


class Patches(Parameters):
    """A patch, and the sizes that the calculator is asked about; an empty one is the loaded network's own."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="Longer side; the network's own if empty.", unit="px")
    fit: Fit = fitting()
    patch_at: str = parameter("", title="Patch", help="ROW,COLUMN from 0; the middle if empty.", longest=20)
    height: int | None = parameter(None, title="Height", unit="px", least=1, most=65536)
    width: int | None = parameter(None, title="Width", unit="px", least=1, most=65536)
    patch: int | None = parameter(
        None, title="Patch side", help="1 makes every pixel a token.", unit="px", least=1, most=4096
    )
    prefix: int | None = parameter(None, title="Prefix", least=0, most=1024)
    channels: int | None = parameter(None, title="Channels", least=1, most=65536)
    heads: int | None = parameter(None, title="Heads", least=1, most=1024)
    layers: int | None = parameter(None, title="Layers", least=1, most=1024)
    window: int | None = parameter(
        None, title="Window", help="Side in patches; 0 lets every token look at every token.", least=0, most=4096
    )
    precision: Literal["fp32", "fp16", "bf16", "int8"] = parameter("fp32", title="Precision")
    kernel: Literal["materialised", "fused"] = parameter("materialised", title="Kernel")


SIZES = ("height", "width", "patch", "prefix", "channels", "heads", "layers", "window")


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Patches) -> Finding:
    """One patch, the projection, and the cost.

    pixels:   (patch, patch, 3) of the asked patch, normalised as the network is fed
    token:    (channels,) that the projection makes of it, before positions
    filters:  uint8 (n, patch, patch, 3)
    """
    from explorers import patch_parts, traces
    from explorers.attention_answers import network_facts

    seen = traces.trace(asked.checkpoint, Path(image or ""), asked.side, asked.fit)
    place = place_of("patch_at", asked.patch_at, seen.layers[0].grid)
    filters, told = patch_parts.projection(seen.backbone)
    facts = {
        **network_facts(seen), **patch_parts.sequence(seen), **patch_parts.measured(seen, asked.kernel),
        "place": place, "filters": told, "cost": patch_parts.cost(size_of(seen, asked), asked.precision, asked.kernel),
    }  # fmt: skip
    return Finding(patch_parts.patch_of(seen, place) | filters, caption(facts), facts)


def size_of(seen: Traced, asked: Patches) -> Attention:
    """The calculator's configuration: the network's own, with what was asked otherwise."""
    from dataclasses import replace

    from explorers import patch_parts

    other = {name: value for name in SIZES if (value := getattr(asked, name)) is not None}
    return replace(patch_parts.own(seen), **other | ({"window": None} if asked.window == 0 else {}))


def patches(image: str | Path, checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `patches("cat.jpg", height=512, width=512, patch=1).facts["cost"]["bytes"]`."""
    return EXPLORER.run(image, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def picture(desk: Desk) -> Mapping[str, Any]:
    """The picture as it is fed, the filters and the network's own sizes; the page calculates by the same formulas."""
    from functools import partial

    from explorers import delivery, patch_parts, traces
    from explorers.bundle import pack
    from explorers.desk_facts import desk_facts

    found = partial(traces.trace, desk.checkpoint, desk.file, desk.side, desk.fit)
    seen = found()
    filters, told = patch_parts.projection(seen.backbone)

    def measure(values: Mapping[str, str]) -> bytes:
        return pack(patch_parts.measured(found(), asked_of(desk, values).kernel), {})

    facts = {
        **desk_facts(seen), **patch_parts.sequence(seen), "filters": told, "sentences": dict(SENTENCES),
        "own": patch_parts.cost(patch_parts.own(seen), "fp32", "materialised"),
        "measure": delivery.offer(measure),
        "numbers": delivery.offer(lambda values: numbers(desk, values), filename="patchlight-patches.npz"),
    }  # fmt: skip
    rgb = {"rgb": seen.backbone.pixels.rgb(seen.pixels)}
    return {"maps": delivery.place(pack(facts, rgb | filters))}


def numbers(desk: Desk, values: Mapping[str, str]) -> bytes:
    """What is shown, as the endpoint's `.npz`."""
    from explorers.export import npz

    return npz(explore(desk.file, asked_of(desk, values)))


def asked_of(desk: Desk, values: Mapping[str, str]) -> Patches:
    """Named texts of an address, checked, with the desk's network and picture."""
    from explorers.permalink import from_query

    plain = {name: text for name, text in values.items() if name not in ("checkpoint", "side", "fit")}
    asked = from_query(Patches, plain).model_dump()
    return checked(Patches, {**asked, "checkpoint": desk.checkpoint, "side": desk.side, "fit": desk.fit})


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """The picture under its grid, and the calculator, drawn by `assets/stage/patches.js`."""
    frame.stage("patches", Patches, picture)


EXPLORER = Explorer("patches", "Patches", 26, Patches, explore, build)
