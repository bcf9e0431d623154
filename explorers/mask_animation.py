"""A film of a growing mask: what the network sees, and what it makes of that, from 5 % hidden to 95 %."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from explorers.export import FONT
from explorers.mask_answers import RATIOS
from explorers.mask_fed import Fed
from models.fidelity import Statistics, coloured, pasted
from models.masking import Kind, hidden_count, mask_of

MILLISECONDS = 250
LAST_MILLISECONDS = 1200
SIDE = 320
"""Pixels of one panel's longer side at least; small networks' pictures are drawn larger, square by square."""

_GREY = 96
_STRIP = 28


def gif(lab: Fed, kind: Kind, seed: int, by: Statistics = "own") -> bytes:
    """Masked picture and reconstruction side by side, a frame for each of `RATIOS`; masks are nested."""
    frames = [_frame(lab, kind, ratio, seed, by) for ratio in RATIOS]
    times = [MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    return file.getvalue()


def _frame(lab: Fed, kind: Kind, ratio: float, seed: int, by: Statistics) -> Image.Image:
    mask = mask_of(kind, lab.grid, hidden_count(ratio, lab.grid[0] * lab.grid[1]), seed)
    found = lab.reconstruct(mask[None])[0]
    painted = torch.from_numpy(lab.backbone.pixels.rgb(coloured(found, lab.pixels, by)))
    picture = torch.from_numpy(lab.rgb)
    panels = [pasted(picture, other, mask).numpy() for other in (torch.full_like(picture, _GREY), painted)]
    gap = np.full((lab.shape[0], max(2, lab.shape[1] // 60), 3), 255, np.uint8)
    joined = Image.fromarray(np.concatenate([panels[0], gap, panels[1]], 1))
    factor = max(1, round(SIDE / max(lab.shape)))
    joined = joined.resize((joined.width * factor, joined.height * factor), Image.Resampling.NEAREST)
    sheet = Image.new("RGB", (joined.width, joined.height + _STRIP), "white")
    sheet.paste(joined, (0, 0))
    words = f"{ratio * 100:.0f} %"
    ImageDraw.Draw(sheet).text((6, joined.height + 4), words, "black", ImageFont.truetype(FONT, 18))
    return sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
