"""What Gradio leaves to the application: who may ask, limits on what comes in, rules for what browsers may do here.

    prepare()                                     before gradio is imported
    Guard(app, hosts())                           before all that is served, see `explorers.served`

Bodies are counted as they arrive, so that a chunked one cannot be larger than it says. The content security policy
allows inline scripts and `eval`, since Gradio's own page is made of them, but nothing from any other host.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from explorers.text import LANGUAGES, say
from explorers.training_owner import visitor_of
from models.faults import Fault
from models.visitor import asked_by

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from explorers.origins import Hosts

LARGEST_BODY = 2 * 2**20
"""Bytes of any request but an upload: a painted mask of 256 × 256 patches fits several times."""

LARGEST_UPLOAD = 64 * 2**20
"""Bytes of an upload, with what multipart adds; a photograph of 50 megapixels fits. Give `launch` the same."""

_UPLOAD = "/upload"
_HOSTS = ("127.0.0.1", "localhost", "::1")


def prepare() -> None:
    """Keep gradio and the hub's client from calling home, and a proxy from standing between the page and itself."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    for name in ("NO_PROXY", "no_proxy"):
        known = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join([*known, *(host for host in _HOSTS if host not in known)])


def policy(embedded_by: tuple[str, ...] = ()) -> str:
    """The content security policy; `embedded_by` are hosts that may show the page in a frame and lend it pictures."""
    others = " ".join(embedded_by)
    rules = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": f"'self' data: blob: {others}",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' data: blob: {others}",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": f"'self' {others}",
    }
    return "; ".join(f"{name} {value.strip()}" for name, value in rules.items())


def headers(space: bool) -> dict[str, str]:
    """Response headers; on a Space, Hugging Face's own pages may embed this one."""
    hosts = ("https://huggingface.co", "https://*.huggingface.co", "https://*.hf.space") if space else ()
    return {
        "content-security-policy": policy(hosts),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    }


class Guard:
    """ASGI middleware: refuses what comes by another name or from another site's page, and bodies that are too large;
    says who asks (`models.visitor`) and puts `headers` on every answer."""

    def __init__(self, app: ASGIApp, hosts: Hosts, body: int = LARGEST_BODY, upload: int = LARGEST_UPLOAD) -> None:
        self.app = app
        self.hosts = hosts
        self.body = body
        self.upload = upload
        self.headers = [(name.encode(), text.encode()) for name, text in headers("SPACE_ID" in os.environ).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        sent = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        limit = self.upload if scope["path"].rstrip("/").endswith(_UPLOAD) else self.body
        exchange = _Exchange(self, limit, receive, send)
        try:
            self.hosts.check(scope.get("method", "GET"), sent)
        except Fault as foreign:
            await (exchange.refuse(403, foreign) if scope["type"] == "http" else send(_CLOSED))
            return
        with asked_by(visitor_of(sent)):
            await (exchange.run(scope) if scope["type"] == "http" else self.app(scope, receive, send))


_CLOSED: dict[str, Any] = {"type": "websocket.close", "code": 1008}
"""Against the rules of this page (RFC 6455, 7.4.1)."""


class _Exchange:
    """One request and its answer."""

    def __init__(self, guard: Guard, limit: int, receive: Receive, send: Send) -> None:
        self.guard, self.limit = guard, limit
        self._receive, self._send = receive, send
        self.arrived = 0
        self.answered = False
        self.refused = False

    async def run(self, scope: Scope) -> None:
        from starlette.requests import ClientDisconnect

        said = dict(scope["headers"]).get(b"content-length", b"0")
        if said.isdigit() and int(said) > self.limit:
            await self.refuse(413, _too_large(self.limit))
            return
        try:
            await self.guard.app(scope, self.receive, self.send)
        except ClientDisconnect:
            if not self.refused:
                raise

    async def receive(self) -> Message:
        message = await self._receive()
        self.arrived += len(message.get("body", b""))
        if self.arrived <= self.limit:
            return message
        if not self.answered:
            await self.refuse(413, _too_large(self.limit))
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.refused:
            return
        if message["type"] == "http.response.start":
            self.answered = True
            own = {name for name, _ in self.guard.headers}
            kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in own]
            message = {**message, "headers": [*kept, *self.guard.headers]}
        await self._send(message)

    async def refuse(self, status: int, fault: Fault) -> None:
        """The sentence in every language, since nobody knows yet who asks."""
        sentence = " / ".join(say(fault.template, language, **fault.facts) for language in LANGUAGES)
        body = json.dumps({"error": sentence}, ensure_ascii=False).encode()
        kind = [(b"content-type", b"application/json; charset=utf-8"), (b"connection", b"close")]
        await self.send({"type": "http.response.start", "status": status, "headers": kind})
        await self.send({"type": "http.response.body", "body": body})
        self.refused = True


def _too_large(limit: int) -> Fault:
    return Fault("More than {limit} MB were sent, which is more than this page takes; send less.", limit=limit // 2**20)
