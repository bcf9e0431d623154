"""What cannot act is disabled, what is refused is refused with a way on, and nothing is cut: the same for every tab."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, Page

from explorers.explorer import Explorer, explorers
from tests.driver import SECONDS, Reader, readers
from tests.test_browser_races import TABS, Readers, assert_same, networks, opened, rests, shows

pytestmark = pytest.mark.browser


@pytest.fixture
def reader(chromium: Browser, address: str) -> Iterator[Readers]:
    with readers(partial(Reader, chromium, address)) as make:
        yield make


def exports(page: Page) -> list[bool]:
    """Whether each entry of the menu Export can act."""
    page.evaluate("document.querySelector('details.pl-menu').open = true")
    page.wait_for_timeout(100)
    return page.locator(".pl-menu-list button").evaluate_all("(all) => all.map((one) => !one.disabled)")


INERT = "() => [...document.querySelectorAll('.pl-side')].find((one) => one.checkVisibility()).inert"

CUT = """() => [...document.querySelectorAll('.pl-tab img, .pl-tab canvas, .pl-desk img')].filter((one) =>
    one.checkVisibility() && getComputedStyle(one).objectFit === 'cover').map((one) => one.outerHTML)"""


@pytest.mark.parametrize("tab", [tab for tab in TABS if tab.id != "training_run"])
def test_nothing_can_be_pressed_before_there_is_something_to_act_on(reader: Readers, tab: Explorer) -> None:
    one = reader()
    first, _ = networks(tab)
    with one.holding("**/patchlight/data/*") as held:
        one.page.goto(f"{one.address}?tab={tab.name}&picture=coffee&checkpoint={first}")
        held.wait()
        assert exports(one.page) == [False, False], "there is nothing to export yet"
        assert one.page.evaluate(INERT), "nor anything to ask about"
        held.pass_on()
    held.go()
    shows(one.page, tab, "coffee", first)
    assert exports(one.page) == [True, True]
    assert not one.page.evaluate(INERT)
    assert one.page.evaluate(CUT) == [], "a map or a picture is cut"


def named(tab: str) -> Explorer:
    return next(explorer for explorer in explorers() if explorer.name == tab)


@pytest.mark.parametrize(("tab", "network"), [
    ("windows", "bundled/vit"), ("reconstruct", "bundled/dino"), ("zero_shot", "bundled/dino"),
])  # fmt: skip
def test_a_tab_that_a_network_cannot_have_leads_to_one_that_can(reader: Readers, tab: str, network: str) -> None:
    one = reader()
    page = opened(one, named(tab), "coffee", network)
    assert exports(page) == [False, False]
    assert page.evaluate(INERT)
    page.evaluate("document.querySelector('details.pl-menu').open = false")
    page.locator(".pl-refused:visible button").first.click()
    page.wait_for_function(f"() => !({INERT})()", timeout=SECONDS)
    page.wait_for_function("[...document.querySelectorAll('.pl-caption')].some((one) => one.innerText.length > 40)")
    assert page.locator(".pl-refused:visible").count() == 0


def test_a_view_that_a_network_cannot_have_leads_to_one_that_can(reader: Readers) -> None:
    one = reader()
    page = one.open(checkpoint="bundled/dino", view="class")
    assert "gives no score to a class or a text" in page.inner_text(".pl-refusal")
    assert exports(page) == [False, False]
    page.evaluate("document.querySelector('details.pl-menu').open = false")
    one.changed(lambda: page.click(".pl-refusal button >> text=ViT, supervised"))
    rests(page)
    assert "view=class" in page.url
    assert page.inner_text(".pl-caption").strip()


def test_a_network_that_reads_is_asked_about_what_it_has_learnt(reader: Readers) -> None:
    """No photograph of a cat was among the shapes: its own labels stand there, and a click explains one."""
    one = reader()
    page = one.open(checkpoint="bundled/clip", view="class", picture="shapes")
    offered = page.locator(".pl-labels button").all_inner_texts()
    assert "red heart" in offered
    assert page.get_attribute(".pl-texts input", "placeholder") == offered[0]
    page.click(".pl-labels button >> text=red heart")
    page.wait_for_function("document.querySelector('.pl-caption').innerText.includes('red heart')", timeout=SECONDS)


@pytest.mark.parametrize("name", ["emoji", "imagenet"])
def test_lists_of_labels_are_taken_in_surgery(reader: Readers, name: str) -> None:
    one = reader()
    page = opened(one, named("surgery"), "shapes", "bundled/clip")
    before = page.locator(".pl-zero-chips:visible .pl-chip").count()
    page.locator("select[aria-label='List of labels']:visible").select_option(name)
    page.wait_for_function(
        "(count) => document.querySelectorAll('.pl-surgery .pl-zero-chips .pl-chip').length > count", arg=before
    )


def test_a_mistake_of_a_script_is_told_and_logged(chromium: Browser, address: str) -> None:
    """In one sentence, in the reader's language; what is a server's sentence is no mistake."""
    one = Reader(chromium, address)
    page = one.open(checkpoint="bundled/vit", language="ru")
    page.evaluate("""async () => {
        const { front } = await import(new URL('patchlight/stage/page.js', document.baseURI).href);
        front().drawn.draw = () => null.unforeseen;
        front().draw();
    }""")
    page.wait_for_selector(".pl-notice:not([hidden])")
    assert "В скрипте этой страницы произошла ошибка" in page.inner_text(".pl-notice")
    assert one.complaints != [], "the browser's console has it too"
    one.close()


def test_the_dialog_is_searched_by_what_it_shows_and_begins_with_what_is_here(reader: Readers) -> None:
    one = reader()
    page = one.open(checkpoint="bundled/vit")
    page.click(".pl-desk button >> text=Change…")
    page.wait_for_function("document.querySelectorAll('.pl-option').length > 20")
    assert "on this machine" in page.locator(".pl-option").first.inner_text()
    everything = page.locator(".pl-option").count()
    page.fill(".pl-dialog input[type=search]", "on this machine")
    page.wait_for_function("(all) => document.querySelectorAll('.pl-option').length < all", arg=everything)
    left = page.locator(".pl-option").all_inner_texts()
    assert left, "every card that is here says so"
    assert all("on this machine" in one for one in left)
    page.fill(".pl-dialog input[type=search]", "drawn shapes")
    page.wait_for_function("!document.querySelector('.pl-network-list').innerText.includes('DINOv2')")
    found = page.locator(".pl-option strong").all_inner_texts()
    assert {"ViT, supervised", "Swin, supervised"} <= set(found), "both learnt drawn shapes, as their cards say"


def test_a_network_that_cannot_be_had_leaves_what_was_there(reader: Readers) -> None:
    """Off line, as all tests are: a download is refused, and picture, network and address stay."""
    one = reader()
    page = one.open(checkpoint="bundled/vit", picture="cat")
    before = one.everything()
    page.evaluate("window.patchlight.open('timm/vit_small_patch8_224.dino')")
    page.wait_for_selector(".pl-notice:not([hidden])", timeout=SECONDS)
    assert page.inner_text(".pl-network-title") == "ViT, supervised"
    assert "checkpoint=bundled/vit" in page.url
    assert_same(one.everything(), before)
