"""The page while a network learns beside it, against the same page while the learner is held: sliders and answers.

The run is held and let go by signals, in turns, so that whatever else slows the machine slows both alike. A slider's
time is from its input event to the second frame after it, by which the canvas has been painted; an answer's is that of
a small fetch. A second reader has the Train tab open all the time, so curves are asked for and pictures are made.
"""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measure import table
from benchmarks.scrub import FLAGS, App
from training.ledger import Task

ROUNDS = 5
STEPS = 40
RECIPE = {
    "objective": "mae", "images": "shapes", "size": "micro", "side": 64, "patch": 8,
    "settings": {"steps": 100_000, "batch": 64},
}  # fmt: skip

SLIDE = """async (steps) => {
    const slider = document.querySelector("input[aria-label='Overlay']");
    const times = [];
    for (let step = 0; step < steps; step++) {
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        slider.value = 0.2 + 0.7 * ((step * 7) % 20) / 20;
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - start);
    }
    return times;
}"""

ANSWER = """async (steps) => {
    const times = [];
    for (let step = 0; step < steps / 4; step++) {
        const start = performance.now();
        await fetch(new URL('patchlight/pictures/small/cat', document.baseURI), { cache: 'no-store' });
        times.push(performance.now() - start);
    }
    return times;
}"""


def measure() -> str:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as runs:
        os.environ["PATCHLIGHT_RUNS"] = runs
        with sync_playwright() as playwright, App() as address, learning(address, Path(runs)) as process:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
            times = _turns(browser, address, process)
            browser.close()
    rows = [_row(name, held, busy) for name, (held, busy) in times.items()]
    head = ["", "p90 held, ms", "p90 learning, ms", "ratio of p90, median of turns"]
    return table(head, rows) + "\n\nGoal: a slider's p90 within 1.5 times of its p90 while nothing learns."


@contextmanager
def learning(address: str, runs: Path) -> Iterator[int]:
    """A run that learns for as long as the `with` lasts; its process."""
    name = httpx.post(f"{address}patchlight/training/start", json={"name": "busy", "recipe": RECIPE}).json()["name"]
    task = Task(runs / name)
    while not (runs / name / "metrics.jsonl").exists():
        time.sleep(0.5)
    process = int(task.entry()["process"])
    try:
        yield process
    finally:
        os.kill(process, signal.SIGCONT)
        httpx.post(f"{address}patchlight/training/act", json={"run": name, "act": "delete"}, timeout=60)


def _turns(browser: Any, address: str, process: int) -> dict[str, tuple[list[list[float]], list[list[float]]]]:
    watching = browser.new_page()
    watching.goto(f"{address}?tab=training_run")
    watching.wait_for_selector("body[data-shown=training_run]", timeout=300_000)
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(f"{address}?side=224")
    page.wait_for_selector("body[data-shown]", timeout=300_000)
    times: dict[str, tuple[list[list[float]], list[list[float]]]] = {"slider": ([], []), "answer": ([], [])}
    for turn in range(2 * ROUNDS):
        busy = turn % 2
        os.kill(process, signal.SIGCONT if busy else signal.SIGSTOP)
        time.sleep(0.5)
        for name, script in (("slider", SLIDE), ("answer", ANSWER)):
            times[name][busy].append(page.evaluate(script, STEPS))
    return times


def _row(name: str, held: list[list[float]], busy: list[list[float]]) -> list[str]:
    ratios = [p90(one) / p90(other) for one, other in zip(busy, held, strict=True)]
    whole = [p90([time for turn in turns for time in turn]) for turns in (held, busy)]
    return [name, f"{whole[0]:.0f}", f"{whole[1]:.0f}", f"{statistics.median(ratios):.2f}"]


def p90(times: list[float]) -> float:
    return sorted(times)[int(0.9 * len(times))]
