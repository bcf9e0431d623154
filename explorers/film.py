"""Films out of pictures that follow one another: GIF for slides that play nothing else, MP4 for everything."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Literal

from PIL import Image

from models.faults import Fault

Form = Literal["gif", "mp4"]

MEDIA: dict[Form, str] = {"gif": "image/gif", "mp4": "video/mp4"}

MILLISECONDS = 250
"""That a picture stands still."""

LAST = 5
"""Times as long as others that the last picture stands still."""

RATE = 12
"""Frames a second of an MP4; players stumble over much fewer, so each picture is written three times."""


def joined(frames: Sequence[Image.Image], about: str, form: Form) -> bytes:
    """The film's file; `about` is its comment. Raises `Fault` where nothing here writes MP4."""
    whole = _equal(frames)
    return _gif(whole, about) if form == "gif" else _mp4(whole, about)


def _equal(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """All of one size with even sides, as H.264 wants them; a smaller one stands at the upper left on white."""
    width, height = (max(frame.size[axis] for frame in frames) for axis in (0, 1))
    sheets = [Image.new("RGB", (width + width % 2, height + height % 2), "white") for _ in frames]
    for sheet, frame in zip(sheets, frames, strict=True):
        sheet.paste(frame, (0, 0))
    return sheets


def _gif(frames: Sequence[Image.Image], about: str) -> bytes:
    few = [_few(frame) for frame in frames]
    times = [MILLISECONDS] * (len(few) - 1) + [LAST * MILLISECONDS]
    file = io.BytesIO()
    few[0].save(file, "GIF", save_all=True, append_images=few[1:], duration=times, loop=0, comment=about.encode()[:255])
    return file.getvalue()


def _few(frame: Image.Image) -> Image.Image:
    """256 colours that span all of the frame's, dithered: those that most pixels have would leave steps in a scale.
    Every fourth pixel of every fourth row tells them as well as all would, in a tenth of the time."""
    sample = frame.resize((-(-frame.width // 4), -(-frame.height // 4)), Image.Resampling.NEAREST)
    palette = sample.quantize(256, Image.Quantize.MAXCOVERAGE)
    return frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


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
