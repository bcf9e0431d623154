"""Whether the page can be used by everyone: axe-core finds nothing critical or serious, and focus is always seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import axe_playwright_python
import pytest
from playwright.sync_api import Browser

from explorers.explorer import explorers
from tests.conftest import ROOT, served
from tests.driver import SECONDS, Reader, readers

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
"""axe-core, as the package ships it."""

FOUND = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations
        .filter(({ impact }) => impact === 'critical' || impact === 'serious')
        .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}"""

CHECKPOINTS = {
    "windows": "bundled/swin", "reconstruct": "bundled/mae", "zero_shot": "bundled/clip", "retrieve": "bundled/clip",
    "embedding_map": "bundled/clip",
}  # fmt: skip
"""What each tab shows most of itself with; others open with the bundled ViT."""

TABS = [explorer.name for explorer in explorers()]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with one finished run, so that Train has a list, a strip and curves."""
    runs = tmp_path_factory.mktemp("runs")
    told = {**os.environ, "PATCHLIGHT_RUNS": str(runs), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "training", "mae", "--size", "nano", "--side", "32", "--patch", "4"]
    subprocess.run([*command, "--batch", "8", "--steps", "3", "--run", "seen"], cwd=ROOT, env=told, check=True)
    with served(runs / "app.log", PATCHLIGHT_RUNS=str(runs)) as found:
        yield found


@pytest.fixture
def reader(chromium: Browser, address: str) -> Iterator[Callable[..., Reader]]:
    with readers(lambda **context: Reader(chromium, address, **context)) as make:
        yield make


def found(reader: Reader) -> list[str]:
    reader.page.evaluate(AXE)
    return reader.page.evaluate(FOUND)


def opened(reader: Reader, tab: str) -> Reader:
    asked = {"run": "seen"} if tab == "training_run" else {"picture": "shapes"}
    reader.page.goto(
        f"{reader.address}?{urlencode({'tab': tab, 'checkpoint': CHECKPOINTS.get(tab, 'bundled/vit'), **asked})}"
    )
    reader.page.wait_for_selector("body[data-shown]:not(.pl-working)", timeout=SECONDS)
    reader.page.wait_for_timeout(1000)  # what fades in has its colours then
    return reader


@pytest.mark.parametrize("tab", TABS)
def test_axe_finds_nothing_critical_or_serious(reader: Callable[..., Reader], tab: str) -> None:
    """In English by day and in Russian by night: names, roles, contrast, labels."""
    assert found(opened(reader(color_scheme="light", locale="en-US"), tab)) == []
    assert found(opened(reader(color_scheme="dark", locale="ru-RU"), tab)) == []


def test_axe_finds_nothing_in_the_dialogs(reader: Callable[..., Reader]) -> None:
    one = opened(reader(), "attention")
    one.page.get_by_role("button", name="Change…").click()
    one.page.wait_for_selector(".pl-option")
    assert found(one) == []
    one.page.keyboard.press("Escape")
    one.page.keyboard.press("?")
    assert one.page.get_by_role("dialog", name="Keys").is_visible()
    assert found(one) == []


def test_keys_of_the_tab_in_front_are_told(reader: Callable[..., Reader]) -> None:
    """Every key that a tab listens to stands in the list, or nobody finds it."""
    one = opened(reader(locale="ru-RU"), "attention")
    one.page.keyboard.press("?")
    told = one.page.inner_text(".pl-keys")
    assert "Предыдущий или следующий блок" in told
    assert "Эти клавиши" in told
    one.page.keyboard.press("Escape")
    one.page.wait_for_selector(".pl-keys-box", state="hidden")
    one = opened(reader(), "zero_shot")
    one.page.get_by_label("Add labels").click()
    one.page.keyboard.press("?")
    assert not one.page.locator(".pl-keys-box").is_visible(), "a question mark that is typed opens nothing"


def test_tabs_are_one_stop_and_arrows_go_through_them(reader: Callable[..., Reader]) -> None:
    page = opened(reader(), "attention").page
    assert page.locator(".pl-tab-button[tabindex='0']").count() == 1
    page.locator("[data-tab=attention]").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".pl-tab-button[aria-selected=true]").get_attribute("data-tab") == TABS[1]
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.tab") == TABS[-1]
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.tab") == TABS[0]


def test_focus_is_always_seen(reader: Callable[..., Reader]) -> None:
    """Forty stops from the top: each lies on the screen and is drawn; the first one leads to the picture."""
    page = opened(reader(), "attention").page
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "pl-skip"
    for _ in range(40):
        seen = page.evaluate(
            "(() => { const one = document.activeElement, box = one.getBoundingClientRect();"
            " const seen = one.checkVisibility({ visibilityProperty: true, opacityProperty: true });"
            " const here = box.width > 0 && box.right > 0 && box.left < innerWidth;"
            " return [one.outerHTML.slice(0, 80), seen && here]; })()"
        )
        assert seen[1], f"focus is on {seen[0]}, which nobody sees"
        page.keyboard.press("Tab")
    page.locator(".pl-skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('.pl-middle')")


@pytest.mark.parametrize("tab", TABS)
def test_no_sideways_gesture_leaves_the_page(reader: Callable[..., Reader], tab: str) -> None:
    """A wheel past the end of a strip went Back, and the page was gone."""
    page = opened(reader(), tab).page
    loose = page.evaluate(
        "[...document.querySelectorAll('body *')].map((one) => [getComputedStyle(one), one.outerHTML.slice(0, 90)])"
        ".filter(([{ overflowX, overscrollBehaviorX }]) => ['auto', 'scroll'].includes(overflowX)"
        " && overscrollBehaviorX === 'auto').map(([, told]) => told)"
    )
    assert loose == []
    assert page.evaluate("getComputedStyle(document.body).overscrollBehaviorX") == "none"


def test_the_first_second_shows_nothing_broken(reader: Callable[..., Reader]) -> None:
    """Before the server has said anything there is no broken picture and nothing to stop."""
    one = reader()
    one.page.route("**/patchlight/pictures/**", lambda _: None)
    one.page.route("**/queue/join*", lambda _: None)
    one.page.goto(f"{one.address}?tab=attention&checkpoint=bundled/vit")
    one.page.wait_for_selector(".pl-desk", timeout=SECONDS)
    assert not one.page.locator(".pl-drop img").is_visible()
    one.page.unroute_all()


def test_large_counts_are_told_in_the_pages_language(reader: Callable[..., Reader]) -> None:
    """22.1 M beside 22,1 млн is one number in two notations."""
    one = opened(reader(locale="ru-RU"), "patches")
    told = one.page.inner_text(".pl-costs")
    assert "млн" in told or "тыс." in told
    assert not re.search(r"\d [kMGTP]\b", told)
