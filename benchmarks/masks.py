"""A reconstruction against the network's own forward pass, n masks in one batch against one by one, and painting.

Painting is a stroke over every row of the bundled MAE's picture in a real browser: from the pointer's event, sent at
the beginning of a frame, to the end of that frame, styles, layout and paint included.
"""

from __future__ import annotations

import shutil
import statistics
from typing import Any

import torch
from transformers import SwinConfig, SwinForMaskedImageModeling, ViTMAEConfig, ViTMAEForPreTraining

from benchmarks.measure import side_by_side, table
from benchmarks.scrub import FLAGS, App
from models.card import Card
from models.coverage import masks_of
from models.loading import open_network
from models.masking import hidden_count, mask_of
from models.memory import peak_bytes
from models.pixels import Pixels

HALF = (0.5, 0.5, 0.5)
MASKS = 16

SMALL = {
    "hidden_size": 192, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 768,
    "decoder_hidden_size": 96, "decoder_num_hidden_layers": 2, "decoder_num_attention_heads": 3,
    "decoder_intermediate_size": 384,
}  # fmt: skip

NETWORKS: dict[str, tuple[int, int, dict[str, Any]]] = {
    "MAE, 96 px, 192 wide": (96, 8, SMALL),
    "MAE ViT-B/16": (224, 16, {}),
}
"""Title: side, patch, what differs from transformers' own configuration, which is that of MAE's authors."""

SIMMIM = {"image_size": 192, "window_size": 6, "embed_dim": 128, "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32]}
"""SimMIM's Swin-B at 192 pixels (arXiv 2111.09886, table 1)."""


STROKES = """async (rows, columns) => {
    const canvas = document.querySelectorAll('.pl-mask-canvas')[1];
    const box = canvas.getBoundingClientRect();
    canvas.setPointerCapture = () => {};
    const send = (kind, row, column) => canvas.dispatchEvent(new PointerEvent(kind, {
        clientX: box.left + (box.width * (column + 0.5)) / columns, bubbles: true,
        clientY: box.top + (box.height * (row + 0.5)) / rows,
    }));
    const drawn = () => new Promise((done) => {
        const channel = new MessageChannel();
        channel.port1.onmessage = done;
        channel.port2.postMessage(0);
    });
    const times = [];
    for (let row = 0; row < rows; row++) {
        send('pointerdown', row, 0);
        for (let column = 1; column < columns; column++) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            send('pointermove', row, column);
            await drawn();
            times.push(performance.now() - start);
        }
        send('pointerup', row, columns - 1);
    }
    return times;
}"""


def measure() -> str:
    networks = table(
        ["network", "forward pass", "`reconstruct` to it", f"{MASKS} masks, batch to one by one",
         "memory said", "memory used"],
        [autoencoder(title, *shape) for title, shape in NETWORKS.items()] + [simmim()],
    )  # fmt: skip
    return f"{networks}\n\n{painting()}\n\nGoal: p95 of at most 17 ms, one frame at 60 Hz."


def painting() -> str:
    """Milliseconds from a pointer's event to its square on the screen."""
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as playwright, App() as address:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for width, height in ((1280, 720), (1920, 1080)):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{address}?tab=reconstruct&picture=coffee&checkpoint=bundled/mae&kind=grid&ratio=0.05")
            page.wait_for_selector(".pl-mask-tab[data-fresh*='/']", timeout=120_000)
            page.wait_for_timeout(1000)
            times = sorted(page.evaluate(f"() => ({STROKES})(8, 12)"))
            p95 = times[int(0.95 * len(times))]
            rows.append([f"{width} × {height}", f"{statistics.median(times):.1f} ms", f"{p95:.1f} ms"])
            page.close()
        browser.close()
    return table(["window", "a painted square, median", "p95"], rows)


def autoencoder(title: str, side: int, patch: int, config: dict[str, Any]) -> list[str]:
    network = ViTMAEForPreTraining(ViTMAEConfig(image_size=side, patch_size=patch, **config)).eval()
    backbone: Any = open_network(network, Card("random/mae", title, "MAE", random=True), _pixels(side, patch, patch))
    pixels, grid = torch.randn(3, side, side), (side // patch, side // patch)
    mask = mask_of("random", grid, hidden_count(0.75, grid[0] * grid[1]))
    network.config.mask_ratio = 0.75
    return _row(title, backbone, pixels, mask, lambda: network(pixels[None], noise=mask.flatten()[None].float()))


def simmim() -> list[str]:
    network = SwinForMaskedImageModeling(SwinConfig(**SIMMIM)).eval()
    card = Card("random/simmim", "SimMIM Swin-B", "SimMIM", random=True)
    backbone: Any = open_network(network, card, _pixels(192, 4, 32))
    pixels, mask = torch.randn(3, 192, 192), mask_of("random", (6, 6), 27)
    fine = mask.repeat_interleave(8, 0).repeat_interleave(8, 1).flatten()[None].bool()
    return _row(card.title, backbone, pixels, mask, lambda: network(pixels[None], bool_masked_pos=fine))


@torch.no_grad()
def _row(title: str, backbone: Any, pixels: torch.Tensor, mask: torch.Tensor, forward: Any) -> list[str]:
    once = side_by_side({"plain": forward, "own": lambda: backbone.reconstruct(pixels, mask)}, 9)
    masks = masks_of((mask.shape[0], mask.shape[1]), int(mask.sum()), MASKS)
    many = side_by_side(
        {
            "batch": lambda: backbone.reconstruct_each(pixels, masks),
            "turns": lambda: [backbone.reconstruct(pixels, one) for one in masks],
        },
        3,
    )
    said = MASKS * peak_bytes(lambda: backbone.reconstruct(pixels, mask))
    used = peak_bytes(lambda: backbone.reconstruct_each(pixels, masks))
    return [
        title, f"{once['plain'] * 1e3:.1f} ms", f"{once['own'] / once['plain']:.2f} ×",
        f"{many['turns'] / many['batch']:.1f} × faster", f"{said / 1e6:,.0f} MB", f"{used / 1e6:,.0f} MB",
    ]  # fmt: skip


def _pixels(side: int, patch: int, multiple: int) -> Pixels:
    return Pixels((side, side), patch, multiple, HALF, HALF)
