"""The checkpoint doctor on the page: what a file of weights is, and which tabs will work with it."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradio.utils import get_upload_folder
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from explorers.delivery import told
from explorers.explorer import Sentence, explorers
from explorers.parameters import shown
from models.faults import Fault

if TYPE_CHECKING:
    from models.doctor import Diagnosis


async def answer(request: Request) -> Response:
    """For `GET patchlight/doctor?path=…&answers=heads=12…`: {"said": sentences, "id": what to open it by, or null,
    "asks": [{name, choices, usual, form}] of what the weights do not tell}."""
    asked = request.query_params
    try:
        return JSONResponse(await run_in_threadpool(_examined, asked.get("path", ""), asked.get("answers", "")))
    except Fault as fault:
        return JSONResponse(told(fault), status_code=422)


def _examined(path: str, said_of_it: str) -> dict[str, Any]:
    from models.answers import FORMS, answers
    from models.doctor import diagnose

    file = Path(path.replace("\0", "")).resolve()
    if os.environ.get("PATCHLIGHT_PUBLIC") == "1":
        raise Fault("A file of weights was given, but this page is public and opens none; run Patchlight at home.")
    if not file.is_relative_to(Path(get_upload_folder()).resolve()) or not file.is_file():
        raise Fault("The file {name} was not uploaded here; drop it again.", name=shown(file.name))
    try:
        said_so = answers(said_of_it)
    except Fault as unclear:
        return {"said": [told(unclear)["fault"]], "id": None, "asks": []}
    found = diagnose(file, answers=said_so)
    said = [{"template": one.template, "facts": dict(one.facts)} for one in sentences(found)]
    said += [told(found.fault)["fault"]] if found.fault else []
    asks = [{**asdict(ask), "form": FORMS[ask.name]} for ask in found.asks]
    return {"said": said, "id": None if found.fault else found.id, "asks": asks}


def sentences(found: Diagnosis) -> list[Sentence]:
    """What a diagnosis says to people."""
    counts = {"file": found.file, "tensors": found.tensors, "millions": round(found.parameters / 1e6, 1)}
    said = [Sentence("{file} holds {tensors} tensors, {millions} million numbers in all.", counts)]
    if found.layout:
        said.append(Sentence("Its names are laid out as by {layout}.", {"layout": found.layout}))
    said += [
        Sentence("Beside the network it holds {what}: {count} tensors.", {"what": what, "count": count})
        for what, count in found.aside
    ]
    if found.backbone is not None:
        said += [Sentence(note.template, note.facts) for note in found.backbone.card.notes]
        able = found.backbone.card.abilities
        tabs = [one.title for one in explorers() if one.ability is None or one.ability in able]
        said.append(Sentence("Tabs that will work: {tabs}.", {"tabs": ", ".join(tabs)}))
    return said
