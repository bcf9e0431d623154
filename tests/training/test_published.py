"""What a probe or a fine-tuning leaves is what it learnt: `run/<name>` calls the training pictures by its own names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from PIL import Image

import models
from models.backbone import Backbone, Classifies, ZeroShot
from models.card import Card
from models.class_names import class_names
from models.create import blueprint, create
from models.features import Features
from models.loading import open_network
from models.weights import check, save
from tests.models.architectures import SHOWN, Architecture
from tests.training.test_probe import NETWORKS
from training.evaluate import evaluate
from training.features import at_once, fed, parts
from training.jobs import evaluate as evaluate_job
from training.jobs import job
from training.recipe import Recipe, dataset
from training.remembered import Remembered
from training.run import Run, open_run

COLOURS = {"amber": (230, 160, 30), "brick": (160, 60, 50), "moss": (90, 110, 50), "snow": (235, 240, 245)}
CHANCE = torch.Generator().manual_seed(0)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder of four colours, none of which any network here was trained to name."""
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))
    for name, colour in COLOURS.items():
        place = tmp_path / "classes" / name
        place.mkdir(parents=True)
        for number in range(20):
            shade = torch.randint(0, 15, (3,), generator=CHANCE).tolist()
            drawn = tuple(part + more for part, more in zip(colour, shade, strict=True))
            Image.new("RGB", (40, 40), drawn).save(place / f"{number}.png")
    return str(tmp_path / "classes")


def saved(name: str, folder: Path) -> str:
    network = NETWORKS[name]()
    save(folder, network.module, network.config, Card(name, name, name), network.pixels)
    return f"file/{folder}"


def by_timm(folder: Path) -> str:
    import timm.models

    torch.manual_seed(0)
    network = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=2, num_classes=3)
    timm.models.save_for_hf(network, str(folder), safe_serialization=True)  # pyright: ignore
    return f"file/{folder}"


def by_transformers(folder: Path) -> str:
    torch.manual_seed(0)
    config = transformers.SwinConfig(
        image_size=32, patch_size=4, embed_dim=24, depths=[2, 2], num_heads=[2, 4], window_size=4
    )
    transformers.SwinModel(config).save_pretrained(folder)
    mean = [0.5, 0.5, 0.5]
    told = {
        "image_mean": mean,
        "image_std": mean,
        "resample": 3,
        "do_resize": True,
        "size": {"height": 32, "width": 32},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    return f"file/{folder}"


SOURCES = {
    **{name: lambda folder, name=name: saved(name, folder) for name in NETWORKS},
    "timm": lambda _: "timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k?random",
    "registry": lambda _: "registry/dinov2-small?random",
    "bundled": lambda _: "bundled/vit",
    "saved by timm": by_timm,
    "saved by transformers": by_transformers,
}
UNTOLD = ("registry", -1)
"""An untrained DINOv2 adds a hundred-thousandth of what its blocks see, so that its CLS tokens are all alike."""

SIDES = {"timm": 32, "registry": 28, "bundled": 32}


def learn(checkpoint: str, pictures: str, side: int = 0, frozen: int = -1, **settings: Any) -> Run:
    how = {"steps": 40, "batch": 16, "device": "cpu", "measure_every": 10, "rate": 0.03, "warmup": 0.0, **settings}
    options = {"checkpoint": checkpoint, "frozen": frozen}
    run = open_run("learnt", Recipe("probe", images=pictures, side=side, options=options, settings=how))
    list(run.learn())
    return run


def named(backbone: Backbone, pictures: str, side: int, split: str = "train") -> float:
    """Share of the pictures of a part that the network calls by their own name."""
    assert isinstance(backbone, Classifies)
    images = dataset(Recipe("probe", images=pictures, side=side), split)
    batch = images.batch(0, seed=None, count=images.length, device="cpu")
    with torch.no_grad():
        found = backbone.class_logits(fed(backbone, batch.images)).argmax(1)
    names = class_names(backbone)
    told, true = [names[at] for at in found.tolist()], [images.classes[at] for at in batch.labels.tolist()]
    return sum(one == other for one, other in zip(told, true, strict=True)) / len(true)


@pytest.mark.parametrize(
    ("source", "frozen"), [(source, frozen) for source in SOURCES for frozen in (-1, 0) if (source, frozen) != UNTOLD]
)
def test_a_run_names_what_it_learnt_from_wherever_its_network_came(
    source: str, frozen: int, tmp_path: Path, pictures: str
) -> None:
    side = SIDES.get(source, 32)
    checkpoint = SOURCES[source](tmp_path / "given")
    run = learn(checkpoint, pictures, SIDES.get(source, 0), frozen)
    backbone: Any = models.load("run/learnt", device="cpu")
    assert class_names(backbone) == tuple(COLOURS)
    assert backbone.pixels.size == (side, side)
    assert named(backbone, pictures, side) > 0.95
    image = torch.rand(3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        (whole,) = backbone.class_logits(image[None])
    torch.testing.assert_close(backbone.class_logits_from(backbone.trace(image)), whole, rtol=1e-4, atol=1e-4)
    (card,) = [card for card in models.checkpoints() if card.id == "run/learnt"]
    assert (
        set(card.abilities)
        == set(backbone.card.abilities)
        == {*models.load(checkpoint, "cpu").card.abilities, "classifies"}
    )
    assert run.status["processes"] == 1
    assert f"pictures of {side} pixels" in (run.folder / "log.txt").read_text()


def test_a_frozen_network_is_published_as_it_is_and_its_weights_are_written_once(tmp_path: Path, pictures: str) -> None:
    """Snapshots on the way would be copies of one network, and a checkpoint's state holds what learns alone."""
    run = learn(saved("vit", tmp_path / "given"), pictures, keep_last=1)
    before, after = (models.load(id, "cpu").module.state_dict() for id in (f"file/{tmp_path / 'given'}", "run/learnt"))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert sorted(path.name for path in (run.folder / "snapshots").iterdir()) == ["step-00000000"]
    state, network = run.store.place(40) / "state.safetensors", run.store.place(40) / "model.safetensors"
    assert state.stat().st_size < 0.1 * network.stat().st_size
    assert (run.folder / "views.safetensors").exists(), "the page shows its pictures"
    assert job("learnt").snapshots == (0, 40), "and the network, so that it did not end before its first picture"
    assert evaluate_job("learnt").evaluation == "waiting"


@pytest.mark.parametrize("ema", [0.0, 0.9], ids=["", "averaged"])
@pytest.mark.parametrize("frozen", [-1, 1], ids=["probe", "fine-tuning"])
def test_the_published_head_is_measured_on_pictures_that_it_never_learnt_from(
    frozen: int, ema: float, tmp_path: Path, pictures: str
) -> None:
    run = learn(saved("vit", tmp_path / "given"), pictures, frozen=frozen, steps=25, ema=ema)
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "validation loss" in line] == [10, 20, 25]
    backbone: Any = models.load("run/learnt", device="cpu")
    apart = dataset(run.recipe, "validation")
    batch = apart.batch(0, seed=None, count=apart.length, device="cpu")
    with torch.no_grad():
        logits = backbone.class_logits(fed(backbone, batch.images))
    assert lines[-1]["validation accuracy"] == pytest.approx(float((logits.argmax(1) == batch.labels).float().mean()))
    assert lines[-1]["validation loss"] == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits, batch.labels)), rel=1e-3
    )


def test_evaluation_asks_the_head_itself_by_the_names_of_its_classes(
    tmp_path: Path, pictures: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new k-NN and a new probe beside it say nothing of the classifier that was trained."""
    learn(saved("vit", tmp_path / "given"), pictures)
    backbone: Any = models.load("run/learnt", device="cpu")
    ask = dataset(Recipe("probe", images=pictures, side=32), "validation")
    found = {figure.name: figure for figure in evaluate(backbone, ask, ask, 64)}["accuracy of its own classifier"]
    assert (found.value, found.pictures) == (named(backbone, pictures, 32, "validation"), ask.length)
    shares = ask.batch(0, seed=None, count=ask.length, device="cpu").labels.bincount()
    assert found.baseline == pytest.approx(float(shares.max() / shares.sum()))
    (Path(pictures) / "moss").rename(Path(pictures) / "lichen")
    other = dataset(Recipe("probe", images=pictures, side=32), "validation")
    assert "accuracy of its own classifier" not in {figure.name for figure in evaluate(backbone, other, other, 64)}
    monkeypatch.setattr(ask, "classes", tuple(COLOURS)[::-1])
    found = {figure.name: figure for figure in evaluate(backbone, ask, ask, 64)}["accuracy of its own classifier"]
    assert found.value == 0  # equal numbers under other names are other answers


def test_long_passes_say_how_far_they_are(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.features.PATIENCE", -1.0)
    caplog.set_level("INFO", "training")
    assert [(part.start, part.stop) for part in parts(25, at_once(518), "features")] == [(0, 11), (11, 22), (22, 25)]
    assert caplog.messages == [f"features: {done} of 25 pictures" for done in (0, 11, 22)]
    assert at_once(96) == at_once(224) == 64


def test_a_run_without_a_validation_part_says_why_nothing_is_measured(tmp_path: Path, pictures: str) -> None:
    for file in [*Path(pictures).rglob("1?.png"), *Path(pictures).rglob("[2-9].png")]:
        file.unlink()
    run = learn(saved("vit", tmp_path / "given"), pictures, steps=2)
    assert "validation" not in (run.folder / "metrics.jsonl").read_text()
    assert "nothing is measured on the way: The validation part" in (run.folder / "log.txt").read_text()


def test_each_picture_passes_a_frozen_network_once(pictures: str) -> None:
    """Else a probe of a network with 518 × 518 pixels costs its forward pass at every step."""
    images = dataset(Recipe("probe", images=pictures, side=8))
    passed: list[torch.Tensor] = []

    def seen(batch: torch.Tensor) -> torch.Tensor:
        passed.extend(batch)
        return batch.mean(dim=(2, 3))

    known = Remembered(images, seen)
    for step in range(20):
        plain, found = (one.batch(step, seed=3, count=16, device="cpu") for one in (images, known))
        assert found.features is not None
        assert torch.equal(found.features, plain.images.mean(dim=(2, 3)))
        assert torch.equal(found.labels, plain.labels)  # pyright: ignore
    assert len(passed) == images.length


def test_a_stopped_probe_goes_on_as_if_nothing_had_happened(tmp_path: Path, pictures: str) -> None:
    """What it remembers of pictures is not in its checkpoint, so it must not depend on when they were seen."""
    whole = learn(saved("vit", tmp_path / "given"), pictures, steps=8)
    parts = open_run("parts", whole.recipe)
    for progress in parts.learn():
        if progress.step == 3:
            parts.stop()
    list(open_run("parts").learn())
    curves = [
        [{k: v for k, v in json.loads(line).items() if k not in ("speed", "memory", "seconds")} for line in lines]
        for lines in ((run.folder / "metrics.jsonl").read_text().splitlines() for run in (whole, parts))
    ]
    assert curves[0] == curves[1]


def test_a_probe_of_two_towers_still_reads(pictures: str) -> None:
    learn("bundled/clip", pictures, side=32, steps=2)
    found, given = (models.load(id, "cpu") for id in ("run/learnt", "bundled/clip"))
    assert isinstance(found, ZeroShot)
    assert isinstance(given, ZeroShot)
    texts = ["a red circle", "a blue star"]
    torch.testing.assert_close(found.text_features(texts), given.text_features(texts))


def test_a_masked_autoencoder_keeps_its_patches_in_order() -> None:
    """Class relevance is read off the pass that classifies; shuffled, it would stand in other places."""
    network = NETWORKS["mae"]()
    backbone = open_network(network.module.eval(), Card("x", "x", "MAE"), network.pixels)
    image = torch.rand(3, 32, 32)
    features, tokens = Features(backbone), []
    backbone.blocks[-1].register_forward_hook(lambda _m, _i, output: tokens.append(output))
    with torch.no_grad():
        features(image[None])
    found = tokens[0] if isinstance(tokens[0], torch.Tensor) else tokens[0][0]
    torch.testing.assert_close(found[0], backbone.trace(image)[-1].tokens, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", SHOWN, ids=lambda shown: shown.title)
def test_what_opens_can_be_written_down_or_is_refused(architecture: Architecture) -> None:
    """Of a description that builds another network nothing could be opened after hours of learning."""
    network = architecture.network()
    told = blueprint(network)
    if told is None:
        assert "transformers" in type(network).__module__
        return
    with torch.device("meta"):
        check("x", network.state_dict(), create(json.loads(json.dumps(told))))
