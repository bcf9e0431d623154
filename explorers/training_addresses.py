"""What the Train tab's scripts fetch: `patchlight/training/…`, plain JSON, and numbers as one binary.

These addresses stay the same for ever, unlike those of pictures, so a page that lost its server finds it again by
asking once more. Changes are posted as JSON (an archive as `application/zip`), which no form of another site can do.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from explorers import training_acts as acts
from explorers import training_live as live
from explorers.delivery import BINARY, attended, told
from explorers.training_compare import compare
from explorers.training_owner import owner
from models.faults import Fault

Answer = Callable[[Mapping[str, Any]], Any]
"""Values to something for JSON, or to bytes. Who asks is known to `explorers.training_owner`."""


def routes() -> Sequence[BaseRoute]:
    fetched: dict[str, Answer] = {
        "form": live.form, "runs": live.runs, "watch": live.watch, "kept": live.kept, "curves": live.curves,
        "frame": live.frame, "views": live.views, "compare": compare,
    }  # fmt: skip
    posted: dict[str, Answer] = {"estimate": acts.estimate, "start": acts.start, "act": acts.act}
    return [
        *(Route(f"/patchlight/training/{name}", _answers(job)) for name, job in fetched.items()),
        *(Route(f"/patchlight/training/{name}", _answers(job), methods=["POST"]) for name, job in posted.items()),
        Route("/patchlight/training/upload", _upload, methods=["POST"]),
    ]


def _answers(job: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            values = dict(request.query_params) if request.method == "GET" else await _posted(request)
            owner()
            made = await attended(request, lambda: job(values))
        except Fault as fault:
            return JSONResponse(told(fault), status_code=422)
        if isinstance(made, bytes):
            return Response(made, media_type=BINARY, headers=_FRESH)
        return JSONResponse(made, headers=_FRESH)

    return answer


_FRESH = {"Cache-Control": "no-store"}


async def _posted(request: Request) -> dict[str, Any]:
    _typed(request, "application/json")
    try:
        values = await request.json()
        json.dumps(values, ensure_ascii=False).encode()  # half a surrogate pair is no text that a file could hold
    except (ValueError, RecursionError) as broken:
        raise Fault("Something was sent that is no JSON; use the page's own form.") from broken
    if not isinstance(values, dict):
        raise Fault("Something was sent that is no JSON object; use the page's own form.")
    return values


async def _upload(request: Request) -> Response:
    """An archive of pictures, unpacked; its size was counted by the guard on its way in."""
    from training.limits import limits, switched_on

    try:
        visitor = owner()
        switched_on(limits())
        _typed(request, "application/zip")
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / f"{_plain(request.query_params.get('name', ''))}.zip"
            with archive.open("wb") as file:
                async for part in request.stream():
                    file.write(part)
            return JSONResponse(await run_in_threadpool(_unpacked, archive, visitor))
    except Fault as fault:
        return JSONResponse(told(fault), status_code=422)


def _plain(name: str) -> str:
    """What the visitor's file is called, as far as a folder may be called so."""
    return re.sub(r"[^\w -]+", "-", name.removesuffix(".zip")).strip("- ")[:60] or "pictures"


def _unpacked(archive: Path, owner: str) -> dict[str, Any]:
    from training.datasets.folder import pictures_in
    from training.uploads import handle
    from training.zipped import left_out, unpacked

    folder = unpacked(archive, owner)
    return {"images": handle(folder), "count": len(pictures_in(folder)), "left": left_out(archive)}


def _typed(request: Request, kind: str) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip() != kind:
        raise Fault("Something was sent as another type than {kind}; use the page's own form.", kind=kind)
