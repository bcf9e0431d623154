"""Positions and their surgery as an explorer finds them: from Python, before any page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm

from explorers import position_parts, surgery_effects, surgery_figures, traces
from explorers.attention_answers import written
from explorers.position_similarity import positions
from explorers.position_surgery import Surgery, change_of, surgery
from explorers.zero_shot import zero_shot
from models.card import Card
from models.faults import Fault, Refusal
from models.loading import open_network
from models.pixels import Pixels
from tests.conftest import HUB

COFFEE = Path(__file__).resolve().parent.parent.parent / "assets" / "pictures" / "coffee.jpg"
DINO = "timm/vit_small_patch14_dinov2.lvd142m"
CLIP = "bundled/clip"
EVA = "timm/eva02_tiny_patch14_224?random"
SWIN = "timm/swin_tiny_patch4_window7_224?random"
VIT = "timm/vit_tiny_patch16_224?random"

real = pytest.mark.skipif(not HUB.is_dir(), reason="no real weights beside the checkout")


@real
def test_dinov2_s_own_table_beside_random_and_sincos():
    found = positions(DINO, place="3,30")
    part = found.facts["part"]
    assert part["structure"]["offset"] == pytest.approx(0.881, abs=5e-4)
    assert part["structure"]["distance"] == pytest.approx(0.323, abs=5e-4)
    assert part["rivals"]["sin-cos"]["offset"] == pytest.approx(1, abs=5e-4)
    assert part["rivals"]["random"]["offset"] < 0.01
    assert np.unravel_index(found.arrays["map"].argmax(), (37, 37)) == (3, 30), "nothing is as like as itself"
    assert "row 4, column 31" in found.said("en")
    assert "0,881" in found.said("ru")


def test_a_network_with_two_kinds_shows_both():
    table, rotary = (positions(EVA, part=part) for part in (0, 1))
    assert table.facts["parts"] == ["untrained table", "rotary"]
    assert (table.facts["relation"], rotary.facts["relation"]) == ("cosine", "kernel")
    assert rotary.arrays["map"][8, 8] == pytest.approx(1, abs=1e-5)
    assert len(rotary.facts["part"]["turns"]) == len(rotary.arrays["kernel"])


def test_tables_of_the_same_shape_stand_beside_the_network_s():
    own, chance, fixed = (positions(VIT, table=table) for table in ("own", "random", "sin-cos"))
    for found, name in ((chance, "random"), (fixed, "sin-cos")):
        assert found.arrays["components"].shape == (14, 14, 3)
        assert found.facts["part"]["structure"] == own.facts["part"]["rivals"][name]
        assert "For comparison" in found.said("en")
    assert not np.array_equal(own.arrays["map"], fixed.arrays["map"])
    with pytest.raises(Fault, match="no table"):
        positions(EVA, part=1, table="random")


def test_an_untrained_bias_of_zeros_explains_nothing():
    found = positions("timm/beit_base_patch16_224?random")
    assert found.facts["part"]["structure"]["offset"] is None
    assert "Every value is 0." in found.said("en")


def test_a_swin_has_a_bias_in_every_block():
    found = [positions(SWIN, part=part) for part in (0, 11)]
    assert found[0].facts["parts"] == ["relative bias"] * 12
    assert [one.arrays["kernel"].shape for one in found] == [(3, 13, 13), (24, 13, 13)]
    assert "block 12" in found[1].said("en")


def test_kernel_and_map_speak_of_the_same_offsets():
    """Were key and query exchanged on the way to the page, the two would differ by a point reflection."""
    backbone = traces.backbone(SWIN)
    part = position_parts.affinities(backbone)[0]
    kernel, place = position_parts.arrays(part)["kernel"], (1, 5)
    expected = kernel[2, 6 - 1 : 13 - 1, 6 - 5 : 13 - 5]
    np.testing.assert_array_equal(position_parts.map_of(part, place, "cosine", 2).numpy(), expected)
    assert not np.array_equal(expected, expected[::-1, ::-1])


def test_refusals_are_sentences():
    blind = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1, pos_embed="none")
    card = Card("random/blind", "blind", "ViT", random=True)
    with pytest.raises(Refusal, match="random/blind has none"):
        position_parts.affinities(open_network(blind, card, Pixels((32, 32), 16, 16, (0, 0, 0), (1, 1, 1))))
    for wrong, said in [({"place": "14,0"}, "0 to 13"), ({"place": "x"}, "ROW,COLUMN"), ({"part": 1}, "0 to 0")]:
        with pytest.raises(Fault, match=said):
            positions(VIT, **wrong)
    with pytest.raises(Fault, match="component"):
        positions(SWIN, component=3)


def test_surgery_tells_before_and_after():
    same, changed = (surgery(COFFEE, VIT, change=change, fit="whole") for change in ("identity", "mirror"))
    last = "11"
    np.testing.assert_array_equal(same.arrays[f"before.{last}"], same.arrays[f"after.{last}"])
    assert same.facts["moved"] == [0] * 12
    assert same.facts["lowest"] == pytest.approx(1, abs=1e-6)
    assert all(0 < moved < 1 for moved in changed.facts["moved"])
    assert changed.arrays["moved"].shape == (12, 3)
    assert changed.facts["lowest"] < 1
    assert [one["before"] for one in same.facts["shares"]] == [one["after"] for one in same.facts["shares"]]
    assert "14 × 14 was resized to 9 × 14" in same.said("en")
    assert changed.arrays["resized"].shape == (9, 14, 3)


def test_attention_features_and_classes_come_from_one_pass():
    ran = []
    hook = traces.backbone(VIT).blocks[0].register_forward_hook(lambda *_: ran.append(1))
    try:
        traces.trace(VIT, COFFEE)
        ran.clear()
        shares = surgery(COFFEE, VIT, change="shuffle", seed=71, fit="whole").facts["shares"]
    finally:
        hook.remove()
    assert len(shares) >= 5
    assert len(ran) == 1


def test_two_sizes_stand_side_by_side():
    """The same size twice is the same twice; the size of the training stands before, whatever the desk feeds."""
    two = surgery(COFFEE, VIT, change="resize", query="patch 4,6", fit="whole")
    assert [two.arrays[f"{name}.0"].shape for name in ("before", "after")] == [(3, 14, 14), (3, 9, 14)]
    assert [two.arrays[f"{name}.rgb"].shape[:2] for name in ("before", "after")] == [(224, 224), (144, 224)]
    assert two.arrays["distances"].shape == (2, 12, 3)
    assert two.facts["grids"] == [(14, 14), (9, 14)]
    assert all(0 < moved < 1 for moved in two.facts["moved"])
    assert "compared cell by cell on 9 × 14".casefold() in two.said("en").casefold()
    assert "row 5, column 7" in two.said("en")
    one = surgery(COFFEE, VIT, change="resize", height=224, width=224)
    assert one.facts["moved"] == [0] * 12
    np.testing.assert_array_equal(*one.arrays["distances"])
    with pytest.raises(Fault, match="takes 224 × 224 only"):
        surgery(COFFEE, "timm/beit_base_patch16_224?random", change="resize")
    with pytest.raises(Fault, match="multiples of 16"):
        surgery(COFFEE, VIT, change="resize", height=200)


@pytest.mark.parametrize(("checkpoint", "kind"), [(EVA, "untrained table"), (SWIN, "relative bias")])
def test_what_has_no_table_says_so(checkpoint: str, kind: str):
    found = surgery(COFFEE, checkpoint, change="resize", side=112)
    assert kind in found.facts["kinds"]
    assert ("nothing is resized" in found.said("en")) == (checkpoint == SWIN)


def test_labels_are_scored_by_the_same_network_before_and_after():
    """In the zero-shot tab the same labels have the same shares; the text tower's own positions stay as they are."""
    labels = ["cat", "cup of coffee", "red circle"]
    before = zero_shot(COFFEE, CLIP, labels=labels).arrays["softmax"]
    same, zero = (
        surgery(COFFEE, CLIP, change=change, labels=labels).facts["shares"] for change in ("identity", "zero")
    )
    told = {one["name"]: one for one in same}
    np.testing.assert_allclose([told[label]["before"] for label in labels], before, atol=1e-6)
    assert all(one["before"] == one["after"] for one in same)
    assert sum(one["after"] for one in zero) == pytest.approx(1, abs=1e-5)
    assert all(one["before"] != one["after"] for one in zero)


@real
def test_real_positions_are_used():
    """DINOv2 leans on its table: shuffled, most of the last block's attention goes elsewhere."""
    moved = {
        change: surgery(COFFEE, DINO, side=224, change=change).facts["moved"][-1] for change in ("swap", "shuffle")
    }
    assert moved["swap"] < 0.1 < 0.25 < moved["shuffle"]


def test_a_read_out_exists_in_every_block():
    """The attention pool stands behind the last block only, so SigLIP is followed by its mean over patches."""
    for checkpoint, query in [(VIT, "prefix 0"), (SWIN, "mean"), ("timm/vit_base_patch16_siglip_224?random", "mean")]:
        seen = traces.trace(checkpoint, COFFEE, 64 if "siglip" not in checkpoint else None)
        asked = surgery_figures.query(seen, "auto")
        assert written(asked, seen.layers) == query
        side = surgery_effects.Side(seen.pixels, seen.layers, None)
        assert len(surgery_figures.arrays(seen, side, side, asked)[1]["moved"]) == len(seen.layers)


def test_patches_to_swap_are_checked():
    with pytest.raises(Fault, match="0 to 4"):
        change_of(Surgery(checkpoint=VIT, change="swap", first="0,5"), (3, 5))
    assert change_of(Surgery(change="swap", first="1,2", second="0,1"), (3, 5)).first == 7
