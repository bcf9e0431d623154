"""A reader at the real page: opens it, looks at its pixels, listens to its requests and errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from playwright.sync_api import Browser, Error, Page, Request, Route

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


EVERYTHING = """async () => {
    const tab = [...document.querySelectorAll('.pl-tab')].find((one) => one.checkVisibility());
    const words = tab.innerText.replace(/[\\d.,]+ s\\b/g, 's').split('\\n').filter(Boolean);
    const pixels = (canvas) => {
        const { width, height } = canvas;
        const bytes = width * height ? canvas.getContext('2d').getImageData(0, 0, width, height).data : [];
        const sums = new Float64Array(64), counts = new Float64Array(64);
        for (let at = 0; at < bytes.length; at++) {
            const [row, column] = [Math.floor((at >> 2) / width), (at >> 2) % width];
            const part = 8 * Math.floor((8 * row) / height) + Math.floor((8 * column) / width);
            sums[part] += bytes[at];
            counts[part]++;
        }
        const means = Array.from(sums, (sum, part) => (counts[part] ? (sum / counts[part]).toFixed(1) : 0));
        return `${canvas.className} ${width}x${height} |${means}`;
    };
    const seen = (kind) => [...tab.querySelectorAll(kind)].filter((one) => one.checkVisibility());
    const drawn = async (image) => {
        await image.decode().catch(() => {});
        const canvas = new OffscreenCanvas(image.naturalWidth || 1, image.naturalHeight || 1);
        canvas.getContext('2d').drawImage(image, 0, 0);
        return pixels(canvas);
    };
    const named = (one) => one.innerText || one.getAttribute('aria-label');
    const chosen = seen('[aria-pressed=true], [aria-checked=true]').map(named);
    return [words, seen('canvas').map(pixels), await Promise.all(seen('img').map(drawn)), chosen];
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


class Held:
    """Requests that were held back, in the order in which they were asked; a test says when each may go on."""

    def __init__(self, page: Page, after: int) -> None:
        self.page, self.after, self.routes = page, after, list[Route]()
        self.open = False

    def take(self, route: Route) -> None:
        if "patchlight/alive" in route.request.url or self.open or self.after > 0:
            self.after -= "patchlight/alive" not in route.request.url
            route.continue_()
        else:
            self.routes.append(route)

    def wait(self, count: int = 1, unless: Callable[[], bool] = lambda: False) -> None:
        """Until so many are held, unless it turns out that so many are never asked."""
        end = time.monotonic() + SECONDS / 1000
        while len(self.routes) < count and not unless():
            assert time.monotonic() < end, f"{len(self.routes)} requests were held, not {count}"
            self.page.wait_for_timeout(20)

    def pass_on(self) -> None:
        """Later requests are held no longer; those that are held stay so."""
        self.open = True

    def go(self, how: Callable[[Route], object] = lambda route: route.continue_()) -> None:
        """All that are held go on, the newest first, or come to another end; those that the page gave up are gone."""
        for route in reversed(self.routes):
            with suppress(Error):
                how(route)
        self.routes.clear()


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

    def everything(self) -> list[list[str]]:
        """All that the tab in front shows: its words, and each picture and canvas by its pixels; times left out."""
        self.frame()
        return self.page.evaluate(EVERYTHING)

    @contextmanager
    def holding(self, pattern: str = "**/patchlight/**", after: int = 0) -> Iterator[Held]:
        """Requests of this page that match are held back from now on, but for the first `after` of them.

        Those still held at the end of the block are let go.
        """
        held = Held(self.page, after)
        self.page.route(pattern, held.take)
        try:
            yield held
        finally:
            self.page.unroute(pattern, held.take)
            held.go()

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
