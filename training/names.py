"""What a run may be called: letters and digits of every language, dots, dashes and underscores."""

from __future__ import annotations

import re
import secrets
import unicodedata

from models.card_catalogue import runs_folder
from models.visitor import public

_NAME = re.compile(r"[^\W_][\w.-]{0,99}")

LONGEST = 200
"""Bytes, so that a folder may be called so, with an ending, on every file system."""


def is_name(text: str) -> bool:
    """Whether a run may be called so."""
    return bool(_NAME.fullmatch(text)) and len(text.encode("utf-8", "replace")) <= LONGEST


def free(wanted: str) -> str:
    """The nearest name to `wanted` that no run has; on a shared host with an ending that nobody guesses.

    Who takes it holds `training.ledger.alone` from before this is asked, or two may be told the same.
    """
    plain = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", wanted)).strip(".-_")
    plain = plain.encode()[: LONGEST - 40].decode("utf-8", "ignore")[:80].strip(".-_") or "run"
    if public():
        return f"{plain}-{secrets.token_hex(6)}"
    taken = {folder.name for folder in runs_folder().glob("*")}
    return next(name for name in (plain, *(f"{plain}-{number}" for number in range(2, 10_000))) if name not in taken)
