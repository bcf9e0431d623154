"""Where the tests find weights: never on a model hub, at most in a cache folder that lies beside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent
HUB = ROOT.parent / "shared" / "hub"

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost")
if HUB.is_dir():
    os.environ.setdefault("HF_HUB_CACHE", str(HUB))


# -- the real page in a real browser -----------------------------------------------------------------------------------

CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
CHROMIUM += ("--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `python app.py` serves, as a user starts it."""
    with served(tmp_path_factory.mktemp("page") / "app.log") as found:
        yield found


@contextmanager
def served(log: Path, port: int = 0, **environment: str) -> Iterator[str]:
    """The page in a process of its own, as a user starts it; its address. What it says goes into `log`."""
    port = port or free_port()
    command = [sys.executable, "app.py", "--port", str(port)]
    with log.open("w") as stream:
        app = subprocess.Popen(
            command, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
    try:
        wait_for(lambda: "Patchlight is at" in log.read_text() or app.poll() is not None, seconds=240)
        assert app.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}/"
    finally:
        app.terminate()
        app.wait(timeout=20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
        yield browser
        browser.close()


# -- the page's scripts without a browser ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Runs a script by the JavaScript engine that Playwright brings, or the machine's; what it prints, as JSON.

    Where there is none the test fails: `make setup-dev` installs one.
    """
    import playwright

    brought = Path(playwright.__file__).parent / "driver" / "node"
    engine = str(brought) if brought.is_file() else shutil.which("node")
    assert engine, "no JavaScript engine: neither Playwright's nor one on the path; run `make setup-dev`"

    def run(*words: str | Path) -> Any:
        done = subprocess.run([engine, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(happened: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)
