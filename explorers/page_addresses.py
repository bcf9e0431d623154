"""Addresses that the page's scripts fetch: texts, networks, what a pass would cost, the pictures that ship."""

from __future__ import annotations

import io
import os
import re
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from explorers import checkup, delivery, run_film
from explorers.explorer import explorers
from explorers.frame import examples
from explorers.text import LANGUAGES, dictionary
from models.faults import Fault

THUMBNAIL = 96


def routes() -> list[BaseRoute]:
    """Everything that the page's scripts fetch."""
    return [
        *delivery.routes(),
        Route("/patchlight/text/{language}", _text),
        Route("/patchlight/networks", _networks),
        Route("/patchlight/alive", _alive),
        Route("/patchlight/cost", _cost),
        Route("/patchlight/doctor", checkup.answer),
        *run_film.routes(),
        Route("/patchlight/pictures/{name}", _picture),
        Route("/patchlight/pictures/small/{name}", _small),
        *(route for explorer in explorers() if explorer.routes for route in explorer.routes()),
    ]


async def _text(request: Request) -> Response:
    language = request.path_params["language"]
    return JSONResponse(dictionary(language)) if language in LANGUAGES else Response(status_code=404)


STARTED = secrets.token_hex(4)
"""Of this process: a page that finds another asks anew for all that it shows."""


async def _alive(_: Request) -> Response:
    return JSONResponse({"since": STARTED}, headers={"Cache-Control": "no-store"})


async def _networks(_: Request) -> Response:
    return JSONResponse(await run_in_threadpool(_cards))


def _cards() -> dict[str, Any]:
    import models.card_catalogue as known

    here = {card.id: card for card in known.checkpoints()}
    cards = [*known.catalogue(), *(card for id, card in here.items() if known.card_of(id) is None)]
    public = os.environ.get("PATCHLIGHT_PUBLIC") == "1"
    fields = ("id", "title", "family", "training", "licence", "parameters", "patch", "side", "download", "gated")
    told = [{name: getattr(card, name) for name in fields} for card in cards]
    for card, facts in zip(cards, told, strict=True):
        facts |= {"source": card.source, "here": card.id in here, "abilities": list(card.abilities)}
    return {"cards": told, "damaged": known.damaged(), "local": not public}


async def _cost(request: Request) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(_foreseen, dict(request.query_params)))
    except Fault as fault:
        return JSONResponse(delivery.told(fault), status_code=422)


_WHOLE = re.compile("[0-9]{1,4}")


def _foreseen(values: dict[str, str]) -> dict[str, Any]:
    """Tokens, bytes and seconds of a pass over an input that has not run."""
    from explorers.traces import cost
    from models.card import Card
    from models.card_catalogue import closed, is_open

    numbers = {name: values.get(name, "") for name in ("patch", "height", "width")}
    if not all(_WHOLE.fullmatch(text) and 0 < int(text) <= 8192 for text in numbers.values()):
        raise Fault("A cost was asked for without patch, height and width in pixels; give all three.")
    if not is_open(asked := values.get("checkpoint", "")):
        raise closed(asked)
    card = Card(asked, "", "", patch=int(numbers["patch"]))
    found = cost(card, (int(numbers["height"]), int(numbers["width"])))
    return {"tokens": found.tokens, "bytes": found.bytes, "seconds": found.seconds}


async def _picture(request: Request) -> Response:
    file = examples().get(request.path_params["name"])
    return FileResponse(file, headers=_DAY) if file else Response(status_code=404)


async def _small(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in examples():
        return Response(status_code=404)
    return Response(await run_in_threadpool(_thumbnail, examples()[name]), media_type="image/jpeg", headers=_DAY)


_DAY = {"Cache-Control": "max-age=86400"}


@cache
def _thumbnail(file: Path) -> bytes:
    image = Image.open(file).convert("RGB")
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    return stream.getvalue()
