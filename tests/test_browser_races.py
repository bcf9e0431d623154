"""Answers that come late, in the wrong order, or never: made, not waited for; the same for every tab of the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, Route

from explorers.explorer import Explorer, explorers
from tests.driver import SECONDS, Reader, readers

pytestmark = pytest.mark.browser

TABS = [pytest.param(explorer, id=explorer.name) for explorer in explorers()]
"""Those that the page itself lists: a new one is tested by being there."""

NETWORKS = {
    None: ("bundled/vit", "bundled/dino"), "classifies": ("bundled/vit", "bundled/swin"),
    "reconstructs": ("bundled/mae", "bundled/simmim"), "zero-shot": ("bundled/clip", "bundled/siglip"),
    "windows": ("bundled/swin", "bundled/swin?random"),
}  # fmt: skip
"""Two of those that ship for what a tab needs."""

Readers = Callable[..., Reader]


@pytest.fixture
def reader(chromium: Browser, address: str) -> Iterator[Readers]:
    with readers(partial(Reader, chromium, address)) as make:
        yield make


def networks(tab: Explorer) -> tuple[str, str]:
    return NETWORKS["windows" if tab.name == "windows" else tab.ability]


def opened(one: Reader, tab: Explorer, picture: str, network: str) -> Page:
    """The tab, with all that it asks for of itself."""
    one.page.goto(f"{one.address}?tab={tab.name}&picture={picture}&checkpoint={network}")
    shows(one.page, tab, picture, network)
    return one.page


def shows(page: Page, tab: Explorer, picture: str, network: str) -> None:
    """Until the tab shows this, and nothing travels, is indexed or dimmed."""
    shown = tab.name if tab.name == "training_run" else f"{network} {picture} "
    page.wait_for_function("(name) => document.body.dataset.shown?.startsWith(name)", arg=shown, timeout=SECONDS)
    rests(page)


def rests(page: Page) -> None:
    end = time.monotonic() + SECONDS / 1000
    while not page.evaluate(RESTS):
        assert time.monotonic() < end, "the tab comes to no rest"


SHOWN = "(name) => Boolean(document.body.dataset.shown?.startsWith(name))"

RESTS = """async () => {
    const { fetching } = await import(new URL('patchlight/stage/bundle.js', document.baseURI).href);
    const working = '.pl-busy, .pl-mask-busy, .pl-zero-running, [role=progressbar], .pl-tab[data-fresh=""]';
    const rest = () => !fetching() && !document.body.matches('.pl-working')
        && ![...document.querySelectorAll(working)].some((one) => one.checkVisibility())
        && ![...document.querySelectorAll('dd')].some((one) => one.textContent === '…' && one.checkVisibility());
    for (let look = 0; look < 6; look++) {
        if (!rest()) return false;
        await new Promise((done) => setTimeout(done, 60));
    }
    return true;
}"""


def choose(page: Page, picture: str, network: str) -> None:
    page.evaluate("(network) => window.patchlight.open(network)", network)
    page.evaluate(f"document.querySelector(`.pl-example:has(img[src$='/{picture}'])`).click()")  # Train covers the desk


@pytest.mark.parametrize("tab", TABS)
def test_an_answer_that_comes_late_changes_nothing(reader: Readers, tab: Explorer) -> None:
    """The answer itself, then what the tab asks for of itself once it has that, then failures instead."""
    one = reader()
    first, other = networks(tab)
    page = opened(one, tab, "rocket", first)
    for picture in ("coffee", "rocket") * 2:
        one.everything()  # a canvas that has been read is drawn by other means from then on, which smooth edges tell
        choose(page, picture, first)
        shows(page, tab, picture, first)
    page.wait_for_timeout(1500)  # thumbnails come one after the other
    right = one.everything()
    for after, end in ((0, late), (1, late), (0, broken), (1, lost)):
        choose(page, "coffee", first)
        shows(page, tab, "coffee", first)
        page.mouse.move(640, 300)  # what is found under the pointer belongs to this picture too
        with one.holding("**/patchlight/data/*", after=after) as held:
            choose(page, "cat", other)
            if tab.name != "training_run":
                held.wait(unless=lambda: bool(after) and page.evaluate(SHOWN, f"{other} cat "))  # noqa: B023
            held.pass_on()
            choose(page, "rocket", first)
            shows(page, tab, "rocket", first)
            held.go(end)
            page.wait_for_timeout(300)
        page.mouse.move(640, 5)
        rests(page)
        comes_to(one, right)
        assert page.locator(".pl-notice:visible").count() == 0, "what failed was asked by nobody any more"
        assert page.evaluate("document.querySelector('.pl-example[aria-pressed=true] img')?.src ?? ''").endswith(
            "/rocket"
        )
        assert "picture=rocket" in page.url


def test_no_figure_of_the_picture_before_stands_beside_the_new_one(reader: Readers) -> None:
    """Masks: the picture is here, what the network makes of it is not; decibels of the former one would be a lie."""
    one = reader()
    tab = next(tab for tab in explorers() if tab.name == "reconstruct")
    page = opened(one, tab, "rocket", "bundled/mae")
    table = page.locator("aside .pl-mask-table tbody tr:visible")
    assert table.count() > 2
    for picture, network in (("cat", "bundled/mae"), ("cat", "bundled/simmim")):
        with one.holding("**/patchlight/data/*", after=1) as held:
            choose(page, picture, network)
            held.wait()
            one.frame()
            assert table.all_inner_texts() == [], "of another picture or network"
        shows(page, tab, picture, network)
        assert table.count() > 2


def late(route: Route) -> None:
    route.continue_()


def broken(route: Route) -> None:
    route.fulfill(status=500, body="broken")


def lost(route: Route) -> None:
    route.abort()


def assert_same(now: list[list[str]], before: list[list[str]]) -> None:
    """All that the tab shows, part by part; of a canvas and a picture, means over 8 × 8 parts."""
    for ours, theirs in zip(now, before, strict=True):
        assert [one for one in ours if not any(alike(one, other) for other in theirs)] == [], "of another one"
        assert [one for one in theirs if not any(alike(one, other) for other in ours)] == [], "this is missing"


def comes_to(one: Reader, right: list[list[str]]) -> None:
    """All is as it was, once thumbnails that come one after the other are there; what is of another stays another."""
    for _ in range(8):
        with suppress(AssertionError):
            return assert_same(one.everything(), right)
        one.page.wait_for_timeout(500)
    return assert_same(one.everything(), right)


def alike(one: str, other: str) -> bool:
    """Whether both say or show the same: a browser smooths edges in two ways, which differ by one level of 255."""
    name, _, means = one.partition("|")
    same, _, others = other.partition("|")
    if not means or not others or name != same:
        return one == other
    return all(abs(float(a) - float(b)) <= 1 for a, b in zip(means.split(","), others.split(","), strict=True))
