"""Whether the page stands before anything heavy is there, and lets nothing in that was not offered."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.testclient import TestClient

from explorers import delivery, looks, page
from explorers.explorer import explorers
from explorers.frame import Desk, Frame, examples, opened
from explorers.text import dictionary
from explorers.work import Stopped, Work
from models.faults import Fault

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=page.routes())) as served:
        yield served


def test_the_page_is_built_without_anything_heavy() -> None:
    heavy = {"torch", "timm", "transformers", "plotly", "accelerate"}
    code = f"import sys, app; print(sorted({heavy!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip().splitlines()[-1] == "[]"


def test_every_explorer_has_a_tab_and_an_endpoint() -> None:
    config: Any = page.build().get_config_file()
    tabs = [part["props"]["id"] for part in config["components"] if part["type"] == "tabitem"]
    names = [explorer.name for explorer in explorers()]
    assert tabs == names
    assert names[0] == "attention"
    public = {call["api_name"] for call in config["dependencies"] if call["api_visibility"] == "public"}
    assert public == set(names), "nothing but the endpoints is offered to programs"


def test_the_desk_opens_examples_and_uploads_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    upload = tmp_path / "uploads" / "1" / "mine.png"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"x")
    assert Desk(picture="cat").file == examples()["cat"]
    assert opened({"picture": str(upload)}).file == upload.resolve()
    for path in ("/etc/passwd", str(tmp_path / "secret.png"), f"{upload.parent}/../../secret.png", "../cat", "a\0b"):
        with pytest.raises(Fault, match="is not there"):
            _ = Desk(picture=path).file


def test_what_the_page_sends_is_checked() -> None:
    for wrong in ({"side": True}, {"side": 3.5}, {"fit": "stretch"}, {"secret": 1}, {"picture": ["cat"]}):
        with pytest.raises(Fault):
            opened(wrong)


@pytest.fixture
def address() -> Any:
    """What the page starts with when it is opened with these texts."""
    frame: Any = Frame.__new__(Frame)
    frame.explorers = explorers()
    return lambda **texts: frame.address(SimpleNamespace(query_params=QueryParams(texts)))


def test_wrong_values_in_the_address_are_told_and_the_rest_is_kept(address: Any) -> None:
    answer = address(layer="NaN", head="-3", view="to", checkpoint="timm/test_vit", picture="dahlia", __theme="dark")
    assert answer["asked"]["desk"]["picture"] == "dahlia"
    asked = answer["asked"]["attention"]
    assert (asked["layer"], asked["head"], asked["view"]) == (-1, None, "to"), "one wrong value costs no right one"
    assert [fault["facts"]["name"] for fault in answer["faults"]] == ["layer", "head"], "each once, though tabs share"


def test_a_tab_that_is_not_there_is_told_and_the_first_one_opens(address: Any) -> None:
    answer = address(tab="no such")
    assert answer["asked"]["desk"]["tab"] == "attention", "a page with no tab in front stays empty for ever"
    assert "no such" in answer["faults"][0]["facts"]["tab"]


def test_what_the_tab_in_front_can_read_is_no_fault_of_the_others(address: Any) -> None:
    assert address(tab="reconstruct", patch="3,4")["faults"] == [], "a patch's size in another tab"
    assert [fault["facts"]["name"] for fault in address(tab="patches", patch="3,4")["faults"]] == ["patch"]


# -- addresses ---------------------------------------------------------------------------------------------------------


def test_binaries_have_names_that_cannot_be_guessed(client: TestClient) -> None:
    first, second = delivery.place(b"one"), delivery.place(b"two")
    assert first != second
    assert len(first.rpartition("/")[2]) >= 24
    assert client.get("/" + second).content == b"two"
    assert client.get("/patchlight/data/guess").status_code == 410


def test_an_offer_is_worked_out_when_it_is_fetched_and_tells_its_fault(client: TestClient) -> None:
    def answer(values: Any) -> bytes:
        if "bad" in values:
            raise Fault("The query {query} was asked for; give another.", query=object)
        return f"row {values['row']}".encode()

    path = "/" + delivery.offer(answer, filename="rows.npz")
    found = client.get(path, params={"row": "3"})
    assert found.content == b"row 3"
    assert "rows.npz" in found.headers["content-disposition"]
    told = client.get(path, params={"bad": "1"})
    assert told.status_code == 422
    assert told.json()["fault"]["template"] == "The query {query} was asked for; give another."


def test_old_binaries_make_room(monkeypatch: pytest.MonkeyPatch, client: TestClient) -> None:
    monkeypatch.setattr(delivery, "BYTES", 3000)
    old = delivery.place(b"x" * 2000)
    new = delivery.place(b"y" * 2000)
    assert client.get("/" + old).status_code == 410
    assert client.get("/" + new).status_code == 200


def test_the_scripts_fetch_what_they_need(client: TestClient) -> None:
    assert client.get("/patchlight/text/ru").json() == dictionary("ru")
    assert client.get("/patchlight/text/xx").status_code == 404
    cards = client.get("/patchlight/networks").json()["cards"]
    assert "registry/dinov2-small" in {card["id"] for card in cards}
    assert client.get("/patchlight/pictures/cat").headers["content-type"] == "image/jpeg"
    assert client.get("/patchlight/pictures/small/cat").headers["content-type"] == "image/jpeg"
    assert client.get("/patchlight/pictures/small/passwd").status_code == 404
    assert client.get("/patchlight/stage/page.js").headers["cache-control"] == "no-cache"
    assert client.get("/patchlight/stage/../palette.json").status_code == 404
    assert client.get("/patchlight/cost", params={"patch": "x"}).status_code == 422


def test_every_theme_has_the_same_colours() -> None:
    palette = looks.palette()
    assert palette["dark"].keys() == palette["light"].keys()
    named = {name for path in looks.ASSETS.glob("stage/*.css") for name in _used(path.read_text(encoding="utf-8"))}
    own = {"header", "left", "right", "gap", "size", "progress", "life", "train-left", "train-right", "mask-to"}
    assert named - own <= palette["dark"].keys(), "a style names a colour that the palette lacks"


def test_a_class_of_the_page_is_one_thing() -> None:
    """Wrong where two scripts call different things alike: once both styles are there, one lies over the other."""
    found = [
        (name, path.name)
        for path in looks.ASSETS.glob("stage/*.css")
        for name in set(re.findall(r"^\.([\w-]+) \{", path.read_text(encoding="utf-8"), re.MULTILINE))
    ]
    assert {name: count for name, count in Counter(name for name, _ in found).items() if count > 1} == {}


def _used(css: str) -> set[str]:
    return {part.partition(")")[0].partition(",")[0].strip() for part in css.split("var(--pl-")[1:]}


# -- long work ---------------------------------------------------------------------------------------------------------


def test_work_tells_how_far_it_is_and_then_what_it_made() -> None:
    go = threading.Event()

    def job(progress: Any) -> dict[str, int]:
        progress(1, 4)
        assert go.wait(10)
        return {"answer": 42}

    told = Work(job).watched()
    first = next(told)
    assert first["busy"]["whole"] in (0, 4)
    go.set()
    assert list(told)[-1] == {"made": {"answer": 42}}


def test_work_that_is_stopped_ends_where_it_next_tells_its_progress() -> None:
    ended = threading.Event()

    def job(progress: Any) -> dict[str, int]:
        try:
            while True:
                progress(0, 1)
                threading.Event().wait(0.01)
        except Stopped:
            ended.set()
            raise

    work = Work(job)
    told = work.watched()
    next(told)
    work.stop()
    assert ended.wait(5)
    assert "fault" in list(told)[-1]


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        list(Work(lambda _: {"x": 1 // 0}).watched())


def test_the_browser_is_told_every_script_that_the_page_begins_with(
    client: TestClient, node: Callable[..., Any]
) -> None:
    """Wrong if a module that `page.js` needs were found only through another one: each such journey delays the page.

    What is needed is what an engine's own parser finds and resolves, whatever the paths look like.
    """
    home = "http://page/lecture/"
    first = "patchlight/stage/page.js"
    needed = node(
        "--experimental-vm-modules",
        "--no-warnings",
        ROOT / "tests" / "imports.mjs",
        home,
        first,
        looks.ASSETS / "stage",
    )
    told = [urljoin(home, name) for name in re.findall(r'rel="modulepreload" href="([^"]+)"', page.head())]
    assert told == needed, "in the order in which a browser meets them"
    assert len(told) > 20
    assert all(client.get(url.removeprefix("http://page/lecture")).status_code == 200 for url in told)
    assert urljoin(home, "patchlight/stage/life.js") not in told, "what is imported when asked for comes later"


@pytest.mark.parametrize("written", [
    'import { a } from "../stage/b.js"', 'import "./b.js"', "import * as b from './b.js'",
    'export * from "./deep/b.js"',
    'import { a, // a comment\n b } from "./b.js"', 'import a, { b } from "/patchlight/stage/b.js"',
])  # fmt: skip
def test_the_engine_finds_imports_of_every_spelling(tmp_path: Path, node: Callable[..., Any], written: str) -> None:
    """The check above is worth what it finds: a pattern knew one spelling."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "page.js").write_text(f"{written};\nconst later = () => import('./never.js');")
    for place in ("b.js", "deep/b.js"):
        (tmp_path / place).write_text("export const a = 1, b = 2; export default a;")
    script = ROOT / "tests" / "imports.mjs"
    met = node(
        "--experimental-vm-modules", "--no-warnings", script, "http://page/", "patchlight/stage/page.js", tmp_path
    )
    assert [url.rpartition("stage/")[2] for url in met] == ["page.js", "deep/b.js" if "deep" in written else "b.js"]
