"""The layout of patches is that of MAE, and nothing is lost on the way back."""

from __future__ import annotations

import torch
from transformers import ViTMAEConfig, ViTMAEForPreTraining

from models.patches import patchify, statistics, unpatchify


def test_layout_is_transformers_own() -> None:
    config = ViTMAEConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, image_size=32, patch_size=8,
        decoder_hidden_size=8, decoder_num_attention_heads=1, decoder_num_hidden_layers=1, decoder_intermediate_size=8,
    )  # fmt: skip
    pixels = torch.randn(3, 24, 40)
    own = ViTMAEForPreTraining(config).patchify(pixels[None], interpolate_pos_encoding=True)
    assert torch.equal(patchify(pixels, 8).flatten(0, 1), own[0])


def test_there_and_back_is_the_same_picture() -> None:
    pixels = torch.randn(3, 24, 40)
    patches = patchify(pixels, 8)
    assert patches.shape == (3, 5, 192)
    assert torch.equal(unpatchify(patches, 8), pixels)
    assert torch.equal(patches[1, 2].view(8, 8, 3), pixels[:, 8:16, 16:24].permute(1, 2, 0))


def test_true_statistics_turn_normalised_patches_into_the_picture() -> None:
    patches = torch.randn(2, 2, 48) * 3 + 1
    mean, deviation = statistics(patches)
    normalised = (patches - mean) / deviation
    torch.testing.assert_close(normalised.mean(-1), torch.zeros(2, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(normalised.std(-1), torch.ones(2, 2))
    torch.testing.assert_close(normalised * deviation + mean, patches)
