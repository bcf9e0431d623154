"""Retrieval and the embedding map in a real browser, with the bundled CLIP and the bundled galleries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Browser

from tests.conftest import served
from tests.driver import SECONDS, Reader
from tests.test_browser import assert_same

pytestmark = pytest.mark.browser
CLIP = "bundled/clip"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with a cache folder of its own."""
    folder = tmp_path_factory.mktemp("page")
    with served(folder / "app.log", PATCHLIGHT_CACHE=str(folder / "cache")) as address:
        yield address


@pytest.fixture
def reader(chromium: Browser, site: str) -> Iterator[Reader]:
    one = Reader(chromium, site)
    yield one
    one.close()
    assert one.complaints == []


def opened(reader: Reader, tab: str, **query: object) -> None:
    asked = {"tab": tab, "checkpoint": CLIP, "picture": "cat", **query}
    reader.page.goto(f"{reader.address}?" + "&".join(f"{name}={value}" for name, value in asked.items()))
    reader.page.wait_for_selector(f"{TABS[tab]}[data-shown]", timeout=2 * SECONDS)  # indexes 400 pictures first
    reader.frame()


TABS = {"retrieve": ".pl-get", "embedding_map": ".pl-map"}


def shown(reader: Reader, tab: str, act: object) -> None:
    """Act, and wait until something else is shown."""
    before = reader.page.get_attribute(TABS[tab], "data-shown")
    act()  # pyright: ignore[reportCallIssue]
    reader.page.wait_for_function(
        "([tab, before]) => document.querySelector(tab).dataset.shown !== before", arg=[TABS[tab], before],
        timeout=SECONDS,
    )  # fmt: skip
    reader.frame()


def caption(reader: Reader, tab: str = "retrieve") -> str:
    reader.frame()
    words = reader.page.inner_text(f"{TABS[tab]} .pl-caption")
    for button in reader.page.locator(f"{TABS[tab]} .pl-caption button").all_inner_texts():
        words = words.replace(button, "")
    return words


def hits(reader: Reader) -> list[str]:
    return reader.page.eval_on_selector_all(".pl-get-hit", "(all) => all.map((one) => one.dataset.item)")


def test_page_and_endpoint_find_the_same(reader: Reader, site: str) -> None:
    opened(reader, "retrieve", gallery="photographs", text="a+cat")
    asked: dict[str, Any] = {"checkpoint": CLIP, "gallery": "photographs", "api_name": "/retrieve"}
    said, _ = Client(site, verbose=False).predict(text="a cat", **asked)
    assert hits(reader) == [str(hit["item"]) for hit in said["facts"]["hits"]]
    assert_same(caption(reader), said["caption"]["en"])
    reader.page.click("[data-language=ru]")
    reader.page.wait_for_selector("html[lang=ru]")
    assert_same(caption(reader), said["caption"]["ru"])
    shown(reader, "retrieve", lambda: reader.page.click(".pl-get [data-value=picture]"))
    alike, _ = Client(site, verbose=False).predict(image=handle_file("assets/pictures/cat.jpg"), **asked)
    assert hits(reader) == [str(hit["item"]) for hit in alike["facts"]["hits"]]
    assert alike["facts"]["hits"][0]["name"] == "cat"


def test_a_click_makes_a_picture_the_query_and_back_returns(reader: Reader) -> None:
    opened(reader, "retrieve", gallery="photographs")
    first, before = hits(reader)[0], caption(reader)
    shown(reader, "retrieve", lambda: reader.page.click(".pl-get-hit >> nth=0"))
    assert first not in hits(reader)
    assert "which is left out" in caption(reader)
    assert reader.page.locator(".pl-get-query img").evaluate("(one) => one.naturalWidth") > 0
    assert f"item={first}" in reader.page.url
    shown(reader, "retrieve", lambda: reader.page.click(".pl-get >> text=Back"))
    assert caption(reader) == before


def test_an_index_is_made_once_and_its_pictures_are_drawn(reader: Reader) -> None:
    opened(reader, "retrieve", gallery="unseen", text="a+red+heart+in+the+middle")
    widths = reader.page.eval_on_selector_all(".pl-get-hit img", "(all) => all.map((one) => one.naturalWidth)")
    assert len(widths) == 12
    assert min(widths) == 96
    assert reader.page.locator(".pl-get-same").count() > 0
    with reader.listening() as asked:
        shown(
            reader, "retrieve", lambda: (reader.page.fill(".pl-get textarea", "a blue crescent"), reader.press("Enter"))
        )
    assert len([address for address in asked if "act=" in address]) == 0
    seen = hits(reader)
    reader.page.reload()
    reader.page.wait_for_selector(".pl-get[data-shown]", timeout=SECONDS)
    assert (hits(reader), reader.page.input_value(".pl-get textarea")) == (seen, "a blue crescent")


def test_a_gallery_is_kept_over_a_restart(chromium: Browser, tmp_path: Path) -> None:
    """Indexed by one server; the next one answers at once, and no picture goes through the network again."""
    fresh, seen = [], []
    for turn in range(2):
        with served(tmp_path / f"{turn}.log", PATCHLIGHT_CACHE=str(tmp_path / "cache")) as address:
            said, _ = Client(address, verbose=False).predict(
                text="a cat", checkpoint=CLIP, gallery="photographs", api_name="/retrieve"
            )
            fresh.append(said["facts"]["fresh"])
            seen.append(said["facts"]["hits"])
            if turn == 0:
                continue
            one = Reader(chromium, address)
            with one.listening() as asked:
                opened(one, "retrieve", gallery="photographs")
            one.close()
            assert one.complaints == []
            assert ["act=start" in address for address in asked if "act=" in address] == [True], "nothing is waited for"
    assert fresh == [8, 0]
    assert seen[0] == seen[1]


def test_more_than_the_gallery_holds_is_said_and_kept_for_a_larger_one(reader: Reader) -> None:
    opened(reader, "retrieve", gallery="photographs", k=50)
    assert "The 50 nearest pictures were asked for, but there are 8" in reader.page.inner_text(".pl-notice")
    assert len(hits(reader)) == 8
    assert "k=50" in reader.page.url
    shown(reader, "retrieve", lambda: reader.page.click(".pl-get-hit >> nth=0"))
    assert len(hits(reader)) == 7, "all but the one that is asked with"


def test_a_folder_is_read_and_what_is_wrong_with_it_said(reader: Reader, tmp_path: Path) -> None:
    opened(reader, "retrieve", gallery="photographs")
    reader.page.select_option(".pl-get select[aria-label=Gallery]", "folder")
    reader.page.fill(".pl-get input[aria-label='Path of a folder']", str(tmp_path))
    reader.press("Enter")
    reader.page.wait_for_selector(".pl-notice:not([hidden])")
    assert "none lies there" in reader.page.inner_text(".pl-notice")
    reader.complaints.clear()  # the browser's own word on the refusal
    for colour in ("red", "green", "blue"):
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{colour}.png")
    (tmp_path / "words.png").write_text("not a picture")
    shown(reader, "retrieve", lambda: reader.page.click(".pl-get .pl-texts .pl-button"))
    assert len(hits(reader)) == 3
    assert "cannot be read: 1, such as words.png" in caption(reader)


def test_a_network_without_texts_asks_with_the_picture(reader: Reader) -> None:
    opened(reader, "retrieve", checkpoint="bundled/vit", gallery="photographs")
    assert "nearest to the given picture" in caption(reader)
    assert reader.page.locator(".pl-get [data-value=text]").is_disabled()
    shown(reader, "retrieve", lambda: reader.page.click(".pl-desk .pl-example >> nth=0"))
    reader.page.click(".pl-get-none .pl-button >> nth=0")
    reader.page.wait_for_function(
        "() => !document.querySelector('.pl-get [data-value=text]').disabled", timeout=SECONDS
    )


def test_the_map_is_the_endpoints_and_zoom_and_hover_ask_nothing(reader: Reader, site: str) -> None:
    opened(reader, "embedding_map", pictures=80)
    said, _ = Client(site, verbose=False).predict(checkpoint=CLIP, pictures=80, api_name="/embedding_map")
    assert_same(caption(reader, "embedding_map"), said["caption"]["en"])
    assert f"{said['facts']['gap']['length']:.3f}" in reader.page.inner_text(".pl-map .pl-side")
    canvas = reader.page.locator(".pl-map-canvas")
    box = canvas.bounding_box()
    assert box is not None
    before = canvas.evaluate("(one) => one.toDataURL()")
    with reader.listening() as asked:
        reader.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        reader.page.mouse.wheel(0, -600)
        reader.frame()
        assert canvas.evaluate("(one) => one.toDataURL()") != before, "the wheel zooms"
        reader.page.click(".pl-map >> text=Whole")
        for step in range(1, 40):
            reader.page.mouse.move(box["x"] + box["width"] * step / 40, box["y"] + box["height"] / 2)
            if reader.page.locator(".pl-map-pointed:not([hidden])").count():
                break
        assert "with its own caption" in reader.page.inner_text(".pl-map .pl-side")
    assert [address for address in asked if not address.startswith("blob:")] == []


def test_the_gap_is_shown_along_an_axis_and_taken_out(reader: Reader) -> None:
    opened(reader, "embedding_map", pictures=60, method="gap")
    assert "Of its length 100 % lie in this plane" in caption(reader, "embedding_map")
    shown(reader, "embedding_map", lambda: reader.page.click(".pl-map >> text=Without gap"))
    assert "the gap is taken out" in caption(reader, "embedding_map")
    shown(reader, "embedding_map", lambda: reader.page.click(".pl-map [data-value=tsne]"))
    assert "t-SNE with perplexity" in caption(reader, "embedding_map")
    reader.page.click("[data-language=ru]")
    reader.page.wait_for_selector("html[lang=ru]")
    assert "перплексией" in caption(reader, "embedding_map")
