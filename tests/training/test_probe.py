"""A probe learns on frozen features and leaves the network alone; fine-tuning moves only the blocks it may."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import models
from models.card import Card
from models.faults import Fault
from models.weights import save
from tests.training.squares import Squares
from training.engine import train
from training.features import Features
from training.networks import Network, mae, siglip, swin, swin_masked, vit
from training.objective import Plan, method
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
    checkpoint = kept(NETWORKS["vit"](), tmp_path, "vit")
    chosen, images = method("probe"), Squares(frozen=True)
    options = checked(chosen.options, {"checkpoint": checkpoint, "frozen": frozen})
    objective = chosen.builds(Plan("nano", 32, 8, options, images.classes))
    before = {name: value.clone() for name, value in objective.module.named_parameters()}
    given = {**chosen.settings, "steps": 30, "batch": 16, "device": "cpu", "precision": "fp32"}
    found = [progress.loss for progress in train(objective, images, checked(Settings, given))]
    assert found[-1] < 0.8 * found[0]
    changed = {name for name, value in objective.module.named_parameters() if not torch.equal(value, before[name])}
    blocks = {name.split("blocks.")[1].split(".")[0] for name in changed if "blocks." in name}
    assert blocks == moved
    assert {name for name in changed if "blocks." not in name} == {"head.1.weight", "head.1.bias"}
    assert (objective.result() is None) == (frozen == -1)


def test_more_frozen_blocks_than_there_are_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    chosen = method("probe")
    options = checked(chosen.options, {"checkpoint": kept(NETWORKS["vit"](), tmp_path, "vit"), "frozen": 9})
    with pytest.raises(Fault, match="network has 2"):
        chosen.builds(Plan("nano", 32, 8, options, Squares.classes))
