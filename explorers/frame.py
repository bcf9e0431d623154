"""The page around every explorer: one header, one desk at the left where picture, network and input size are chosen.

    frame.stage("attention", Attention, picture)   a tab that assets/stage/attention.js draws from `picture(desk)`
    frame.looks("attention", handler, outputs)     the handler runs when the desk changes while this tab is in front
    frame.working(desk, job)                       inside it: runs the job, tells its progress, then what it made
    frame.script("attention", …)                   a part of the page that a script of assets/stage draws

An explorer of Gradio's own components uses `looks` with those as outputs and reads the desk with `opened`.
"""

from __future__ import annotations

import json
import os
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from explorers.delivery import told
from explorers.explorer import Explorer
from explorers.parameters import FITS, Fit, Parameters, checked, fitting, parameter, shown
from explorers.permalink import heard
from explorers.work import Work
from models.faults import Fault

ASSETS = Path(__file__).resolve().parent.parent / "assets"
PICTURES = ASSETS / "pictures"


class Desk(Parameters):
    """What is chosen once for all tabs.

    picture:  name of an example, or the path of an upload
    """

    tab: str = parameter("attention", title="Tab", longest=40)
    picture: str = parameter("coffee", title="Picture", longest=1000)
    checkpoint: str = parameter("registry/dinov2-small", title="Network", longest=400)
    side: int | None = parameter(None, title="Input size", unit="px")
    fit: Fit = fitting()

    @property
    def file(self) -> Path:
        """The picture's file: an example's or an upload's, never any other of this machine."""
        if self.picture in examples():
            return examples()[self.picture]
        file = Path(self.picture.replace("\0", "")).resolve()
        if not file.is_relative_to(Path(get_upload_folder()).resolve()) or not file.is_file():
            raise Fault("The picture {name} is not there; open it again.", name=shown(file.name))
        return file


def examples() -> dict[str, Path]:
    """Pictures that ship with Patchlight, by name."""
    return {file.stem: file for file in sorted(PICTURES.rglob("*.jpg"))}


def opened(values: Mapping[str, Any]) -> Desk:
    """The desk as the page sent it, checked. Raises `Fault`."""
    return checked(Desk, values)


class Frame:
    """Built inside `gr.Blocks`: the desk first, then a tab for each explorer, which its `build` fills."""

    opened = threading.Event()
    """Set once a first reader has the page."""

    def __init__(self, explorers: Sequence[Explorer]) -> None:
        self.explorers = explorers
        self.desk = gr.HTML(
            value={},
            html_template="<div data-host></div>",
            js_on_load=_mount("desk", [*(f"look_{explorer.name}" for explorer in explorers), "stop"]),
            apply_default_css=False,
            page=self._page(),
            elem_id="desk",
        )
        with gr.Tabs(elem_id="tabs", selected=explorers[0].name):
            for explorer in explorers:
                with gr.Tab(explorer.title, id=explorer.name):
                    explorer.build(self)

    def stage(self, name: str, parameters: type[Parameters], picture: Callable[[Desk], Mapping[str, Any]]) -> None:
        """A tab that `assets/stage/<name>.js` draws from what `picture(desk)` returns, anew as the desk changes."""
        part = self.script(name, defaults=json.loads(parameters().model_dump_json()))

        def look(desk: dict[str, Any]) -> Iterator[dict[str, Any]]:
            yield from self.working(desk, picture)

        self.looks(name, look, part)

    def looks(
        self, name: str, handler: Callable[..., Any], outputs: Any, inputs: Sequence[gr.components.Component] = ()
    ) -> None:
        """`handler(desk, *inputs)` when picture, network or input size change, or this tab comes to the front."""
        event = getattr(self.desk, f"look_{name}")(
            handler, [self.desk, *inputs], outputs, show_progress="hidden", api_visibility="private",
            trigger_mode="always_last", concurrency_limit=4,
        )  # fmt: skip
        self.desk.stop(None, cancels=[event], queue=False, api_visibility="private")

    def script(self, name: str, **props: object) -> gr.HTML:
        """What `assets/stage/page.js` mounts under this name; its value is what `working` yields."""
        return gr.HTML(
            value={}, html_template="<div data-host></div>", js_on_load=_mount(name, []), apply_default_css=False,
            page={"sentences": {}, **props}, elem_classes="pl-script",
        )  # fmt: skip

    def working(self, values: Mapping[str, Any], job: Callable[[Desk], Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Progress of `job(desk)` while it runs, then {"made": what it returned}, or {"fault": …} in one sentence.

        Each says under "of" which desk it belongs to, so that the page can drop what is no longer asked.
        """
        of = {"of": dict(values)}
        try:
            desk = opened(values)
        except Fault as fault:
            yield told(fault) | of
            return
        work = Work(lambda progress: self._run(desk, job, progress, work.foresee))
        try:
            for news in work.watched():
                yield news | of
        except Exception:  # noqa: BLE001  a bug is logged, and told as one
            traceback.print_exc()
            yield told(Fault("The server could not answer; its log says why.")) | of
        finally:
            work.stop()

    @staticmethod
    def _run(
        desk: Desk,
        job: Callable[[Desk], Mapping[str, Any]],
        progress: Callable[[int, int], None],
        foresee: Callable[[Mapping[str, Any]], None],
    ) -> Any:
        from explorers.forecast import foreseen
        from explorers.traces import backbone

        file = desk.file
        network = backbone(desk.checkpoint, lambda here, whole: progress(here, whole or 0))
        progress(0, 0)
        foresee(foreseen(network, file, desk.side, desk.fit))
        return {**job(desk), "picture": file.stem}

    def _page(self) -> dict[str, Any]:
        return {
            "tabs": [
                {
                    "name": explorer.name,
                    "title": explorer.title,
                    "needs": explorer.ability,
                    "fit": explorer.parameters.model_fields["fit"].default
                    if "fit" in explorer.parameters.model_fields
                    else "whole",
                }
                for explorer in self.explorers
            ],
            "examples": [{"name": name, "title": name} for name in examples()],
            "local": os.environ.get("PATCHLIGHT_PUBLIC") != "1",
            "fits": FITS,
            "defaults": {**json.loads(Desk().model_dump_json()), "fit": None},
            "palette": json.loads((ASSETS / "palette.json").read_text(encoding="utf-8"))["tables"],
        }

    def address(self, request: gr.Request) -> dict[str, Any]:
        """The page's address, checked once by the declarations: what the desk and each tab start with.

        The tabs share the address. What the tab in front can read is meant for it, whatever others make of it.
        """
        self.opened.set()
        query = _texts(request.query_params.multi_items())
        desk, wrong = heard(Desk, query)
        tabs = {explorer.name: heard(explorer.parameters, query) for explorer in self.explorers}
        front = desk.tab if desk.tab in tabs else self.explorers[0].name
        if front != desk.tab:
            wrong["tab"] = Fault(
                "The tab {tab} was asked for, but there is no such tab; choose from {known}.",
                tab=shown(desk.tab), known=", ".join(tabs),
            )  # fmt: skip
        read, faults = tabs[front]
        for _, theirs in tabs.values():
            wrong |= {name: fault for name, fault in theirs.items() if name not in type(read).model_fields}
        asked = {"desk": {**desk.model_dump(), "tab": front, "fit": desk.fit if "fit" in query else None}}
        asked |= {name: parameters.model_dump() for name, (parameters, _) in tabs.items()}
        return {"asked": asked, "faults": [told(fault)["fault"] for fault in {**wrong, **faults}.values()]}


def _texts(items: Sequence[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Names to their text, or to all of their texts where a name comes more than once, as a list's does."""
    found: dict[str, list[str]] = {}
    for name, text in items:
        found.setdefault(name, []).append(text)
    return {name: texts if len(texts) > 1 else texts[0] for name, texts in found.items()}


def _mount(name: str, events: Sequence[str]) -> str:
    """What Gradio runs when a part of the page appears. It looks for the names of events in this very text."""
    return f"""
        /* {json.dumps(events).replace('"', "'")} */
        import(new URL('patchlight/stage/page.js', document.baseURI).href).then((page) =>
            page.mount('{name}', {{ element: element.querySelector('[data-host]'), props, trigger, watch, upload }}));
    """
