"""Whose run is it? On a page of one's own everybody sees every run; on a shared host each visitor sees their own.

A visitor is a random token that their browser made and keeps; only its digest is written down, so that whoever reads a
run's folder cannot act for its owner.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from models.card_catalogue import runs_folder
from models.faults import Fault
from models.visitor import NOBODY, owns, public, visitor

if TYPE_CHECKING:
    from training.jobs import Job

HEADER = "x-patchlight-owner"

COOKIE = "patchlight-owner"
"""The same token where a page's scripts cannot add a header: to what Gradio asks by itself."""


def visitor_of(headers: Mapping[str, str]) -> str:
    """Who sent these headers, by their token; nobody where it is none, and on a page of one's own."""
    token = headers.get(HEADER, "") or _cookie(headers.get("cookie", ""))
    if not public() or not re.fullmatch(r"[A-Za-z0-9_-]{22,64}", token):
        return NOBODY
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _cookie(sent: str) -> str:
    try:
        found = SimpleCookie(sent).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def owner() -> str:
    """Who asks: "" on a page of one's own. Raises `Fault` where a shared host is asked by nobody."""
    if public() and visitor() == NOBODY:
        raise Fault("A run was asked for without a visitor's token; open the page in a browser that keeps one.")
    return visitor()


def owned(name: object) -> Job:
    """The run called `name`, where who asks may see it. Raises `Fault`, the same for others' and for none."""
    from training import jobs

    return jobs.job(own_name(name))


def own_name(name: object) -> str:
    """`name`, where it is that of a run which is theirs who ask, whatever state it is in. Raises `Fault`."""
    from training.names import is_name

    if not isinstance(name, str) or not is_name(name):
        raise Fault("A run was asked for by no name that a run can have; choose one of the list.")
    known = {folder.name for folder in runs_folder().glob("*") if (folder / "settings.json").is_file()}
    if name not in known or not owns(runs_folder() / name):
        raise Fault("No run of yours is called {name}; choose one of the list.", name=name)
    return name
