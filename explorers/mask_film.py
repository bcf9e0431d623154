"""Films of a mask: what the network sees, and what it makes of that, as GIF or MP4 with the caption in every frame.

ratio   the hidden share goes from 5 to 95 %; what is hidden stays hidden
growth  the mask itself, square after square, until all of it is hidden
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from PIL import Image

from explorers.export import captioned
from explorers.mask_curve import RATIOS
from explorers.mask_words import film_words
from models.faults import Fault
from models.fidelity import Statistics, coloured, pasted, patch_error, psnr, shown
from models.masking import hidden_count

if TYPE_CHECKING:
    from torch import Tensor

    from explorers.mask_fed import Fed
    from explorers.mask_hiding import Hiding

Film = Literal["ratio", "growth"]
Form = Literal["gif", "mp4"]

MILLISECONDS = 250
LAST = 5
"""Times as long as others that the last frame stands still."""

STEPS = 24
"""Frames of a mask's growth at most."""

SIDE = 480
"""Pixels of one panel's longer side at least; small networks' pictures are drawn larger."""

RATE = 12
"""Frames a second of an MP4; players stumble over much fewer, so each picture is written three times."""

MEDIA: dict[Form, str] = {"gif": "image/gif", "mp4": "video/mp4"}
_GREY = 96


def film(lab: Fed, hiding: Hiding, kind: Film, form: Form, by: Statistics = "own", language: str = "en") -> bytes:
    """The film's file. Raises `Fault` where nothing here writes MP4."""
    frames = drawn(lab, hiding, kind, by, language)
    about = film_words(lab.backbone.card.title, hiding, kind, language)
    return _gif(frames, about) if form == "gif" else _mp4(frames, about)


def drawn(lab: Fed, hiding: Hiding, kind: Film, by: Statistics = "own", language: str = "en") -> list[Image.Image]:
    """The frames, all of one even size: masked picture, picture with the hidden squares as painted, caption."""
    sheets = [_frame(lab, hiding, hidden, kind, by, language) for hidden in counts(hiding, kind)]
    height = max(sheet.height for sheet in sheets)
    size = (sheets[0].width + sheets[0].width % 2, height + height % 2)
    frames = [Image.new("RGB", size, "white") for _ in sheets]
    for frame, sheet in zip(frames, sheets, strict=True):
        frame.paste(sheet, (0, 0))
    return frames


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
    picture, answer = _large(lab.rgb), _large(colours.rgb(painted))
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


def _gif(frames: Sequence[Image.Image], about: str) -> bytes:
    few = [frame.quantize(256, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames]
    times = [MILLISECONDS] * (len(few) - 1) + [LAST * MILLISECONDS]
    file = io.BytesIO()
    few[0].save(file, "GIF", save_all=True, append_images=few[1:], duration=times, loop=0, comment=about.encode()[:255])
    return file.getvalue()


def _mp4(frames: Sequence[Image.Image], about: str) -> bytes:
    """H.264, which every player and every slide shows."""
    try:
        import av
    except ImportError:
        raise Fault(
            "A film was asked for as MP4, which PyAV writes, but it is not installed; run `pip install av`, or ask for "
            "a GIF."
        ) from None
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        container.metadata["comment"] = about
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "18", "preset": "medium"})
        (stream.width, stream.height), stream.pix_fmt = frames[0].size, "yuv420p"
        repeats = MILLISECONDS * RATE // 1000
        for turn, frame in enumerate(frames):
            for _ in range(repeats * (LAST if turn == len(frames) - 1 else 1)):
                container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
    return file.getvalue()
