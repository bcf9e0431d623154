"""Scrubbing in a real browser: how long a step of block, head, threshold, overlay or query takes, and what it asks.

A step is one change of a control, as fast as the browser gives frames. "Work" is the page's own script in that frame;
"frame" is the time from one frame to the next, in which the browser also paints. Requests are those that the page sends
meanwhile, to whatever address.
"""

from __future__ import annotations

import itertools
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
FLAGS += ("--disable-background-networking", "--disable-component-update")
STEPS = 150
ASKED = {"whole, 16 × 11 patches": {"side": 224}, "rows, 37 × 25 patches": {}, "rows, 56 × 37 patches": {"side": 784}}

SCRUB = """async (steps) => {
    const tab = (await import(new URL('patchlight/stage/page.js', document.baseURI))).front();
    const { maps, view } = tab.state;
    const [rows, columns] = maps.layers[0].grid;
    const acts = {
        "nothing, for comparison": null,
        block: (step) => ({ layer: step % maps.blocks }),
        head: (step) => ({ head: step % maps.layers[0].heads }),
        threshold: (step) => ({ mark: 'outline', share: 0.1 + 0.8 * ((step * 7) % 50) / 50 }),
        overlay: (step) => ({ mark: 'off', opacity: (step % 40) / 40 }),
        query: (step) => ({
            query: maps.facts.whole ? `patch ${step % rows},${(step * 3) % columns}` : maps.facts.query,
        }),
    };
    const times = {};
    for (const [name, act] of Object.entries(acts)) {
        times[name] = [];
        for (let step = 0; step < steps; step++) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            if (act) {
                Object.assign(view, act(step));
                tab.drawn.draw(tab.state);
            }
            times[name].push([performance.now() - start, start]);
        }
    }
    return times;
}"""


def measure() -> str:
    from playwright.sync_api import sync_playwright

    lines = ["| maps in the page | control | work, median and p95, ms | frame, median and p95, ms | requests |"]
    lines += ["|---|---|---|---|---|"]
    with sync_playwright() as playwright, App() as address:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for words, asked in ASKED.items():
            lines += _rows(browser, address, words, asked)
        browser.close()
    return "\n".join(lines) + "\n\nGoal: p95 of at most 17 ms, one frame at 60 Hz, and 0 requests."


def _rows(browser: Any, address: str, words: str, asked: dict[str, Any]) -> list[str]:
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.goto(f"{address}?{urlencode(asked)}")
    page.wait_for_selector("body[data-shown]", timeout=120_000)
    page.wait_for_selector(".pl-charts:not([hidden])", state="attached", timeout=120_000)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    times = page.evaluate(SCRUB, STEPS)
    page.close()
    asked_meanwhile = len([url for url in requests if "heartbeat" not in url and "/stage/" not in url])
    return [
        f"| {words} | {name} | {_spread([work for work, _ in taken])} | {_spread(_apart(taken))} | {asked_meanwhile} |"
        for name, taken in times.items()
    ]


def _apart(taken: list[list[float]]) -> list[float]:
    return [after[1] - before[1] for before, after in itertools.pairwise(taken)]


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} / {sorted(times)[int(0.95 * len(times))]:.1f}"


class App:
    """`python app.py` for as long as the `with` lasts; its address."""

    def __init__(self, *command: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = command or ("app.py", "--port", str(self.port))

    def __enter__(self) -> str:
        self.process = subprocess.Popen([sys.executable, *self.command], cwd=ROOT, stdout=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{self.port}/"
        wait_until_open(self.port, seconds=120)
        return address

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def wait_until_open(port: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens at port {port} after {seconds} s")
