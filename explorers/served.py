"""The page as Gradio serves it: the guard stands before everything, and every handler knows who asks.

with Page(...) as page: ...
page.launch(**guarded(routes=…), …)
"""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.routes import App
from starlette.types import ASGIApp

from explorers.origins import Hosts, hosts
from explorers.safety import Guard
from explorers.training_owner import visitor_of
from models.visitor import asked_by


class Page(gr.Blocks):
    """Whatever way an event came, through the queue, a direct call or an endpoint, it is handled for who sent it."""

    async def process_api(self, *args: Any, request: Any = None, **kwargs: Any) -> dict[str, Any]:
        headers = {} if request is None else request.headers
        with asked_by(visitor_of(headers)):
            return await super().process_api(*args, request=request, **kwargs)


def guarded(known: Hosts | None = None, **app: Any) -> dict[str, Any]:
    """For `launch`: every route of Gradio's and of `app` (keywords of FastAPI) is behind the guard, which is also
    before Gradio's own answers to other origins. known: hosts, this machine's if None"""
    names = known or hosts()

    class Guarded(App):
        def build_middleware_stack(self) -> ASGIApp:
            return Guard(super().build_middleware_stack(), names)

    return {"_app": Guarded(**app)}
