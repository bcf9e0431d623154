"""Films out of pictures that follow one another: GIF for slides that play nothing else, MP4 for everything."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
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


def joined(frames: Sequence[Image.Image], sizes: Sequence[tuple[int, int]], about: str, form: Form) -> bytes:
    """The film's file; `about` is its comment. Each frame is taken once, in order, and let go before the next, so that
    they may be opened one by one; `sizes` are their (width, height). Raises `Fault` where nothing here writes MP4."""
    width, height = (max(size[axis] for size in sizes) for axis in (0, 1))
    whole = (_sheet(frame, (width + width % 2, height + height % 2)) for frame in frames)
    return _gif(whole, len(frames), about) if form == "gif" else _mp4(whole, len(frames), about)


def _sheet(frame: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The frame at the upper left on white, all of one size with even sides, as H.264 wants them."""
    sheet = Image.new("RGB", size, "white")
    sheet.paste(frame, (0, 0))
    return sheet


def _gif(frames: Iterator[Image.Image], count: int, about: str) -> bytes:
    few = map(_few, frames)
    times = [MILLISECONDS] * (count - 1) + [LAST * MILLISECONDS]
    file, first = io.BytesIO(), next(few)
    first.save(file, "GIF", save_all=True, append_images=few, duration=times, loop=0, comment=about.encode()[:255])
    return file.getvalue()


def _few(frame: Image.Image) -> Image.Image:
    """256 colours that span all of the frame's, dithered: those that most pixels have would leave steps in a scale.
    Every fourth pixel of every fourth row tells them as well as all would, in a tenth of the time."""
    sample = frame.resize((-(-frame.width // 4), -(-frame.height // 4)), Image.Resampling.NEAREST)
    palette = sample.quantize(256, Image.Quantize.MAXCOVERAGE)
    return frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _mp4(frames: Iterator[Image.Image], count: int, about: str) -> bytes:
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
        stream.pix_fmt, repeats = "yuv420p", MILLISECONDS * RATE // 1000
        for turn, frame in enumerate(frames, 1):
            if turn == 1:
                stream.width, stream.height = frame.size
            for _ in range(repeats * (LAST if turn == count else 1)):
                container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
    return file.getvalue()
