"""Binaries on their way to the page: kept in memory under names that cannot be guessed, fetched by the page's scripts.

Two kinds: data that is there (`place`), and an answer worked out when it is fetched (`offer`), such as the rows of a
patch that was clicked. Both are forgotten when newer ones need the room; the page then asks for its picture again.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles

from explorers.cache import also
from explorers.call import calling
from explorers.discreet import discreet
from models.faults import Fault
from models.visitor import asked_by, visitor

T = TypeVar("T")

STAGE = Path(__file__).resolve().parent.parent / "assets" / "stage"

BYTES = 512 * 2**20
"""All that is kept for all visitors together; the oldest goes first."""

BINARY = "application/octet-stream"


@dataclass(frozen=True)
class Goods:
    """data: bytes, or a function of the query's named values that returns them; such a function keeps names alone, of
    what the caches hold and count, since nobody counts what it keeps. visitor: for whom it was put there, and for whom
    it is worked out whoever fetches it, since a link carries no token"""

    data: bytes | Callable[[Mapping[str, str]], bytes]
    media_type: str
    filename: str | None = None
    visitor: str = field(default_factory=visitor)

    @property
    def size(self) -> int:
        return len(self.data) if isinstance(self.data, bytes) else 1024


_shelf: OrderedDict[str, Goods] = OrderedDict()
_lock = threading.Lock()


def place(data: bytes, media_type: str = BINARY) -> str:
    """Keep `data`; its address, relative to the page's."""
    return _keep(Goods(data, media_type))


def offer(answer: Callable[[Mapping[str, str]], bytes], media_type: str = BINARY, filename: str | None = None) -> str:
    """Promise `answer(values)` to whoever fetches the address with named values in its query; a `Fault` is told."""
    return _keep(Goods(answer, media_type, filename))


def _keep(goods: Goods) -> str:
    name = secrets.token_urlsafe(18)
    with _lock:
        _shelf[name] = goods
        while sum(kept.size for kept in _shelf.values()) > BYTES and len(_shelf) > 1:
            _shelf.popitem(last=False)
    return f"patchlight/data/{name}"


def clear() -> None:
    """Forget what is there already; what is worked out when it is fetched keeps next to nothing."""
    with _lock:
        for name in [name for name, goods in _shelf.items() if isinstance(goods.data, bytes)]:
            del _shelf[name]


also(clear)


async def _fetch(request: Request) -> Response:
    with _lock:
        goods = _shelf.get(request.path_params["name"])
        if goods is not None:
            _shelf.move_to_end(request.path_params["name"])
    if goods is None:
        return JSONResponse({"gone": True}, status_code=410)
    headers = {"Cache-Control": "private, max-age=3600"}
    if goods.filename:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(goods.filename, safe='')}"
    if isinstance(goods.data, bytes):
        return Response(goods.data, media_type=goods.media_type, headers=headers)
    try:
        with asked_by(goods.visitor):
            data = await attended(request, partial(goods.data, dict(request.query_params)))
    except Fault as fault:
        return JSONResponse(told(fault), status_code=422)
    return Response(data, media_type=goods.media_type, headers=headers)


async def attended(request: Request, answer: Callable[[], T]) -> T:
    """What `answer` returns on a thread; it stops at its next turn once whoever sent the request has gone."""
    gone = threading.Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    def work() -> T:
        with calling(gone.is_set):
            return answer()

    watching = asyncio.create_task(watch())
    try:
        return await run_in_threadpool(work)
    finally:
        watching.cancel()


def told(fault: Fault) -> dict[str, Any]:
    """A fault as the page's scripts take it: they say the sentence in the reader's language."""
    return {"fault": {"template": fault.template, "facts": {name: plain(fact) for name, fact in fault.facts.items()}}}


def plain(fact: object) -> object:
    """A number as it is, anything else as a text that JSON can hold; on a page that strangers share it names no place
    of this machine."""
    if isinstance(fact, int) or (isinstance(fact, float) and isfinite(fact)):
        return fact
    return discreet(str(fact)).encode("utf-8", "replace").decode()


class _Fresh(StaticFiles):
    """Scripts and styles are checked for a newer version at each load, so that an update is never half seen."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


_FILES = _Fresh(directory=STAGE)


async def _stage(request: Request) -> Response:
    """By a route, not a mount: a mount looks for its files under the root path, which a proxy may have stripped."""
    return await _FILES.get_response(request.path_params["name"], request.scope)


def routes() -> list[BaseRoute]:
    """For `launch(app_kwargs={"routes": …})`: the page's own scripts and the binaries."""
    return [
        Route("/patchlight/data/{name}", _fetch, methods=["GET"]),
        Route("/patchlight/stage/{name}", _stage),
    ]
