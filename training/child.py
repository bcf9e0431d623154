"""A process of one's own that is asked one thing, and ends, with all that it has begun, when nobody waits any more."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from training.tender import surroundings

GLANCE = 0.2
"""Seconds between two looks whether anybody still waits."""


class Withdrawn(Exception):
    """Nobody waits any more."""


def answered(
    words: list[str], text: str, longest: float, wanted: Callable[[], bool] = lambda: True
) -> subprocess.CompletedProcess[str] | None:
    """What the command `words` says to `text`; None where it takes longer than so many seconds. Raises `Withdrawn`."""
    if not wanted():
        raise Withdrawn
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, text=True, env=surroundings(), start_new_session=True, **pipes) as child:
        try:
            return _ended(child, text, time.monotonic() + longest, wanted)
        finally:
            _kill(child)


def _ended(
    child: subprocess.Popen[str], text: str | None, until: float, wanted: Callable[[], bool]
) -> subprocess.CompletedProcess[str] | None:
    while time.monotonic() < until:
        if not wanted():
            raise Withdrawn
        with suppress(subprocess.TimeoutExpired):
            told, complaints = child.communicate(text, timeout=GLANCE)
            return subprocess.CompletedProcess(child.args, child.returncode, told, complaints)
        text = None  # it has been told
    return None


def _kill(child: subprocess.Popen[str]) -> None:
    if child.poll() is not None:
        return
    if os.name == "posix":
        os.killpg(child.pid, signal.SIGKILL)
    child.kill()
