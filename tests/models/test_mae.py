"""ViT-MAE against transformers itself, computed eagerly, for the same weights, picture and mask."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from transformers import ViTMAEConfig, ViTMAEForPreTraining, ViTMAEModel
from transformers.models.vit_mae.modeling_vit_mae import build_2d_sinusoidal_position_embedding

from models.backbone import Backbone, Parts, Reconstructs
from models.card import Card
from models.families.mae import FAMILY, Autoencoder
from models.faults import Fault
from models.pixels import Pixels
from models.positions import distance_r2, offset_r2

CARD = Card("test/mae", "small MAE", "MAE", random=True)
PIXELS = Pixels((32, 32), 8, 8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def network_of(norm_pix: bool = False) -> ViTMAEForPreTraining:
    torch.manual_seed(0)
    config = ViTMAEConfig(
        hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64, image_size=32, patch_size=8,
        decoder_hidden_size=16, decoder_num_attention_heads=2, decoder_num_hidden_layers=2,
        decoder_intermediate_size=32, norm_pix_loss=norm_pix,
    )  # fmt: skip
    network = ViTMAEForPreTraining(config)
    with torch.no_grad():
        network.decoder.mask_token.normal_()
        network.vit.embeddings.cls_token.normal_()
    return network


def backbone_of(network: ViTMAEForPreTraining) -> Autoencoder:
    backbone = FAMILY.opens(Parts(network, CARD, PIXELS))
    assert isinstance(backbone, Autoencoder)
    return backbone


def eager(network: ViTMAEForPreTraining, ratio: float) -> ViTMAEForPreTraining:
    twin = copy.deepcopy(network).eval()
    twin.set_attn_implementation("eager")
    twin.config.mask_ratio = ratio
    return twin


@pytest.fixture
def pixels() -> Tensor:
    return torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(1))


def random_mask(hidden: int, seed: int = 0) -> Tensor:
    order = torch.randperm(16, generator=torch.Generator().manual_seed(seed))
    mask = torch.zeros(16, dtype=torch.int)
    mask[order[:hidden]] = 1
    return mask.view(4, 4)


@pytest.mark.parametrize("shape", [(32, 32), (24, 56)])
def test_trace_is_transformers_own_attention_in_reading_order(shape: tuple[int, int]) -> None:
    network = network_of()
    image = torch.randn(3, *shape)
    layers = backbone_of(network).trace(image)
    rows, columns = shape[0] // 8, shape[1] // 8
    with torch.no_grad():
        own = eager(network, 0.0).vit(
            image[None], noise=torch.arange(rows * columns)[None], interpolate_pos_encoding=True, output_attentions=True
        )
    assert len(layers) == 3
    for layer, attention in zip(layers, own.attentions, strict=True):
        assert (layer.grid, layer.prefix, layer.names) == ((rows, columns), 1, ("CLS",))
        torch.testing.assert_close(layer.matrix(), attention[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(network.vit.layernorm(layers[-1].tokens), own.last_hidden_state[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("norm_pix", [False, True])
def test_every_number_of_hidden_patches_gives_transformers_own_answer(norm_pix: bool, pixels: Tensor) -> None:
    network = network_of(norm_pix)
    backbone = backbone_of(network)
    for hidden in range(1, 16):
        mask = random_mask(hidden, seed=hidden)
        found = backbone.reconstruct(pixels, mask)
        with torch.no_grad():
            own = eager(network, (hidden - 0.5) / 16)(pixels[None], noise=mask.flatten()[None].float())
        assert torch.equal(found.mask, mask)
        assert torch.equal(own.mask[0].int(), mask.flatten()), "transformers was not given the mask that it was to get"
        torch.testing.assert_close(found.prediction.flatten(0, 1), own.logits[0], atol=1e-5, rtol=0)
        assert found.loss == pytest.approx(own.loss.item(), abs=1e-5)
        assert found.error[mask.bool()].mean().item() == pytest.approx(found.loss, abs=1e-6)
        assert found.normalised is norm_pix


def test_what_is_hidden_cannot_be_seen(pixels: Tensor) -> None:
    backbone = backbone_of(network_of())
    mask = random_mask(5)
    hidden = mask.bool().repeat_interleave(8, 0).repeat_interleave(8, 1)
    changed = torch.where(hidden, torch.randn_like(pixels), pixels)
    assert torch.equal(backbone.reconstruct(pixels, mask).prediction, backbone.reconstruct(changed, mask).prediction)


def test_viewers_at_once_do_not_meet(pixels: Tensor) -> None:
    network = network_of()
    backbone = backbone_of(network)
    before = copy.deepcopy(network.config.to_dict()), [weight.clone() for weight in network.parameters()]
    masks = [random_mask(hidden, seed=hidden) for hidden in range(1, 16)]
    alone = [backbone.reconstruct(pixels, mask).prediction for mask in masks]
    with ThreadPoolExecutor(4) as pool:
        traces = [pool.submit(backbone.trace, pixels) for _ in range(4)]
        together = list(pool.map(lambda mask: backbone.reconstruct(pixels, mask).prediction, masks))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)
    for trace in traces:
        torch.testing.assert_close(trace.result()[-1].tokens, backbone.trace(pixels)[-1].tokens, atol=1e-6, rtol=0)
    assert network.config.to_dict() == before[0]
    assert all(torch.equal(now, then) for now, then in zip(network.parameters(), before[1], strict=True))


def test_another_shape_keeps_the_decoders_positions_a_grid() -> None:
    """Half of a sin-cos table's channels depend on the row alone, half on the column alone, at any size."""
    backbone = backbone_of(network_of())
    assert backbone.reconstruct(torch.randn(3, 32, 48), torch.eye(4, 6)).prediction.shape == (4, 6, 192)
    assert isinstance(backbone.network, ViTMAEForPreTraining)
    table = backbone._resized(backbone.network.decoder.decoder_pos_embed, (4, 6))[0, 1:].unflatten(0, (4, 6))
    by_column, by_row = table.chunk(2, -1)
    assert by_column.std(1).max() > 0.1
    assert by_row.std(0).max() > 0.1
    torch.testing.assert_close(by_column, by_column[:1].expand(4, -1, -1), atol=1e-5, rtol=0)
    torch.testing.assert_close(by_row, by_row[:, :1].expand(-1, 6, -1), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (torch.zeros(4, 4), "hides 0 of 16"),
        (torch.ones(4, 4), "hides 16 of 16"),
        (torch.ones(2, 8), "2 × 8"),
        (torch.full((4, 4), 0.75), "other numbers"),
        (torch.full((4, 4), torch.nan), "other numbers"),
    ],
)
def test_masks_that_mean_nothing_are_faults(mask: Tensor, sentence: str, pixels: Tensor) -> None:
    with pytest.raises(Fault, match=sentence):
        backbone_of(network_of()).reconstruct(pixels, mask)


def test_sizes_that_are_not_whole_patches_are_faults() -> None:
    with pytest.raises(Fault, match="multiples"):
        backbone_of(network_of()).trace(torch.randn(3, 32, 36))


def test_an_encoder_alone_is_traced_and_paints_nothing(pixels: Tensor) -> None:
    network = network_of()
    alone = FAMILY.opens(Parts(network.vit, CARD, PIXELS))
    assert isinstance(alone, Backbone)
    assert not isinstance(alone, Reconstructs)
    whole = backbone_of(network)
    assert isinstance(whole, Reconstructs)
    assert torch.equal(alone.trace(pixels)[-1].tokens, whole.trace(pixels)[-1].tokens)


def test_a_network_that_was_loaded_as_eager_is_seen_through_the_kernel(pixels: Tensor) -> None:
    network = network_of()
    network.set_attn_implementation("eager")
    layers = backbone_of(network).trace(pixels)
    assert all(layer.queries is not None and layer.logits is None for layer in layers)


def test_the_table_of_an_untrained_network_is_the_authors() -> None:
    """transformers' own function, with its halves turned as transformers turns them for the published weights."""
    network = network_of()
    backbone_of(network)
    for table in (network.vit.embeddings.position_embeddings, network.decoder.decoder_pos_embed):
        half = table.shape[-1] // 2
        own = build_2d_sinusoidal_position_embedding(4, 4, 2 * half, cls_token=True).roll(half, dims=-1)
        torch.testing.assert_close(table[0].detach(), own, atol=1e-6, rtol=0)


def test_weights_that_were_loaded_stay_as_they_are() -> None:
    network = network_of()
    FAMILY.opens(Parts(network, replace(CARD, random=False), PIXELS))
    assert not network.decoder.decoder_pos_embed.any()


def test_the_fixed_table_is_a_function_of_the_offset() -> None:
    """Golden values of a 14 × 14 table of 768 channels; a row of zeros stands for CLS."""
    config = ViTMAEConfig(num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    (affinity,) = FAMILY.opens(Parts(ViTMAEModel(config), CARD, PIXELS)).positions()
    assert (affinity.kind, affinity.grid, affinity.values.shape) == ("sin-cos table", (14, 14), (1, 196, 196))
    assert affinity.prefix is not None
    assert not affinity.prefix.any()
    assert offset_r2(affinity.values[0], (14, 14)) == pytest.approx(1.0, abs=5e-4)
    assert distance_r2(affinity.values[0], (14, 14)) == pytest.approx(0.718, abs=5e-4)
