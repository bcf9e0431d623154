"""A clicked position in a real browser; surgery against the plain pass; what windows save, counted.

A click is one change of the position, of every map that depends on it, as fast as the browser gives frames. Surgery is
one traced pass under changed positions, beside one traced pass as it is, in turns (ViT-S/16, 197 tokens; Swin-T).
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from urllib.parse import urlencode

import timm
import torch

from benchmarks.measure import side_by_side, table
from benchmarks.scrub import FLAGS, App
from models.attention_cost import counted, predicted
from models.backbone import Backbone
from models.card import Card
from models.loading import open_network
from models.pixels import Pixels
from models.surgery import Change, operated

STEPS = 150
TABLES = {
    "learned table, 14 × 14": "timm/vit_tiny_patch16_224?random",
    "learned table, 37 × 37": "timm/vit_small_patch14_dinov2.lvd142m?random",
    "rotary, 16 × 16": "timm/eva02_tiny_patch14_224?random&part=1",
    "relative bias, 7 × 7": "timm/swin_tiny_patch4_window7_224?random",
}
CLICK = """async (steps) => {
    const tab = (await import(new URL('patchlight/stage/page.js', document.baseURI))).front();
    const [rows, columns] = tab.part.grid;
    const times = [];
    for (let step = 0; step < steps; step++) {
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        tab.place = [(step * 5) % rows, (step * 3) % columns];
        tab.frame();
        times.push(performance.now() - start);
    }
    return times;
}"""
GREY = (0.5, 0.5, 0.5)


def measure() -> str:
    return "\n\n".join([clicks(), surgeries(), windows()])


def clicks() -> str:
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as playwright, App() as address:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for words, network in TABLES.items():
            checkpoint, _, part = network.partition("&part=")
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            asked = {"tab": "positions", "side": 224, "checkpoint": checkpoint, "part": part or 0}
            page.goto(f"{address}?{urlencode(asked)}")
            page.wait_for_selector("body[data-shown]", timeout=120_000)
            requests: list[str] = []
            page.on("request", lambda request, seen=requests: seen.append(request.url))
            times = sorted(page.evaluate(CLICK, STEPS))
            page.close()
            asked_meanwhile = [url for url in requests if "heartbeat" not in url and "/stage/" not in url]
            spread = f"{statistics.median(times):.1f} / {times[int(0.95 * STEPS)]:.1f} ms"
            rows.append([words, spread, str(len(asked_meanwhile))])
        browser.close()
    goal = "Goal: p95 of at most 17 ms, one frame at 60 Hz, and 0 requests."
    return table(["positions", "a click, median / p95", "requests"], rows) + f"\n\n{goal}"


def surgeries() -> str:
    rows = []
    for words, backbone, pixels in networks():
        passes: dict[str, Callable[[], object]] = {"plain": lambda b=backbone, x=pixels: b.trace(x)}
        for kind in ("identity", "shuffle", "zero"):
            passes[kind] = lambda b=backbone, x=pixels, k=kind: under(b, x, Change(k))
        seconds = side_by_side(passes, rounds=15)
        rows.append([words, *(f"{seconds[kind] / seconds['plain']:.3f} ×" for kind in ("identity", "shuffle", "zero"))])
    return table(["one pass under surgery", "identity", "shuffle", "zero"], rows) + "\n\nGoal: at most 1.1 × plain."


def under(backbone: Backbone, pixels: torch.Tensor, change: Change) -> None:
    with operated(backbone, change, pixels):
        backbone.trace(pixels)


def windows() -> str:
    """Multiplications and bytes of attention, predicted and counted."""
    rows = []
    for words, backbone, pixels in networks():
        layers = backbone.trace(pixels)
        whole = sum(2 * layer.length**2 * layer.tokens.shape[-1] for layer in layers)
        said, done = predicted(backbone, layers), counted(lambda b=backbone, x=pixels: b.trace(x))
        rows.append([words, f"{said.attention:,}", f"{done.attention:,}", f"{whole / done.attention:.1f} ×",
                     f"{said.matrices:,}", f"{done.matrices:,}"])  # fmt: skip
    return table(
        ["attention", "multiplications, predicted", "counted", "global to this", "bytes, predicted", "counted"], rows
    )


def networks() -> list[tuple[str, Backbone, torch.Tensor]]:
    found = []
    for words, name, patch in [
        ("ViT-S/16", "vit_small_patch16_224", 16),
        ("Swin-T", "swin_tiny_patch4_window7_224", 4),
    ]:
        card = Card(f"random/{name}", words, words, random=True)
        found.append(
            (words, open_network(timm.create_model(name).eval(), card, Pixels((224, 224), patch, patch, GREY, GREY)),
             torch.randn(3, 224, 224))
        )  # fmt: skip
    return found
