"""A reader at the real page: opens it, looks at its pixels, listens to its requests and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, Request

R = TypeVar("R", bound="Reader")

SMALL = {"side": 224}
"""A grid of at most 16 × 16 patches, which travels whole."""

SECONDS = 120_000
"""Milliseconds that a first picture may take on a busy machine with cold caches."""

MAP = """() => {
    const map = document.querySelectorAll('.pl-canvas canvas')[1];
    const bytes = map.getContext('2d').getImageData(0, 0, map.width, map.height).data;
    let sum = 0;
    for (let place = 0; place < bytes.length; place += 4)
        sum = (sum * 31 + bytes[place] + 7 * bytes[place + 3]) % 1000000007;
    return sum;
}"""


@contextmanager
def readers(kind: Callable[..., R]) -> Iterator[Callable[..., R]]:
    """Makes readers of a kind; afterwards none of them may have met an error."""
    made: list[R] = []

    def make(**context: object) -> R:
        made.append(kind(**context))
        return made[-1]

    try:
        yield make
        assert [complaint for one in made for complaint in one.complaints] == []
    finally:
        for one in made:
            one.close()


class Reader:
    """One reader with a page of their own; everything that the browser complains of is kept in `complaints`."""

    def __init__(self, browser: Browser, address: str, width: int = 1280, height: int = 720, **context: object) -> None:
        self.address = address
        self.context = browser.new_context(viewport={"width": width, "height": height}, **context)  # pyright: ignore
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("request", self._note)

    def open(self, **query: object) -> Page:
        self.page.goto(f"{self.address}?{urlencode(query)}")
        self.page.wait_for_selector("body[data-shown]", timeout=SECONDS)
        self.settled()
        return self.page

    def settled(self) -> None:
        """Until nothing travels any more and a frame has been drawn."""
        self.page.wait_for_selector("body:not(.pl-working)", timeout=SECONDS)
        self.page.wait_for_selector(".pl-tab:not(.pl-busy)", timeout=SECONDS)
        self.page.wait_for_selector(".pl-charts:not([hidden])", state="attached", timeout=SECONDS)
        self.frame()

    def frame(self) -> None:
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def changed(self, act: Callable[[], object]) -> None:
        """Act, and wait until another picture or network is shown."""
        before = self.page.get_attribute("body", "data-shown")
        act()
        self.page.wait_for_function("(before) => document.body.dataset.shown !== before", arg=before, timeout=SECONDS)
        self.settled()

    def map(self) -> int:
        """A number that another map would change."""
        self.frame()
        return self.page.evaluate(MAP)

    def caption(self) -> str:
        self.frame()
        return self.page.inner_text(".pl-caption")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Addresses of our own that are asked meanwhile."""
        self.asked.clear()
        yield self.asked
        self.frame()

    def point(self, row: float, column: float) -> tuple[float, float]:
        """Page coordinates of a place of the picture, each in [0, 1]."""
        box = self.page.locator(".pl-canvas").bounding_box()
        assert box is not None
        return box["x"] + column * box["width"], box["y"] + row * box["height"]

    def upload(self, file: Path) -> None:
        self.page.set_input_files(".pl-desk input[type=file]", str(file))

    def close(self) -> None:
        self.context.close()

    def _note(self, request: Request) -> None:
        if "heartbeat" not in request.url and not request.url.startswith(("data:", "blob:")):
            self.asked.append(request.url)
