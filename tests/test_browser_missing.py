"""What a browser may lack: it may keep nothing, copy nothing, have no camera, and the page has an answer to each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserType

from tests.conftest import CHROMIUM
from tests.driver import SECONDS, Reader

pytestmark = pytest.mark.browser


def test_a_browser_that_keeps_nothing_shows_the_page(chromium: Browser, address: str, tmp_path: Path) -> None:
    """Chromium's own setting "block all cookies", under which already a look at `localStorage` throws."""
    (tmp_path / "Default").mkdir()
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(blocked))
    kind: BrowserType = chromium.browser_type
    context = kind.launch_persistent_context(
        tmp_path, executable_path=shutil.which("chromium"), args=list(CHROMIUM), headless=True
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{address}?checkpoint=bundled/vit")
    page.wait_for_selector("body[data-shown]", timeout=SECONDS)
    page.click("[data-language=ru]")
    page.wait_for_function("document.documentElement.lang === 'ru'")
    page.click(".pl-tab-button[data-tab=training_run]")
    page.wait_for_selector(".pl-train-go", timeout=SECONDS)
    assert [one for one in wrong if "patchlight" in one or "localStorage" in one] == []
    context.close()


NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"
REFUSES = "navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"


@pytest.mark.parametrize("lacks", [NO_CLIPBOARD, REFUSES], ids=["plain http", "not allowed"])
def test_a_link_that_cannot_be_copied_is_offered_selected(chromium: Browser, address: str, lacks: str) -> None:
    one = Reader(chromium, address)
    one.page.add_init_script(lacks)
    page = one.open(checkpoint="bundled/vit", layer=1)
    page.click(".pl-action >> text=Link")
    page.wait_for_selector(".pl-link-box[open]")
    assert page.input_value(".pl-link-field") == page.url
    assert page.evaluate("getSelection().toString()") == page.url, "selected, so that one key copies it"
    assert page.locator("text=Copied").count() == 0, "nothing was copied"
    one.close()


def test_copied_is_said_after_it_happened(chromium: Browser, address: str) -> None:
    one = Reader(chromium, address, permissions=["clipboard-read", "clipboard-write"])
    page = one.open(checkpoint="bundled/vit", layer=1)
    page.click(".pl-action >> text=Link")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    one.close()


def test_a_browser_without_a_camera_says_so(chromium: Browser, address: str) -> None:
    one = Reader(chromium, address)
    one.page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page = one.open(checkpoint="bundled/vit")
    page.click("text=Webcam…")
    page.wait_for_function(
        "document.querySelector('.pl-notice:not([hidden])')?.innerText.includes('open a file instead')"
    )
    assert one.complaints == []
    one.close()
