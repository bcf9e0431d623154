"""Whether what leaves the page still says what it is."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from explorers.attention_map import Attention
from explorers.explorer import Finding, Sentence
from explorers.export import _font, captioned, npz, png, write
from explorers.figure import coloured, figure, tables

CAPTION = (Sentence("Where {token} looks in block {block} of {blocks}.", {"token": "CLS", "block": 3, "blocks": 12}),)


@pytest.fixture
def finding() -> Finding:
    rng = np.random.default_rng(0)
    arrays = {"map": rng.random((4, 6)), "mask": rng.random((4, 6)) > 0.5, "rows": np.arange(4)}
    return Finding(arrays, CAPTION, {"checkpoint": "timm/x", "shape": [32, 48]})


def test_the_numbers_travel_with_their_caption(finding: Finding) -> None:
    with np.load(io.BytesIO(npz(finding)), allow_pickle=False) as found:
        assert {name: found[name].dtype.kind for name in found.files} == {
            "map": "f",
            "mask": "b",
            "rows": "i",
            "caption": "U",
        }
        assert found["map"].dtype == np.float32
        np.testing.assert_array_equal(found["map"], finding.arrays["map"].astype(np.float32))
        said = json.loads(str(found["caption"]))
    assert said["caption"]["en"] == "Where CLS looks in block 3 of 12."
    assert said["caption"]["ru"] == finding.said("ru") != said["caption"]["en"]
    assert said["facts"] == {"checkpoint": "timm/x", "shape": [32, 48]}


def test_what_needs_a_pickle_is_not_written(finding: Finding) -> None:
    odd = Finding({"map": np.array([{}, []], dtype=object)}, CAPTION, {})
    with pytest.raises(TypeError, match="without a pickle"):
        npz(odd)


def test_a_fact_that_is_no_number_is_not_written(finding: Finding) -> None:
    """NaN is not JSON: other programs could not read the file."""
    with pytest.raises(ValueError, match="JSON"):
        npz(Finding(finding.arrays, CAPTION, {"share": float("nan")}))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_picture_holds_its_caption_twice(finding: Finding, language: str) -> None:
    picture = Image.new("RGB", (600, 400), (200, 30, 30))
    with Image.open(io.BytesIO(png(picture, finding, language))) as found:
        assert found.info["Description"] == finding.said(language)
        assert json.loads(found.info["Patchlight"])["facts"]["checkpoint"] == "timm/x"
        pixels = np.asarray(found.convert("RGB"))
    assert (pixels[:400, :600] == (200, 30, 30)).all(), "the caption runs over the picture"
    assert (pixels[400:] < 100).any(), "no caption was drawn"
    assert (pixels[:, [0, -1]][400:] == 255).all(), "the caption touches the edge"


def test_the_font_has_every_letter_that_is_needed() -> None:
    """A missing letter is drawn as an empty box, as Pillow's own font does for all of Cyrillic."""
    font = _font(20)

    def drawn(letter: str) -> bytes:
        sheet = Image.new("L", (40, 40))
        ImageDraw.Draw(sheet).text((5, 5), letter, fill=255, font=font)
        return sheet.tobytes()

    letters = "AZazАЯаяЁё0129×·–—«»“”≥≤²√∑→…αβ%"
    assert [letter for letter in letters if drawn(letter) == drawn("\ufffe")] == []


def test_a_long_caption_is_broken_into_lines_that_fit() -> None:
    sheet = np.asarray(captioned(Image.new("RGB", (480, 10)), "word " * 60 + "x" * 400))
    assert (sheet[10:, -16:] == 255).all()
    assert (sheet[-16:] == 255).all()


def test_files_are_written_beside_one_another(finding: Finding, tmp_path: Path) -> None:
    files = write(tmp_path / "new" / "folder", "attention", finding, Image.new("RGB", (50, 50)))
    assert [file.name for file in files] == ["attention.npz", "attention.json", "attention.png"]
    assert json.loads(files[1].read_text("utf-8"))["caption"]["en"] == finding.said()
    assert [file.suffix for file in write(tmp_path, "attention", finding)] == [".npz", ".json"]
    asked = Attention(layer=3, query="patch 1,2")
    written = write(tmp_path, "asked", finding, Image.new("RGB", (50, 50)), asked=asked)
    with Image.open(written[-1]) as found:
        assert json.loads(found.info["Patchlight"])["parameters"] == {"layer": "3", "query": "patch 1,2"}


def test_a_figure_puts_each_value_on_its_own_patch() -> None:
    """One bright patch in row 1, column 4 of 4 × 6: the brightest place of the figure must be there."""
    values = np.zeros((4, 6))
    values[1, 4] = 0.3
    drawn = np.asarray(figure(Image.new("RGB", (90, 60)), values, (64, 96), table="magma")).astype(int).sum(-1)
    height, width = drawn.shape[0], drawn.shape[0] * 6 // 4
    row, column = np.unravel_index(drawn[:, :width].argmax(), (height, width))
    assert (row * 4 // height, column * 6 // width) == (1, 4)


def test_colours_are_the_palettes() -> None:
    anchors = tables()["viridis"]
    drawn = coloured(np.linspace(0, 1, len(anchors))[None], "viridis")
    np.testing.assert_array_equal(drawn[0], anchors)
