"""A run from its first picture to its last, in a real browser: reloaded, stopped, resumed, its server killed."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.conftest import ROOT, free_port, wait_for
from tests.driver import SECONDS, Reader
from tests.training.dataset_hub import serve_datasets
from training.ledger import Task

pytestmark = pytest.mark.browser

PATIENCE = 3 * SECONDS
"""Milliseconds: a process that learns steps back for all others, so on a busy machine it is slow to begin."""

KILLED = r"net::ERR_(CONNECTION|CONTENT_LENGTH|INCOMPLETE|EMPTY|NETWORK)|Failed to fetch|[Cc]onnection"
"""What a browser says of a server that was killed half way through an answer."""

STEPS = 100_000
"""More than any test waits for: what is watched here is stopped, not finished."""

HERO = """() => {
    let sum = 0;
    for (const canvas of document.querySelectorAll('.pl-train-hero canvas'))
        for (const byte of canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)
            sum = (sum * 31 + byte) % 1000000007;
    return sum;
}"""

CURVE = """() => {
    const canvas = document.querySelector('.pl-train-curve canvas');
    let sum = 0;
    for (const byte of canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)
        sum = (sum * 31 + byte) % 1000000007;
    return sum;
}"""

LAST_TILE = """() => {
    const canvas = [...document.querySelectorAll('.pl-train-hero canvas')].at(-1);
    return [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data.subarray(0, 3)];
}"""


class Served:
    """`python app.py` on one port with runs of its own; killed and started again by tests."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.port, self.log = folder, free_port(), folder / "app.log"
        self.environment = {
            **os.environ,
            "PATCHLIGHT_RUNS": str(folder / "runs"),
            "OMP_NUM_THREADS": "1",
            **environment,
        }
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self.log.write_text("")
        command = [sys.executable, "app.py", "--port", str(self.port)]
        with self.log.open("w") as stream:
            self.app = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=stream, stderr=stream)
        wait_for(lambda: "Patchlight is at" in self.log.read_text() or self.app.poll() is not None, PATIENCE / 1000)
        assert self.app.poll() is None, self.log.read_text()

    def kill(self) -> None:
        self.app.send_signal(signal.SIGKILL)
        self.app.wait(timeout=20)

    def close(self) -> None:
        """The server, and what it let learn."""
        self.app.terminate()
        self.app.wait(timeout=20)
        for task in (Task(job.parent) for job in (self.folder / "runs").glob("*/job.json")):
            if task.alive():
                os.kill(task.entry()["process"], signal.SIGKILL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("training"))
    yield server
    server.close()


Readers = Callable[..., Reader]


@pytest.fixture
def reader(chromium: Browser) -> Iterator[Readers]:
    """Makes readers; afterwards none may have met an error, but for those of a server that was killed on purpose."""
    made: list[Reader] = []

    def make(server: Served, **context: object) -> Reader:
        made.append(Reader(chromium, server.address, **context))  # pyright: ignore
        return made[-1]

    yield make
    complaints = [text for one in made for text in one.complaints if not re.search(KILLED, text)]
    for one in made:
        one.close()
    assert complaints == []


def opened(one: Reader, query: str = "") -> Page:
    one.context.set_default_timeout(PATIENCE)
    one.page.goto(f"{one.address}?tab=training_run{query}")
    one.page.wait_for_selector("body[data-shown=training_run]", timeout=PATIENCE)
    return one.page


def begun(page: Page, name: str, steps: int = STEPS) -> str:
    """Through the form: a masked autoencoder that learns in seconds; the name that the run was given."""
    page.wait_for_selector(".pl-train-fields [data-setting=minutes]", timeout=PATIENCE)
    page.evaluate("document.querySelector('.pl-train-more').open = true")
    for setting, value in (
        ("minutes", 0),
        ("side", 32),
        ("patch", 4),
        ("steps", steps),
        ("batch", 4),
        ("keep_every", 40),
    ):
        page.fill(f"[data-setting={setting}]", str(value))
        page.press(f"[data-setting={setting}]", "Tab")
    page.fill(".pl-train-send input", name)
    page.click(".pl-train-go")
    page.wait_for_selector(f".pl-train[data-run^={name}]", timeout=PATIENCE)
    return page.get_attribute(".pl-train", "data-run") or ""


def step_of(page: Page) -> int:
    return int(page.get_attribute(".pl-train", "data-step") or 0)


def reach(page: Page, step: int) -> None:
    page.wait_for_function(
        "(step) => +document.querySelector('.pl-train').dataset.step >= step", arg=step, timeout=PATIENCE
    )


def painted(page: Page, step: int) -> None:
    """The pictures of one step, or a later one, are drawn large."""
    page.wait_for_function(
        "(step) => +document.querySelector('.pl-train-hero').dataset.step >= step", arg=step, timeout=PATIENCE
    )


def seconds_until(happened: Callable[[], bool], at_most: float = PATIENCE / 1000) -> float:
    start = time.monotonic()
    while not happened():
        assert time.monotonic() - start < at_most
        time.sleep(0.02)
    return time.monotonic() - start


def answering(server: Served) -> bool:
    try:
        return httpx.get(f"{server.address}patchlight/training/runs", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def attached_within(server: Served, page: Page, attached: str) -> None:
    """Two seconds after the server answers the page shows the run again; a busy machine's own delay is allowed for."""
    start = time.monotonic()
    httpx.get(f"{server.address}patchlight/training/runs", timeout=30)
    delay = time.monotonic() - start
    took = seconds_until(lambda: bool(page.evaluate(attached)))
    assert took < 2 + 8 * delay, f"{took:.1f} s where an answer takes {delay:.2f} s"


def test_a_run_is_watched_through_a_reload_and_a_killed_server_to_its_end(served: Served, reader: Readers) -> None:
    one = reader(served)
    page = opened(one)
    assert page.inner_text(".pl-train-empty").startswith("Watch a network learn")
    name = begun(page, "painter")
    page.wait_for_selector(".pl-train-frame[data-step='0'][data-painted]", timeout=PATIENCE)
    page.click(".pl-train-frame[data-step='0']")
    page.wait_for_selector(".pl-train-hero[data-step='0']", timeout=PATIENCE)
    assert page.inner_text(".pl-train-when") == "Untrained"
    untrained = page.evaluate(HERO)

    reach(page, 12)
    curve, kept = page.evaluate(CURVE), page.locator(".pl-train-frame").count()
    page.reload()
    page.wait_for_selector("body[data-shown=training_run]", timeout=PATIENCE)
    attached_within(served, page, f"document.querySelector('.pl-train').dataset.run === '{name}'")
    page.wait_for_function(f"document.querySelectorAll('.pl-train-frame').length > {kept}", timeout=PATIENCE)
    page.wait_for_selector(".pl-train-hero[data-step='0']", timeout=PATIENCE)
    page.click(".pl-train-end >> nth=1")  # the step was in the address; the newest is followed from now on
    painted(page, 11)
    assert page.evaluate(HERO) != untrained, "the pictures change while it learns"
    assert page.evaluate(CURVE) != curve, "the curves move"

    before = step_of(page)
    served.kill()
    page.wait_for_selector(".pl-train-away:not([hidden])", timeout=PATIENCE)
    served.start()
    seconds_until(lambda: answering(served))
    attached_within(served, page, "document.querySelector('.pl-train-away').hidden")
    reach(page, before + 1)
    assert page.get_attribute(".pl-train", "data-state") == "running", "the run outlived its server"

    page.click("[data-act=stop]")
    page.wait_for_selector(".pl-train[data-state=stopped]", timeout=PATIENCE)
    stopped = step_of(page)
    page.click("[data-act=resume]")
    reach(page, max(101, stopped + 1))  # sooner nothing is judged
    page.wait_for_selector(".pl-train-judged", timeout=PATIENCE)
    assert "by copying a neighbour" in page.inner_text(".pl-train-verdicts")
    page.click("[data-act=pause]")
    page.wait_for_selector(".pl-train[data-state=paused]", timeout=PATIENCE)


def test_a_run_can_be_walked_zoomed_compared_and_opened(served: Served, reader: Readers) -> None:
    """Uses the run of the test before, which any page of this server lists."""
    one = reader(served)
    page = opened(one, "&run=painter&drawn=attention")
    page.wait_for_selector(".pl-train-hero[data-kind=attention]", timeout=PATIENCE)
    newest = int(page.get_attribute(".pl-train-hero", "data-step") or 0)
    last, curve = page.evaluate(HERO), page.evaluate(CURVE)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"+document.querySelector('.pl-train-hero').dataset.step < {newest}", timeout=PATIENCE)
    assert page.evaluate(HERO) != last
    page.keyboard.press("ArrowRight")
    painted(page, newest)
    assert page.evaluate(HERO) == last, "the same step, the same pixels"
    page.hover(".pl-train-curve canvas")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    one.frame()
    zoomed = page.evaluate(CURVE)
    assert zoomed != curve
    page.dblclick(".pl-train-curve canvas")
    page.mouse.move(4, 4)
    page.click(".pl-train-side [data-value=seconds]")
    one.frame()
    assert "over=seconds" in page.url
    for kind in ("positions", "views", "reconstruction"):
        page.click(f".pl-train-kinds [data-value={kind}]")
        page.wait_for_selector(f".pl-train-hero[data-kind={kind}]", timeout=PATIENCE)

    begun(page, "second", steps=12)
    page.wait_for_selector(".pl-train[data-state=finished]", timeout=PATIENCE)
    page.check(".pl-train-run-row[data-run=painter] input")
    page.wait_for_selector(".pl-train-compare table", timeout=PATIENCE)
    differing = page.inner_text(".pl-train-table >> nth=0")
    assert "Steps" in differing
    assert f"{STEPS:,}" in differing
    assert "Batch" not in differing, "what is the same is not listed"
    page.uncheck(".pl-train-run-row[data-run=painter] input")

    page.click(".pl-train-explore")
    page.wait_for_function("document.body.dataset.shown?.startsWith('run/second ')", timeout=PATIENCE)
    page.click("text=Change…")
    page.wait_for_selector(".pl-option:has-text('painter')", timeout=PATIENCE)
    assert re.search(rf"step [\d,]+ of {STEPS:,}", page.inner_text(".pl-option:has-text('painter')"))


def test_a_killed_run_is_resumed_and_deleted(served: Served, reader: Readers) -> None:
    """Wrong if a run whose process died went on saying that it runs, or stayed after it was deleted twice over."""
    one = reader(served)
    page = opened(one)
    name = begun(page, "fragile")
    reach(page, 2)
    os.kill(Task(served.folder / "runs" / name).entry()["process"], signal.SIGKILL)
    page.wait_for_selector(".pl-train[data-state=lost]", timeout=PATIENCE)
    assert "ended without a word" in page.inner_text(".pl-train-sentence")
    page.click("[data-act=resume]")
    page.wait_for_selector(".pl-train[data-state=running]", timeout=PATIENCE)
    page.click("[data-act=evaluate]")
    page.wait_for_selector("[data-act=evaluate]:disabled", timeout=PATIENCE)
    page.click("[data-act=delete]")
    assert page.locator(f".pl-train-run-row[data-run={name}]").count() == 1, "what cannot be taken back is asked twice"
    page.click("[data-act=delete]")
    page.wait_for_selector(f".pl-train-run-row[data-run={name}]", state="detached", timeout=PATIENCE)
    assert not (served.folder / "runs" / name).exists()
    assert page.locator(".pl-notice").is_hidden()
    one.complaints[:] = [text for text in one.complaints if "422" not in text]  # a look that was under way meanwhile


def test_a_zip_of_ones_own_is_learnt_from_and_a_bad_one_refused(
    served: Served, reader: Readers, tmp_path: Path
) -> None:
    """Wrong if a damaged archive ended in silence, or the pictures of a good one were not those that are watched."""
    one = reader(served)
    page = opened(one)
    page.wait_for_selector(".pl-train-fields [data-setting=minutes]", timeout=PATIENCE)
    (tmp_path / "broken.zip").write_bytes(b"no archive")
    page.set_input_files(".pl-train-form input[type=file]", tmp_path / "broken.zip")
    page.wait_for_selector(".pl-notice:not([hidden])", timeout=PATIENCE)
    assert "broken.zip is none, or is damaged" in page.inner_text(".pl-notice")
    one.complaints[:] = [text for text in one.complaints if "422" not in text]  # it was refused on purpose
    with zipfile.ZipFile(tmp_path / "my reds.zip", "w") as archive:
        for shade in range(12):
            picture = io.BytesIO()
            Image.new("RGB", (32, 32), (140 + 8 * shade, 20, 20)).save(picture, "PNG")
            archive.writestr(f"reds/{shade}.png", picture.getvalue())
    page.set_input_files(".pl-train-form input[type=file]", tmp_path / "my reds.zip")
    page.wait_for_function("document.querySelector('[data-say-label^=Folder]').value === 'my reds'", timeout=PATIENCE)
    assert page.locator(".pl-notice").is_hidden()
    begun(page, "own", steps=1)
    page.wait_for_selector(".pl-train[data-state=finished]", timeout=PATIENCE)
    painted(page, 1)
    assert "my reds" in page.inner_text(".pl-train-about")
    red, green, blue = page.evaluate(LAST_TILE)
    assert red > 120
    assert green == blue == 20


def test_a_set_of_the_hub_is_learnt_from_and_a_wrong_name_told(tmp_path: Path, reader: Readers) -> None:
    """Wrong if a name that the hub does not know ended without a sentence, or a right one without pictures."""
    store = tmp_path / "hub" / "datasets" / "someone" / "reds" / "main"
    store.mkdir(parents=True)
    for shade in range(12):
        Image.new("RGB", (32, 32), (140 + 8 * shade, 20, 20)).save(store / f"{shade}.png")
    with serve_datasets(tmp_path / "hub") as hub:
        own = {"HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
        home = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_CACHE": str(tmp_path / "home" / "hub")}
        server = Served(tmp_path, HF_ENDPOINT=hub.endpoint, **home, **own)
        try:
            one = reader(server)
            page = opened(one)
            page.wait_for_selector(".pl-train-fields [data-setting=minutes]", timeout=PATIENCE)
            page.select_option(".pl-train-form select[aria-label=Pictures]", "hub")
            learnt_from(page, "hub/someone/nothing")
            begun(page, "wrong", steps=1)
            page.wait_for_selector(".pl-train[data-state=failed]", timeout=PATIENCE)
            assert "Dataset someone/nothing was asked of the hub" in page.inner_text(".pl-train-sentence")
            learnt_from(page, "hub/someone/reds")
            begun(page, "right", steps=1)
            page.wait_for_selector(".pl-train[data-state=finished]", timeout=PATIENCE)
            painted(page, 1)
            red, green, blue = page.evaluate(LAST_TILE)
            assert red > 120
            assert green == blue == 20
            one.complaints[:] = [text for text in one.complaints if "422" not in text]  # its cost could not be measured
        finally:
            server.close()


def learnt_from(page: Page, images: str) -> None:
    page.fill("[data-say-label^=Folder]", images)
    page.press("[data-say-label^=Folder]", "Tab")


def test_training_is_switched_off_in_a_sentence(tmp_path: Path, reader: Readers) -> None:
    server = Served(tmp_path, PATCHLIGHT_PUBLIC="1", PATCHLIGHT_TRAINING="off")
    try:
        page = opened(reader(server))
        page.wait_for_selector(".pl-train-off:not([hidden])", timeout=PATIENCE)
        assert page.inner_text(".pl-train-off").startswith("Training is switched off on this page")
        assert page.locator(".pl-train-go").is_hidden()
    finally:
        server.close()


def test_two_visitors_of_a_shared_host(tmp_path: Path, reader: Readers) -> None:
    server = Served(tmp_path, PATCHLIGHT_PUBLIC="1", PATCHLIGHT_TRAINING_STEPS="50")
    try:
        one, other = reader(server), reader(server)
        mine, theirs = opened(one), opened(other)
        name = begun(mine, "mine", steps=40)
        assert len(name) > len("mine-") + 10
        theirs.wait_for_timeout(2500)
        assert theirs.locator(".pl-train-run-row").count() == 0
        second = begun(theirs, "theirs", steps=12)
        theirs.wait_for_selector(".pl-train-run-row", timeout=PATIENCE)
        assert theirs.locator(".pl-train-run-row").all_inner_texts()[0].startswith(second)
        assert mine.locator(".pl-train-run-row").count() == 1
        theirs.goto(f"{server.address}?tab=training_run&run={name}")
        theirs.wait_for_selector(".pl-notice:not([hidden])", timeout=PATIENCE)
        assert f"No run of yours is called {name}" in theirs.inner_text(".pl-notice")
        other.complaints[:] = [text for text in other.complaints if "422" not in text]  # it was refused on purpose
    finally:
        server.close()
