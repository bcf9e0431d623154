"""Scrubbing the temperature of the zero-shot tab in a real browser: what a step takes, and what it asks of the server.

"Work" is the page's own script in that frame: both read-outs of every label, bars, curve and caption; or the accuracy,
calibration and confusion of a labelled set. "Frame" is the time from one frame to the next. Requests go anywhere.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
from typing import Any
from urllib.parse import urlencode

from benchmarks.measure import table
from benchmarks.scrub import FLAGS, App

STEPS = 150
SEEN: dict[str, dict[str, Any]] = {
    "6 labels": {},
    "1,000 labels": {"labels": [f"thing {number}" for number in range(1000)], "templates": "a {}"},
    "set of 200 pictures × 64 labels": {"panel": "set", "set": "shapes", "scored": 200},
}

SCRUB = """async (steps) => {
    const tab = (await import(new URL('patchlight/stage/page.js', document.baseURI))).front();
    const times = [];
    for (let step = 0; step < steps; step++) {
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        tab.scale = Math.exp(1 + (4 * step) / steps);
        tab.paint();
        times.push([performance.now() - start, start]);
    }
    return times;
}"""
SETTLED = "() => !document.querySelector('.pl-zero.pl-busy') && !document.querySelector('.pl-zero-running')"


def measure() -> str:
    """Of the bundled CLIP, 1920 × 1080."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, App() as address:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        rows = [[name, *_scrubbed(browser, address, asked)] for name, asked in SEEN.items()]
        browser.close()
    heads = ["temperature", "work, median and p95, ms", "frame, median and p95, ms", "requests"]
    return table(heads, rows) + "\n\nGoal: p95 of at most 17 ms, one frame at 60 Hz, and 0 requests."


def _scrubbed(browser: Any, address: str, asked: dict[str, Any]) -> list[str]:
    here = {"tab": "zero_shot", "checkpoint": "bundled/clip", "picture": "shapes", **asked}
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.goto(f"{address}?{urlencode(here, doseq=True)}")
    page.wait_for_selector("body[data-shown]", timeout=120_000)
    page.wait_for_timeout(3000)
    page.wait_for_function(SETTLED, timeout=240_000)
    page.wait_for_timeout(2000)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    times = page.evaluate(SCRUB, STEPS)
    page.close()
    work = [spent for spent, _ in times]
    frames = [after - before for (_, before), (_, after) in itertools.pairwise(times)]
    meanwhile = len([url for url in requests if "heartbeat" not in url and "/stage/" not in url])
    return [_spread(work), _spread(frames), str(meanwhile)]


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.1f}, {statistics.quantiles(times, n=20)[-1]:.1f}"
