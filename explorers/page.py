"""The whole page: the frame with every explorer, how it looks, the addresses that its scripts fetch, and its launch."""

from __future__ import annotations

import threading
from typing import Any

import gradio as gr

from explorers import lent  # noqa: F401  ZeroGPU counts its functions at the start
from explorers.endpoint import HANDLERS, register
from explorers.explorer import explorers
from explorers.frame import Frame
from explorers.looks import head, palette, theme, variables
from explorers.origins import hosts
from explorers.page_addresses import routes
from explorers.safety import LARGEST_UPLOAD
from explorers.served import Page, guarded

__all__ = ["build", "head", "launch_options", "palette", "routes", "theme", "variables", "warm_up"]

QUEUE = 64


def build() -> gr.Blocks:
    """The page, not yet served. Costs no torch."""
    with Page(title="Patchlight", fill_width=True, analytics_enabled=False, delete_cache=(3600, 86400)) as page:
        frame = Frame(explorers())
        for explorer in explorers():
            register(explorer)
        page.load(frame.address, None, frame.desk, show_progress="hidden", api_visibility="private", queue=False)
    page.queue(api_open=False, max_size=QUEUE)
    return page


def launch_options(host: str | None = None) -> dict[str, Any]:
    """For `Blocks.launch`. host: where it listens"""
    return {
        **guarded(hosts(host), routes=routes(), exception_handlers=HANDLERS),
        "theme": theme(),
        "head": head(),
        "run_history": False,
        "footer_links": [],
        "max_file_size": LARGEST_UPLOAD,
        "enable_monitoring": False,
        "ssr_mode": False,
        "_frontend": False,  # Gradio's question to itself, which ends a page that a busy machine answers after 3 s
    }


PATIENCE = 5.0
"""Seconds after which the heavy imports begin although nobody has opened the page."""


def warm_up() -> None:
    """Import what the first picture needs once the page has reached its reader; sooner, it would keep the page back."""

    def heavy() -> None:
        Frame.opened.wait(PATIENCE)
        from explorers.training_live import tend

        tend()  # a run that waits begins although nobody looks
        import explorers.attention_bundles  # noqa: F401
        from models import loading  # noqa: F401

    threading.Thread(target=heavy, daemon=True, name="patchlight warm-up").start()
