"""Whether the pictures of a run's life are those that its weights make, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import models
from explorers import training_live, training_strip
from explorers.attention_map import attention
from explorers.bundle import decoded, unpack
from models.faults import Fault
from training import Recipe, open_run

PICTURE = Path(__file__).resolve().parent.parent.parent / "assets" / "pictures" / "cat.jpg"
SMALL = {"images": "shapes", "size": "nano", "side": 32, "patch": 4}
FAST = {"steps": 4, "batch": 4, "device": "cpu"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A masked autoencoder and a CLIP, four steps each."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATCHLIGHT_RUNS", str(folder))
        for name, recipe in {
            "painter": Recipe("mae", **SMALL, options={"decoder_width": 32, "decoder_depth": 1}, settings=FAST),
            "reader": Recipe("clip", **SMALL, options={"text_width": 32, "text_depth": 1}, settings=FAST),
        }.items():
            assert [progress.step for progress in open_run(name, recipe).learn()] == [1, 2, 3, 4]
        yield folder


@pytest.mark.parametrize("name", ["painter", "reader"])
def test_a_snapshots_attention_is_the_checkpoints_own_to_the_last_bit(runs: Path, tmp_path: Path, name: str) -> None:
    """What the strip shows while a run lives, against the same weights copied away and opened by hand."""
    copy = tmp_path / "copy"
    shutil.copytree(runs / name / "snapshots" / "step-00000003", copy)
    (copy / "shown.safetensors").unlink(missing_ok=True)
    network = models.load(f"file/{copy}")
    pictures = training_strip.pictures(runs / name)
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (network.pixels.mean, network.pixels.std))
    facts, arrays = unpack(training_strip.frame(name, 3, "attention"))
    live = models.load(f"run/{name}@3")
    for number, picture in enumerate(pictures):
        pixels = (picture.float() / 255 - mean) / deviation
        layer = network.trace(pixels)[-1]
        by_hand = layer.attention_from(0).mean(0)[layer.prefix :].reshape(layer.grid)
        assert facts["query"] == "prefix"
        assert torch.equal(training_strip.attention(live, pixels)[0], by_hand)
        shown = decoded(arrays["codes"][number].reshape(-1), arrays["peaks"][number])
        np.testing.assert_allclose(shown, by_hand.flatten(), atol=0.01 * float(by_hand.max()))


def test_an_explorer_on_a_live_run_sees_what_it_sees_of_the_same_weights(runs: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(runs / "painter" / "snapshots" / "step-00000004", copy)
    live, step, by_hand = (attention(PICTURE, id) for id in ("run/painter", "run/painter@4", f"file/{copy}"))
    for name, values in by_hand.arrays.items():
        np.testing.assert_array_equal(live.arrays[name], values)
        np.testing.assert_array_equal(step.arrays[name], values)


def test_steps_differ_and_the_first_is_untrained(runs: Path) -> None:
    first, last = (unpack(training_strip.frame("painter", step, "attention"))[1] for step in (0, 4))
    assert not np.array_equal(first["peaks"], last["peaks"])
    weights, random = (models.load(f"run/painter{step}").module.state_dict() for step in ("@0", ""))
    assert any(not torch.equal(weights[name], random[name]) for name in weights)


def test_a_masked_autoencoder_is_shown_rebuilding_what_is_hidden(runs: Path) -> None:
    facts, arrays = unpack(training_strip.frame("painter", 4, "reconstruction"))
    assert arrays["made"].shape == (8, 32, 32, 3)
    assert facts["grid"] == [8, 8]
    assert arrays["mask"].mean() == pytest.approx(training_strip.HIDDEN)
    network = models.load("run/painter@4")
    pixels = training_strip._fed(network, training_strip.pictures(runs / "painter"))[2]
    found = network.reconstruct(pixels, torch.tensor(arrays["mask"]).int())  # pyright: ignore
    rgb = network.pixels.rgb(training_strip.coloured(found, pixels))
    np.testing.assert_array_equal(arrays["made"][2], rgb)


def test_pairs_of_a_fixed_batch_and_which_belong_together(runs: Path) -> None:
    _, arrays = unpack(training_strip.frame("reader", 4, "similarity"))
    assert arrays["map"].shape == arrays["same"].shape == (32, 32)
    assert np.abs(arrays["map"]).max() <= 1 + 1e-5
    assert arrays["same"].diagonal().all()
    facts, views = unpack(training_strip.views(runs / "reader"))
    assert len(facts["captions"]) == 32
    assert views["pictures"].shape == (8, 32, 32, 3)
    assert views["views/pixels"].dtype == np.uint8


def test_positions_are_those_of_the_network(runs: Path) -> None:
    facts, arrays = unpack(training_strip.frame("painter", 4, "positions"))
    expected = models.load("run/painter@4").positions()[0]
    assert tuple(facts["grid"]) == expected.grid
    np.testing.assert_array_equal(arrays["map"], expected.values[0].numpy())


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("name", "step", "kind", "sentence"),
    [
        ("painter", 17, "attention", "keeps no network of step 17"),
        ("reader", 4, "reconstruction", "rebuilds nothing"),
        ("painter", 4, "similarity", "does not write it"),
        ("painter", 4, "anything", "there is none"),
    ],
)
def test_what_a_run_cannot_show_is_a_sentence(name: str, step: int, kind: str, sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        training_strip.frame(name, step, kind)


def test_a_frame_is_made_once(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training_strip.frame("painter", 2, "attention")
    monkeypatch.setattr(models, "load", lambda _: pytest.fail("loaded again"))
    assert training_strip.frame("painter", 2, "attention") is made
    assert training_live.FIRST["mae"] == "reconstruction"
