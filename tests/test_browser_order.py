"""A tab's own questions, two in quick succession, answered in the wrong order: what was asked last is what stands.

Both answers are held back; the newer one is delivered whole before the older one, which no server does of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.driver import SECONDS, Reader, readers
from tests.test_browser_races import assert_same, rests

pytestmark = pytest.mark.browser


def label(one: Reader, turn: int) -> None:
    one.page.locator(".pl-zero-rows .pl-zero-row").nth(1 + turn).click()


def text(one: Reader, turn: int) -> None:
    one.page.fill(".pl-get textarea", ("a cat", "a rocket")[turn])
    one.press("Enter")


def source(one: Reader, turn: int) -> None:
    square(one.page, ".pl-mask-canvas >> nth=2", turn)


def patch(one: Reader, turn: int) -> None:
    square(one.page, ".pl-canvas >> visible=true", turn)


def square(page: Page, canvas: str, turn: int) -> None:
    """A click near the upper left, or near the lower right."""
    box = page.locator(canvas).bounding_box()
    assert box is not None
    share = (0.2, 0.8)[turn]
    page.mouse.click(box["x"] + share * box["width"], box["y"] + share * box["height"])


@dataclass(frozen=True)
class Asking:
    """act(reader, turn) asks the tab's question number `turn`, 0 or 1."""

    tab: str
    network: str
    act: Callable[[Reader, int], None]
    view: dict[str, Any] = field(default_factory=dict)

    def opened(self, one: Reader) -> None:
        asked = {"tab": self.tab, "checkpoint": self.network, "picture": "cat", **self.view}
        one.page.goto(f"{one.address}?{urlencode(asked)}")
        one.page.wait_for_selector("body[data-shown]", timeout=SECONDS)
        rests(one.page)


ASKINGS = {
    "label": Asking("zero_shot", "bundled/clip", label, {"patches": "tokens"}),
    "text": Asking("retrieve", "bundled/clip", text, {"gallery": "photographs"}),
    "source": Asking("reconstruct", "bundled/mae", source),
    "row": Asking("attention", "bundled/vit", patch, {"side": 224}),
    "rollout": Asking("attention", "bundled/vit", patch, {"view": "rollout"}),
}
"""A map of labels, a search, where a square's guess comes from, a row of a grid too large to travel, a rollout."""


@pytest.fixture
def reader(chromium: Browser, address: str) -> Iterator[Callable[..., Reader]]:
    with readers(partial(Reader, chromium, address)) as make:
        yield make


def delivered(route: Route) -> None:
    """The whole answer reaches the page before the next is let go."""
    route.fulfill(response=route.fetch())


@pytest.mark.parametrize("asking", [pytest.param(one, id=name) for name, one in ASKINGS.items()])
def test_of_two_questions_the_newer_stands(reader: Callable[..., Reader], asking: Asking) -> None:
    """Wrong if a label's map, a text's hits or a patch's row stood under the name of another."""
    straight, crossed = reader(), reader()
    asking.opened(straight)
    before = straight.everything()
    asking.act(straight, 1)
    rests(straight.page)
    right = straight.everything()
    assert right != before, "the question changes nothing, so that no wrong answer could be seen"
    asking.opened(crossed)
    with crossed.holding("**/patchlight/data/*") as held:
        asking.act(crossed, 0)
        held.wait(1)
        asking.act(crossed, 1)
        held.wait(2)
        held.pass_on()
        held.go(delivered)
    rests(crossed.page)
    assert_same(crossed.everything(), right)
