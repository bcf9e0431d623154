"""A thousand labels: what the first answer, another picture and one more label cost, and a step of the temperature.

Against the plain loop over labels that reads every text again for each picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from transformers import CLIPConfig, CLIPModel

from benchmarks.measure import table
from models.backbone import ZeroShot
from models.card import Card
from models.loading import open_network
from models.pixels import Pixels
from models.prompts import ensemble, filled
from models.text_bank import text_features
from models.text_to_patches import picture_feature

LABELS = 1000


def measure() -> str:
    """True-size CLIP ViT-B/32 with random weights, single precision, texts of 16 tokens."""
    torch.manual_seed(0)
    half = (0.5, 0.5, 0.5)

    def tokenizer(texts: object) -> dict[str, torch.Tensor]:
        ids = [[49406, *(1 + ord(letter) % 1000 for letter in text[-14:].rjust(14)), 49407] for text in texts]  # pyright: ignore
        return {"input_ids": torch.tensor(ids)}

    card, pixels = Card("random/clip", "CLIP ViT-B/32", "CLIP", random=True), Pixels((224, 224), 32, 32, half, half)
    network = open_network(CLIPModel(CLIPConfig()), card, pixels, tokenizer)
    assert isinstance(network, ZeroShot)
    labels = [f"a thing {number}" for number in range(LABELS)]
    image = torch.randn(3, 224, 224)

    def ours(names: list[str]) -> None:
        feature = picture_feature(network, network.trace(image))
        texts = ensemble(text_features(network, filled(["a photo of a {}."], names)).unflatten(0, (1, len(names))))
        network.text_scores(feature[None], texts)

    @torch.no_grad()
    def plain() -> None:
        features = [network.text_features(labels[start : start + 64]) for start in range(0, LABELS, 64)]
        network.text_scores(network.image_features(image[None]), torch.cat(features))

    rows = [
        ["plain loop, every picture", seconds(plain)],
        ["first picture", seconds(lambda: ours(labels))],
        ["another picture", seconds(lambda: ours(labels))],
        ["one label changed", seconds(lambda: ours([*labels[:-1], "another thing"]))],
    ]
    return table(["1,000 labels", "seconds"], rows)


def seconds(act: Callable[[], object]) -> str:
    start = time.perf_counter()
    act()
    return f"{time.perf_counter() - start:.3f}"
