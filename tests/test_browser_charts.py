"""Charts hold against Python: which values, on which axes, and where each mark falls. A drawing upside down fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from explorers.figure import coloured
from explorers.frame import examples
from tests.charts import RECORDER, Chart
from tests.driver import SECONDS, Reader

pytestmark = pytest.mark.browser
PICTURE = Path("assets/pictures/coffee.jpg")


@pytest.fixture
def reader(chromium: Browser, address: str) -> Iterator[Reader]:
    one = Reader(chromium, address)
    one.page.add_init_script(RECORDER)
    yield one
    one.close()
    assert one.complaints == []


@pytest.mark.parametrize(("number", "figure"), [(0, "distance"), (1, "entropy")])
def test_each_heads_dot_lies_at_its_value_in_its_block(reader: Reader, number: int, figure: str) -> None:
    from explorers.attention_bundles import figures_bundle
    from explorers.bundle import unpack
    from explorers.traces import trace

    page = reader.open(checkpoint="bundled/vit", picture="coffee")
    _, arrays = unpack(figures_bundle(trace("bundled/vit", PICTURE, None, "whole")))
    right = [(block + 1, value) for block in range(4) for value in arrays[f"{figure}.{block}"]]
    chart = Chart(page, ".pl-charts canvas", number)
    seen = [(chart.along.value(x), chart.up.value(y)) for x, y in chart.dots()]
    np.testing.assert_allclose(seen, right, rtol=0.02, atol=0.01)


def test_the_sigmoid_and_its_dots_lie_where_scale_and_bias_put_them(reader: Reader) -> None:
    from explorers.zero_shot import EXPLORER

    labels = ["red heart", "blue circle", "green square"]
    found = EXPLORER.run(examples()["shapes"], "bundled/siglip", labels=labels, templates=["a {}"])
    page = reader.page
    asked = "".join(f"&labels={label}" for label in labels)
    page.goto(f"{reader.address}?tab=zero_shot&checkpoint=bundled/siglip&picture=shapes&templates=a {{}}{asked}")
    page.wait_for_selector(".pl-zero-curve canvas", timeout=SECONDS)
    page.wait_for_function(SOME, arg=".pl-zero-curve canvas", timeout=SECONDS)
    chart = Chart(page, ".pl-zero-curve canvas")
    up, along = chart.up, chart.along
    right = sorted(zip(found.arrays["cosine"], 100 * found.arrays["sigmoid"], strict=True))
    dots = sorted((along.value(x), up.value(y)) for x, y in chart.dots())
    top = max(share for _, share in dots)
    for cosine, share in right:
        assert any(abs(cosine - x) < 0.01 and abs(share - y) < 0.02 * top + 1e-4 for x, y in dots), (
            cosine,
            share,
            dots,
        )
    rising = max(chart.lines(100), key=len)
    assert up.value(rising[-1][1]) > up.value(rising[0][1]), "the sigmoid falls"


def scored(page: Page, address: str) -> dict[str, np.ndarray]:
    """A labelled set on the page, and Python's arrays of the same."""
    from explorers.zero_shot import EXPLORER

    query = "tab=zero_shot&checkpoint=bundled/clip&picture=shapes&panel=set&set=held&scored=100&templates=a {}"
    page.goto(f"{address}?{query}")
    page.wait_for_selector(".pl-zero-choices .pl-button >> text=Score again", timeout=SECONDS)
    given = {"set": "held", "scored": 100, "templates": ["a {}"]}
    return dict(EXPLORER.run(examples()["shapes"], "bundled/clip", **given).arrays)


def test_calibration_shows_what_was_right_in_each_bin(reader: Reader) -> None:
    found = scored(reader.page, reader.address)
    held_against_bins(Chart(reader.page, "[aria-label='Accuracy over confidence']"), found["set_bins"])


def test_the_confusion_takes_the_colours_of_its_counts(reader: Reader) -> None:
    found = scored(reader.page, reader.address)
    board = "[aria-label='Own labels in rows, first labels in columns']"
    held_against_counts(Chart(reader.page, board), found["set_confusion"])


def held_against_bins(chart: Chart, bins: np.ndarray) -> None:
    """The drawn bins end where the axis does; where that is 100 % they are Python's."""
    up, along = chart.up, chart.along
    dots = np.array([(along.value(x), up.value(y)) for x, y in chart.dots()])
    confidence, accuracy, counts = bins
    right = np.stack([100 * confidence[counts > 0], 100 * accuracy[counts > 0]], -1)
    np.testing.assert_allclose(dots, right, atol=1.0)


def held_against_counts(chart: Chart, table: np.ndarray) -> None:
    """Each cell of a label that occurs takes the colour of its share of the row."""
    own = np.flatnonzero(table.sum(1))
    said = np.flatnonzero(table[own].sum(0) + np.isin(np.arange(len(table)), own))
    shares = (table[own] / table[own].sum(1, keepdims=True))[:, said]
    right = coloured(np.floor(255 * shares + 0.5) / 255, "viridis")
    cells = [mark for mark in chart.boxes()[1:] if mark["colour"] != "#14181f"][: shares.size]
    seen = np.array([[int(mark["colour"][at : at + 2], 16) for at in (1, 3, 5)] for mark in cells])
    rows = [mark["box"][1] for mark in cells]
    assert rows == sorted(rows), "rows from the top"
    np.testing.assert_array_equal(seen.reshape(right.shape), right)


def test_the_curve_of_masks_rises_where_the_error_does(reader: Reader) -> None:
    page = reader.open(checkpoint="bundled/vit", picture="coffee")
    errors = {0.05: [0.01, 0.02], 0.5: [0.03, 0.05], 0.95: [0.08, 0.1]}
    drawn(page, "mask_curve", MASKS, {"errors": [[ratio, *values] for ratio, values in errors.items()]})
    chart = Chart(page, "#drawn canvas:not(.pl-mask-sign)")
    up, along = chart.up, chart.along
    own = chart.lines()[0]
    seen = [(along.value(x), up.value(y)) for x, y in own]
    right = [(100 * ratio, np.mean(values)) for ratio, values in errors.items()]
    np.testing.assert_allclose(seen, np.array(right), rtol=0.02, atol=1e-3)


def test_a_training_curve_falls_where_the_loss_does(reader: Reader) -> None:
    page = reader.open(checkpoint="bundled/vit", picture="coffee")
    steps, loss = [1, 100, 200, 300, 400], [4.0, 3.0, 2.5, 1.0, 0.5]
    drawn(page, "training_curve", TRAINING, {"x": steps, "y": loss})
    chart = Chart(page, "#drawn canvas")
    line = max(chart.lines(), key=len)
    seen = [(chart.along.value(x), chart.up.value(y)) for x, y in line]
    np.testing.assert_allclose(seen, list(zip(steps, loss, strict=True)), rtol=0.02, atol=0.5)


def drawn(page: Page, script: str, act: str, data: dict[str, Any]) -> None:
    """One chart of the page's own scripts, on its own, of the test's own numbers."""
    page.evaluate(
        f"""async (data) => {{
            const {{ Curve }} = await import(new URL('patchlight/stage/{script}.js', document.baseURI).href);
            const room = document.body.appendChild(Object.assign(document.createElement('div'), {{ id: 'drawn' }}));
            room.style = 'position: fixed; inset: 60px; background: white; z-index: 99';
            ({act})(Curve, room, data);
            await new Promise((done) => setTimeout(done, 200));
        }}""",
        data,
    )


SOME = "(selector) => window.marksOf(document.querySelector(selector)).length > 0"
MASKS = """(Curve, room, { errors }) => {
    const curve = new Curve();
    room.append(curve.element);
    curve.canvas.style = 'width: 600px; height: 300px';
    curve.clear(2, 'random');
    for (const [ratio, ...values] of errors)
        curve.add(ratio, { titles: ['one'], errors: [values], nearest: values.map(() => 0.12) });
}"""
TRAINING = """(Curve, room, { x, y }) => {
    const curve = new Curve('loss', { zoom: () => {}, go: () => {} });
    room.append(curve.element);
    curve.canvas.style = 'width: 600px; height: 300px';
    curve.draw([{ place: 0, x, y }], { range: null, smoothing: 0, mark: null });
}"""
