"""The bar under every tab when the network is a run's: drag, play, film, two runs side by side, for real."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.conftest import served
from tests.driver import SECONDS, Reader

pytestmark = pytest.mark.browser

STEPS = 6
"""Updates of each run; snapshots stand at 0, 1, 2, 3, 4 and 6."""

KEPT = 6


TAKEN = """async (checkpoint) => {
    const taken = async () => [...new Uint8Array(await (await patchlight.capture()).arrayBuffer())].join();
    patchlight.open(checkpoint);
    await patchlight.shown(checkpoint);
    const first = await taken();
    await new Promise((done) => setTimeout(done, 500));
    return first === (await taken());
}"""
"""Whether what is captured at once is what is there half a second later."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short runs of the engine itself, from other seeds."""
    from training.recipe import Recipe
    from training.run import open_run

    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "PATCHLIGHT_RUNS", str(folder))
        for seed, name in enumerate(("first", "second")):
            settings = {"steps": STEPS, "batch": 8, "seed": seed, "device": "cpu"}
            made = Recipe("mae", images="shapes", size="nano", side=32, patch=4, settings=settings)
            list(open_run(name, made).learn())
    return folder


@pytest.fixture(scope="module")
def page_of_runs(runs: Path) -> Iterator[str]:
    with served(runs / "app.log", PATCHLIGHT_RUNS=str(runs)) as address:
        yield address


@pytest.fixture
def reader(chromium: Browser, page_of_runs: str) -> Iterator[Reader]:
    made = Reader(chromium, page_of_runs)
    yield made
    assert made.complaints == []
    made.close()


def opened(reader: Reader, **query: object) -> Page:
    values = {"checkpoint": "run/first", "side": 32, "language": "en", **query}
    reader.page.goto(f"{reader.address}?{urlencode(values)}")
    reader.page.wait_for_selector("body[data-shown]:not(.pl-working)", timeout=SECONDS)
    reader.page.wait_for_selector(".pl-life:not([hidden])", timeout=SECONDS)
    return reader.page


def drag(page: Page, place: int) -> None:
    page.locator(".pl-life input[type=range]").evaluate(
        "(bar, place) => { bar.value = place; bar.dispatchEvent(new Event('input')); }", place
    )


def saved(page: Page, choose: Callable[[], object]) -> bytes:
    with page.expect_download(timeout=SECONDS) as download:
        choose()
    return Path(download.value.path()).read_bytes()


def frames(data: bytes) -> list[np.ndarray]:
    film = Image.open(io.BytesIO(data))
    found = []
    for place in range(getattr(film, "n_frames", 1)):
        film.seek(place)
        found.append(np.asarray(film.convert("RGB")))
    return found


def test_dragging_shows_the_network_of_that_step(reader: Reader) -> None:
    """Wrong if the picture stayed, or if the bar named a step whose network is not the one that is drawn."""
    page = opened(reader)
    maps = {}
    for place, words in ((0, "Untrained"), (2, "Step 2 of 6"), (KEPT - 1, "Step 6 of 6")):
        reader.changed(lambda place=place: drag(page, place))
        assert page.inner_text(".pl-life-step") == words
        maps[place] = reader.map()
    assert len(set(maps.values())) == 3
    assert (page.get_attribute("body", "data-shown") or "").startswith("run/first@6 ")
    assert "first@6" in reader.caption()


MOVED = """async (places) => {
    const bar = document.querySelector('.pl-life input[type=range]');
    const [left, canvas] = ['.pl-desk', '.pl-canvas'].map((name) => document.querySelector(name));
    const height = (card) => Math.round(card.getBoundingClientRect().height);
    const cards = () => [...left.querySelectorAll('.pl-card')].map(height).join();
    const found = { cards: new Set(), opacities: new Set(), steps: new Set() };
    for (const place of places) {
        bar.value = place;
        bar.dispatchEvent(new Event('input'));
        const end = performance.now() + 1500;
        while (performance.now() < end) {
            found.cards.add(cards());
            found.opacities.add(getComputedStyle(canvas).opacity);
            found.steps.add(document.body.dataset.shown);
            await new Promise(requestAnimationFrame);
        }
    }
    return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, [...values]]));
}"""
"""What the left cards' heights and the picture's opacity were, frame by frame, while the bar was dragged."""


def test_walking_moves_nothing_but_the_picture(reader: Reader) -> None:
    """Wrong if a step of a film changed the layout, or let the picture fade as another picture does."""
    page = opened(reader)
    drag(page, 0)
    page.wait_for_selector("body[data-shown^='run/first@0 ']:not(.pl-working)", timeout=SECONDS)
    found = page.evaluate(MOVED, [1, 3, 5])
    assert len(found["steps"]) > 1, "it was walked"
    assert len(found["cards"]) == 1
    assert found["opacities"] == ["1"]


def test_any_tab_plays_over_the_steps(reader: Reader) -> None:
    """Wrong if the bar served the attention tab only, or if playing stopped short of the last step."""
    page = opened(reader, tab="positions")
    page.click(".pl-life-play")
    page.wait_for_function(f"document.body.dataset.shown.startsWith('run/first@{STEPS} ')", timeout=SECONDS)
    page.wait_for_function("document.querySelector('.pl-life-play').textContent === 'Play'", timeout=SECONDS)
    assert f"checkpoint=run/first%40{STEPS}" in page.url, "a link to what is shown"


@pytest.mark.parametrize("tab", ["attention", "positions", "surgery"])
def test_what_is_taken_for_a_film_is_what_is_shown(reader: Reader, tab: str) -> None:
    """Wrong if a frame were taken before the tab has drawn it: every picture of the film would be the one before."""
    page = opened(reader, tab=tab)
    assert page.evaluate(TAKEN, f"run/first@{STEPS - 2}")


def test_a_film_has_a_frame_for_every_step(reader: Reader) -> None:
    """Wrong if frames were missing or all the same, or if the MP4 were no film."""
    import av

    page = opened(reader)
    chooser = ".pl-life select[aria-label=Film]"
    shots = frames(saved(page, lambda: page.select_option(chooser, "gif")))
    assert len(shots) == KEPT
    assert len({shot.tobytes() for shot in shots}) == KEPT
    with av.open(io.BytesIO(saved(page, lambda: page.select_option(chooser, "mp4")))) as film:
        video = sum(1 for _ in film.decode(film.streams.video[0]))  # pyright: ignore[reportAttributeAccessIssue]
    assert video > KEPT
    assert "first" in film.metadata["comment"]


def test_a_film_waits_for_what_a_tab_asks_besides(reader: Reader) -> None:
    """Wrong if a frame kept what the step before had found: an index is made and searched once a network is there."""
    page = opened(reader, tab="retrieve")
    page.wait_for_selector(".pl-get[data-shown]", timeout=SECONDS)
    shots = frames(saved(page, lambda: page.select_option(".pl-life select[aria-label=Film]", "gif")))
    assert len(shots) == KEPT


def test_two_runs_stand_side_by_side_on_one_bar(reader: Reader) -> None:
    """Wrong if a half showed the other's run, or did not follow the bar."""
    page = opened(reader)
    page.select_option(".pl-life select[aria-label=Beside]", "second")
    drag(page, 3)
    for place, name in enumerate(("first", "second")):
        half = page.frame_locator(".pl-life-half").nth(place)
        half.locator(f"body[data-shown^='run/{name}@3 ']").wait_for(timeout=SECONDS)
        assert f"{name}@3" in half.locator(".pl-caption").inner_text()
    page.select_option(".pl-life select[aria-label=Beside]", "")
    assert page.locator(".pl-life-pair").is_hidden()


NUMBER = re.compile(r"from 0 to ([\d.]+)")


def test_two_runs_share_the_scale_of_the_greater(reader: Reader) -> None:
    """Wrong if each half had its own scale: the fainter of two maps would look the hotter one."""
    page = opened(reader)
    page.select_option(".pl-life select[aria-label=Beside]", "second")
    for step in (6, 3):  # what one half shows sets the other's colours, also when it goes on
        drag(page, {6: KEPT - 1, 3: 3}[step])
        halves = [page.frame_locator(".pl-life-half").nth(place) for place in (0, 1)]
        own = []
        for half, name in zip(halves, ("first", "second"), strict=True):
            half.locator(f"body[data-shown^='run/{name}@{step} ']:not(.pl-working)").wait_for(timeout=SECONDS)
            answer, _ = Client(reader.address, verbose=False).predict(
                image=handle_file("assets/pictures/coffee.jpg"),
                checkpoint=f"run/{name}@{step}",
                side=32,
                api_name="/attention",
            )
            own.append(answer["facts"]["scale"])
        said = [half.locator(".pl-caption").inner_text() for half in halves]
        assert all("in both halves" in one for one in said)
        assert [NUMBER.findall(one) for one in said] == [[f"{max(own):.2g}"]] * 2
        assert [half.locator(".pl-top").inner_text() for half in halves] == [f"{max(own):.2g}"] * 2
    page.select_option(".pl-life select[aria-label=Beside]", "")
    assert "in both halves" not in reader.caption()


def test_other_networks_have_no_bar(reader: Reader) -> None:
    """Wrong if a network without steps got a bar that leads nowhere."""
    page = opened(reader)
    page.evaluate("patchlight.open('bundled/vit')")
    page.wait_for_selector(".pl-life", state="hidden", timeout=SECONDS)
