"""Two visitors of one public page: nothing of the first, and no place of the machine, reaches the second by any door.

The doors are taken from the page itself: every route of the served application, every endpoint with every parameter
that takes a text, every event of a tab. A new one is walked by itself.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from explorers.explorer import explorers
from models.card_catalogue import runs_folder
from tests.conftest import ROOT, wait_for
from tests.explorers.strangers import Visitor, asked_names, filled, launched, routes
from training.names import is_name
from training.uploads import unpacked_folders

COLOUR = (201, 17, 83)
SEED = 424_243
"""Of the first visitor's pictures and recipe: found in an answer, they came from there."""

RECIPE: dict[str, Any] = {"objective": "mae", "size": "nano", "side": 32, "patch": 8,
                          "settings": {"steps": 2, "batch": 8, "device": "cpu", "seed": SEED}}  # fmt: skip
ABLE = {"reconstruct": "bundled/mae", "zero_shot": "bundled/clip", "retrieve": "bundled/clip",
        "windows": "bundled/swin", "embedding_map": "bundled/clip", "training_run": ""}  # fmt: skip


@dataclass(frozen=True)
class World:
    url: str
    page: Any
    first: Visitor
    second: Visitor
    run: str
    other_run: str
    upload: str
    picture: dict[str, Any]

    @property
    def digest(self) -> str:
        return self.upload.split("/")[1]

    @property
    def secrets(self) -> list[bytes]:
        """What only the first visitor, or nobody outside of this machine, may read."""
        texts = [self.run, self.other_run, self.digest, "photographs of mine", "portrait of mine", str(SEED)]
        places = [str(runs_folder()), str(ROOT), str(Path.home())]
        return [text.encode() for text in (*texts, *places, self.first.token)] + [bytes(COLOUR) * 8]

    def told(self) -> list[str]:
        """What the second tries once the first has let a name slip, in every writing that some door might take."""
        folder = next(folder for folder in unpacked_folders() if folder.parent.name == self.digest)
        run = runs_folder() / self.run
        return [
            self.run, f"run/{self.run}", f"run/{self.run}@0", f"run/{self.run}?random", f"file/{run}", str(run),
            self.upload, str(folder), str(folder.parent.parent), f"shapes+{self.upload}", str(folder / "1.png"),
            f"{run}/views.safetensors", "run/a", f"run/{self.run[:-4]}",
        ]  # fmt: skip

    def of_nobody(self, text: str) -> str:
        """The same with names that were never given to anybody."""
        ghost = "".join("0123456789abcdef"[15 - int(digit, 16)] for digit in self.run[-12:])
        return text.replace(self.run[-12:], ghost).replace(self.digest, self.digest[::-1])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A public page on which the first visitor has uploaded pictures, trained, and looked at what came of it."""
    place = tmp_path_factory.mktemp("public")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATCHLIGHT_PUBLIC", "1")
        patch.setenv("PATCHLIGHT_RUNS", str(place / "runs"))
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("sent")))
        with launched() as (page, url):
            yield prepared(page, url)


def prepared(page: Any, url: str) -> World:
    first, second = Visitor(url), Visitor(url)
    kind = {"content-type": "application/zip"}
    sent = first.http.post("/patchlight/training/upload?name=photographs of mine.zip", content=archive(), headers=kind)
    upload = sent.json()["images"]
    names = [first.post("start", {"name": name, "recipe": {**RECIPE, "images": upload}}) for name in ("mine", "more")]
    run, other = (answer.json()["name"] for answer in names)
    first.post("act", {"act": "pause", "run": other})
    wait_for(lambda: state(first, run) in ("finished", "failed"), seconds=180)
    assert state(first, run) == "finished"
    files = {"files": ("portrait of mine.png", picture(), "image/png")}
    portrait = first.http.post("/gradio_api/upload", files=files).json()[0]
    mine = {"path": portrait, "meta": {"_type": "gradio.FileData"}}
    assert "event: complete" in first.call("attention", image=mine, checkpoint=f"run/{run}")
    shown = second.http.post("/gradio_api/upload", files={"files": ("theirs.png", picture((9, 9, 9)), "image/png")})
    theirs = {"path": shown.json()[0], "meta": {"_type": "gradio.FileData"}}
    return World(url, page, first, second, run, other, upload, theirs)


def state(visitor: Visitor, run: str) -> str:
    runs = visitor.http.get("/patchlight/training/runs").json()["runs"]
    return next(one["state"] for one in runs if one["name"] == run)


def picture(colour: tuple[int, int, int] = COLOUR) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(file, "PNG")
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for number in range(12):
            packed.writestr(f"{number}.png", picture((COLOUR[0], COLOUR[1], COLOUR[2])))
    return file.getvalue()


def bodies(text: str) -> Iterator[dict[str, Any]]:
    """What a posted door may be told."""
    own = dict.fromkeys(asked_names(), text)
    small = {"objective": "mae", "size": "nano", "side": 32, "patch": 8, "images": text}
    yield {"json": {**own, "act": "resume", "recipe": small}}
    probe = {"objective": "probe", "images": "shapes", "options": {"checkpoint": text}}
    yield {"json": {**own, "act": "delete", "recipe": {**small, **probe}}}
    yield {"json": {"data": [{"checkpoint": text, "picture": text}], "fn_index": 0, "session_hash": "x"}}


def leaked(world: World, body: bytes | str, sent: str) -> list[bytes]:
    """Secrets in an answer that were not in the question: what was sent may be named again, nothing more."""
    whole = body.encode() if isinstance(body, str) else body
    told = [sent, json.dumps(sent), repr(sent), httpx.URL("/", params={"x": sent}).query.decode()[2:]]
    return [secret for secret in world.secrets if secret in whole and not any(secret in one.encode() for one in told)]


def test_no_route_tells_the_second_of_the_first(world: World) -> None:
    """Every route of the application, every name of a parameter, every way to write what is the first visitor's."""
    found: list[Any] = []
    table = sorted(set(routes(world.page.app.routes)))
    assert ("GET", "/patchlight/training/watch") in table
    assert ("POST", "/gradio_api/queue/join") in table
    for text in world.told():
        query = dict.fromkeys(asked_names(), text)
        for method, path in table:
            for how in bodies(text) if method == "POST" else ({},):
                status, body = world.second.read(method, filled(path, text), params=query, **how)
                if secret := leaked(world, body, text):
                    found.append((method, path, text, status, secret))
                if path.startswith("/patchlight/") and method == "GET":
                    ghost = world.of_nobody(text)
                    asked = world.second.read(method, filled(path, ghost), params=dict.fromkeys(query, ghost))
                    if (status, world.of_nobody(body.decode("latin-1"))) != (asked[0], asked[1].decode("latin-1")):
                        found.append((method, path, text, "another answer than for a name that nobody has"))
    assert not found, "\n".join(map(str, found[:60]))
    assert state(world.first, world.run) == "finished", "nothing was deleted or begun anew"
    assert state(world.first, world.other_run) == "paused"


def test_no_endpoint_tells_the_second_of_the_first(world: World) -> None:
    """Every parameter that takes a text; the first has just opened the same network, so that every cache is warm."""
    found: list[Any] = []
    for name, described in world.page.get_api_info()["named_endpoints"].items():
        texts = [one for one in described["parameters"] if takes_text(one["type"])]
        usual: dict[str, Any] = {"checkpoint": ABLE.get(name[1:], "bundled/vit")}
        if any(one["parameter_name"] == "image" for one in described["parameters"]):
            usual["image"] = world.picture
        for parameter in texts:
            tried = (
                world.told() if parameter["parameter_name"] == "checkpoint" else world.told()[1:3] + world.told()[6:8]
            )
            for text in tried:
                value = [text] if parameter["type"].get("type") == "array" else text
                said = world.second.call(name[1:], **{**usual, parameter["parameter_name"]: value})
                if secret := leaked(world, said, text):
                    found.append((name, parameter["parameter_name"], text, secret))
                opened = re.fullmatch(r"run/.*", text) and "event: complete" in said
                if parameter["parameter_name"] == "checkpoint" and opened:
                    found.append((name, "opened", text))
    assert not found, "\n".join(map(str, found[:60]))


def takes_text(kind: dict[str, Any]) -> bool:
    kinds = [kind, *kind.get("oneOf", []), *kind.get("anyOf", []), kind.get("items", {})]
    return any(one.get("type") == "string" and "enum" not in one for one in kinds)


def test_no_tab_tells_the_second_of_the_first(world: World) -> None:
    """Every event that takes the desk; then the same for its owner, who sees their network in every tab that can."""
    found, opened = [], 0
    looks = [number for number, event in world.page.fns.items() if event.queue and event.api_visibility == "private"]
    assert len(looks) >= len(explorers())
    owner = Visitor(world.url).uses(world.first)
    for number in looks:
        for text in (f"run/{world.run}", f"run/{world.run}@0"):
            said = world.second.look(number, {"checkpoint": text, "picture": "coffee"})
            if (secret := leaked(world, said, text)) or "patchlight/data/" in said:
                found.append((number, text, secret))
            opened += "patchlight/data/" in owner.look(number, {"checkpoint": text, "picture": "coffee"})
        for text in (world.told()[10], world.told()[7], str(ROOT / "assets" / "pictures")):
            said = world.second.look(number, {"checkpoint": "bundled/vit", "picture": text})
            if secret := leaked(world, said, text):
                found.append((number, text, secret))
    assert not found, "\n".join(map(str, found[:60]))
    assert opened >= 8, "the owner's browser, which sends a cookie with what Gradio asks, opens them"


def test_the_owner_has_all_of_it(world: World) -> None:
    """The same doors are open to whom they belong to: lists, refusals, endpoints, pictures, curves."""
    first, run = world.first, world.run
    assert {one["name"] for one in first.http.get("/patchlight/training/runs").json()["runs"]} == {run, world.other_run}
    cards = [card["id"] for card in first.http.get("/patchlight/networks").json()["cards"]]
    assert f"run/{run}" in cards
    assert f"run/{run}" not in [card["id"] for card in world.second.http.get("/patchlight/networks").json()["cards"]]
    views = first.http.get("/patchlight/training/views", params={"run": run}).content
    assert bytes(COLOUR) * 8 in views, "and what is looked for elsewhere would be found"
    said = first.call("training_run", checkpoint=f"run/{run}")
    assert "event: complete" in said
    assert run in said
    assert "/photographs of mine" in said
    assert str(runs_folder()) not in said, "its owner is told no path of the server either"
    assert "event: error" in world.second.call("training_run", checkpoint=f"run/{run}")
    assert "event: error" in world.second.call("training_run"), "nor is the newest run of all shown"
    assert is_name(run)


def test_a_link_is_worked_out_for_whom_it_was_made(world: World) -> None:
    """Numbers of a run are fetched by a plain link, which carries no token, when its network is long forgotten."""
    from explorers.bundle import unpack
    from explorers.traces import _networks, _traces

    facts, _ = unpack(world.first.http.get("/patchlight/training/watch", params={"run": world.run}).content)
    fetched = httpx.get(f"{world.url}/{facts['numbers']}")
    assert fetched.status_code == 200
    assert f"patchlight-{world.run}.npz" in fetched.headers["content-disposition"]
    assert np.load(io.BytesIO(fetched.content))["step"].tolist() == [1, 2]
    said = world.first.look(0, {"checkpoint": f"run/{world.run}", "picture": "coffee"})
    address = re.search(r"patchlight/data/[\w-]+", said)
    assert address is not None
    maps, _ = unpack(httpx.get(f"{world.url}/{address[0]}").content)
    _networks.clear()
    _traces.clear()
    figures = httpx.get(f"{world.url}/{maps['addresses']['figures']}", timeout=60)
    assert figures.status_code == 200, figures.text
