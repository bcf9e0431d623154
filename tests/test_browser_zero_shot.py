"""The zero-shot tab in a real browser, with a small CLIP of random weights that the page opens as a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from gradio_client import Client, handle_file
from playwright.sync_api import Browser

from models.card import Card
from models.create import create
from models.pixels import Pixels
from models.weights import save
from tests.conftest import ROOT, free_port, wait_for
from tests.driver import Reader
from tests.test_browser import assert_same
from training.words import tower, words

pytestmark = pytest.mark.browser
SIZE = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 128}
LABELS = ["a cat", "a dog", "two boats", "snow"]
HERE = {"tab": "zero_shot", "checkpoint": "run/small", "picture": "cat", "labels": "|".join(LABELS)}


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
def served(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with that folder of runs."""
    port, log = free_port(), tmp_path_factory.mktemp("page") / "app.log"
    with log.open("w") as stream:
        app = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT,
            env={**os.environ, "PATCHLIGHT_RUNS": str(runs)},
        )  # fmt: skip
    try:
        wait_for(lambda: "Patchlight is at" in log.read_text() or app.poll() is not None, seconds=90)
        assert app.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}/"
    finally:
        app.terminate()
        app.wait(timeout=20)
        shutil.rmtree(runs)


@pytest.fixture
def reader(chromium: Browser, served: str) -> Iterator[Reader]:
    one = Reader(chromium, served)
    yield one
    one.close()
    assert one.complaints == []


def opened(reader: Reader, **query: str) -> None:
    reader.page.goto(f"{reader.address}?" + "&".join(f"{name}={value}" for name, value in {**HERE, **query}.items()))
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


def test_page_and_endpoint_say_the_same_and_scrubbing_asks_nothing(reader: Reader, served: str) -> None:
    opened(reader, patches="values")
    said, _ = Client(served, verbose=False).predict(
        image=handle_file("assets/pictures/cat.jpg"), checkpoint="run/small", labels=LABELS, patches="values",
        api_name="/zero_shot",
    )  # fmt: skip
    assert_same(caption(reader), said["caption"]["en"])
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
