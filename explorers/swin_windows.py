"""What does a window transformer let a token see?

Click a token to see its window in any block, on the picture or rolled as the block computes it, the bias that it adds,
and all that it can have seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.explorer import Explorer, Finding
from explorers.parameters import Fit, Parameters, fitting, parameter, within
from explorers.places import place_of
from explorers.window_words import SENTENCES, caption

if TYPE_CHECKING:
    from explorers.frame import Desk, Frame
    from explorers.traces import Traced

DEFAULT = "timm/swin_tiny_patch4_window7_224"


class Windows(Parameters):
    """What can be asked of windows."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="Longer side; the network's own if empty.", unit="px")
    fit: Fit = fitting()
    block: int = parameter(1, title="Block", help="Counted from 0; -1 is the last.", least=-1, most=999)
    token: str = parameter(
        "", title="Token", help="ROW,COLUMN from 0 on the block's grid; the middle if empty.", longest=20
    )
    lens: Literal["picture", "rolled", "field"] = parameter("picture", title="Lens", help="How the page draws windows.")


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Windows) -> Finding:
    """Windows of every block as in `window_parts.arrays`, and

    field.i: (rows, columns) bool, tokens at the input of block i that the asked token of the asked block can have seen
    """
    from explorers import traces, window_parts
    from explorers.attention_answers import network_facts
    from models.window_geometry import receptive_field

    seen = traces.trace(asked.checkpoint, Path(image or ""), asked.side, asked.fit)
    about = window_parts.facts(seen)
    block = _block(seen, asked)
    layer = seen.layers[block]
    place = place_of("token", asked.token, layer.grid)
    fields = receptive_field(seen.layers[: block + 1], place[0] * layer.grid[1] + place[1])
    arrays = window_parts.arrays(seen) | {f"field.{at}": field.numpy() for at, field in enumerate(fields)}
    region = arrays[f"regions.{block}"]
    facts = {
        **network_facts(seen), **window_parts.measured(seen, block), "windows": about, "block": block, "place": place,
        "seen": int((region == region[place]).sum()),
    }  # fmt: skip
    return Finding(arrays, caption(facts), facts)


def _block(seen: Traced, asked: Windows) -> int:
    last = len(seen.layers) - 1
    return within("block", asked.block if asked.block >= 0 else last, 0, last)


def windows(image: str | Path, checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `windows("cat.jpg", block=3, token="5,5").arrays["regions.3"]`."""
    return EXPLORER.run(image, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def picture(desk: Desk) -> Mapping[str, Any]:
    """All windows of the desk's picture; tokens, rolls and fields are followed in the page. Where a network has none:
    why, and which ones have."""
    from functools import partial

    from explorers import delivery, traces, window_parts
    from explorers.attention_answers import photograph
    from explorers.bundle import pack
    from explorers.desk_facts import desk_facts
    from explorers.offers import offered, windowed
    from models.faults import Refusal

    found = partial(traces.trace, desk.checkpoint, desk.file, desk.side, desk.fit)
    seen = found()

    def measure(values: Mapping[str, str]) -> bytes:
        return pack(window_parts.measured(found(), _block(found(), _asked(desk, values))), {})

    try:
        about = window_parts.facts(seen)
    except Refusal as refusal:
        able = offered(windowed)
        return {
            "maps": delivery.place(
                pack({**desk_facts(seen), **delivery.told(refusal), "refused": True, "able": able}, {})
            )
        }
    facts = {
        **desk_facts(seen), "windows": about, "sentences": dict(SENTENCES),
        "photograph": delivery.place(photograph(seen), "image/jpeg"),
        "measure": delivery.offer(measure),
        "numbers": delivery.offer(lambda values: numbers(desk, values), filename="patchlight-windows.npz"),
    }  # fmt: skip
    return {"maps": delivery.place(pack(facts, window_parts.arrays(seen)))}


def numbers(desk: Desk, values: Mapping[str, str]) -> bytes:
    """What is shown, as the endpoint's `.npz`."""
    from explorers.export import npz

    return npz(explore(desk.file, _asked(desk, values)))


def _asked(desk: Desk, values: Mapping[str, str]) -> Windows:
    from explorers.permalink import from_query

    asked = from_query(Windows, {name: text for name, text in values.items() if name in ("block", "token", "lens")})
    return asked.model_copy(update={"checkpoint": desk.checkpoint, "side": desk.side, "fit": desk.fit})


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """The picture under its windows, drawn by `assets/stage/windows.js`."""
    frame.stage("windows", Windows, picture)


EXPLORER = Explorer("windows", "Windows", 24, Windows, explore, build)
