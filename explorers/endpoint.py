"""Every explorer over HTTP: one named endpoint each, made from its declaration.

    from gradio_client import Client, handle_file
    said, numbers = Client(url).predict(
        image=handle_file("cat.jpg"), checkpoint="registry/dinov2-small", layer=11, api_name="/attention"
    )

`said` is the caption, `{"caption": {"en": ..., "ru": ...}, "facts": {...}}`; `numbers` is the path of an `.npz`. What
is wrong with a request comes back as one sentence.
"""

from __future__ import annotations

import errno
import inspect
import secrets
import shutil
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.context import LocalContext
from gradio.utils import get_upload_folder
from httpx import InvalidURL, UnsupportedProtocol
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from explorers.call import calling
from explorers.discreet import discreet
from explorers.explorer import Explorer
from explorers.export import caption, npz
from explorers.parameters import shown
from models.faults import Fault

KEPT = 64
"""Answers that wait on the disk to be fetched; an older one makes room for a newer."""

LONGEST_SENTENCE = 600
"""Characters: enough for any of ours, too few for whatever somebody put into a name."""

_answers: deque[Path] = deque()
_lock = threading.Lock()


def register(explorer: Explorer) -> None:
    """Give `explorer` its endpoint; called inside a `gr.Blocks`."""
    gr.api(endpoint(explorer), api_name=explorer.name, api_description=_description(explorer), concurrency_limit=4)


def endpoint(explorer: Explorer) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    """A function of the picture and of every declared parameter, typed so that Gradio can document it."""
    signature = _signature(explorer)

    def answer(*given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        values = dict(zip(signature.parameters, given, strict=True))
        try:
            sent = values.pop("image", None)
            image = None if sent is None and (explorer.pictureless or explorer.optional) else _picture(sent)
            with calling(_left()):
                finding = explorer.run(image, **values)
        except Fault as fault:
            raise gr.Error(discreet(str(fault))[:LONGEST_SENTENCE], print_exception=False) from None
        return caption(finding), _file(f"{explorer.name}.npz", npz(finding))

    answer.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess]
    answer.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
    answer.__name__ = explorer.name
    return answer


def _left() -> Callable[[], bool]:
    """Whether whoever sent the request that is answered now has gone; only Gradio's queue, which holds it, knows."""
    blocks, number = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    event = None if blocks is None or number is None else blocks._queue.event_ids_to_events.get(number)
    return lambda: event is not None and not event.alive


async def refused_arguments(request: Request, fault: Exception) -> Response:
    """Gradio answers an endpoint that `/call/v2` does not have, an argument that it does not know and one that is
    missing with an error of the server; it is the caller's.

    Any other one goes on.
    """
    found, name = str(fault), request.path_params.get("api_name")
    if isinstance(fault, KeyError) and name is not None and fault.args == (f"/{name}",):
        wrong = Fault("The endpoint {name} was asked, but there is none of that name.", name=shown(name))
    elif "is not a valid key-word argument" in found:
        name = found.partition("`")[2].partition("`")[0]
        wrong = Fault("The parameter {name} was given, but this endpoint has none of that name.", name=shown(name))
    elif found.startswith("No value provided for required argument"):
        wrong = Fault("The parameter {name} is missing; give it.", name=shown(found.rpartition(": ")[2]))
    else:
        raise fault
    return JSONResponse({"error": str(wrong)}, status_code=422)


async def refused_body(_: Request, __: Exception) -> Response:
    """Where a body or a value is of another kind than an address of Gradio's takes: it would be named again, whole."""
    wrong = Fault("Something was sent that this address does not take; see /gradio_api/info for what it takes.")
    return JSONResponse({"error": str(wrong)}, status_code=422)


async def refused_path(_: Request, fault: Exception) -> Response:
    """Where an address of Gradio's holds what cannot be the name of a file, or of another page. Any other goes on."""
    if isinstance(fault, OSError) and fault.errno != errno.ENAMETOOLONG:
        raise fault
    return Response(status_code=404)


HANDLERS: Mapping[Any, Any] = {
    TypeError: refused_arguments, KeyError: refused_arguments, RequestValidationError: refused_body,
    OSError: refused_path, InvalidURL: refused_path, UnsupportedProtocol: refused_path,
}  # fmt: skip
"""For `guarded(exception_handlers=…)`."""


def _picture(sent: object) -> Path:
    """The file that was uploaded. Any other path could be one of this machine's own, so only uploads are opened."""
    path = sent.get("path") if isinstance(sent, Mapping) else None
    if path is None:
        raise Fault("A picture was asked for, but there is {found}; upload one as `image`.", found=shown(sent))
    uploads = Path(get_upload_folder()).resolve()
    file = Path(str(path)[:4096].replace("\0", "")).resolve()
    if not file.is_relative_to(uploads) or not file.is_file():
        raise Fault("The picture {name} was not uploaded here; send the file itself.", name=shown(file.name))
    return file


def _file(name: str, data: bytes) -> dict[str, Any]:
    """`data` as a file that the caller may fetch, under a folder that cannot be guessed."""
    folder = Path(get_upload_folder()) / "answers" / secrets.token_urlsafe(18)
    folder.mkdir(parents=True)
    (folder / name).write_bytes(data)
    with _lock:
        _answers.append(folder)
        stale = [_answers.popleft() for _ in range(len(_answers) - KEPT)]
    for old in stale:
        shutil.rmtree(old, ignore_errors=True)
    return {"path": str(folder / name), "orig_name": name, "size": len(data), "meta": {"_type": "gradio.FileData"}}


def _signature(explorer: Explorer) -> inspect.Signature:
    kind, missing = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    optional = inspect.Parameter("image", kind, annotation=gr.FileData | None, default=None)
    needed = inspect.Parameter("image", kind, annotation=gr.FileData)
    image = [] if explorer.pictureless else [optional if explorer.optional else needed]
    fields = sorted(explorer.parameters.model_fields.items(), key=lambda field: not field[1].is_required())
    rest = [
        inspect.Parameter(
            name, kind, annotation=info.annotation, default=missing if info.is_required() else info.default
        )
        for name, info in fields
    ]
    return inspect.Signature(image + rest, return_annotation=tuple[dict, gr.FileData])


def _description(explorer: Explorer) -> str:
    module = inspect.getmodule(explorer.explore)
    return inspect.cleandoc((module.__doc__ if module else None) or explorer.title)
