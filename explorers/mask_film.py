"""Films of a mask: what the network sees, and what it makes of that, as GIF or MP4 with the caption in every frame.

ratio   the hidden share goes from 5 to 95 %; what is hidden stays hidden
growth  the mask itself, square after square, until all of it is hidden
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from PIL import Image

from explorers.export import captioned
from explorers.film import Form, joined
from explorers.mask_curve import RATIOS
from explorers.mask_words import film_words
from models.fidelity import Statistics, coloured, pasted, patch_error, psnr, shown
from models.masking import hidden_count

if TYPE_CHECKING:
    from torch import Tensor

    from explorers.mask_fed import Fed
    from explorers.mask_hiding import Hiding

Film = Literal["ratio", "growth"]

STEPS = 24
"""Frames of a mask's growth at most."""

SIDE = 480
"""Pixels of one panel's longer side at least; small networks' pictures are drawn larger."""

_GREY = 96


def film(lab: Fed, hiding: Hiding, kind: Film, form: Form, by: Statistics = "own", language: str = "en") -> bytes:
    """The film's file. Raises `Fault` where nothing here writes MP4."""
    about = film_words(lab.backbone.card.title, hiding, kind, language)
    frames = drawn(lab, hiding, kind, by, language)
    return joined(frames, [frame.size for frame in frames], about, form)


def drawn(lab: Fed, hiding: Hiding, kind: Film, by: Statistics = "own", language: str = "en") -> list[Image.Image]:
    """The frames: masked picture, picture with the hidden squares as painted, caption."""
    return [_frame(lab, hiding, hidden, kind, by, language) for hidden in counts(hiding, kind)]


def counts(hiding: Hiding, kind: Film) -> list[int]:
    """Squares that each frame hides, more from frame to frame."""
    patches = hiding.grid[0] * hiding.grid[1]
    if kind == "ratio":
        return sorted({hidden_count(ratio, patches) for ratio in RATIOS})
    return sorted({max(1, round(hiding.hidden * step / STEPS)) for step in range(1, STEPS + 1)})


def _frame(lab: Fed, hiding: Hiding, hidden: int, kind: Film, by: Statistics, language: str) -> Image.Image:
    found = lab.reconstruct(hiding.of(hidden)[None])[0]
    mask, colours = found.mask.cpu(), lab.backbone.pixels
    painted = coloured(found, lab.pixels, by)
    decibels = psnr(patch_error(shown(colours, lab.pixels), shown(colours, painted), lab.grid), mask)
    picture = _large(lab.rgb)
    answer = _large(pasted(torch.from_numpy(lab.rgb), torch.from_numpy(colours.rgb(painted)), mask).numpy())
    seen = pasted(picture, torch.full_like(picture, _GREY), mask)
    made = pasted(picture, answer, mask)
    gap = np.full((picture.shape[0], max(2, picture.shape[1] // 60), 3), 255, np.uint8)
    joined = Image.fromarray(np.concatenate([seen.numpy(), gap, made.numpy()], 1))
    told = film_words(lab.backbone.card.title, hiding, kind, language, hidden=hidden, decibels=decibels)
    return captioned(joined, told)


def _large(rgb: np.ndarray) -> Tensor:
    """uint8 (height, width, 3), a whole number of times as large, so that squares keep whole pixels."""
    factor = max(1, round(SIDE / max(rgb.shape[:2])))
    size = (rgb.shape[1] * factor, rgb.shape[0] * factor)
    return torch.from_numpy(np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC)).copy())
