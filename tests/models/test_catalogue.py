"""The catalogue cannot lie: every entry is held to timm's own registry and to the architecture's own size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import timm
import torch
from timm.models import get_pretrained_cfg

import models
from models.card import Card
from models.card_catalogue import catalogue, checkpoints, is_cached
from models.create import create
from models.sources.timm import options, pixels

_LARGE = {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 24}
_HUGE = {"hidden_size": 1280, "intermediate_size": 5120, "num_attention_heads": 16, "num_hidden_layers": 32}
_SO = {"hidden_size": 1152, "intermediate_size": 4304, "num_attention_heads": 16, "num_hidden_layers": 27}
_NARROW = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12}
_SIMMIM = {
    "embed_dim": 128, "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32], "window_size": 6, "image_size": 192,
    "encoder_stride": 32,
}  # fmt: skip
_MANY_WORDS = {"vocab_size": 256_000}

CONFIGURED = {
    "facebook/vit-mae-base": ("ViTMAEForPreTraining", {}),
    "facebook/vit-mae-large": ("ViTMAEForPreTraining", _LARGE),
    "facebook/vit-mae-huge": ("ViTMAEForPreTraining", {**_HUGE, "patch_size": 14}),
    "microsoft/swin-base-simmim-window6-192": ("SwinForMaskedImageModeling", _SIMMIM),
    "openai/clip-vit-base-patch32": ("CLIPModel", {}),
    "openai/clip-vit-base-patch16": ("CLIPModel", {"vision_config": {"patch_size": 16}}),
    "openai/clip-vit-large-patch14": (
        "CLIPModel",
        {"vision_config": {**_LARGE, "patch_size": 14}, "text_config": _NARROW, "projection_dim": 768},
    ),
    "laion/CLIP-ViT-B-32-laion2B-s34B-b79K": ("CLIPModel", {}),
    "laion/CLIP-ViT-B-16-laion2B-s34B-b88K": ("CLIPModel", {"vision_config": {"patch_size": 16}}),
    "google/siglip-base-patch16-224": ("SiglipModel", {}),
    "google/siglip-base-patch16-256": ("SiglipModel", {"vision_config": {"image_size": 256}}),
    "google/siglip-large-patch16-256": (
        "SiglipModel",
        {"vision_config": {**_LARGE, "image_size": 256}, "text_config": _LARGE},
    ),
    "google/siglip-so400m-patch14-384": (
        "SiglipModel",
        {"vision_config": {**_SO, "image_size": 384, "patch_size": 14}, "text_config": _SO},
    ),
    "google/siglip2-base-patch16-224": ("SiglipModel", {"text_config": _MANY_WORDS}),
    "google/siglip2-large-patch16-256": (
        "SiglipModel",
        {"vision_config": {**_LARGE, "image_size": 256}, "text_config": {**_LARGE, **_MANY_WORDS}},
    ),
    "google/siglip2-base-patch16-naflex": ("Siglip2Model", {"text_config": _MANY_WORDS}),
}
"""How each transformers checkpoint differs from its class's own defaults, as its publisher's config.json says."""


def cards(source: str) -> list[Card]:
    return [card for card in catalogue() if card.source == source]


def counted(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_catalogue_spans_the_field() -> None:
    assert len(catalogue()) >= 40
    assert len({card.id for card in catalogue()}) == len(catalogue())
    families = {card.family for card in catalogue()}
    wanted = {"ViT", "DeiT", "DINO", "DINOv2", "DINOv3", "BEiT", "EVA-02", "Swin", "SwinV2", "SimMIM", "MAE", "CLIP"}
    assert families >= wanted | {"SigLIP", "SigLIP 2"}
    for card in catalogue():
        assert card.title, card.id
        assert card.training.endswith("."), card.id
        assert card.licence, card.id


@pytest.mark.parametrize("card", cards("timm"), ids=lambda card: card.id)
def test_timm_has_the_entry_as_described(card: Card) -> None:
    name = card.id.removeprefix("timm/")
    assert name in timm.list_pretrained()
    published = get_pretrained_cfg(name)
    assert published is not None
    with torch.device("meta"):
        network = timm.create_model(name, **options(name))
    fed = pixels(network, published)
    assert published.hf_hub_id == f"timm/{name}", "where `checkpoints` looks for it in the hub's cache"
    assert card.licence == published.license
    assert card.parameters == counted(network)
    assert (card.patch, card.side) == (fed.patch, max(fed.size))
    assert ("classifies" in card.abilities) == bool(published.num_classes)
    assert card.download == 4 * counted(network)


@pytest.mark.parametrize("card", cards("hf"), ids=lambda card: card.id)
def test_transformers_entries_have_the_size_of_their_architecture(card: Card) -> None:
    kind, config = CONFIGURED[card.id.removeprefix("hf/")]
    with torch.device("meta"):
        network = create({"library": "transformers", "class": kind, "config": config})
    assert card.parameters == counted(network)
    assert card.download == 4 * counted(network)


def test_what_opens_right_now_is_what_lies_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("PATCHLIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))
    card = cards("timm")[0]
    before = {there.id for there in checkpoints()}
    assert not is_cached(card)
    assert all(id.startswith("bundled/") for id in before)
    place = tmp_path / "hub" / f"models--timm--{card.id.removeprefix('timm/')}" / "snapshots" / "0"
    place.mkdir(parents=True)
    (place / "model.safetensors").touch()
    run = tmp_path / "runs" / "mine"
    run.mkdir(parents=True)
    for name, content in (("config.json", "{}"), ("card.json", '{"title": "Mine"}'), ("model.safetensors", "")):
        (run / name).write_text(content)
    assert {there.id for there in checkpoints()} - before == {card.id, "run/mine"}
    assert is_cached(card)


def test_published_names_stay_what_they_are() -> None:
    """As a user calls them: twice, and after any module of the room was imported."""
    code = (
        "import importlib, pkgutil, models; before = [models.catalogue(), models.catalogue()]; "
        "names = [name for _, name, _ in pkgutil.iter_modules(models.__path__) if name != '__main__']; "
        "[importlib.import_module('models.' + name) for name in names]; "
        "before += [models.catalogue(), models.checkpoints() and models.catalogue()]; "
        "print({len(cards) for cards in before}, callable(models.load), isinstance(models.Card, type))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"{{{len(catalogue())}}} True True"


def test_cards_are_read_without_anything_heavy() -> None:
    code = "import sys, models; models.catalogue(), models.checkpoints(); print([m for m in sys.modules if m in %r])"
    heavy = ("torch", "timm", "transformers", "huggingface_hub", "onnx")
    run = subprocess.run([sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("card", [card for card in checkpoints() if card.source == "bundled"], ids=lambda card: card.id)
def test_what_a_bundled_network_can_do_is_known_before_it_is_opened(card: Card) -> None:
    """The list of networks says which of them the tab in front cannot show."""
    assert card.abilities == models.load(card.id).card.abilities
