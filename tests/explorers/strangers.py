"""Who comes to the page over HTTP, with nothing but a token of their own, and the doors that the page has."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from explorers import page as served
from explorers import training_live
from explorers.explorer import explorers

ONCE = httpx.Limits(max_keepalive_connections=0)
"""A connection for each request: one that was hung up is not used again."""


class Visitor:
    """A browser, or a program: a token of its own in each request."""

    def __init__(self, url: str) -> None:
        self.token = secrets.token_urlsafe(24)
        self.http = httpx.Client(base_url=url, headers={"x-patchlight-owner": self.token}, timeout=60, limits=ONCE)

    def uses(self, other: Visitor) -> Visitor:
        """The same person, who sends the token as a cookie alone."""
        self.token = other.token
        del self.http.headers["x-patchlight-owner"]
        self.http.headers["cookie"] = f"patchlight-owner={other.token}"
        return self

    def read(self, method: str, path: str, **how: Any) -> tuple[int, bytes]:
        """Status and body, of streams without an end what came first."""
        status, body = 0, b""
        try:
            with self.http.stream(method, path, timeout=httpx.Timeout(30, read=1.0), **how) as answer:
                status = answer.status_code
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > 2**22:
                        break
        except httpx.TransportError:  # it goes on for ever, or was hung up
            pass
        return status, body

    def post(self, act: str, values: object) -> httpx.Response:
        return self.http.post(f"/patchlight/training/{act}", json=values)

    def call(self, name: str, **values: Any) -> str:
        """A published endpoint: what its event says."""
        begun = self.http.post(f"/gradio_api/call/v2/{name}", json=values)
        if begun.status_code != 200:
            return begun.text
        return self.http.get(f"/gradio_api/call/{name}/{begun.json()['event_id']}").text

    def look(self, number: int, desk: dict[str, Any]) -> str:
        """An event of a tab, as the page's own scripts send it: the last that is told."""
        session = secrets.token_hex(5)
        joined = {"data": [desk], "fn_index": number, "session_hash": session, "event_data": None, "trigger_id": None}
        assert self.http.post("/gradio_api/queue/join", json=joined).status_code == 200
        said = ""
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as events:
            for line in events.iter_lines():
                said += line
                if '"process_completed"' in line:
                    break
        return said


@contextmanager
def launched() -> Iterator[tuple[Any, str]]:
    page = served.build()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **served.launch_options())
    try:
        yield page, address.rstrip("/")
    finally:
        for tender in filter(None, training_live._tender):
            tender.stop()
        training_live._tender.clear()
        page.close(verbose=False)


def routes(table: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """(method, path) of everything that the application serves."""
    for route in table:
        path = before + (getattr(route, "path", None) or "")
        inner = getattr(route, "original_router", route)  # as FastAPI keeps a router that was included
        yield from routes(getattr(inner, "routes", None) or (), path)
        for method in getattr(route, "methods", None) or ("GET",):
            yield method, path


def filled(path: str, text: str) -> str:
    """A path whose parameters are all `text`."""
    return re.sub(r"{[^}]*}", lambda _: httpx.URL("/", params={"x": text}).query.decode()[2:].replace("%2F", "/"), path)


def asked_names() -> set[str]:
    """Every name by which some door takes a value."""
    declared = {name for explorer in explorers() for name in explorer.parameters.model_fields}
    own = {"run", "runs", "path", "name", "file", "act", "kind", "since", "form", "preset", "picture", "images", "tab"}
    return declared | own | {"step", "session_hash", "event_id", "patch", "height", "width", "deep_link"}
