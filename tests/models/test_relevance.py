"""Class relevance against computations that share nothing with the recorder: longhand, and transformers' own graph."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

from models import relevance
from models.backbone import Backbone, Classifies, Parts
from models.card import Card
from models.families import clip, siglip, swin, vit
from models.faults import Refusal
from models.pixels import Pixels
from models.relevance import class_relevance

CARD = Card("test/relevance", "small network", "ViT", random=True)
PIXELS = Pixels((32, 32), 8, 8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
SIZE: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
TEXT: dict[str, Any] = {**SIZE, "vocab_size": 99, "max_position_embeddings": 8}
VISION: dict[str, Any] = {**SIZE, "image_size": 32, "patch_size": 8}
IDS = {"bos_token_id": 97, "eos_token_id": 98, "pad_token_id": 98}


def tiny(depth: int = 3, **options: Any) -> Any:
    torch.manual_seed(0)
    network = timm.create_model(
        "vit_tiny_patch16_224", img_size=32, patch_size=8, embed_dim=24, depth=depth, num_heads=3, num_classes=5,
        **options,
    )  # fmt: skip
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return network.double()


def logit(number: int) -> relevance.Score:
    def score(backbone: Backbone, pixels: Tensor) -> Tensor:
        assert isinstance(backbone, Classifies)
        return backbone.class_logits(pixels)[0, number]

    return score


def longhand(network: Any, pixels: Tensor, number: int) -> tuple[Tensor, list[Tensor]]:
    """A timm ViT written out in double precision: one logit, and every block's attention as part of the graph."""
    patches = network.patch_embed.proj(pixels[None]).flatten(2).transpose(1, 2)
    tokens = torch.cat([network.cls_token, patches], dim=1) + network.pos_embed
    maps = []
    for block in network.blocks:
        query, key, value = block.attn.qkv(block.norm1(tokens)).unflatten(-1, (3, 3, 8)).permute(2, 0, 3, 1, 4)
        maps.append((query @ key.transpose(-2, -1) / 8**0.5).softmax(-1).requires_grad_())
        tokens = tokens + block.attn.proj((maps[-1] @ value).transpose(1, 2).flatten(2))
        tokens = tokens + block.mlp(block.norm2(tokens))
    averaged = network.global_pool == "avg"
    pooled = network.fc_norm(network.norm(tokens)[:, 1:].mean(1) if averaged else network.norm(tokens)[:, 0])
    return network.head(pooled)[0, number], maps


def rolled(score: Tensor, maps: Sequence[Tensor]) -> list[Tensor]:
    """Ā of every attention in the graph of `score`: (queries, keys)."""
    gradients = torch.autograd.grad(score, list(maps))
    return [(gradient * one).clamp(min=0).mean(1)[0].detach() for gradient, one in zip(gradients, maps, strict=True)]


def product(cams: Sequence[Tensor]) -> Tensor:
    whole = torch.eye(cams[0].shape[-1], dtype=cams[0].dtype)
    for cam in cams:
        whole = whole + cam @ whole
    return whole


@pytest.mark.parametrize("pool", ["token", "avg"])
def test_class_logits_agree_with_the_longhand_computation(pool: str) -> None:
    network = tiny(global_pool=pool)
    backbone = vit.FAMILY.opens(Parts(network, CARD, PIXELS))
    pixels = torch.randn(3, 32, 32, dtype=torch.float64)
    whole = product(rolled(*longhand(network, pixels, 2)))
    expected = whole[0] if pool == "token" else whole[1:].mean(0)
    found = class_relevance(backbone, pixels, logit(2))
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)
    assert found[1:].std() > 1e-4


def test_where_one_patch_alone_is_not_empty_it_alone_is_relevant() -> None:
    network = tiny(depth=1)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("bias") or name in ("cls_token", "pos_embed"):
                weight.zero_()
    backbone = vit.FAMILY.opens(Parts(network, CARD, PIXELS))
    pixels = torch.zeros(3, 32, 32, dtype=torch.float64)
    pixels[:, 8:16, 16:24] = torch.randn(3, 8, 8, dtype=torch.float64)
    maps = torch.stack([class_relevance(backbone, pixels, logit(number)) for number in range(5)])
    others = torch.ones(17, dtype=torch.bool)
    others[[0, 1 + 1 * 4 + 2]] = False
    assert maps[:, others].abs().max() < 1e-7
    assert maps[:, 7].max() > 1e-4


def test_a_text_score_agrees_with_transformers_own_graph() -> None:
    torch.manual_seed(0)
    network = CLIPModel(
        CLIPConfig(text_config={**TEXT, **IDS}, vision_config=VISION, projection_dim=24, initializer_factor=6.0)
    )
    eager = copy.deepcopy(network).eval()
    eager.set_attn_implementation("eager")
    backbone = clip.FAMILY.opens(Parts(network, CARD, PIXELS))
    assert isinstance(backbone, clip.TwoTowers)
    pixels, text = torch.randn(3, 24, 40), F.normalize(torch.randn(1, 24), dim=-1)
    own: Any = eager.vision_model(pixels[None], interpolate_pos_encoding=True, output_attentions=True)
    cosine = F.normalize(eager.visual_projection(own.pooler_output), dim=-1) @ text[0]
    expected = product(rolled(cosine[0] * eager.logit_scale.exp(), own.attentions))[0]

    def score(_: Backbone, fed: Tensor) -> Tensor:
        return backbone.text_scores(backbone.image_features(fed), text).logits[0, 0]

    found = class_relevance(backbone, pixels, score)
    assert found.shape == (1 + 3 * 5,)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_behind_an_attention_pool_the_latents_row_is_taken() -> None:
    torch.manual_seed(0)
    network = SiglipModel(SiglipConfig(text_config={**TEXT, "projection_size": 32}, vision_config=VISION))
    backbone = siglip.FAMILY.opens(Parts(network, CARD, PIXELS))
    assert isinstance(backbone, siglip.TwoTowers)
    pixels, text = torch.randn(3, 32, 32), F.normalize(torch.randn(1, 32), dim=-1)

    eager: Any = copy.deepcopy(network).eval()
    eager.set_attn_implementation("eager")
    own = eager.vision_model(pixels[None], interpolate_pos_encoding=True, output_attentions=True)
    head, tokens = eager.vision_model.head, own.last_hidden_state[0]
    query, key, value = (
        (source @ weight.T + bias).unflatten(-1, (4, 8)).transpose(0, 1)
        for source, weight, bias in zip(
            (head.probe[0], tokens, tokens),
            head.attention.in_proj_weight.chunk(3),
            head.attention.in_proj_bias.chunk(3),
            strict=True,
        )
    )
    latent = (query @ key.transpose(-2, -1) / 8**0.5).softmax(-1)[None]
    gathered = head.attention.out_proj((latent[0] @ value).transpose(0, 1).flatten(1))
    image = F.normalize(gathered + head.mlp(head.layernorm(gathered)), dim=-1)
    *cams, last = rolled((image @ text[0])[0], [*own.attentions, latent])

    def score(_: Backbone, fed: Tensor) -> Tensor:
        return backbone.text_scores(backbone.image_features(fed), text).cosine[0, 0]

    torch.testing.assert_close(
        class_relevance(backbone, pixels, score), (last @ product(cams))[0], atol=1e-6, rtol=1e-4
    )


def test_the_network_is_left_as_it_was() -> None:
    network = tiny()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pixels = torch.randn(3, 32, 32)
    with torch.no_grad():
        class_relevance(vit.FAMILY.opens(Parts(network, CARD, PIXELS)), pixels, logit(0))
    assert all(weight.grad is None and weight.requires_grad for weight in network.parameters())
    assert pixels.grad is None
    assert not pixels.requires_grad
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_frozen_weights_are_explained_just_the_same() -> None:
    network, pixels = tiny(), torch.randn(3, 32, 32)
    backbone = vit.FAMILY.opens(Parts(network, CARD, PIXELS))
    expected = class_relevance(backbone, pixels, logit(1))
    network.requires_grad_(False)
    torch.testing.assert_close(class_relevance(backbone, pixels, logit(1)), expected)


def test_windows_size_and_idle_scores_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network = timm.create_model(
        "swin_tiny_patch4_window7_224", img_size=32, window_size=4, embed_dim=12, depths=(1, 1), num_heads=(1, 2)
    )
    windowed = swin.FAMILY.opens(Parts(network, CARD, Pixels((32, 32), 4, 8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))))
    with pytest.raises(Refusal, match="windows"):
        class_relevance(windowed, torch.randn(3, 32, 32), logit(0))
    plain = vit.FAMILY.opens(Parts(tiny(), CARD, PIXELS))
    idle: list[relevance.Score] = [
        lambda _, pixels: torch.ones(()),
        lambda _, pixels: pixels.sum(),
        lambda backbone, pixels: 0 * logit(0)(backbone, pixels) + pixels.sum(),
    ]
    for score in idle:
        with pytest.raises(Refusal, match="does not depend"):
            class_relevance(plain, torch.randn(3, 32, 32), score)
    monkeypatch.setattr(relevance, "RELEVANCE_ENTRIES", 3 * 3 * 17 * 17 - 1)
    with pytest.raises(Refusal, match="17 tokens"):
        class_relevance(plain, torch.randn(3, 32, 32), logit(0))
