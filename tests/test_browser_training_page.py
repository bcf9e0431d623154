"""The Train tab's promises to a reader's hand and eye: a press is seen at once, a link opens what was seen, and nothing
moves under a pointer."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus as unquote

import pytest
from playwright.sync_api import Browser, Page

from tests.driver import Reader
from tests.test_browser_training import PATIENCE, Served, opened

pytestmark = pytest.mark.browser

FORMS = """async () => {
    const stage = (name) => import(new URL(`patchlight/stage/${name}.js`, document.baseURI));
    const { Form } = await stage("training_form");
    let seed = 7;
    const chance = (count) => (seed = (seed * 48271) % 2147483647) % count;
    const silent = { usual: "90s mae", started: () => {}, tell: (fault) => fault && wrong.push(JSON.stringify(fault)) };
    const wrong = [];
    const made = async () => {
        const form = new Form({ ...silent, asks: (own) => (form.link = own) });
        form.cost.ask = () => {};
        await form.load();
        return form;
    };
    const [one, other] = [await made(), await made()];
    const shown = (input) => [input.dataset.setting, input.type === "checkbox" ? input.checked : input.value];
    const inputs = (form) => [...form.element.querySelectorAll("[data-setting], select")];
    const flat = ({ options, settings, ...own }) => Object.entries({ ...own, ...options, ...settings }).sort();
    const seen = (form) => JSON.stringify([...inputs(form).map(shown), ...flat(form.recipe)]);
    const press = (input, value) => {
        if (input.type === "checkbox") input.checked = !input.checked;
        else input.value = value;
        input.dispatchEvent(new Event("change"));
    };
    const change = () => {
        const settings = [...one.element.querySelectorAll("[data-setting]")];
        const input = settings[chance(settings.length)];
        const options = [...(input.options ?? [])];
        const typed = input.type === "number" ? String(2 + chance(9)) : `word ${chance(9)} & é+"`;
        press(input, options.length ? options[chance(options.length)].value : typed);
    };
    for (let round = 0; round < 100; round++) {
        const [select, objectives] = [one.preset.element, one.objective.element];
        press(select, select.options[1 + chance(select.options.length - 1)].value);
        if (chance(3) === 0) press(objectives, objectives.options[chance(objectives.options.length)].value);
        for (let times = chance(5); times > 0; times--) change();
        other.ask(structuredClone(one.link));
        if (seen(one) !== seen(other)) wrong.push(`${JSON.stringify(one.link)}: ${seen(one)} became ${seen(other)}`);
    }
    return wrong;
}"""
"""A hundred forms, each filled in by chance, and what another form makes of its link."""

STRIP = """async () => {
    const { Strip } = await import(new URL("patchlight/stage/training_strip.js", document.baseURI));
    const strip = new Strip({ choose: () => {} });
    document.body.append(strip.element);
    Object.assign(strip.element.style, { position: "fixed", left: 0, bottom: 0, width: "500px", zIndex: 99 });
    strip.element.classList.add("pl-middle");
    const draw = (steps, chosen) => strip.draw(steps, { step: chosen ?? steps.at(-1), chosen }, "key", () => null);
    const left = (step) => strip.element.querySelector(`[data-step="${step}"]`).getBoundingClientRect().left;
    const steps = [0, 1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91];
    draw(steps, null);
    const newest = strip.film.scrollLeft;
    strip.film.scrollLeft = 150;
    const before = left(3);
    draw([...steps, 128], null);
    const grown = left(3);
    draw([0, 2, 3, 4, 6, 8, 11, 16, 32, 45, 64, 91, 128, 181], null);
    const thinned = left(3);
    strip.film.dispatchEvent(new WheelEvent("wheel", { deltaY: 80, cancelable: true }));
    const wheeled = strip.film.scrollLeft;
    strip.first.click();
    const first = strip.film.scrollLeft;
    strip.newest.click();
    const last = strip.film.scrollLeft + strip.film.clientWidth >= strip.film.scrollWidth - 1;
    strip.element.remove();
    return { newest, before, grown, thinned, wheeled, first, last };
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With one finished run of the engine itself, measured to know something."""
    from training.recipe import Recipe
    from training.run import open_run

    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "PATCHLIGHT_RUNS", str(folder / "runs"))
        settings = {"steps": 12, "batch": 8, "device": "cpu"}
        list(open_run("done", Recipe("mae", images="shapes", size="nano", side=32, patch=4, settings=settings)).learn())
    figure = {"name": "k-NN accuracy", "value": 0.25, "low": 0.2, "high": 0.3, "against": "k-NN of 16 × 16 pixels",
              "baseline": 0.5, "pictures": 64, "untrained": 0.1, "seen": 0.75}  # fmt: skip
    told = {"images": "shapes", "split": "validation", "count": 64, "figures": [figure]}
    (folder / "runs" / "done" / "evaluation.json").write_text(json.dumps(told))
    server = Served(folder)
    yield server
    server.close()


@pytest.fixture
def reader(chromium: Browser, served: Served) -> Iterator[Reader]:
    made = Reader(chromium, served.address)
    yield made
    assert made.complaints == []
    made.close()


def test_a_probe_names_its_network_and_the_blocks_that_stay(reader: Reader) -> None:
    """Wrong if −1 stood there as a number, or if a reader had to know ids by heart."""
    page = opened(reader)
    page.select_option("select[aria-label=Objective]", "probe")
    words, number = page.locator("select[data-setting=frozen]"), page.locator("input[data-setting=frozen]")
    assert words.locator("option:checked").inner_text() == "all blocks stay"
    assert words.locator("option").all_inner_texts() == ["all blocks stay", "all blocks learn", "blocks 1 to … stay"]
    assert not number.is_visible()
    words.select_option("blocks 1 to … stay")
    number.fill("3")
    number.press("Tab")
    assert '"frozen":3' in unquote(page.url)
    words.select_option("all blocks learn")
    assert '"frozen":0' in unquote(page.url)
    assert not number.is_visible()
    words.select_option("all blocks stay")
    assert "frozen" not in unquote(page.url), "that is what a probe does unasked"
    network = page.locator("input[data-setting=checkpoint]")
    titles = "(one) => Object.fromEntries([...one.list.options].map((option) => [option.value, option.text]))"
    offered = network.evaluate(titles)
    assert offered["bundled/vit"] == "ViT, supervised"
    assert offered["run/done"] == "done", "one's own runs too"
    network.fill("bundled/vit")
    network.press("Tab")
    assert "ViT, supervised" in page.locator("label:has([data-setting=checkpoint])").inner_text()
    assert '"checkpoint":"bundled/vit"' in unquote(page.url)
    assert network.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "the id is cut off"


def test_a_press_of_train_is_seen_at_once(served: Served, reader: Reader) -> None:
    """Wrong if it waited for an estimate that is under way, or said that others learn where nothing does."""
    page = opened(reader)
    page.wait_for_selector(".pl-train-fields [data-setting=minutes]", timeout=PATIENCE)
    with page.expect_request("**/training/estimate", timeout=PATIENCE):
        page.select_option(".pl-train-form select >> nth=0", "90s simmim")
    begun = time.monotonic()
    page.click(".pl-train-go")
    page.wait_for_selector(".pl-train-run-row[data-run='90s-simmim']", timeout=PATIENCE)
    answered = time.monotonic() - begun
    said = page.inner_text(".pl-train-run-row[data-run='90s-simmim'] .pl-train-run-state")
    assert said in ("begins in a moment", "starting", "running, 0 %"), said
    assert "measures itself" in page.inner_text(".pl-train-cost .pl-note")
    page.wait_for_selector(".pl-train-frame[data-step='0'][data-painted]", timeout=PATIENCE)
    page.wait_for_function(
        "document.querySelector('.pl-train-figures').innerText.includes(' of 90 s')", timeout=PATIENCE
    )
    assert "step " in page.inner_text(".pl-train-figures")
    assert answered < 10, "the list knows of it long before an estimate could have ended"
    page.click("[data-act=delete]")
    page.click("[data-act=delete]")
    page.wait_for_selector(".pl-train-run-row[data-run='90s-simmim']", state="detached", timeout=PATIENCE)
    reader.complaints[:] = [text for text in reader.complaints if "422" not in text]  # a look that was under way


def test_a_hundred_forms_come_back_by_their_links(reader: Reader) -> None:
    page = opened(reader)
    assert page.evaluate(FORMS) == []


def seen(page: Page) -> dict[str, Any]:
    return page.evaluate("""() => ({
        run: document.querySelector('.pl-train').dataset.run,
        step: document.querySelector('.pl-train-hero').dataset.step,
        kind: document.querySelector('.pl-train-hero').dataset.kind,
        preset: document.querySelector('.pl-train-form select').value,
        settings: [...document.querySelectorAll('.pl-train-form [data-setting]')]
            .map((input) => [input.dataset.setting, input.value]),
    })""")


@pytest.mark.parametrize("changed", [False, True])
def test_a_link_opens_the_run_the_step_and_the_form(reader: Reader, changed: bool) -> None:
    page = opened(reader, "&run=done")
    page.wait_for_selector(".pl-train-frame[data-step='0'][data-painted]", timeout=PATIENCE)
    page.click(".pl-train-kinds [data-value=attention]")
    page.click(".pl-train-end >> nth=0")
    page.wait_for_selector(".pl-train-hero[data-step='0'][data-kind=attention]", timeout=PATIENCE)
    page.select_option(".pl-train-form select >> nth=0", "5m clip")
    if changed:
        page.fill("[data-setting=rate]", "0.004")
        page.press("[data-setting=rate]", "Tab")
    before, link = seen(page), page.url
    assert (before["run"], before["step"], before["preset"]) == ("done", "0", "" if changed else "5m clip")
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector(".pl-train-hero[data-step]", timeout=PATIENCE)
    page.wait_for_selector(".pl-train-fields [data-setting=minutes]", timeout=PATIENCE)
    assert seen(page) == before


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("frame=999", "The run done keeps no network of step 999; its newest is shown."),
        ("recipe={broken", "The link's recipe could not be read; the form shows its preset."),
        ('recipe={"objective":"magic"}', "The link's recipe could not be read; the form shows its preset."),
    ],
)
def test_what_a_link_asks_and_is_not_there_is_told(reader: Reader, asked: str, told: str) -> None:
    page = opened(reader, f"&run=done&{asked}")
    page.wait_for_selector(".pl-notice:not([hidden])", timeout=PATIENCE)
    assert page.inner_text(".pl-notice").strip() == told
    page.wait_for_selector(".pl-train-hero[data-step='12']", timeout=PATIENCE)
    page.wait_for_selector(".pl-train-fields [data-setting=minutes]", timeout=PATIENCE)
    assert page.input_value(".pl-train-form select >> nth=0") == "90s mae"


def test_the_form_shows_only_what_does_something(reader: Reader) -> None:
    """Wrong if a probe asked for a size and a patch that its network has already, or steps stood beside the clock."""
    page = opened(reader)
    page.wait_for_selector(".pl-train-fields [data-setting=minutes]", timeout=PATIENCE)
    shown = lambda name: page.locator(f".pl-train-form [data-setting={name}]").count()  # noqa: E731
    assert (shown("steps"), shown("patch"), shown("alike"), shown("captions")) == (0, 1, 1, 0)
    page.select_option(".pl-train-form select[data-say-label=Objective]", "probe")
    assert (shown("patch"), shown("checkpoint")) == (0, 1)
    assert page.locator(".pl-train-form select[data-say-label=Network]").is_hidden()
    page.fill("[data-setting=minutes]", "0")
    page.press("[data-setting=minutes]", "Tab")
    assert page.input_value("[data-setting=steps]") == "500", "the objective's own, not another preset's"
    page.select_option(".pl-train-form select[data-say-label=Pictures]", "emoji")
    assert (shown("alike"), shown("language")) == (0, 1)
    offered = page.locator(".pl-train-form select[data-say-label=Pictures]").inner_text()
    assert "<" not in offered, "the form of a name is no name"


def test_the_strip_stands_still_while_a_run_goes_on(reader: Reader) -> None:
    """Wrong if a frame that comes, or one that makes room, moved what a pointer is about to press."""
    found = opened(reader).evaluate(STRIP)
    assert found["newest"] > 150, "it begins at its newest frame"
    assert found["grown"] == found["before"]
    assert found["thinned"] == pytest.approx(found["before"], abs=1), "a screen scrolls by whole pixels"
    assert found["wheeled"] > 80
    assert (found["first"], found["last"]) == (0, True)


def test_the_wheel_over_a_curve_scrolls_and_results_are_in_sight(chromium: Browser, served: Served) -> None:
    made = Reader(chromium, served.address, height=560)
    page = opened(made, "&run=done")
    page.wait_for_selector(".pl-train-curve canvas", timeout=PATIENCE)
    page.wait_for_selector(".pl-train-found .pl-fact", timeout=PATIENCE)
    box, room = page.locator(".pl-train-found").bounding_box(), page.locator(".pl-train-side").bounding_box()
    assert box is not None
    assert room is not None
    told = page.inner_text(".pl-train-found")
    for words in (
        "shapes, validation part, 64 pictures. It pairs colours with shapes that training never pairs",
        "0.2 to 0.3", "of the training part: 0.75", "untrained: 0.1", "k-NN of 16 × 16 pixels: 0.5",
    ):  # fmt: skip
        assert words in told, "a figure that surprises explains itself"
    assert box["y"] + 40 < room["y"] + room["height"], "what was measured is in sight"
    page.hover(".pl-train-curve canvas")
    page.mouse.wheel(0, 120)
    page.wait_for_function("document.querySelector('.pl-train-side').scrollTop > 0 || scrollY > 0", timeout=5000)
    assert page.locator(".pl-train-over .pl-link").is_hidden(), "nothing is zoomed"
    assert made.complaints == []
    made.close()
