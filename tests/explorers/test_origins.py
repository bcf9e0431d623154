"""A page of another site neither acts nor reads, by whatever name it asks; everybody who comes by a true name may."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import httpx
import pytest

from explorers.origins import Hosts, hosts
from explorers.safety import Guard
from models.faults import Fault

OWN = hosts(environment={})
PROXIED = hosts(environment={"PATCHLIGHT_HOSTS": "Demo.example, other.example:8443"})
SPACE = hosts(environment={"SPACE_HOST": "owner-page.hf.space"})
SUBPATH = hosts(environment={"GRADIO_ROOT_PATH": "https://lab.example/patchlight"})

MACHINE = socket.gethostname()

ALLOWED: dict[str, tuple[Hosts, str, dict[str, str]]] = {
    "a program on this machine": (OWN, "POST", {"host": "127.0.0.1:7860"}),
    "the page on this machine": (OWN, "POST", {"host": "localhost:7860", "origin": "http://localhost:7860"}),
    "in another writing": (OWN, "POST", {"host": "LOCALHOST:7860", "origin": "http://localhost:7860"}),
    "by IPv6": (OWN, "POST", {"host": "[::1]:7860", "origin": "http://[::1]:7860"}),
    "in a hall": (OWN, "POST", {"host": "192.168.1.5:7860", "origin": "http://192.168.1.5:7860"}),
    "by the machine's name": (OWN, "GET", {"host": f"{MACHINE}:7860"}),
    "by mDNS": (OWN, "GET", {"host": f"{MACHINE}.local"}),
    "below localhost": (OWN, "GET", {"host": "page.localhost:7860"}),
    "by the name it listens on": (hosts("box.lan", {}), "GET", {"host": "box.lan:7860"}),
    "a port that a browser leaves out": (OWN, "POST", {"host": "10.0.0.1:80", "origin": "http://10.0.0.1"}),
    "a Space": (SPACE, "POST", {"host": "owner-page.hf.space", "origin": "https://owner-page.hf.space"}),
    "a Space in its frame": (SPACE, "GET", {"host": "owner-page.hf.space", "sec-fetch-site": "cross-site",
                                            "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}),
    "a Space's probe": (SPACE, "GET", {"host": "10.1.2.3:7860"}),
    "a proxy that keeps the name": (PROXIED, "POST", {"host": "demo.example", "origin": "https://demo.example"}),
    "a proxy that hides the name": (PROXIED, "POST", {"host": "127.0.0.1:7860", "origin": "https://demo.example",
                                                      "x-forwarded-host": "demo.example"}),
    "a proxy on a port": (PROXIED, "POST", {"host": "demo.example", "origin": "https://demo.example:8443"}),
    "a sub-path behind a proxy": (SUBPATH, "POST", {"host": "127.0.0.1:7860", "origin": "https://lab.example"}),
    "a link that is followed": (OWN, "GET", {"host": "127.0.0.1:7860", "sec-fetch-site": "cross-site",
                                             "sec-fetch-mode": "navigate"}),
    "its own scripts": (OWN, "GET", {"host": "127.0.0.1:7860", "sec-fetch-site": "same-origin"}),
}  # fmt: skip

REFUSED: dict[str, tuple[Hosts, str, dict[str, str]]] = {
    "a name that was rebound": (OWN, "GET", {"host": "evil.example:7860"}),
    "and names itself": (OWN, "POST", {"host": "evil.example", "origin": "http://evil.example"}),
    "a name that begins like ours": (OWN, "GET", {"host": "localhost.evil.example"}),
    "a name that ends like ours": (OWN, "GET", {"host": "notlocalhost"}),
    "a proxied name that was not given": (OWN, "POST", {"host": "127.0.0.1", "origin": "https://demo.example",
                                                        "x-forwarded-host": "demo.example"}),
    "no name": (OWN, "GET", {}),
    "no name that is one": (OWN, "GET", {"host": "[::1"}),
    "another site": (OWN, "POST", {"host": "192.168.1.5", "origin": "http://evil.example"}),
    "another site that asks first": (OWN, "OPTIONS", {"host": "192.168.1.5", "origin": "http://evil.example"}),
    "another site that reads": (OWN, "GET", {"host": "127.0.0.1", "origin": "http://evil.example"}),
    "a page of another port": (OWN, "POST", {"host": "localhost:7860", "origin": "http://localhost:3000"}),
    "another name of this machine": (OWN, "POST", {"host": "127.0.0.1:7860", "origin": "http://localhost:7860"}),
    "a sandbox, or a file": (OWN, "POST", {"host": "127.0.0.1:7860", "origin": "null"}),
    "an empty origin": (OWN, "POST", {"host": "127.0.0.1:7860", "origin": ""}),
    "a picture in another site's page": (OWN, "GET", {"host": "127.0.0.1", "sec-fetch-site": "cross-site",
                                                      "sec-fetch-mode": "no-cors"}),
    "a form of another site": (OWN, "POST", {"host": "127.0.0.1", "sec-fetch-site": "cross-site",
                                             "sec-fetch-mode": "navigate"}),
    "a sister of a Space": (SPACE, "POST", {"host": "owner-page.hf.space", "origin": "https://evil-page.hf.space"}),
}  # fmt: skip


@pytest.mark.parametrize("who", ALLOWED)
def test_who_comes_by_a_true_name_may_ask(who: str) -> None:
    known, method, headers = ALLOWED[who]
    known.check(method, headers)


@pytest.mark.parametrize("who", REFUSED)
def test_who_does_not_is_refused(who: str) -> None:
    known, method, headers = REFUSED[who]
    with pytest.raises(Fault, match=r"This page was asked for as|A page of .* asked this one"):
        known.check(method, headers)


@pytest.mark.parametrize(
    "path", ["", "config", "gradio_api/info", "gradio_api/queue/join", "gradio_api/upload", "none"]
)
def test_the_guard_stands_before_gradio(server: str, path: str) -> None:
    """Also before Gradio's own answer to a browser that asks whether another origin may: it would allow that."""
    foreign = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    for host in ("127.0.0.1", "192.168.1.5", "evil.example"):
        answer = httpx.options(f"{server}/{path}", headers={**foreign, "host": host})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    rebound = httpx.get(f"{server}/{path}", headers={"host": "evil.example"})
    assert rebound.status_code == 403
    english, russian = rebound.json()["error"].split(" / ")
    assert english.startswith("This page was asked for as evil.example, which is none of its names")
    assert russian.startswith("Эту страницу запросили под именем evil.example")


def test_gradios_client_sends_no_origin_and_works(server: str) -> None:
    from gradio_client import Client

    port = server.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost"):
        client = Client(f"http://{host}:{port}", verbose=False)
        assert "/norms" in json.dumps(client.view_api(return_format="dict"))


def test_a_socket_of_another_site_is_closed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def never(*_: Any) -> Any:
        raise AssertionError("the application was reached")

    scope = {
        "type": "websocket",
        "path": "/",
        "headers": [(b"host", b"localhost"), (b"origin", b"http://evil.example")],
    }
    asyncio.run(Guard(never, OWN)(scope, never, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
