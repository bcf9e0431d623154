"""What does a network that learned by painting believe is behind the mask?

Hide patches with the pointer. Visible patches stay as they are, bit for bit; a guess that looks right is still a guess,
and copying a neighbour is often nearly as good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.explorer import Explorer, Finding
from explorers.mask_words import caption
from explorers.parameters import Fit, Parameters, fitting, parameter, within
from models.faults import Fault

if TYPE_CHECKING:
    from PIL import Image

    from explorers.frame import Desk, Frame
    from explorers.mask_fed import Fed
    from explorers.mask_hiding import Hiding

DEFAULT = "bundled/mae"

OTHERS = 3
"""Networks that one can be compared with at once."""


class Masking(Parameters):
    """What can be hidden, and what is asked of it."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="Longer side; the network's own if empty.", unit="px")
    fit: Fit = fitting()
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
    against: str = parameter(
        "", title="Compare with", help="Ids of up to 3 other networks, parted by commas, given the same mask.",
        longest=1600,
    )  # fmt: skip
    masks: int = parameter(0, title="Masks", help="8 to 64 for doubt; none if 0.", least=0, most=64)
    seeds: int = parameter(0, title="Seeds", help="Masks a ratio of the ratio curve; no curve if 0.", least=0, most=16)
    patch: str = parameter("", title="Patch", help="ROW,COLUMN from 0, to see where its answer comes from.", longest=20)
    film: Literal["none", "ratio", "growth"] = parameter(
        "none", title="Film", help="Of the ratio from 5 to 95 %, or of the mask as it grows."
    )
    form: Literal["gif", "mp4"] = parameter("gif", title="Film's format", help="MP4 needs PyAV.")

    @property
    def others(self) -> list[str]:
        """Ids of the networks to compare with. Raises `Fault` where they are too many."""
        named = [name.strip() for name in self.against.split(",") if name.strip()]
        if len(named) > OTHERS:
            raise Fault(
                "{count} networks were named to compare with, but {most} is the most; leave some out.",
                count=len(named), most=OTHERS,
            )  # fmt: skip
        return named


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Masking) -> Finding:
    """Panels, errors and rivals as in `mask_answers.answer`, and what else was asked:

    against_prediction, against_map, against_error, against_mask:  another network's, as above; those of a second and
                                             third one are called against_2_… and against_3_…
    doubt_mean, doubt_deviation, doubt_map:  as in `mask_doubt.doubt_arrays`, with `masks`
    ratios, curve, curve_nearest:            (19,), (networks, 19, seeds), (19, seeds) mean squared error over hidden
                                             patches, with `seeds`
    encoder_from, encoder_seen, decoder_from:  as in `mask_sources.rows_of`, of `patch`

    A film is a file beside them, film.gif or film.mp4.
    """
    from explorers import mask_answers, mask_curve, mask_doubt
    from explorers.learnt import outside
    from explorers.mask_fed import labs_of
    from explorers.mask_hiding import hiding_of
    from explorers.mask_sources import rows_of
    from explorers.traces import backbone
    from models.image import open_image

    networks = [backbone(name) for name in (asked.checkpoint, *asked.others)]
    labs = labs_of(networks, open_image(image or ""), asked.side, asked.fit)
    lab, hiding = labs[0], hiding_of(labs, asked)
    mask = hiding.mask()
    arrays, facts = mask_answers.answer(lab, mask, asked.statistics)
    facts |= {"kind": hiding.kind, "seed": asked.seed, "ratio": hiding.share, "finder": hiding.finder, "against": []}
    facts["outside"] = outside(asked.checkpoint, file=image)
    for turn, other in enumerate(labs[1:], 1):
        more, told = mask_answers.answer(other, mask, asked.statistics)
        name = "against" if turn == 1 else f"against_{turn}"
        arrays |= {f"{name}_{part}": more[part] for part in ("prediction", "map", "error", "mask")}
        named = {part: told[part] for part in ("checkpoint", "title", "loss", "grid", "measure")}
        facts["against"].append({**named, "psnr": told["psnr"]["network"]})
    if asked.masks:
        found, facts["doubt"] = mask_doubt.doubt(lab, hiding, within("masks", asked.masks, 8, 64), asked.statistics)
        arrays |= found
    if asked.seeds:
        arrays |= mask_curve.curve(labs, hiding, asked.seeds, asked.statistics)
    if asked.patch:
        arrays |= rows_of(lab.backbone, lab.pixels, mask, asked.patch)
    return Finding(arrays, caption(facts), facts, _films(lab, hiding, asked))


def reconstruct(image: str | Path, checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `reconstruct("cat.jpg", "bundled/mae", ratio=0.9, seed=3).arrays["pasted"]`."""
    return EXPLORER.run(image, checkpoint, **values)


def _films(lab: Fed, hiding: Hiding, asked: Masking) -> dict[str, Callable[[str], bytes]]:
    """The film's file, made when it is written."""
    from explorers.mask_film import film

    wanted = asked.film
    if wanted == "none":
        return {}
    return {f"film.{asked.form}": lambda language: film(lab, hiding, wanted, asked.form, asked.statistics, language)}


# -- draw --------------------------------------------------------------------------------------------------------------


def picture(desk: Desk) -> Mapping[str, Any]:
    """The desk's picture as it is fed, and where the page asks for everything else."""
    from explorers import delivery, mask_page

    return {"maps": delivery.place(mask_page.opening(desk))}


def sheet(finding: Finding, language: str) -> Image.Image:
    """The panels, for the shell."""
    from explorers.mask_sheet import drawn

    return drawn(finding, language)


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """The panels, drawn by `assets/stage/reconstruct.js`."""
    frame.stage("reconstruct", Masking, picture)


EXPLORER = Explorer("reconstruct", "Masks", 30, Masking, explore, build, needs="Reconstructs", sheet=sheet)
"""`/reconstruct`, `python -m explorers reconstruct`, the tab "Masks"."""
