"""Windows as an explorer finds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorers.swin_windows import windows
from models.faults import Fault, Refusal

COFFEE = Path(__file__).resolve().parent.parent.parent / "assets" / "pictures" / "coffee.jpg"
SWIN = "timm/swin_tiny_patch4_window7_224?random"


def test_a_block_s_windows_and_their_cost():
    found = windows(COFFEE, SWIN, block=1, token="0,0")
    about = found.facts["windows"]
    assert [one["shift"] for one in about[:2]] == [(0, 0), (3, 3)]
    assert [one["stage"] for one in about] == [0, 0, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3]
    assert found.facts["predicted"]["attention"] == found.facts["counted"]["attention"]
    assert found.facts["predicted"]["matrices"] == found.facts["counted"]["matrices"]
    block = found.facts["windows"][found.facts["block"]]
    for name in ("windowed", "whole"):
        taken = found.facts[name]
        assert taken["multiplications"] == block[name]
        assert taken["matrices"] == block[f"{name} bytes"]
        assert taken["seconds"] > 0
    assert found.facts["windowed"]["seconds"] < found.facts["whole"]["seconds"]
    assert about[0]["windowed"] == 2 * 48 * 49**2 * 96
    assert about[0]["whole"] == 2 * (40 * 56) ** 2 * 96
    region = found.arrays["regions.1"]
    assert found.facts["seen"] == (region == region[0, 0]).sum() < 49, "the corner's window is cut by roll and mask"
    assert "shifted by 3 down" in found.said("en")
    assert "сдвинутые на 3 вниз" in found.said("ru")


def test_the_receptive_field_grows_from_its_token():
    found = windows(COFFEE, SWIN, block=2, token="10,10")
    sizes = [int(found.arrays[f"field.{block}"].sum()) for block in range(3)]
    assert sizes[2] == 49, "one window of its own block"
    assert sizes[0] >= sizes[1] > 4 * 49 - 1
    assert "field.3" not in found.arrays
    assert found.arrays["field.2"][10, 10]


def test_a_roll_is_a_permutation():
    found = windows(COFFEE, SWIN)
    rolled = found.arrays["rolled.1"]
    np.testing.assert_array_equal(np.roll(rolled, (3, 3), (0, 1)).ravel(), np.arange(rolled.size))


def test_what_has_no_windows_is_refused_and_what_is_outside_too():
    with pytest.raises(Refusal, match="choose a Swin"):
        windows(COFFEE, "timm/vit_tiny_patch16_224?random")
    with pytest.raises(Fault, match="0 to 11"):
        windows(COFFEE, SWIN, block=12)
    with pytest.raises(Fault, match="0 to 39"):
        windows(COFFEE, SWIN, block=0, token="40,0")
