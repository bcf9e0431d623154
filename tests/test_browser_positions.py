"""Positions, surgery, windows and patches on the real page: what a real browser works out is what Python says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client
from playwright.sync_api import Browser, Page

from explorers.patches import patches
from explorers.position_similarity import positions
from explorers.position_surgery import surgery
from explorers.swin_windows import windows
from models.attention_cost import Attention
from tests.driver import SECONDS, Reader, readers

pytestmark = pytest.mark.browser
COFFEE = Path("assets/pictures/coffee.jpg")
VIT = "timm/vit_tiny_patch16_224?random"
EVA = "timm/eva02_tiny_patch14_224?random"
SWIN = "timm/swin_tiny_patch4_window7_224?random"

FRONT = "(await import(new URL('patchlight/stage/page.js', document.baseURI))).front()"
INK = """(canvas) => {
    let sum = 0;
    for (const byte of canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)
        sum = (sum * 31 + byte) % 1000000007;
    return sum;
}"""


class Visitor(Reader):
    """A reader who begins at one of the four tabs."""

    def tab(self, name: str, checkpoint: str, **query: object) -> Page:
        self.root = f".pl-{name}"
        self.page.goto(f"{self.address}?tab={name}&picture=coffee&checkpoint={checkpoint}" + _query(query))
        self.page.wait_for_selector("body[data-shown]", timeout=SECONDS)
        self.still()
        return self.page

    def still(self) -> None:
        self.page.wait_for_selector("body:not(.pl-working)", timeout=SECONDS)
        self.page.wait_for_selector(f"{self.root}.pl-filled:not(.pl-busy)", timeout=SECONDS)
        self.says("")
        self.frame()

    def says(self, words: str) -> None:
        """Until the caption holds these words."""
        said = "([root, words]) => document.querySelector(`${root} .pl-caption`).textContent.includes(words || '.')"
        self.page.wait_for_function(said, arg=[self.root, words], timeout=SECONDS)

    def caption(self) -> str:
        self.frame()
        return self.page.inner_text(f"{self.root} .pl-caption")

    def ink(self, selector: str, nth: int = 0) -> int:
        """A number that another drawing would change."""
        self.frame()
        return self.page.locator(f"{self.root} {selector}").nth(nth).evaluate(INK)

    def tells(self, expression: str) -> Any:
        """What an expression of the tab in front is."""
        return self.page.evaluate(f"async () => {{ const tab = {FRONT}; return {expression}; }}")

    def middle(self, selector: str, row: float, column: float) -> tuple[float, float]:
        box = self.page.locator(f"{self.root} {selector}").first.bounding_box()
        assert box is not None
        return box["x"] + column * box["width"], box["y"] + row * box["height"]


def _query(values: dict[str, object]) -> str:
    return "".join(f"&{name}={value}" for name, value in values.items())


@pytest.fixture
def visitor(chromium: Browser, address: str) -> Iterator[Callable[..., Visitor]]:
    with readers(partial(Visitor, chromium, address)) as make:
        yield make


@pytest.mark.parametrize(
    ("checkpoint", "asked"),
    [(VIT, {"measure": "cosine"}), (VIT, {"measure": "dot"}), (VIT, {"measure": "distance"}),
     (EVA, {"part": 1}), (EVA, {"part": 1, "component": 5}), (SWIN, {"part": 7, "component": 3})],
)  # fmt: skip
def test_the_page_s_map_is_python_s(visitor: Callable[..., Visitor], checkpoint: str, asked: dict[str, Any]) -> None:
    one = visitor()
    one.tab("positions", checkpoint, place="2,4", **asked)
    found = positions(checkpoint, place="2,4", **asked)
    shown = one.tells("Array.from(tab.part.map(tab.place, tab.view.measure, tab.view.component))")
    np.testing.assert_allclose(np.reshape(shown, found.arrays["map"].shape), found.arrays["map"], atol=2e-5)
    assert one.tells("[tab.scale.low, tab.scale.high]") == pytest.approx([found.facts["low"], found.facts["high"]])


def test_pointing_and_clicking_ask_the_server_nothing(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("positions", VIT)
    seen = [one.ink(".pl-board")]
    with one.listening() as asked:
        for act in (
            lambda: page.mouse.move(*one.middle(".pl-board", 0.2, 0.2)),
            lambda: page.mouse.click(*one.middle(".pl-board", 0.2, 0.7)),
            lambda: page.mouse.click(*one.middle(".pl-boards > :last-child .pl-board", 0.9, 0.1)),
            lambda: page.click("[data-value=distance]"),
            lambda: page.select_option(".pl-positions select[aria-label='Colour table']", "diverging"),
            lambda: page.click(".pl-figure-frame >> nth=1"),
            lambda: page.click(".pl-figure-frame >> nth=3"),
            lambda: page.click(".pl-figure-frame >> nth=4"),
        ):
            act()
            seen.append(one.ink(".pl-board"))
    assert asked == []
    assert len(set(seen)) == len(seen), "some control left the map as it was"
    assert "CLS" in one.caption(), "prefix positions stand apart"


def test_a_random_and_a_sincos_table_are_pictures_too(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("positions", VIT, place="2,4")
    own = one.ink(".pl-board")
    for nth, table, words in ((1, "random", "random rows"), (2, "sin-cos", "fixed sin-cos table")):
        page.click(f".pl-positions .pl-table .pl-link >> nth={nth}")
        one.says(words)
        one.frame()
        shown = one.tells("Array.from(tab.part.map(tab.place, tab.view.measure, null))")
        expected = positions(VIT, place="2,4", table=table).arrays["map"]
        np.testing.assert_allclose(np.reshape(shown, (14, 14)), expected, atol=2e-5)
        assert f"table={table}" in page.url
    with one.listening() as asked:
        page.click(".pl-positions .pl-table .pl-link >> nth=0")
        page.click(".pl-positions .pl-table .pl-link >> nth=1")
        page.click(".pl-positions .pl-table .pl-link >> nth=0")
    assert asked == [], "each table is asked for once"
    assert one.ink(".pl-board") == own


def test_a_place_that_is_not_there_is_told(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("positions", VIT, place="40,2")
    assert "rows go from 1 to 14 here" in page.inner_text(".pl-notice")
    assert "row 8, column 8" in one.caption()
    assert "place=40,2" in page.url, "kept for a network that has it"


def test_both_kinds_of_a_network_are_there(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("positions", EVA)
    assert page.locator(".pl-kinds button").all_inner_texts() == ["Table, untrained", "Rotary"]
    page.click(".pl-kinds button >> nth=1")
    one.frame()
    assert page.inner_text(".pl-kind") == "Rotary"
    assert "frequency bands" in one.caption()
    before = one.ink(".pl-board")
    page.click(".pl-positions .pl-strips .pl-frame:visible >> nth=6")
    assert one.ink(".pl-board") != before
    assert "frequency band 7" in one.caption()


def test_the_endpoint_says_what_the_page_says(visitor: Callable[..., Visitor], address: str) -> None:
    one = visitor()
    one.tab("positions", VIT, place="3,5")
    said, numbers = Client(address, verbose=False).predict(checkpoint=VIT, place="3,5", api_name="/positions")
    page, english = (re.sub(r"[-−]?\d[\d.,]*(e-\d+)?", "#", text) for text in (one.caption(), said["caption"]["en"]))
    for sentence in re.split(r"(?<=[^#\d]\.) ", english):
        assert sentence in page
    with np.load(numbers) as arrays:
        assert arrays["map"].shape == (14, 14)
        assert arrays["map"].argmax() == 3 * 14 + 5


def test_a_network_without_the_thing_says_a_sentence(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.page
    page.goto(f"{one.address}?tab=windows&picture=coffee&checkpoint={VIT}")
    page.wait_for_selector(".pl-windows .pl-refusal", timeout=SECONDS)
    assert "choose a Swin" in page.inner_text(".pl-windows .pl-refusal")


def test_surgery_is_one_request_and_shows_both_sides(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("surgery", VIT, change="identity")
    before, after = one.ink(".pl-canvas canvas", 1), one.ink(".pl-canvas canvas", 4)
    assert before == after, "nothing was changed"
    with one.listening() as asked:
        page.click(".pl-changes [data-value=mirror]")
        one.says("mirrored")
        one.still()
    assert len(asked) == 1
    assert one.ink(".pl-canvas canvas", 4) != one.ink(".pl-canvas canvas", 1)
    with one.listening() as asked:
        page.click(".pl-surgery .pl-strips .pl-frame >> nth=2")
        assert "block 3 of 12" in one.caption()
    assert asked == [], "blocks are here already"


def test_two_clicks_swap_two_patches(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("surgery", VIT, change="swap", fit="whole")
    page.mouse.click(*one.middle(".pl-canvas", 0.06, 0.04))
    page.mouse.click(*one.middle(".pl-canvas", 0.94, 0.96))
    one.says("1, 1 and 9, 14")
    assert "first=0%2C0" not in page.url, "a default is not written"
    assert "second=8,13" in page.url


def test_labels_and_classes_are_answered_on_the_page(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("surgery", "bundled/clip", change="zero", labels="cat|cup of coffee")
    assert page.locator(".pl-shares bdi").all_inner_texts() != []
    page.fill(".pl-surgery textarea", "red circle")
    with one.listening() as asked:
        page.press(".pl-surgery textarea", "Enter")
        one.still()
    assert len(asked) == 1
    labels = ["cat", "cup of coffee", "red circle"]
    expected = surgery(COFFEE, "bundled/clip", change="zero", labels=labels).facts["shares"]
    told = one.tells("tab.done.facts.shares")
    assert [share["name"] for share in told] == [share["name"] for share in expected]
    for when in ("before", "after"):
        assert [share[when] for share in told] == pytest.approx([share[when] for share in expected], rel=1e-3)
    assert sorted(page.locator(".pl-shares bdi").all_inner_texts()) == labels
    one.tab("surgery", "bundled/vit", change="mirror")
    assert "ring" in page.locator(".pl-shares bdi").all_inner_texts()


def test_two_sizes_and_a_followed_patch(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("surgery", VIT, change="resize", fit="whole")
    sizes = "tab.pair.stages.map(({ aspect }) => aspect)"
    assert one.tells(sizes) == pytest.approx([1, 224 / 144])
    one.says("9 × 14, the coarser grid")
    page.mouse.click(*one.middle(".pl-canvas", 0.53, 0.53))  # 0.5 is a border, and clicks are whole pixels
    one.says("row 5, column 8")
    expected = surgery(COFFEE, VIT, change="resize", query="patch 4,7", fit="whole")
    assert one.tells("tab.done.facts.moved") == pytest.approx(expected.facts["moved"])
    before = one.ink(".pl-canvas canvas", 1)
    with one.listening() as asked:
        box = page.locator(".pl-matrix").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 2.5 / 12, box["y"] + box["height"] / 2)
        one.says("The map is head 2 of 3.")
    assert asked == [], "heads and blocks are here already"
    assert one.ink(".pl-canvas canvas", 1) != before
    page.select_option("select[aria-label='Shape after']", "square")
    one.still()
    assert one.tells("tab.done.facts.shapes") == [[224, 224], [224, 224]]


def test_what_cannot_be_changed_is_told_and_not_offered(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("surgery", VIT, change="transpose", fit="whole")
    assert "cannot have it with this picture" in page.inner_text(".pl-notice")
    assert page.is_disabled("[data-value=transpose]")
    assert "shuffled" in one.caption()
    page = one.tab("surgery", "timm/beit_base_patch16_224?random", change="mirror")
    assert page.is_disabled("[data-value=resize]")
    assert page.is_enabled("[data-value=transpose]"), "its grid is square"


@pytest.mark.parametrize(("block", "token"), [(1, (0, 0)), (2, (9, 9)), (4, (4, 11))])
def test_windows_and_fields_are_python_s(visitor: Callable[..., Visitor], block: int, token: tuple[int, int]) -> None:
    one = visitor()
    asked = {"block": block, "token": f"{token[0]},{token[1]}"}
    one.tab("windows", SWIN, **asked)
    found = windows(COFFEE, SWIN, **asked)
    region = found.arrays[f"regions.{block}"]
    assert one.tells("Array.from(tab.inside)") == (region == region[token]).ravel().astype(int).tolist()
    with one.listening() as requests:
        one.page.click("[data-value=field]")
        one.frame()
    assert requests == []
    assert one.tells("Array.from(tab.inside)") == found.arrays["field.0"].ravel().astype(int).tolist()


def test_the_calculator_is_python_s(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.tab("patches", VIT)
    for preset, size in [(1, 512), (2, 32)]:
        page.click(f".pl-presets button >> nth={preset}")
        one.frame()
        said = Attention(size, size, 1, 0, 1024, 16, 48)
        found = one.tells(
            "(await import(new URL('patchlight/stage/patches.js', document.baseURI))).cost(tab.configuration)"
        )
        assert [found[name] for name in ("tokens", "entries", "bytes", "multiplications", "projections")] == [
            said.tokens, said.entries, said.matrix_bytes(), said.attention_multiplications,
            said.projection_multiplications,
        ]  # fmt: skip
    assert "3 GiB" in page.inner_text(".pl-costs")
    assert "R² × R²" in page.inner_text(".pl-costs"), "the lecture's question, in its own letter"
    page.click(".pl-presets button >> nth=0")
    page.click("text=Count in one pass")
    page.wait_for_function("() => document.querySelector('.pl-costs').textContent.includes('counted')", timeout=SECONDS)
    facts = patches(COFFEE, VIT).facts
    assert one.tells("tab.measured.counted") == facts["counted"]
    assert one.tells("tab.measured.predicted") == facts["predicted"]


@pytest.mark.parametrize("name", ["positions", "surgery", "patches"])
def test_a_russian_reader_reads_russian(visitor: Callable[..., Visitor], name: str) -> None:
    one = visitor(locale="ru-RU")
    page = one.tab(name, VIT)
    words = page.locator(f".pl-{name} [data-say]").all_inner_texts()
    named = ("Magma", "Viridis", "EuroSAT", "Food-101", "ImageNet, 1000 классов")
    english = [word for word in words if re.match("[A-Z][a-z]", word) and word not in named]
    assert english == [], "left in English"
    assert re.search("[а-я]", one.caption())
