"""Whether the guard holds: on a real server, with real sockets, in a real browser."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from explorers.origins import hosts
from explorers.safety import LARGEST_BODY, LARGEST_UPLOAD, Guard, headers, prepare

ROOT = Path(__file__).resolve().parent.parent.parent
CALL = "gradio_api/call/norms"


def test_a_body_that_says_it_is_too_large_is_refused_unread(server: str) -> None:
    """The answer comes although not one byte of the body was ever sent."""
    place = urlsplit(server)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=10) as wire:
        wire.sendall(
            f"POST /{CALL} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {LARGEST_BODY + 1}\r\n\r\n".encode()
        )
        answer = wire.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413")
    assert "x-content-type-options: nosniff" in answer
    found = httpx.post(f"{server}/{CALL}", content=b"x" * (LARGEST_BODY + 1))
    assert found.json()["error"].startswith(
        "More than 2 MB were sent, which is more than this page takes; send less. / "
    )


def test_a_refused_request_has_one_answer() -> None:
    """An application that goes on in spite of the hang-up must not answer a second time."""
    sent: list[str] = []

    async def stubborn(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] == "http.request":
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    async def receive() -> Any:
        return {"type": "http.request", "body": b"x" * 10, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(f"{message['type']} {message.get('status', '')}")

    scope = {"type": "http", "path": "/call", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(stubborn, hosts(), body=25)(scope, receive, send))
    assert sent == ["http.response.start 413", "http.response.body "]


def test_a_chunked_body_is_counted(server: str) -> None:
    """Sent by hand, since a client that is refused half way reports a broken pipe instead of the answer."""
    place = urlsplit(server)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=10) as wire:
        wire.sendall(
            f"POST /{CALL} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        sent = 0
        try:
            for _ in range(200):
                wire.sendall(b"10000\r\n" + b"[" * 0x10000 + b"\r\n")
                sent += 0x10000
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while chunk := wire.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
    assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
    assert answer.count(b"HTTP/1.1") == 1


def test_an_upload_may_be_larger_but_not_without_end(server: str) -> None:
    photograph = {"files": ("large.jpg", os.urandom(2 * LARGEST_BODY))}
    assert httpx.post(f"{server}/gradio_api/upload", files=photograph).status_code == 200

    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="x.jpg"\r\n\r\n'
        for _ in range(LARGEST_UPLOAD // 2**20 + 8):
            yield b"x" * 2**20

    kind = {"content-type": "multipart/form-data; boundary=b"}
    try:
        answer = httpx.post(f"{server}/gradio_api/upload", content=endless(), headers=kind, timeout=30)
    except httpx.WriteError:  # the server hung up while it was still being sent to
        return
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["", "config", "gradio_api/info", "nothing/here", "gradio_api/file=/etc/passwd"])
def test_every_answer_carries_the_rules(server: str, path: str) -> None:
    answer = httpx.get(f"{server}/{path}", headers={"accept": "text/html"})
    assert {name: answer.headers.get(name) for name in headers(space=False)} == headers(space=False)
    assert "frame-ancestors 'self';" in answer.headers["content-security-policy"] + ";"
    assert "root:" not in answer.text


def test_a_space_may_be_embedded_by_its_host_alone() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in headers(space=True)["content-security-policy"].split(";"))
    assert rules["frame-ancestors"] == "'self' https://huggingface.co https://*.huggingface.co https://*.hf.space"
    assert rules["default-src"] == "'self'"
    assert "http" not in rules["script-src"]


def test_nothing_calls_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.delenv("GRADIO_ANALYTICS_ENABLED", raising=False)
    prepare()
    prepare()
    assert os.environ["NO_PROXY"] == "intranet,127.0.0.1,localhost,::1"
    assert os.environ["no_proxy"] == "127.0.0.1,localhost,::1"
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"


def test_preparing_comes_before_gradio() -> None:
    """Gradio reads its switches when it is imported, so neither the guard nor its own imports may import it."""
    code = "import sys, explorers.safety; explorers.safety.prepare(); print('gradio' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.browser
def test_the_policy_lets_gradio_work(server: str) -> None:
    """In a real browser: no violation is reported, no other host is asked, and Gradio's own scripts still run."""
    from playwright.sync_api import sync_playwright

    host, wrong, asked = urlsplit(server).netloc, [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) => "
            "console.error('refused ' + event.violatedDirective + ' ' + event.blockedURI))"
        )
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server)
        page.click("#bridge")
        page.wait_for_function("document.querySelector('#bridge').textContent === 'moved'")
        page.set_input_files("input[type=file]", ROOT / "assets" / "pictures" / "cat.jpg")
        page.wait_for_function("[...document.images].some((image) => image.naturalWidth === 451)")
        browser.close()
    assert wrong == []
    assert [url for url in asked if urlsplit(url).netloc not in (host, "")] == []
