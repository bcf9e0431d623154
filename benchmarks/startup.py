"""From `python app.py` to a page that can be used, against a bare Gradio page started the same way.

Usable means: the browser shows the controls and they answer (for Patchlight the desk with its examples and the header;
for the bare page a textbox that takes text). Both start in turn, several times, each in a fresh process and a fresh
tab. The first picture needs torch and a network on top; it is imported behind the page and timed apart.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.scrub import FLAGS, ROOT, App, wait_until_open

ROUNDS = 5
BARE = """
import gradio as gr
with gr.Blocks(analytics_enabled=False) as page:
    box = gr.Textbox(elem_id="box")
page.launch(server_port=int(__import__("sys").argv[1]), quiet=True, run_history=False)
"""
USABLE = {"bare": "#box textarea", "patchlight": ".pl-desk .pl-example img"}


def measure() -> str:
    from playwright.sync_api import sync_playwright

    times: dict[str, list[float]] = {"bare": [], "patchlight": [], "picture": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for _ in range(ROUNDS):
            for name in ("bare", "patchlight"):
                _start(browser, name, times)
        browser.close()
    bare, ours, picture = (statistics.median(times[name]) for name in ("bare", "patchlight", "picture"))
    return "\n".join([
        "| what | median, s | ratio to the bare page |",
        "|---|---|---|",
        f"| bare Gradio page, usable | {bare:.2f} | 1 |",
        f"| Patchlight, usable | {ours:.2f} | **{ours / bare:.2f}** |",
        f"| Patchlight, first picture drawn | {picture:.2f} | {picture / bare:.2f} |",
        "",
        "Goal: a usable page within 1.25 × of the bare one.",
    ])  # fmt: skip


def _start(browser: Any, name: str, times: dict[str, list[float]]) -> None:
    app = App()
    command = [sys.executable, "-c", BARE, str(app.port)] if name == "bare" else [sys.executable, *app.command]
    quiet = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "NO_PROXY": "127.0.0.1,localhost"}
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=Path(ROOT), env=quiet, stdout=subprocess.DEVNULL)
    page = browser.new_context().new_page()
    try:
        wait_until_open(app.port, seconds=120)
        page.goto(f"http://127.0.0.1:{app.port}/")
        page.wait_for_selector(USABLE[name], timeout=120_000)
        times[name].append(time.perf_counter() - start)
        if name == "patchlight":
            page.wait_for_selector("body[data-shown]", timeout=120_000)
            times["picture"].append(time.perf_counter() - start)
    finally:
        page.context.close()
        process.terminate()
        process.wait(timeout=20)
