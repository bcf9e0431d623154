"""From any picture file to plain RGB, each kind by a stated rule.

    upright        EXIF orientation is applied
    16-bit grey    v · 255 / 65535, rounded (Pillow's own conversion saturates almost everything to white)
    32-bit, float  stretched: least value to 0, greatest to 255
    palette        looked up
    CMYK           through the embedded ICC profile to sRGB where there is one, else Pillow's plain formula
    RGB profiles   left alone, as the training pipelines of these networks left them
    alpha          laid over white
    animation      first frame

`steps` tells a caption which of these changed the picture. The size is checked on the header, before decoding.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from contextlib import nullcontext
from os import PathLike, fspath
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from models.faults import Fault

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Pillow reads more, but some through outside programs (EPS runs Ghostscript)."""

LARGEST = 64_000_000
"""Pixels of a picture once unpacked (192 MB): a 50-megapixel photograph passes, a 17 KB file of 12,000² does not."""

LEAST_SIDE = 8
"""Pixels; less than one patch of the smallest networks says nothing."""

WIDEST = 32
"""Longer side over shorter side; beyond it a grid has one row of slivers."""

Image.init()  # otherwise `Image.open` does not know the rarer names in FORMATS

_STEPS = "patchlight steps"
_ORIENTATION = 0x0112
_DAMAGE = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, RuntimeError,
    MemoryError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow's decoders raise on damaged files, as found by cutting and flipping bytes."""


def open_image(file: str | PathLike[str] | BinaryIO, limit: int = LARGEST) -> Image.Image:
    """The picture in `file` (a path or a binary stream) as RGB; refused above `limit` pixels. Raises `Fault`."""
    name, stream = _stream(file)
    owned = stream if isinstance(file, (str, PathLike)) else nullcontext()
    with owned, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about damaged metadata; orientation is all that is read of it
        header = _header(name, stream)
        _check_size(header.size, limit)
        try:
            image, steps = _rgb(header)
        except _DAMAGE as damage:
            raise Fault(
                "{name} starts like a picture but is damaged or cut off; open it in an image program, or take "
                "another copy.",
                name=name,
            ) from damage
    image.info = {_STEPS: steps}
    return image


def steps(image: Image.Image) -> tuple[str, ...]:
    """What `open_image` did to the picture, each an English key of the text catalogue; empty if nothing."""
    return image.info.get(_STEPS, ())


def size_of(file: str | PathLike[str] | BinaryIO, limit: int = LARGEST) -> tuple[int, int]:
    """(height, width) of the picture once upright, read from its header alone. Raises `Fault`."""
    name, stream = _stream(file)
    owned = stream if isinstance(file, (str, PathLike)) else nullcontext()
    with owned, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = _header(name, stream)
        _check_size(header.size, limit)
        try:
            lies = header.format != "TIFF" and header.getexif().get(_ORIENTATION, 1) in range(5, 9)
        except _DAMAGE:
            lies = False  # opening it says what is damaged; a TIFF's header speaks of the upright picture
    width, height = header.size
    return (width, height) if lies else (height, width)


def _stream(file: str | PathLike[str] | BinaryIO) -> tuple[str, BinaryIO]:
    if isinstance(file, (str, PathLike)):
        path = Path(fspath(file))
        try:
            return path.name, path.open("rb")
        except (OSError, ValueError) as missing:
            raise Fault(
                "The picture {name} cannot be opened ({reason}); check the path.",
                name=path.name, reason=getattr(missing, "strerror", None) or missing,
            ) from missing  # fmt: skip
    if not hasattr(file, "read") or isinstance(file, io.TextIOBase):
        raise Fault(
            "A picture was asked for, but a {kind} was given; give a file or its path.", kind=type(file).__name__
        )
    return Path(str(getattr(file, "name", "The file"))).name, file


def _header(name: str, stream: BinaryIO) -> Image.Image:
    try:
        return Image.open(stream, formats=FORMATS)
    except Image.DecompressionBombError as bomb:
        raise _too_large(LARGEST) from bomb
    except (UnidentifiedImageError, *_DAMAGE) as unknown:
        raise Fault(
            "{name} is not a picture that can be read here; save it as PNG, JPEG, WebP, AVIF, GIF, TIFF or BMP.",
            name=name,
        ) from unknown


def _check_size(size: tuple[int, int], limit: int) -> None:
    width, height = size
    if width * height > limit:
        raise _too_large(limit)
    if min(size) < LEAST_SIDE:
        raise Fault(
            "The picture is {width} × {height} pixels, too small to be cut into patches; choose one of at least "
            "{least} pixels a side.",
            width=width, height=height, least=LEAST_SIDE,
        )  # fmt: skip
    if max(size) > WIDEST * min(size):
        raise Fault(
            "The picture is {width} × {height} pixels, a strip too narrow for patches; crop it to at most "
            "{widest} : 1.",
            width=width, height=height, widest=WIDEST,
        )  # fmt: skip


def _too_large(limit: int) -> Fault:
    return Fault(
        "The picture unpacks to more than {limit} million pixels; scale it down and open it again.",
        limit=round(limit / 1e6, 1),
    )


def _rgb(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    done = []
    if getattr(image, "is_animated", False):
        done.append("first frame of several")
        image.seek(0)
    if image.getexif().get(_ORIENTATION, 1) in range(2, 9):
        done.append("turned upright as its EXIF orientation says")
    image.load()  # TIFF turns itself here and forgets its orientation, so it is asked before
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        done.append("16-bit grey scaled to 8 bits")
        return _grey(np.asarray(image).astype(np.float32) / 65535), tuple(done)
    if image.mode in ("I", "F"):
        done.append("grey values stretched from least to greatest")
        return _grey(_stretched(np.asarray(image, dtype=np.float64))), tuple(done)
    if image.mode == "CMYK":
        image, how = _from_cmyk(image)
        done.append(how)
    if image.has_transparency_data:
        done.append("transparent parts laid over white")
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB"), tuple(done)


def _grey(unit: np.ndarray) -> Image.Image:
    return Image.fromarray((unit * 255).round().astype(np.uint8)).convert("RGB")


def _stretched(values: np.ndarray) -> np.ndarray:
    least, greatest = values.min(), values.max()
    if not np.isfinite(least + greatest):
        raise ValueError("not finite")
    return (values - least) / max(greatest - least, np.finfo(np.float64).tiny)


def _from_cmyk(image: Image.Image) -> tuple[Image.Image, str]:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted, "CMYK converted through its ICC profile"
    return image.convert("RGB"), "CMYK converted without a profile"
