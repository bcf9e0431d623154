"""Numbers of a position table, held to tables whose structure is known."""

from __future__ import annotations

import math

import pytest
import timm
import torch

from models.faults import Refusal
from models.positions import cosine, rotary_affinity
from models.structure import compared, components, norms, offset_kernel, random_table, sincos_table, spectrum, structure
from tests.conftest import HUB

GRID = (14, 14)


def test_nothing_explains_what_does_not_vary() -> None:
    flat = structure(torch.ones(6, 6), (2, 3))
    assert all(math.isnan(share) for share in (flat.offset, flat.distance, flat.row, flat.column))


def test_sincos_table_is_the_one_in_transformers():
    """Golden: MAE's table as transformers builds it."""
    from transformers.models.vit_mae.modeling_vit_mae import build_2d_sinusoidal_position_embedding

    theirs = build_2d_sinusoidal_position_embedding(14, 14, 768)
    assert torch.allclose(sincos_table(GRID, 768), theirs, atol=1e-6)


def test_sincos_similarity_has_its_closed_form():
    """cos(a, b) = ½ mean over waves of cos(ω Δrow) + ½ mean of cos(ω Δcolumn): sin² + cos² = 1 for each pair."""
    similarity = cosine(sincos_table((5, 9), 64)).view(5, 9, 5, 9)
    waves = 10000.0 ** -(torch.arange(16) / 16)
    for down, right in [(0, 1), (3, 0), (4, 7)]:
        expected = (torch.cos(waves * down).mean() + torch.cos(waves * right).mean()) / 2
        assert similarity[4, 8, 4 - down, 8 - right] == pytest.approx(float(expected), abs=1e-5)


def test_known_tables_have_their_known_structure():
    fixed = structure(cosine(sincos_table(GRID, 768)), GRID)
    assert fixed.offset == pytest.approx(1.000, abs=5e-4)
    assert fixed.distance == pytest.approx(0.718, abs=5e-4)
    assert fixed.row + fixed.column == pytest.approx(1, abs=0.02), "rows and columns add up in sin-cos, nearly"
    chance = structure(cosine(random_table(GRID, 768)), GRID)
    assert chance.offset == pytest.approx(0.01, abs=0.005)


@pytest.mark.skipif(not HUB.is_dir(), reason="no real weights beside the checkout")
def test_dinov2_has_its_known_structure():
    table = timm.create_model("vit_small_patch14_dinov2.lvd142m", pretrained=True).pos_embed[0, 1:]  # pyright: ignore
    found = structure(cosine(table.detach().float()), (37, 37))
    assert (found.offset, found.distance) == pytest.approx((0.881, 0.323), abs=5e-4)


def test_a_table_of_rows_is_explained_by_rows_alone():
    """Were rows and columns exchanged anywhere, the two numbers would change places on a grid that is not square."""
    grid = (4, 7)
    row = torch.arange(4.0).repeat_interleave(7)
    found = structure(-(row.unsqueeze(1) - row).abs(), grid)
    assert found.row == pytest.approx(1)
    assert found.offset == pytest.approx(1)
    assert found.column < 0.2


def test_components_keep_their_sign_and_their_share():
    table = random_table(GRID, 32)
    found, turned = components(table), components(-table)
    assert torch.allclose(found.scores.abs(), turned.scores.abs(), atol=1e-4)
    for scores in (found.scores, turned.scores):
        assert torch.equal(scores.amax(0), scores.abs().amax(0)), "the largest absolute score is positive"
    plane = torch.outer(torch.arange(12.0), torch.randn(8))
    assert components(plane).explained.tolist() == pytest.approx([1, 0, 0], abs=1e-6)
    assert components(plane).rgb((3, 4))[..., 0].flatten().diff().unique().numel() <= 2, "one even ramp"


def test_a_wave_stands_at_its_own_frequency():
    down = torch.arange(8).repeat_interleave(12)
    wave = torch.cos(2 * math.pi * 2 * down / 8).unsqueeze(1)
    power = spectrum(wave, (8, 12))
    assert float(power.sum()) == pytest.approx(1)
    assert power[4 - 2, 6] == pytest.approx(0.5, abs=1e-5)
    assert power[4 + 2, 6] == pytest.approx(0.5, abs=1e-5)


def test_norms_are_laid_out_row_by_row():
    assert norms(torch.arange(6.0).unsqueeze(1), (2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_rotary_kernel_is_the_mean_of_q_dot_k_over_random_vectors():
    """Vectors with all power in one band: q·k of the rotated pair, measured, is that band of the kernel by offset."""
    grid, dim = (4, 6), 16
    waves = 100.0 ** -(torch.arange(4) / 4)
    row, column = torch.arange(4.0).repeat_interleave(6), torch.arange(6.0).repeat(4)
    angles = torch.cat([torch.outer(row, waves), torch.outer(column, waves)], dim=1).repeat_interleave(2, dim=1)
    embedding = torch.cat([angles.sin(), angles.cos()], dim=1)
    kernel = offset_kernel(rotary_affinity(embedding, grid, half=False).values, grid)

    def turned(vector: torch.Tensor, place: int) -> torch.Tensor:
        other = torch.stack([-vector[1::2], vector[::2]], -1).flatten()
        return vector * angles[place].cos() + other * angles[place].sin()

    for query, key in [(0, 23), (17, 3), (8, 8)]:
        (row_q, column_q), (row_k, column_k) = divmod(query, 6), divmod(key, 6)
        offset = (row_k - row_q + 3, column_k - column_q + 5)
        for band in range(8):
            vector = torch.zeros(dim)
            vector[2 * band : 2 * band + 2] = torch.nn.functional.normalize(torch.randn(2), dim=0)
            measured = turned(vector, query) @ turned(vector, key)
            assert kernel[1 + band][offset] == pytest.approx(float(measured), abs=1e-5)
        even = torch.nn.functional.normalize(torch.randn(8, 2), dim=1).flatten() / math.sqrt(8)
        assert kernel[0][offset] == pytest.approx(float(turned(even, query) @ turned(even, key)), abs=1e-5)


def test_only_a_function_of_the_offset_has_a_kernel():
    with pytest.raises(Refusal, match="more than their offset"):
        offset_kernel(cosine(random_table((3, 4), 8)).unsqueeze(0), (3, 4))


def test_measures_agree_with_one_another():
    table = random_table((3, 4), 8)
    unit = torch.nn.functional.normalize(table, dim=-1)
    assert torch.allclose(compared(unit, "dot"), compared(table, "cosine"), atol=1e-6)
    assert torch.allclose(compared(unit, "distance") ** 2, 2 - 2 * compared(unit, "dot"), atol=1e-5)
