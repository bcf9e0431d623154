"""A server that goes and comes back, and one that stands behind a proxy: the page is told, finds it, and is whole."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from explorers.explorer import explorers
from tests.conftest import CHROMIUM, free_port, served, wait_for
from tests.driver import SECONDS, Reader

pytestmark = pytest.mark.browser
TABS = [explorer.name for explorer in explorers()]
AWAY = "The server is away; looking for it."


def test_every_tab_says_that_the_server_is_away_and_shows_again_when_it_is_back(
    chromium: Browser, tmp_path: Path
) -> None:
    port = free_port()
    with served(tmp_path / "first.log", port) as address:
        one = Reader(chromium, address)
        page = one.open(checkpoint="bundled/swin", side=224)
        for tab in TABS:
            page.click(f".pl-tab-button[data-tab={tab}]")
            page.wait_for_function("(tab) => window.patchlight && document.querySelector('.pl-tab')", arg=tab)
            one.page.wait_for_selector("body:not(.pl-working)", timeout=SECONDS)
    for tab in TABS:
        page.click(f".pl-tab-button[data-tab={tab}]")
        page.wait_for_function(
            "(text) => document.querySelector('.pl-notice:not([hidden])')?.innerText.includes(text)", arg=AWAY
        )
    page.click(".pl-tab-button[data-tab=patches]")
    with served(tmp_path / "second.log", port):
        page.wait_for_selector("body[data-shown^='bundled/swin coffee']:not(.pl-away)", timeout=SECONDS)
        for tab in TABS:
            page.click(f".pl-tab-button[data-tab={tab}]")
            page.wait_for_selector(".pl-notice", state="hidden")
            page.wait_for_selector("body:not(.pl-working)", timeout=SECONDS)
        one.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """key and certificate of lab.example, signed by nobody."""
    folder = tmp_path_factory.mktemp("tls")
    key, signed = folder / "key.pem", folder / "certificate.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab.example"]
    subprocess.run([*words, "-keyout", key, "-out", signed], check=True, capture_output=True)
    return key, signed


@pytest.fixture
def outside(chromium: Browser) -> Iterator[Browser]:
    """A browser that finds lab.example on this machine."""
    found = "--host-resolver-rules=MAP lab.example 127.0.0.1"
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=[*CHROMIUM, found])
    yield browser
    browser.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the test's own proxy, cut off
@pytest.mark.parametrize("strips", [True, False], ids=["prefix stripped", "prefix kept"])
def test_the_page_is_whole_behind_a_proxy(
    outside: Browser, certificate: tuple[Path, Path], tmp_path: Path, strips: bool
) -> None:
    """A path in front, https outside, another host name: as a lab's nginx serves it."""
    own = served(tmp_path / "app.log", GRADIO_ROOT_PATH="/lab", PATCHLIGHT_HOSTS="lab.example")
    with own as inside, proxied(inside, strips, certificate) as port:
        one = Reader(outside, f"https://lab.example:{port}/lab/", ignore_https_errors=True)
        lost: list[str] = []
        one.page.on("response", lambda answer: lost.append(answer.url) if answer.status >= 400 else None)
        page = one.open(checkpoint="bundled/vit")
        page.click(".pl-tab-button[data-tab=patches]")
        page.wait_for_function("document.querySelector('.pl-patches .pl-caption')?.innerText", timeout=SECONDS)
        one.upload(Path("assets/pictures/dahlia.jpg"))
        page.wait_for_function("document.body.dataset.shown.includes('/dahlia')", timeout=SECONDS)
        assert [url for url in lost if "favicon" not in url] == []
        one.close()


@contextmanager
def proxied(inside: str, strips: bool, certificate: tuple[Path, Path]) -> Iterator[int]:
    client = httpx.AsyncClient(base_url=inside, timeout=None, trust_env=False)

    async def through(request: Request) -> Response:
        path = request.url.path.removeprefix("/lab") or "/" if strips else request.url.path
        told = dict(request.headers) | {"x-forwarded-for": "10.0.0.9", "x-forwarded-proto": "https"}
        told["x-forwarded-host"] = told["host"]
        asked = client.build_request(
            request.method, f"{path}?{request.url.query}", headers=told, content=await request.body()
        )
        answer = await client.send(asked, stream=True)
        kept = {name: text for name, text in answer.headers.items() if name.lower() != "transfer-encoding"}
        return StreamingResponse(answer.aiter_raw(), status_code=answer.status_code, headers=kept)

    methods = ["GET", "POST", "HEAD"]
    routes = [Route(path, through, methods=methods) for path in ("/lab", "/lab/{path:path}")]
    port, (key, signed) = free_port(), certificate
    application = Starlette(routes=routes)
    proxy = uvicorn.Server(
        uvicorn.Config(application, port=port, log_level="warning", ssl_keyfile=str(key), ssl_certfile=str(signed))
    )

    async def serve() -> None:
        await proxy.serve()
        await client.aclose()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        wait_for(lambda: proxy.started, seconds=30)
        yield port
    finally:
        proxy.should_exit = True
        thread.join(10)
