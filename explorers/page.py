"""The whole page: theme, styles, the frame with every explorer, and the addresses that its scripts fetch."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from explorers import checkup, delivery, lent, run_film  # noqa: F401  lent: ZeroGPU counts its functions at the start
from explorers.endpoint import refused_arguments, register
from explorers.explorer import explorers
from explorers.frame import ASSETS, Frame, examples
from explorers.safety import LARGEST_UPLOAD, guarded
from explorers.text import LANGUAGES, dictionary
from models.faults import Fault

QUEUE = 64
THUMBNAIL = 96


def build() -> gr.Blocks:
    """The page, not yet served. Costs no torch."""
    with gr.Blocks(title="Patchlight", fill_width=True, analytics_enabled=False, delete_cache=(3600, 86400)) as page:
        frame = Frame(explorers())
        for explorer in explorers():
            register(explorer)
        page.load(frame.address, None, frame.desk, show_progress="hidden", api_visibility="private", queue=False)
    page.queue(api_open=False, max_size=QUEUE)
    return page


def launch_options() -> dict[str, Any]:
    """For `Blocks.launch`."""
    wrapped = guarded()
    wrapped["routes"] = routes()
    wrapped["exception_handlers"] = {TypeError: refused_arguments}
    return {
        "theme": theme(),
        "head": head(),
        "run_history": False,
        "footer_links": [],
        "max_file_size": LARGEST_UPLOAD,
        "enable_monitoring": False,
        "ssr_mode": False,
        "app_kwargs": wrapped,
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


# -- looks -------------------------------------------------------------------------------------------------------------

IMPORTED = re.compile(r'^(?:import|export)\b[^;]*?from "\./(\w+)\.js"', re.MULTILINE)


@cache
def scripts(first: str = "page") -> tuple[str, ...]:
    """`first` and every module that it imports, directly or through others, but for what is imported when asked."""
    found = [first]
    for name in found:
        text = (delivery.STAGE / f"{name}.js").read_text(encoding="utf-8")
        found += [other for other in dict.fromkeys(IMPORTED.findall(text)) if other not in found]
    return tuple(found)


def head() -> str:
    """Styles and scripts. Not by `launch(css=…)`, which Gradio rewrites and which no browser can cache.

    Every script is named at once: found one through the other, they would cost a journey to the server each.
    """
    early = "".join(f'<link rel="modulepreload" href="patchlight/stage/{name}.js">' for name in scripts())
    return f'<style>{variables()}</style><link rel="stylesheet" href="patchlight/stage/page.css">{early}'


def palette() -> dict[str, Any]:
    return json.loads((ASSETS / "palette.json").read_text(encoding="utf-8"))


def variables() -> str:
    """The palette as CSS variables, light and dark."""
    rules = {"body": palette()["light"], "body.dark": palette()["dark"]}
    return "\n".join(
        f"{selector} {{ {' '.join(f'--pl-{name}: {value};' for name, value in values.items())} }}"
        for selector, values in rules.items()
    )


def theme() -> gr.themes.Base:
    """Gradio's own components in the same colours."""
    light, dark = palette()["light"], palette()["dark"]
    names = {
        "body_background_fill": "ground", "background_fill_primary": "panel", "background_fill_secondary": "raised",
        "block_background_fill": "panel", "border_color_primary": "line", "body_text_color": "text",
        "body_text_color_subdued": "muted", "button_primary_background_fill": "accent",
        "button_primary_text_color": "on-accent", "slider_color": "accent", "block_label_text_color": "muted",
    }  # fmt: skip
    values = {name: light[colour] for name, colour in names.items()}
    values |= {f"{name}_dark": dark[colour] for name, colour in names.items()}
    return gr.themes.Base(font=["system-ui", "DejaVu Sans", "sans-serif"]).set(**values)


# -- addresses ---------------------------------------------------------------------------------------------------------


def routes() -> list[BaseRoute]:
    """Everything that the page's scripts fetch."""
    return [
        *delivery.routes(),
        Route("/patchlight/text/{language}", _text),
        Route("/patchlight/networks", _networks),
        Route("/patchlight/cost", _cost),
        Route("/patchlight/doctor", checkup.answer),
        *run_film.routes(),
        Route("/patchlight/pictures/{name}", _picture),
        Route("/patchlight/pictures/small/{name}", _small),
        *(route for explorer in explorers() if explorer.routes for route in explorer.routes()),
    ]


async def _text(request: Request) -> Response:
    language = request.path_params["language"]
    return JSONResponse(dictionary(language)) if language in LANGUAGES else Response(status_code=404)


async def _networks(_: Request) -> Response:
    return JSONResponse(await run_in_threadpool(_cards))


def _cards() -> dict[str, Any]:
    import models.catalogue as known

    here = {card.id: card for card in known.checkpoints()}
    cards = [*known.catalogue(), *(card for id, card in here.items() if known.card_of(id) is None)]
    public = os.environ.get("PATCHLIGHT_PUBLIC") == "1"
    fields = ("id", "title", "family", "training", "licence", "parameters", "patch", "side", "download", "gated")
    told = [{name: getattr(card, name) for name in fields} for card in cards]
    for card, facts in zip(cards, told, strict=True):
        facts |= {"source": card.source, "here": card.id in here, "abilities": list(card.abilities)}
    return {"cards": told, "local": not public}


async def _cost(request: Request) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(_foreseen, dict(request.query_params)))
    except Fault as fault:
        return JSONResponse(delivery.told(fault), status_code=422)


def _foreseen(values: dict[str, str]) -> dict[str, Any]:
    """Tokens, bytes and seconds of a pass over an input that has not run."""
    from explorers.traces import cost
    from models.card import Card

    numbers = {name: values.get(name, "") for name in ("patch", "height", "width")}
    if not all(text.isdigit() and 0 < int(text) <= 8192 for text in numbers.values()):
        raise Fault("A cost was asked for without patch, height and width in pixels; give all three.")
    card = Card(values.get("checkpoint", ""), "", "", patch=int(numbers["patch"]))
    found = cost(card, (int(numbers["height"]), int(numbers["width"])))
    return {"tokens": found.tokens, "bytes": found.bytes, "seconds": found.seconds}


async def _picture(request: Request) -> Response:
    file = examples().get(request.path_params["name"])
    return FileResponse(file, headers=_DAY) if file else Response(status_code=404)


async def _small(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in examples():
        return Response(status_code=404)
    return Response(await run_in_threadpool(_thumbnail, examples()[name]), media_type="image/jpeg", headers=_DAY)


_DAY = {"Cache-Control": "max-age=86400"}


@cache
def _thumbnail(file: Path) -> bytes:
    image = Image.open(file).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    small = image.crop((left, top, left + side, top + side)).resize((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=85)
    return stream.getvalue()
