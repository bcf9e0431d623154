"""The zero-shot tab in a real browser, with a small CLIP of random weights that the page opens as a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from playwright.sync_api import Browser

from models.card import Card
from models.create import create
from models.pixels import Pixels
from models.weights import save
from tests.conftest import served
from tests.driver import Reader
from tests.test_browser import assert_same
from training.words import tower, words

pytestmark = pytest.mark.browser
SIZE = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 128}
LABELS = ["a cat", "a dog", "two boats", "snow"]
HERE = {"tab": "zero_shot", "checkpoint": "run/small", "picture": "cat", "templates": "a photo of a {}."}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    torch.manual_seed(7)
    tokenizer, half = words([*LABELS, "a photo of a big old thing"]), (0.5, 0.5, 0.5)
    vision = {**SIZE, "image_size": 64, "patch_size": 8}
    config = {"text_config": {**SIZE, **tower(tokenizer, 64, 2)}, "vision_config": vision, "projection_dim": 32}
    described = {"library": "transformers", "class": "CLIPModel", "config": config}
    pixels = Pixels((64, 64), 8, 8, half, half)
    save(folder / "small", create(described), described, Card("run/small", "Small", "CLIP"), pixels, tokenizer.to_str())
    return folder


@pytest.fixture(scope="module")
def site(runs: Path) -> Iterator[str]:
    """The page with that folder of runs."""
    with served(runs / "app.log", PATCHLIGHT_RUNS=str(runs)) as address:
        yield address


@pytest.fixture
def reader(chromium: Browser, site: str) -> Iterator[Reader]:
    one = Reader(chromium, site)
    yield one
    one.close()
    assert one.complaints == []


def opened(reader: Reader, labels: list[str] = LABELS, **query: str) -> None:
    reader.page.goto(f"{reader.address}?{urlencode({**HERE, 'labels': labels, **query}, doseq=True)}")
    reader.page.wait_for_selector("body[data-shown]", timeout=120_000)
    if query.get("panel", "scores") == "scores":
        reader.page.wait_for_selector(".pl-zero-rows .pl-zero-row", timeout=120_000)
        mapped(reader)


def caption(reader: Reader) -> str:
    reader.frame()
    return reader.page.inner_text(".pl-zero .pl-caption")


def mapped(reader: Reader) -> None:
    reader.page.wait_for_function(
        "() => document.querySelectorAll('.pl-strip:not([hidden]) .pl-zero-waiting').length === 0", timeout=60_000
    )
    reader.frame()


def test_page_and_endpoint_say_the_same_and_scrubbing_asks_nothing(reader: Reader, site: str) -> None:
    opened(reader, patches="values")
    said, _ = Client(site, verbose=False).predict(
        image=handle_file("assets/pictures/cat.jpg"), checkpoint="run/small", labels=LABELS, patches="values",
        api_name="/zero_shot",
    )  # fmt: skip
    assert_same(caption(reader), said["caption"]["en"])
    assert "Fed as trained" in caption(reader), "the tab begins as the network's authors feed it"
    assert reader.page.get_attribute(".pl-fits [data-value=trained]", "aria-checked") == "true"
    assert "Sigmoid, untrained" in reader.page.inner_text(".pl-zero-head")
    assert "bias alone" not in reader.page.inner_text(".pl-zero-curve"), "there is no bias to speak of"
    before = reader.page.inner_text(".pl-zero-rows")
    with reader.listening() as asked:
        reader.page.locator("input[aria-label='Scale of the cosine']").fill("4")
        reader.page.locator("input[aria-label='Bias']").fill("-9")
        reader.frame()
        moved = reader.page.inner_text(".pl-zero-rows")
    assert asked == []
    assert moved != before
    assert "temperature and bias were moved" in caption(reader)
    reader.page.click("text=As learned")
    reader.frame()
    assert reader.page.inner_text(".pl-zero-rows") == before
    reader.page.click("[data-language=ru]")
    reader.page.wait_for_function("/[А-я]{4}/.test(document.querySelector('.pl-zero .pl-caption').innerText)")
    assert_same(caption(reader), said["caption"]["ru"])


def test_a_new_label_alone_is_asked_and_the_address_restores_it(reader: Reader) -> None:
    opened(reader)
    reader.page.fill("[aria-label='Add labels']", "a big cat; snow")
    with reader.listening() as asked:
        reader.press("Enter")
        reader.page.wait_for_selector(".pl-zero-rows .pl-zero-row >> nth=5")
    texts = [address for address in asked if "patches=" not in address]
    assert len(texts) == 1
    assert "labels=a+big+cat&" in texts[0], "snow is known already"
    shares = {name: share for name, share in reader.page.evaluate(ROWS) if name == "snow"}
    assert len(shares) == 1, "a duplicate has the same score"
    seen = reader.page.inner_text(".pl-zero-rows")
    reader.page.reload()
    reader.page.wait_for_selector(".pl-zero-rows .pl-zero-row >> nth=5", timeout=120_000)
    assert reader.page.inner_text(".pl-zero-rows") == seen


ROWS = """() => [...document.querySelectorAll('.pl-zero-rows .pl-zero-row')].map((row) =>
    [row.title, row.querySelectorAll('.pl-zero-number')[2].textContent])"""


def test_a_label_may_hold_any_letter_and_its_address_brings_it_back(reader: Reader) -> None:
    labels = ["cat | dog", "🐱 & 100 %", "قطة", "a+b=c?", "snow"]
    opened(reader, labels)
    shown = reader.page.evaluate(
        "() => [...document.querySelectorAll('.pl-zero-chips .pl-chip bdi')].map((one) => one.textContent)"
    )
    assert shown == labels
    reader.page.click("[aria-label='Remove snow']")
    reader.page.wait_for_function("() => document.querySelectorAll('.pl-zero-chips .pl-chip').length === 4")
    assert parse_qs(urlsplit(reader.page.url).query)["labels"] == labels[:-1]
    assert "%7C" not in reader.page.url.replace("cat+%7C+dog", ""), "nothing is joined by a letter of ours"


def test_a_thousand_names_are_read_and_the_temperature_moves_within_a_frame(reader: Reader) -> None:
    """All of ImageNet, one text pass each; then 60 steps of the temperature without a request."""
    opened(reader, [], templates="{}")
    reader.page.select_option("[aria-label='List of labels']", "imagenet")
    reader.page.wait_for_function(
        "() => document.querySelector('.pl-zero .pl-heading .pl-note').textContent === '1,000'", timeout=240_000
    )
    reader.page.wait_for_selector(".pl-zero:not(.pl-busy)", timeout=240_000)
    mapped(reader)
    with reader.listening() as asked:
        times, labels = reader.page.evaluate(SCRUB)
    assert asked == []
    assert labels == 1000
    assert sorted(times)[len(times) // 2] <= 17, "half of the steps, on a machine that may be busy"


SCRUB = """async () => {
    const tab = (await import(new URL('patchlight/stage/page.js', document.baseURI))).front();
    const times = [];
    for (let step = 0; step < 60; step++) {
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        tab.scale = Math.exp(1 + step / 15);
        tab.paint();
        times.push(performance.now() - start);
    }
    return [times, tab.answer.labels.length];
}"""
"""The page's own work in each frame, as in benchmarks/scrub.py."""


def test_softmax_over_texts_and_over_pictures_sum_along_their_own_axis(reader: Reader) -> None:
    opened(reader, panel="matrix", drawing="2")
    reader.page.wait_for_selector(".pl-zero-matrix-sheet canvas")
    reader.page.wait_for_function(
        "() => document.querySelector('.pl-zero .pl-caption').textContent.includes('On the diagonal')", timeout=60_000
    )
    for value, axis in (("texts", 1), ("pictures", 0)):
        reader.page.click(f".pl-zero-matrix [data-value={value}]")
        reader.frame()
        shares = np.array(reader.page.evaluate(MATRIX)).reshape(8, 8)
        assert np.allclose(shares.sum(axis), 1, atol=1e-6)
        assert not np.allclose(shares.sum(1 - axis), 1, atol=1e-3)
    said, found = Client(reader.address, verbose=False).predict(
        image=handle_file("assets/pictures/cat.jpg"), checkpoint="run/small", labels=LABELS, matrix="drawn", drawing=2,
        api_name="/zero_shot",
    )  # fmt: skip
    with np.load(found) as arrays:
        powers = np.exp(said["facts"]["scale"] * arrays["matrix"])
    assert np.allclose(shares, powers / powers.sum(0), atol=1e-4)
    reader.page.click("text=Draw others")
    reader.page.wait_for_function(
        "() => document.querySelector('.pl-zero .pl-caption').textContent.includes('drawn with seed 3')", timeout=60_000
    )


MATRIX = """async () => {
    const { front } = await import(new URL('patchlight/stage/page.js', document.baseURI));
    return [...front().matrix.shares];
}"""


def test_a_labelled_set_is_scored_live_stopped_and_says_what_the_endpoint_says(reader: Reader) -> None:
    opened(reader, panel="set", set="held", scored="500")
    reader.page.wait_for_function(STOP, timeout=120_000)
    stopped = reader.page.inner_text(".pl-zero .pl-caption")
    with reader.listening() as asked:
        reader.page.wait_for_timeout(700)
    assert len([address for address in asked if "set=held" in address]) <= 1, "the part that was under way"
    assert "of 500: " not in stopped
    reader.page.select_option("[aria-label='Number of pictures']", "50")
    reader.page.wait_for_function(DONE, arg=50, timeout=120_000)
    reader.page.wait_for_selector(".pl-zero-choices .pl-button >> text=Score again", timeout=60_000)
    said, _ = Client(reader.address, verbose=False).predict(
        image=handle_file("assets/pictures/cat.jpg"), checkpoint="run/small", set="held", scored=50,
        api_name="/zero_shot",
    )  # fmt: skip
    told = said["facts"]["scored"]
    caption = reader.page.inner_text(".pl-zero .pl-caption")
    for fact in ("right", "accuracy", "low", "high", "confidence", "error"):
        assert str(told[fact]) in caption, fact
    with reader.listening() as asked:
        reader.page.locator("input[aria-label='Scale of the cosine']").fill("6")
        reader.frame()
    assert asked == []
    assert reader.page.inner_text(".pl-zero .pl-caption") != caption, "confidence moves with the temperature"
    reader.page.click("text=Sigmoid >> visible=true")
    reader.page.locator("input[aria-label='Scale of the cosine']").fill("0")
    reader.page.locator("input[aria-label='Bias']").fill("-8")
    reader.frame()
    assert re.search(
        r"No confidence is above 0\.\d+ %, where the drawn axis ends", reader.page.inner_text(".pl-zero .pl-caption")
    )


STOP = """() => {
    const [button, told] = ['.pl-zero-choices .pl-button', '.pl-zero-set dd'].map((one) => document.querySelector(one));
    if (button.textContent !== 'Stop' || !told.textContent) return false;
    button.click();
    return true;
}"""
"""Pressed in the very frame in which the first figures stand there."""

DONE = """(count) => {
    const done = document.querySelector('.pl-zero-set dd')?.textContent.match(/of ([0-9]+)/);
    return done && Number(done[1]) >= count;
}"""


def test_words_templates_and_wordings_of_a_label(reader: Reader) -> None:
    opened(reader, panel="wording")
    reader.page.wait_for_selector(".pl-zero-word", timeout=60_000)
    reader.page.select_option(".pl-zero-wording select", "a dog")
    reader.page.wait_for_function(
        "() => document.querySelector('.pl-zero-prompt').textContent.includes('dog')", timeout=60_000
    )
    assert len(reader.page.query_selector_all(".pl-zero-word")) == 6, "a photo of a a dog."
    reader.page.click("text=Compare several templates")
    reader.page.wait_for_selector("button.pl-zero-line >> nth=4", timeout=60_000)
    reader.page.fill("[aria-label='Add synonyms or descriptions']", "hound; animal that barks")
    reader.press("Enter")
    reader.page.wait_for_selector(".pl-zero-wording >> text=animal that barks", timeout=60_000)
    alone = reader.page.evaluate(ALONE)
    assert alone == sorted(alone, reverse=True)
    assert len(alone) == 5


ALONE = """() => [...document.querySelectorAll('button.pl-zero-line .pl-zero-range .pl-zero-number')]
    .map((one) => Number(one.textContent.replace("−", "-")))"""


@pytest.mark.parametrize(("label", "value", "said"), [
    ("Add labels", "x" * 10_000, "it has 10,000 characters where 500"),
    ("Add labels", "\n".join(f"label {number}" for number in range(5000)), "5,004 were given, but 1,000"),
    ("Templates, one a line", "a photo", "must hold {} once"),
])  # fmt: skip
def test_what_cannot_be_asked_is_said_and_the_answer_stays(reader: Reader, label: str, value: str, said: str) -> None:
    opened(reader)
    before = reader.page.inner_text(".pl-zero-rows")
    field = reader.page.locator(f"[aria-label='{label}']")
    if len(value) < 100:
        field.fill(value)
    else:  # typing as much would take the browser half a minute
        field.evaluate("(field, value) => (field.value = value)", value)
    field.press("Enter" if label == "Add labels" else "Tab")
    reader.page.wait_for_function("(said) => document.body.innerText.includes(said)", arg=said, timeout=20_000)
    assert reader.page.inner_text(".pl-zero-rows") == before
    assert len(reader.page.url) < 1000, "what cannot be read is not kept"
    reader.complaints[:] = [text for text in reader.complaints if "422" not in text]  # it was refused on purpose


def test_the_twins_maps_are_others(reader: Reader) -> None:
    opened(reader)
    reader.page.click("text=Random twin >> nth=-1")
    mapped(reader)
    for way in ("tokens", "values", "gradient"):
        pictures = reader.page.evaluate(
            "(way) => [...document.querySelectorAll(`[data-way=${way}] canvas`)].map((one) => one.toDataURL())", way
        )
        assert len(set(pictures)) == 2, way
    reader.page.click("[data-way=values][data-twin=true]")
    reader.frame()
    assert "random twin" in caption(reader)


def test_a_network_without_texts_offers_one_that_has_them(reader: Reader) -> None:
    reader.page.goto(f"{reader.address}?tab=zero_shot&checkpoint=timm/vit_tiny_patch16_224?random&side=64")
    reader.page.wait_for_selector(".pl-zero-refused:not([hidden])", timeout=120_000)
    assert "has no text tower" in reader.page.inner_text(".pl-zero-refused")
    reader.page.click(".pl-zero-refused .pl-button >> text=Small")
    reader.page.wait_for_selector(".pl-zero-rows .pl-zero-row", timeout=120_000)
    assert reader.page.locator(".pl-zero-refused").is_hidden()


def test_what_a_network_never_learnt_is_told_first_and_a_press_leads_to_what_it_knows(reader: Reader) -> None:
    opened(reader, ["cup of coffee", "голубая звезда", "red star"], checkpoint="bundled/clip", picture="coffee")
    assert caption(reader).startswith(OUTSIDE)
    assert "cup, coffee, голубая, звезда" in reader.page.inner_text(".pl-zero .pl-caption .pl-outside")
    marked = "() => [...document.querySelectorAll('.pl-zero-chips .pl-unread bdi')].map((one) => one.textContent)"
    assert reader.page.evaluate(marked) == ["cup of coffee", "голубая звезда"], "and no other"
    for theme in ("light", "dark"):
        reader.page.emulate_media(color_scheme=theme)
        colours = reader.page.evaluate(COLOURS)
        assert colours["warned"] != colours["plain"], f"a warning is no note by {theme}"
    reader.page.click(".pl-outside .pl-button")
    reader.page.wait_for_function("() => !document.querySelector('.pl-zero .pl-outside')", timeout=120_000)
    assert "picture=shapes" in reader.page.url
    assert caption(reader).startswith("“red square” comes first"), "it names what is there"


OUTSIDE = "This network learnt drawn shapes alone: what it says of any other picture means nothing."

COLOURS = """() => Object.fromEntries([['warned', '.pl-zero .pl-outside'], ['plain', '.pl-zero .pl-caption']].map(
    ([name, where]) => [name, getComputedStyle(document.querySelector(where)).color]))"""
