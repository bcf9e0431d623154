"""A probe learns on frozen features and leaves the network alone; fine-tuning moves only the blocks it may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import models
from models.card import Card
from models.faults import Fault
from models.features import Features
from models.weights import save
from tests.training.squares import Squares
from training.engine import train
from training.networks import Network, mae, siglip, swin, swin_masked, vit
from training.objective import Objective, Plan, method
from training.optimisers import optimisers
from training.settings import Settings, checked

TEXT = {
    "vocab_size": 20, "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": 8,
}  # fmt: skip

NETWORKS = {
    "vit": lambda: vit("nano", 32, 8),
    "swin": lambda: swin("nano", 32, 4),
    "mae": lambda: mae("nano", 32, 8, width=32, depth=1, normalised=False, ratio=0.75),
    "simmim": lambda: swin_masked("nano", 32, 4),
    "siglip": lambda: siglip("nano", 32, 8, text=TEXT),
}


def kept(network: Network, folder: Path, name: str) -> str:
    torch.manual_seed(0)
    save(folder / name, network.module, network.config, Card(name, name, name), network.pixels)
    return f"run/{name}"


def built(checkpoint: str, side: int = 32, **options: Any) -> Objective:
    chosen = method("probe")
    made = checked(chosen.options, {"checkpoint": checkpoint, **options})
    return chosen.builds(Plan("nano", side, 8, made, Squares.classes))


@pytest.mark.parametrize("name", NETWORKS)
def test_batched_features_are_the_explorers_tokens(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    backbone = models.load(kept(NETWORKS[name](), tmp_path, name), device="cpu")
    features = Features(backbone).eval()
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = features(pixels)
    for image, vector in zip(pixels, found, strict=True):
        layer = backbone.trace(image)[-1]
        pooled = layer.tokens[0] if "CLS" in layer.names else layer.tokens[layer.prefix :].mean(0)
        torch.testing.assert_close(vector, torch.nn.functional.layer_norm(pooled, pooled.shape), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("frozen", "moved"), [(-1, set()), (1, {"1"})])
def test_only_what_may_learn_moves(
    frozen: int, moved: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    objective, images = built(kept(NETWORKS["vit"](), tmp_path, "vit"), frozen=frozen), Squares(frozen=True)
    network: Any = objective.result().network
    before = {name: value.clone() for name, value in network.named_parameters()}
    given = {**method("probe").settings, "steps": 30, "batch": 16, "device": "cpu", "precision": "fp32"}
    found = [progress.loss for progress in train(objective, images, checked(Settings, given))]
    assert found[-1] < 0.8 * found[0]
    changed = {name for name, value in network.named_parameters() if not torch.equal(value, before[name])}
    blocks = {name.split("blocks.")[1].split(".")[0] for name in changed if "blocks." in name}
    assert blocks == moved
    assert {name for name in changed if "blocks." not in name} == {"head.1.weight", "head.1.bias"}


def test_blocks_learn_more_slowly_than_the_head_and_decay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At one rate for both, what was learnt before is overwritten while the head is still random."""
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    objective: Any = built(kept(NETWORKS["vit"](), tmp_path, "vit"), frozen=1, blocks_rate=0.1, blocks_decay=0.3)
    (adamw,) = optimisers(objective.module, checked(Settings, {"decay": 0.0}), objective.paces())
    names = {weight: name for name, weight in objective.module.named_parameters()}
    for group in adamw.param_groups:
        for weight in group["params"]:
            inside = names[weight].startswith("network.")
            assert group["share"] == (0.1 if inside else 1.0)
            assert group["weight_decay"] == (0.3 if inside and weight.ndim > 1 else 0.0)
    given = {**method("probe").settings, "steps": 1, "batch": 16, "warmup": 0.0, "device": "cpu"}
    before = {name: weight.detach().clone() for name, weight in objective.module.named_parameters()}
    (done,) = train(objective, Squares(), checked(Settings, given))
    moved = {n: float((w.detach() - before[n]).abs().max()) for n, w in objective.module.named_parameters()}
    assert moved["head.1.bias"] == pytest.approx(done.rate, rel=0.01)  # Adam's first step is the rate itself
    inside = [far for name, far in moved.items() if "network.blocks.1" in name and name.endswith("bias")]
    assert max(inside) == pytest.approx(0.1 * done.rate, rel=0.01)


def test_more_frozen_blocks_than_there_are_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    with pytest.raises(Fault, match="network has 2"):
        built(kept(NETWORKS["vit"](), tmp_path, "vit"), frozen=9)


def test_a_side_that_the_network_cannot_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resizing on the way into the network would show it other pictures than were asked for."""
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    with pytest.raises(Fault, match="36 pixels were asked for, but this network needs a multiple of 8"):
        built(kept(NETWORKS["vit"](), tmp_path, "vit"), side=36)
