"""Patches, filters and the calculator as an explorer finds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorers import traces
from explorers.patches import patches
from models.faults import Fault

COFFEE = Path(__file__).resolve().parent.parent.parent / "assets" / "pictures" / "coffee.jpg"
VIT = "timm/vit_tiny_patch16_224?random"
SWIN = "timm/swin_tiny_patch4_window7_224?random"


def test_a_patch_is_a_piece_of_what_was_fed():
    found = patches(COFFEE, VIT, patch_at="2,5")
    fed = traces.trace(VIT, COFFEE).pixels.permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(found.arrays["pixels"], fed[32:48, 80:96])
    assert found.arrays["token"].shape == (192,)
    assert found.arrays["filters"].shape == (28, 16, 16, 3)
    assert "14 × 9 = 126 patches" in found.said("en")


def test_a_lecture_s_pixels_have_no_windows_whatever_the_network():
    asked = {"height": 32, "width": 32, "patch": 1, "prefix": 0, "channels": 1024, "heads": 16, "layers": 48}
    cost = patches(COFFEE, SWIN, window=0, **asked).facts["cost"]
    assert (cost["reach"], cost["entries"]) == (1024, 16 * 1024**2)
    within = patches(COFFEE, SWIN)
    assert within.facts["cost"]["reach"] == 49
    assert "those of their windows" in within.said("en")


@pytest.mark.parametrize("kernel", ["materialised", "fused"])
def test_predicted_stands_beside_counted(kernel: str):
    facts = patches(COFFEE, VIT, kernel=kernel).facts
    assert facts["predicted"]["attention"] == facts["counted"]["attention"] == facts["cost"]["multiplications"]
    assert facts["predicted"]["matrices"] == facts["counted"]["matrices"] == facts["cost"]["bytes"]


def test_the_lecture_s_question():
    asked = {"height": 512, "width": 512, "patch": 1, "prefix": 0, "heads": 16, "layers": 48}
    cost = patches(COFFEE, VIT, **asked).facts["cost"]
    assert cost["entries"] == 16 * 512**4
    assert cost["bytes"] == 192 * 2**40
    assert patches(COFFEE, VIT, **asked, precision="fp16").facts["cost"]["bytes"] == 96 * 2**40


def test_what_is_outside_is_a_sentence():
    with pytest.raises(Fault, match="0 to 8"):
        patches(COFFEE, VIT, patch_at="9,0")
    with pytest.raises(Fault, match="no whole patch"):
        patches(COFFEE, VIT, height=8)
    with pytest.raises(Fault, match="heads"):
        patches(COFFEE, VIT, heads=0)
