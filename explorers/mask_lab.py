"""What does a network that learned by painting believe is behind the mask?

Hide patches with the pointer. Visible patches stay as they are, bit for bit; a guess that looks right is still a guess,
and copying a neighbour is often nearly as good.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.explorer import Explorer, Finding
from explorers.mask_words import caption
from explorers.parameters import Parameters, parameter, within

if TYPE_CHECKING:
    from explorers.frame import Desk, Frame

DEFAULT = "bundled/mae"


class Masking(Parameters):
    """What can be hidden, and what is asked of it."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="Longer side; the network's own if empty.", unit="px")
    fit: Literal["whole", "crop"] = parameter("whole", title="Fit", help="The whole picture, or cut to shape.")
    mask: str = parameter(
        "", title="Mask", help="Rows of 0 and 1, parted by slashes, 1 hidden; made by kind if empty.", longest=20000
    )
    kind: Literal["random", "block", "grid", "object", "outside"] = parameter(
        "random", title="Kind of mask", help="The object is found by attention."
    )
    ratio: float = parameter(
        0.75, title="Hidden share", help="75 % in MAE, 2111.06377.", least=0.05, most=0.95, step=0.01
    )
    seed: int = parameter(0, title="Seed", help="The same seed, the same mask.", least=0, most=999999)
    statistics: Literal["own", "true"] = parameter(
        "own", title="Brightness and contrast", help="Of norm_pix networks; true ones leak the answer."
    )
    against: str = parameter("", title="Compare with", help="Id of a second network, given the same mask.", longest=400)
    masks: int = parameter(0, title="Masks", help="8 to 64 for doubt; none if 0.", least=0, most=64)
    seeds: int = parameter(0, title="Seeds", help="Masks a ratio of the ratio curve; no curve if 0.", least=0, most=16)
    patch: str = parameter("", title="Patch", help="ROW,COLUMN from 0, to see where its answer comes from.", longest=20)


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Masking) -> Finding:
    """Panels, errors and rivals as in `mask_answers.answer`, and what else was asked:

    doubt_mean, doubt_deviation, doubt_map:  as in `mask_answers.doubt_arrays`, with `masks`
    ratios, curve, curve_nearest:            (19,), (19, seeds) mean squared error over hidden patches, with `seeds`
    encoder_from, decoder_from:              (blocks, rows, columns) attention of `patch`, heads' mean
    against_prediction, against_map:         the second network's, as `prediction` and `map`
    """
    from explorers import mask_answers
    from explorers.mask_fed import labs_of, mask_for
    from explorers.mask_sources import object_of, rows_of
    from explorers.traces import backbone
    from models.image import open_image

    second = backbone(asked.against) if asked.against else None
    file = open_image(image or "")
    lab, *others = labs_of(backbone(asked.checkpoint), second, file, asked.side, asked.fit)
    grid = mask_answers.common_grid([lab, *others])
    mask = mask_for(lab, asked.kind, asked.ratio, asked.seed, asked.mask, grid)
    arrays, facts = mask_answers.answer(lab, mask, asked.statistics)
    facts |= {"kind": "painted" if asked.mask else asked.kind, "seed": asked.seed, "ratio": asked.ratio}
    if not asked.mask and asked.kind in ("object", "outside"):
        facts["finder"] = object_of(lab.backbone, lab.pixels, grid)[1]
    for other in others:
        more, told = mask_answers.answer(other, mask, asked.statistics)
        arrays |= {"against_prediction": more["prediction"], "against_map": more["map"]}
        facts["against"] = {"title": told["title"], "psnr": told["psnr"]["network"], "loss": told["loss"]}
    if asked.masks:
        count = within("masks", asked.masks, 8, 64)
        found, facts["doubt"] = mask_answers.doubt(lab, asked.ratio, count, asked.seed, asked.statistics)
        arrays |= found
    if asked.seeds:
        arrays |= mask_answers.curve(lab, asked.kind, asked.seeds, asked.seed, asked.statistics)
    if asked.patch:
        arrays |= rows_of(lab.backbone, lab.pixels, mask, asked.patch)
    return Finding(arrays, caption(facts), facts)


def reconstruct(image: str | Path, checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `reconstruct("cat.jpg", "bundled/mae", ratio=0.9, seed=3).arrays["pasted"]`."""
    return EXPLORER.run(image, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def picture(desk: Desk) -> Mapping[str, Any]:
    """The desk's picture as it is fed, and where the page asks for everything else."""
    from explorers import delivery, mask_page

    return {"maps": delivery.place(mask_page.opening(desk))}


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """The panels, drawn by `assets/stage/reconstruct.js`."""
    stage = frame.script("reconstruct", defaults=json.loads(Masking().model_dump_json()))

    def look(desk: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from frame.working(desk, picture)

    frame.looks("reconstruct", look, stage)


EXPLORER = Explorer("reconstruct", "Masks", 30, Masking, explore, build, needs="Reconstructs")
"""`/reconstruct`, `python -m explorers reconstruct`, the tab "Masks"."""
