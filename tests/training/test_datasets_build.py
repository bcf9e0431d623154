"""The program that makes the bundled emoji: finding drawings by old names, and the page that says whose they are."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as parquet
from PIL import Image

from training.build.credits import STYLES, readme
from training.build.emoji import encode, plain_code, render
from training.build.slugs import match
from training.datasets.emoji import PICTURES, SPLITS


def concept(hexcode: str, english: str) -> dict:
    return {"hexcode": hexcode, "english": english}


def test_old_names_are_found_in_order_of_trust() -> None:
    """Today's name first, then Unicode's, then nicknames; no file serves two concepts."""
    concepts = [concept("1F346", "eggplant"), concept("1F3A1", "ferris wheel"), concept("1F382", "birthday cake")]
    files = {"aubergine", "ferris-wheel", "cake"}
    nicknames = {"1F382": ["birthday", "cake"], "1F3A1": ["cake"]}
    found = match(concepts, nicknames, files, "any")
    assert found == {"1F346": "aubergine", "1F3A1": "ferris-wheel", "1F382": "cake"}
    assert match([concept("1F370", "cake"), concept("1F382", "cake")], {}, {"cake"}, "any") == {"1F370": "cake"}


def test_names_that_changed_their_meaning_are_corrected() -> None:
    """`dog` was a dog's face, `wave` the sea: wrong labels otherwise."""
    concepts = [concept("1F415", "dog"), concept("1F436", "dog face"), concept("1F44B", "waving hand")]
    found = match(concepts, {"1F44B": ["wave"]}, {"dog", "dogside", "wave"}, "fxemoji")
    assert found == {"1F415": "dogside", "1F436": "dog"}
    assert plain_code("2764-fe0f") == "2764"


def test_a_drawing_that_is_not_square_stands_in_the_middle() -> None:
    body = '<rect x="0" y="0" width="20" height="10" fill="#f00"/>'
    drawn = np.asarray(render({"icons": {"bar": {"body": body, "width": 20, "height": 10}}}, "bar"))
    assert drawn.shape == (64, 64, 4)
    assert (drawn[16:48, :, 3] == 255).all()
    assert (drawn[:15, :, 3] == 0).all()
    assert (drawn[49:, :, 3] == 0).all()


def test_pictures_are_stored_without_loss() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 4), dtype=np.uint8)
    noise[..., 3] |= 1  # what is fully transparent has no colour to keep
    stored = Image.open(io.BytesIO(encode(Image.fromarray(noise)))).convert("RGBA")
    assert np.array_equal(np.asarray(stored), noise)


def test_the_page_says_what_is_in_the_file() -> None:
    """Counts, versions, licences and splits of the README are those of the parquet and of the code."""
    rows = parquet.read_table(PICTURES, columns=["style", "hexcode"]).to_pylist()
    assert (PICTURES.parent / "README.md").read_text() == readme(rows)
    assert {style.name for style in STYLES} == {style for styles in SPLITS.values() for style in styles}
    assert {style.licence for style in STYLES} == {"Apache-2.0", "MIT", "CC-BY-4.0"}
