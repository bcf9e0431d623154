"""What is said on a page that strangers share names no place of this machine: of a path its last part alone is told."""

from __future__ import annotations

import re

from models.visitor import public

_PLACE = re.compile(r"(?<![\w:/.~])(?:~|[A-Za-z]:)?[\\/](?:[^\s\\/'\"]+[\\/])+(?=[^\s\\/'\"]*)")


def discreet(said: str) -> str:
    """The same text; on a shared page each absolute path in it is cut to its last part."""
    return _PLACE.sub("", said) if public() else said
