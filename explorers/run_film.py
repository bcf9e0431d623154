"""A film of a run's life: the pictures that the page has drawn at step after step, joined into one file.

Every tab draws and captions its own picture, so the page sends what it has drawn; nothing here knows any explorer.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from explorers.delivery import told
from models.faults import Fault

if TYPE_CHECKING:
    from PIL import Image

    from explorers.film import Form

MOST = 200
"""Pictures of one film."""

PIXELS = 4_000_000
"""Of one picture; the page sends at most 1,280 × 1,280 or so."""

ALL_PIXELS = 120_000_000
"""Of all pictures together: what a body unpacks to is bounded, not what it weighs."""

PATIENCE = 60.0
"""Seconds that one film waits while others are made."""

WIDEST = 400
"""Characters of the comment."""


def routes() -> Sequence[BaseRoute]:
    """`/upload` at the end, since that is where the guard lets larger bodies in."""
    return [Route("/patchlight/film/upload", _film, methods=["POST"])]


def film(pictures: Sequence[bytes], about: str, form: str) -> bytes:
    """The film of these pictures (any format that `models.image` reads). Raises `Fault`."""
    from explorers.film import MEDIA, joined
    from models.image import size_of

    if form not in MEDIA:
        raise Fault(
            "A film was asked for as {form}, but there are only {known}; choose one of those.",
            form=form[:20], known=", ".join(MEDIA),
        )  # fmt: skip
    if not 1 <= len(pictures) <= MOST:
        raise Fault(
            "A film of {count} pictures was asked for, but it has between 1 and {most}; play fewer steps.",
            count=len(pictures), most=MOST,
        )  # fmt: skip
    sizes = [size_of(io.BytesIO(picture), limit=PIXELS) for picture in pictures]
    unpacked = sum(height * width for height, width in sizes)
    if unpacked > ALL_PIXELS:
        raise Fault(
            "A film of {count} pictures was asked for, {pixels} million pixels once unpacked where {most} million are "
            "taken; play fewer steps, or export a smaller picture.",
            count=len(pictures), pixels=round(unpacked / 1e6), most=ALL_PIXELS // 10**6,
        )  # fmt: skip
    frames, places = _Unopened(pictures), [(width, height) for height, width in sizes]
    with _alone():
        return joined(frames, places, about[:WIDEST], cast("Form", form))


class _Unopened(Sequence["Image.Image"]):
    """Pictures that are decoded when they are taken, and not kept."""

    def __init__(self, files: Sequence[bytes]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> Image.Image:  # pyright: ignore[reportIncompatibleMethodOverride]
        from models.image import open_image

        return open_image(io.BytesIO(self._files[number]), limit=PIXELS)


_making = threading.Lock()


@contextmanager
def _alone() -> Iterator[None]:
    """One film at a time, whoever asked. Raises `Fault` where it takes too long until one's turn."""
    if not _making.acquire(timeout=PATIENCE):
        raise Fault("A film was asked for, but others are being made; try again in a minute.")
    try:
        yield
    finally:
        _making.release()


async def _film(request: Request) -> Response:
    from explorers.film import MEDIA

    async with request.form(max_files=MOST, max_fields=4) as form:
        pictures = [await part.read() for part in form.getlist("picture") if isinstance(part, UploadFile)]
        about, kind = str(form.get("about", "")), str(form.get("form", ""))
    try:
        made = await run_in_threadpool(film, pictures, about, kind)
    except Fault as fault:
        return JSONResponse(told(fault), status_code=422)
    return Response(made, media_type=MEDIA[cast("Form", kind)])
