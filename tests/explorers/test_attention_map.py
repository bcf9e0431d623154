"""Whether the page and the endpoint are told the network's own attention, and nothing else."""

from __future__ import annotations

import math
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from explorers import attention_bundles, attention_map, attention_relevance, maps, traces
from explorers.__main__ import _drawn
from explorers.attention_bundles import ABLE
from explorers.attention_map import Attention, attention
from explorers.attention_scale import cut_at
from explorers.attention_words import SENTENCES
from explorers.bundle import coded, decoded, pack, unpack
from explorers.explorer import Finding
from explorers.figure import figure, tables
from explorers.offers import offered
from explorers.text import dictionary
from explorers.traces import Traced
from models.attention import fuse, mass_mask, rollout_from
from models.backbone import Backbone
from models.card import Card
from models.faults import Fault, Refusal
from models.loading import open_network
from models.pixels import Pixels
from models.relevance import class_relevance

PICTURES = Path("assets/pictures")

STEP = 2 / 255 + 1 / 255**2
"""Of a map's maximum: the widest step of its code, a little more than twice what rounding can cost."""


opened: list[Backbone] = []
"""Traces hold their networks weakly."""


def seen(name: str, side: int, patch: int, multiple: int, **options: Any) -> Traced:
    torch.manual_seed(0)
    network = timm.create_model(name, **options)
    pixels = Pixels((side, side), patch, multiple, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    backbone = open_network(network, Card(f"timm/{name}", name, "toy", random=True), pixels)
    image = Image.effect_mandelbrot((96, 64), (-2, -1, 1, 1), 60).convert("RGB")
    fed = backbone.pixels(image)
    with torch.no_grad():
        layers = tuple(layer.detached() for layer in backbone.trace(fed))
    opened.append(backbone)
    return Traced(name, "0" * 64, name, image, fed, layers, "whole", 0.1, weakref.ref(backbone))


@pytest.fixture(scope="module")
def vit() -> Traced:
    return seen("test_vit", 96, 16, 16, dynamic_img_size=True, num_classes=7)


@pytest.fixture(scope="module")
def swin() -> Traced:
    options = {"embed_dim": 16, "depths": (2, 2), "num_heads": (2, 4), "window_size": 4, "num_classes": 5}
    return seen("swin_tiny_patch4_window7_224", 64, 4, 32, img_size=(64, 64), strict_img_size=False, **options)


@pytest.fixture
def asked(vit: Traced, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`attention` of the small network, whatever is asked."""
    monkeypatch.setattr(traces, "trace", lambda *_: vit)
    return lambda **values: attention("picture.png", **values)


def row_of(arrays: dict[str, np.ndarray], block: int, window: int, place: int) -> np.ndarray:
    return decoded(arrays[f"codes.{block}"][window, :, place], arrays[f"peaks.{block}"][window, :, place])


# -- the codes ---------------------------------------------------------------------------------------------------------


def test_a_code_keeps_what_a_sink_outshines() -> None:
    """Linear bytes would lose a thousand equal patches beside a sink of half the mass."""
    row = np.full(1001, 0.5 / 1000, dtype=np.float32)
    row[0] = 0.5
    back = decoded(*coded(row[None]))[0]
    assert back.max() == pytest.approx(0.5)
    assert back[1:].sum() == pytest.approx(0.5, rel=0.04)


def test_a_code_is_close_everywhere() -> None:
    maps_ = np.random.default_rng(0).exponential(size=(50, 300)).astype(np.float32)
    codes, peaks = coded(maps_)
    assert np.abs(decoded(codes, peaks) - maps_).max() <= (STEP / 2 * peaks).max()
    assert np.array_equal(decoded(*coded(np.zeros((2, 5), np.float32))), np.zeros((2, 5)))


def test_a_bundle_is_read_as_it_was_packed() -> None:
    arrays = {"a": np.arange(5, dtype=np.uint8), "b": np.ones((2, 3), np.float32), "c/d.0": np.array([-1], np.int32)}
    facts, back = unpack(pack({"título": [1, None, "Блок"]}, arrays))
    assert facts == {"título": [1, None, "Блок"]}
    assert all(np.array_equal(back[name], arrays[name]) and back[name].dtype == arrays[name].dtype for name in arrays)


# -- what travels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vit", "swin"])
def test_every_row_travels_as_it_is(name: str, request: pytest.FixtureRequest) -> None:
    one: Traced = request.getfixturevalue(name)
    arrays = maps.whole_arrays(one.layers)
    for block, layer in enumerate(one.layers):
        for window in range(layer.windows):
            for place in (0, layer.members.shape[1] // 2, layer.members.shape[1] - 1):
                token = int(layer.members[window, place])
                true = layer.attention_from(token).numpy()
                sent = row_of(arrays, block, window, place)
                spread = np.zeros_like(true)
                spread[:, layer.members[window].numpy()] = sent
                assert np.abs(spread - true).max() <= STEP * true.max()
                mean = np.append(true, true.mean(0, keepdims=True), 0)
                bits = -(mean * np.log2(mean, where=mean > 0, out=np.zeros_like(mean))).sum(-1)
                figures = arrays[f"figures.{block}"][:, token]
                assert figures[:, 0] == pytest.approx(bits, abs=1e-4)
                assert figures[:, 1] == pytest.approx(mean[:, : layer.prefix].sum(-1), abs=1e-5)


def test_one_query_travels_in_both_directions(vit: Traced) -> None:
    token = vit.layers[0].prefix + 5
    for direction in ("from", "to"):
        arrays = maps.row_arrays(vit.backbone, vit.layers, token, direction)
        for block, layer in enumerate(vit.layers):
            true = layer.attention_from(token) if direction == "from" else layer.attention_to(token)
            back = decoded(arrays[f"codes.{block}"], arrays[f"peaks.{block}"])
            assert np.abs(back - true.numpy()).max() <= STEP * float(true.max())
    assert arrays["figures.0"][:-1, 0] == pytest.approx(vit.layers[0].attention_to(token).sum(-1).numpy(), rel=1e-5)


def test_the_shift_mask_parts_what_shares_a_window(swin: Traced) -> None:
    arrays = maps.window_arrays(swin.layers)
    assert not arrays["regions.0"].any(), "the first block is not shifted"
    assert arrays["regions.1"].any(), "the second is"
    layer = swin.layers[1]
    for window in range(layer.windows):
        weights = layer.weights(window).amax(0)
        regions = arrays["regions.1"][window]
        together = torch.from_numpy(regions[:, None] == regions[None])
        assert (weights[~together] < 1e-20).all()
        assert (weights[together] > 1e-20).all()


def test_a_patch_keeps_its_place_in_coarser_grids(swin: Traced) -> None:
    rows, columns = swin.layers[0].grid
    last = len(swin.layers) - 1
    fine, coarse = (rows - 1) * columns + columns // 2, swin.layers[last].grid
    assert maps.token_of(fine, swin.layers, last) == (coarse[0] - 1) * coarse[1] + coarse[1] // 2
    assert maps.token_of(fine, swin.layers, 0) == fine


def test_the_page_is_told_what_it_draws_from(vit: Traced, swin: Traced) -> None:
    facts, arrays = unpack(attention_bundles.maps_bundle(vit, {"rows": "somewhere"}))
    assert facts["whole"]
    assert facts["query"] == "prefix 0"
    assert facts["refused"] == {}
    assert arrays["mean/codes.0"].shape == (vit.layers[0].heads, vit.layers[0].length)
    facts, _ = unpack(attention_bundles.maps_bundle(swin, {}))
    assert facts["query"] == "mean"
    assert "product of their attention means nothing" in facts["refused"]["rollout"]["template"]


# -- what is answered --------------------------------------------------------------------------------------------------


def test_the_map_is_the_rows_fusion(asked: Any, vit: Traced) -> None:
    found = asked(layer=1, query="patch 2,3", fusion="max")
    layer = vit.layers[1]
    token = layer.prefix + 2 * layer.grid[1] + 3
    rows = layer.attention_from(token)
    assert found.arrays["map"] == pytest.approx(fuse(rows, "max")[layer.prefix :].reshape(layer.grid).numpy())
    assert found.arrays["heads"].shape == (layer.heads, *layer.grid)
    assert found.arrays["prefix"] == pytest.approx(fuse(rows, "max")[: layer.prefix].numpy())
    whole = asked(layer=1, query="patch 2,3")
    assert whole.arrays["map"].sum() + whole.arrays["prefix"].sum() == pytest.approx(1, abs=1e-5)


def test_a_column_a_rollout_and_a_class_are_the_models_own(asked: Any, vit: Traced) -> None:
    prefix, grid = vit.layers[0].prefix, vit.layers[0].grid
    to = asked(view="to", query="prefix 0", head=0, layer=2).arrays["map"]
    assert to == pytest.approx(vit.layers[2].attention_to(0)[0, prefix:].reshape(grid).numpy())
    rolled = asked(view="rollout", layer=3, fusion="max", discard=0.5).arrays["map"]
    assert rolled == pytest.approx(rollout_from(vit.layers[:4], 0, "max", 0.5)[prefix:].reshape(grid).numpy())
    found = asked(view="class", target=4).arrays["map"]
    score = lambda network, pixels: network.class_logits(pixels)[0, 4]  # noqa: E731
    true = class_relevance(vit.backbone, vit.pixels, score)[prefix:].reshape(grid)
    assert found == pytest.approx(true.numpy(), abs=1e-6)


def test_the_mask_is_the_smallest_that_holds_the_share(asked: Any) -> None:
    found = asked(share=0.3)
    flat = torch.from_numpy(found.arrays["map"]).flatten()
    assert np.array_equal(found.arrays["mask"].ravel(), mass_mask(flat, 0.3).numpy())
    held = found.arrays["map"][found.arrays["mask"]]
    assert held.sum() >= 0.3 * flat.sum() > held.sum() - held.min()


@pytest.mark.parametrize(("wrong", "sentence"), [
    ({"layer": 99}, "layer was given 99, but this network and picture allow 0 to"),
    ({"head": 50}, "head was given 50, but this network and picture allow 0 to"),
    ({"query": "patch 99,0"}, "query was given 99, but this network and picture allow 0 to"),
    ({"query": "prefix 7"}, "query was given 7"),
    ({"query": "pool"}, "The query 'pool' was asked for"),
    ({"query": "CLS"}, "The query 'CLS' was asked for"),
    ({"view": "to", "query": "mean"}, "read-out that is no token"),
    ({"view": "class", "target": 7}, "target was given 7"),
    ({"layer": math.nan}, "layer was given nan"),
    ({"layer": True}, "layer was given True"),
    ({"layer": [1]}, "layer was given [1]"),
    ({"share": math.nan}, "share was given nan"),
    ({"nonsense": 1}, "there is no such parameter"),
])  # fmt: skip
def test_what_does_not_exist_is_refused_in_one_sentence(asked: Any, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Fault) as fault:
        asked(**wrong)
    assert sentence in str(fault.value)


def test_a_swin_refuses_its_rollout(swin: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "trace", lambda *_: swin)
    with pytest.raises(Refusal, match="Rollout was asked for"):
        attention("picture.png", view="rollout")


def test_where_a_class_is_missed_classifiers_are_offered_before_clips() -> None:
    """A classifier explains a class at a click; a CLIP first wants a text that the reader has to think of."""
    able = [card["id"] for card in offered(*ABLE["class"])]
    assert {"bundled/vit", "bundled/swin", "bundled/clip"} <= set(able)
    assert max(map(able.index, ("bundled/vit", "bundled/swin"))) < min(
        able.index(id) for id in able if id.startswith(("bundled/clip", "bundled/siglip"))
    )
    assert len(able) == len(set(able)), "a network of both kinds is named once"


def test_captions_are_whole_sentences_in_both_languages(asked: Any) -> None:
    views = [{"view": view, "fusion": fusion, "head": head} for view in ("from", "to", "rollout", "class")
             for fusion in ("mean", "max") for head in (None, 0)]  # fmt: skip
    for view in views:
        found = asked(**view, mark="outline")
        for language in ("en", "ru"):
            said = found.said(language)
            assert said.endswith((".", "обучалась.")), said
            assert "{" not in said
            assert "96 × 64" in said
        assert "random" in found.said("en"), "untrained weights are named"
    assert set(SENTENCES.values()) <= set(dictionary("ru"))


def test_counts_start_at_one_for_people_and_at_zero_for_machines(asked: Any) -> None:
    found = asked(layer=1, head=0, query="patch 2,3")
    assert "the patch in row 3, column 4 looks in block 2 of" in found.said()
    assert (found.facts["block"], found.facts["head"], found.facts["query"]) == (1, 0, "patch 2,3")


def test_a_network_without_names_of_classes_gives_their_numbers(vit: Traced) -> None:
    _, target, best = attention_relevance.relevance(vit, None, "")
    assert target == best[0]["name"] == str(best[0]["index"])
    assert [one["share"] for one in best] == sorted((one["share"] for one in best), reverse=True)


def test_defaults_are_what_the_papers_say() -> None:
    assert Attention().share == 0.6, "DINO, arXiv 2104.14294"
    assert attention_map.EXPLORER.parameters is Attention
    assert Path(attention_map.__file__).name == "attention_map.py"


@pytest.mark.parametrize(
    ("side", "asked", "padded"),
    [
        (None, {}, True),
        (160, {"layer": 1, "query": "patch 1,2"}, True),
        (192, {"layer": 0, "query": "patch 1,2"}, False),
    ],
)
def test_a_sentence_tells_the_mass_that_the_map_holds(side: int | None, asked: dict[str, object], padded: bool) -> None:
    """A padded Swin looks at padding too: what falls on patches is what is drawn, and the rest is named."""
    found = attention(PICTURES / "cat.jpg", "bundled/swin", side=side, **asked)
    held = float(found.arrays["map"].sum())
    assert (held < 0.999) is padded
    if padded:
        assert f"{100 * held:.3g} %" in found.said()
        assert f"{100 * (1 - held):.3g} % on padding" in found.said()
    assert ("sums to 1" in found.said()) is not padded


def test_the_noun_follows_the_query() -> None:
    """The mean of all rows is no row."""
    said = attention(PICTURES / "cat.jpg", "timm/vit_tiny_patch16_224?random", query="mean").said()
    assert "It is the mean of the softmax's rows of all patches" in said
    assert "one row" not in said


def test_one_head_is_not_counted() -> None:
    said = attention(PICTURES / "cat.jpg", "bundled/swin", layer=0).said()
    assert "The map is that of the only head." in said
    assert "1 heads" not in said


def test_the_caption_says_how_the_picture_was_fed() -> None:
    shown = {
        fit: attention(PICTURES / "cat.jpg", "timm/vit_tiny_patch16_224?random", fit=fit)
        for fit in ("whole", "trained")
    }
    assert "The whole picture was fed." in shown["whole"].said()
    assert "the shorter side brought to 248 pixels, the middle cut out" in shown["trained"].said()
    assert shown["trained"].facts["shape"] == (224, 224)
    left, top, right, bottom = shown["trained"].facts["box"]
    assert bottom - top == pytest.approx(300 * 224 / 248), "a tenth of the 300 pixels is cut"
    assert right - left == pytest.approx(bottom - top, rel=0.01)
    assert left + right == pytest.approx(451, abs=2)


# -- the scale ---------------------------------------------------------------------------------------------------------


def test_one_hot_patch_takes_no_colours_from_the_rest() -> None:
    """Wrong if one register, or all that a window hides, decided what is seen of the other patches."""
    warm = np.linspace(0.001, 0.002, 255, dtype=np.float32)
    assert cut_at(np.append(warm, np.float32(1))) == pytest.approx(0.002, rel=0.01)
    assert cut_at(np.append(warm, np.zeros(5000, np.float32))) == pytest.approx(0.002, rel=0.02)
    assert cut_at(np.zeros(9, np.float32)) == 0


def test_a_scale_is_that_of_what_is_drawn_and_said() -> None:
    """Wrong if the default were another map's scale, or the caption or the shell's picture spoke of another one."""
    look = partial(attention, PICTURES / "coffee.jpg", "timm/vit_tiny_patch16_224?random")
    found = {scaling: look(scaling=scaling) for scaling in ("own", "shared", "clipped")}
    values = np.sort(found["own"].arrays["map"].ravel())
    assert found["own"].facts["scale"] == pytest.approx(values[-1], rel=0.01)
    assert found["clipped"].facts["scale"] == pytest.approx(values[int(0.99 * len(values))], rel=0.01)
    assert found["shared"].facts["scale"] > found["own"].facts["scale"], "of a mean of heads"
    assert look().facts == found["clipped"].facts
    assert f"from 0 to {found['clipped'].facts['scale']:.2g}, the 99th percentile" in look().said()
    assert f"from 0 to {found['shared'].facts['scale']:.2g}, the greatest value of all" in found["shared"].said()
    assert look(view="rollout").facts["scaling"] == "clipped"
    assert look(view="rollout", scaling="shared").facts["scaling"] == "own", "there are no other maps of its kind"


def test_few_patches_have_no_percentile_below_their_greatest(asked: Any) -> None:
    """Wrong if a caption said that brighter patches are cut where none is."""
    found = asked()
    assert found.facts["scaling"] == "own"
    assert "the greatest value of this map" in found.said()


def test_the_shells_picture_has_the_scale_that_is_said() -> None:
    """Wrong if a map with one hot patch were black in the file whose caption says that it is cut."""
    values = np.full((16, 16), 0.001)
    values[0, 0] = 1
    drawn = figure(Image.new("RGB", (64, 64)), values, (64, 64), scale=0.001, opacity=1)
    last = tables()["magma"][-1]
    assert np.abs(np.asarray(drawn)[700, 700] - last).max() <= 1
    finding = Finding({"map": values}, (), {"shape": (64, 64), "scale": 0.001})
    shown = _drawn(PICTURES / "coffee.jpg", Attention(opacity=1), finding)
    assert shown is not None
    assert np.abs(np.asarray(shown)[700, 700] - last).max() <= 1


@pytest.mark.parametrize("name", ["vit", "swin"])
@pytest.mark.parametrize("direction", ["from", "to"])
def test_the_scales_bytes_are_the_pages(name: str, direction: maps.Direction, request: pytest.FixtureRequest) -> None:
    """Wrong if page and endpoint could print two numbers for one scale: they must read the same bytes."""
    one: Traced = request.getfixturevalue(name)
    arrays, query = maps.whole_arrays(one.layers), one.layers[0].prefix + 9
    for block, layer in enumerate(one.layers):
        token = maps.token_of(query, one.layers, block)
        window, place = (int(at[0]) for at in np.nonzero(layer.members.numpy() == token))
        whole = decoded(arrays[f"codes.{block}"][window], arrays[f"peaks.{block}"][window])
        local = whole[:, place] if direction == "from" else whole[:, :, place]
        got = maps.sent(one.backbone, one.layers, query, direction, block)
        assert np.array_equal(got[:, layer.members[window].numpy()], local)
        assert got.sum() == pytest.approx(local.sum(), rel=1e-5), "nothing outside of the window"
        assert np.abs(got - maps.rows(one.backbone, one.layers, query, direction, block).numpy()).max() <= STEP
