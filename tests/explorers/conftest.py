"""A toy explorer that lies outside the project, a page that holds it, and a real server for that page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import explorers
from explorers.explorer import Explorer
from explorers.explorer import explorers as found
from explorers.safety import prepare

prepare()  # before anything imports gradio

TOYS = Path(__file__).resolve().parent / "toys"


@pytest.fixture(scope="module")
def toy() -> Iterator[Explorer]:
    """`toys/norms.py`, found as every explorer is: its folder is one of the room's."""
    explorers.__path__.append(str(TOYS))
    found.cache_clear()
    yield next(explorer for explorer in found() if explorer.name == "norms")
    explorers.__path__.remove(str(TOYS))
    found.cache_clear()


@pytest.fixture(scope="module")
def server(toy: Explorer) -> Iterator[str]:
    """Address of a real server with the toy's endpoint, behind the guard, configured as the page is."""
    import gradio as gr

    from explorers.endpoint import HANDLERS, register
    from explorers.served import Page, guarded

    with Page(analytics_enabled=False) as page:
        gr.Image(type="filepath")
        with gr.Tabs(), gr.Tab("First"):
            gr.Plot()
        gr.HTML(
            value="rest",
            html_template="<button id='bridge'>${value}</button>",
            js_on_load="element.querySelector('#bridge').onclick = (event) => { event.target.textContent = 'moved'; }",
        )
        register(toy)
    page.queue(api_open=False)
    options = guarded(exception_handlers=HANDLERS)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, footer_links=[], **options)
    yield address.rstrip("/")
    page.close(verbose=False)
