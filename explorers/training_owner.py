"""Whose run is it? On a page of one's own everybody sees every run; on a shared host each visitor sees their own.

A visitor is a random token that their browser made and keeps; only its digest is written down, so that whoever reads a
run's folder cannot act for its owner.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.card_catalogue import runs_folder
from models.faults import Fault

if TYPE_CHECKING:
    from training.jobs import Job

HEADER = "x-patchlight-owner"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def public() -> bool:
    """Whether strangers share this page."""
    return os.environ.get("PATCHLIGHT_PUBLIC") == "1"


def owner_of(headers: Mapping[str, str]) -> str:
    """Who asks: "" on a page of one's own. Raises `Fault` where a shared host is asked by nobody."""
    if not public():
        return ""
    token = headers.get(HEADER, "")
    if not re.fullmatch(r"[A-Za-z0-9_-]{22,64}", token):
        raise Fault("A run was asked for without a visitor's token; open the page in a browser that keeps one.")
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def owned(name: object, owner: str) -> Job:
    """The run called `name`, where this visitor may see it. Raises `Fault`, the same for others' and for none."""
    from training import jobs

    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Fault("A run was asked for by no name that a run can have; choose one of the list.")
    known = {folder.name for folder in runs_folder().glob("*") if (folder / "settings.json").is_file()}
    found = jobs.job(name) if name in known else None
    if found is None or (public() and found.owner != owner):
        raise Fault("No run of yours is called {name}; choose one of the list.", name=name)
    return found


def named(wanted: str) -> str:
    """A free name: on a shared host with an ending that nobody guesses, since a name opens a network."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip(".-_")[:80] or "run"
    if public():
        return f"{plain}-{secrets.token_hex(6)}"
    taken = {folder.name for folder in runs_folder().glob("*")}
    return next(name for name in (plain, *(f"{plain}-{number}" for number in range(2, 10_000))) if name not in taken)
