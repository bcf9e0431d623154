"""Five kinds of knowing where, each held to a closed form or to the network's own arithmetic."""

from __future__ import annotations

import math

import pytest
import timm
import torch
from timm.layers import apply_rot_embed_cat
from torch import Tensor

from models.backbone import Affinity
from models.card import Card
from models.loading import open_network
from models.pixels import Pixels
from models.positions import distance_r2, offset_r2, rotary_affinity, table_affinity
from models.structure import random_table, sincos_table
from tests.conftest import HUB
from tests.models.architectures import HALF, SHOWN

ROTARY = ("DINOv3", "DINOv3 (transformers)", "EVA-02", "RoPE-ViT, axial", "Perception Encoder")
REAL = "vit_small_patch14_dinov2.lvd142m"


def positions_of(title: str) -> tuple[Affinity, ...]:
    return next(each for each in SHOWN if each.title == title).open().positions()


def test_a_table_is_shown_by_cosines_and_its_prefix_kept_apart() -> None:
    table = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    affinity = table_affinity(table[1:], (2, 3), prefix=table[:1])
    assert affinity.prefix is not None
    assert torch.equal(affinity.prefix, table[:1])
    expected = [[float(a @ b / a.norm() / b.norm()) for b in table[1:]] for a in table[1:]]
    torch.testing.assert_close(affinity.values[0], torch.tensor(expected))


def test_the_sin_cos_table_is_a_function_of_the_offset() -> None:
    """Its dot product is Σ cos(ω Δrow) + Σ cos(ω Δcolumn), half of the channels each, and its norm is constant."""
    table = sincos_table((14, 14), 768)
    affinity = table_affinity(table, (14, 14))
    frequencies = 10000 ** -(torch.arange(192, dtype=torch.float64) / 192)
    for down, right in ((0, 1), (3, 0), (5, 11)):
        expected = float((frequencies * down).cos().mean() + (frequencies * right).cos().mean()) / 2
        assert affinity.values[0, 0, down * 14 + right].item() == pytest.approx(expected, abs=1e-5)
    assert offset_r2(affinity.values[0], (14, 14)) == pytest.approx(1.000, abs=5e-4)
    assert distance_r2(affinity.values[0], (14, 14)) == pytest.approx(0.718, abs=5e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("turned", [0, 96])
def test_a_table_is_called_what_its_numbers_are(turned: int, dtype: torch.dtype) -> None:
    """MAE's encoder and I-JEPA bring their fixed table under timm's names, where others have learned one."""
    fixed = sincos_table((14, 14), 192).roll(turned, 1)
    assert table_affinity(fixed.to(dtype), (14, 14)).kind == "sin-cos table"
    learned = fixed + 0.05 * torch.randn(196, 192, generator=torch.Generator().manual_seed(0))
    assert table_affinity(learned, (14, 14)).kind == "learned table"
    assert table_affinity(learned, (14, 14), random=True).kind == "untrained table"
    assert table_affinity(fixed, (14, 14), random=True).kind == "sin-cos table", "a fixed table needs no training"


def test_a_random_table_knows_no_offset() -> None:
    values = table_affinity(random_table((14, 14), 768), (14, 14)).values[0]
    assert offset_r2(values, (14, 14)) == pytest.approx(0.01, abs=0.01)
    assert distance_r2(values, (14, 14)) < 0.001


@pytest.mark.parametrize("name", [REAL] if (HUB / f"models--timm--{REAL}").is_dir() else [])
def test_dinov2_learned_most_of_the_offset(name: str) -> None:
    network = timm.create_model(name, pretrained=True, dynamic_img_size=True)
    backbone = open_network(network, Card(name, "DINOv2", "DINOv2"), Pixels((518, 518), 14, 14, HALF, HALF))
    (affinity,) = backbone.positions()
    assert affinity.grid == (37, 37)
    assert affinity.prefix is not None
    assert affinity.prefix.shape == (1, 384)
    assert offset_r2(affinity.values[0], (37, 37)) == pytest.approx(0.881, abs=5e-4)
    assert distance_r2(affinity.values[0], (37, 37)) == pytest.approx(0.323, abs=5e-4)


def test_r2_is_what_least_squares_explains() -> None:
    grid = (3, 5)
    row, column = torch.arange(3).repeat_interleave(5), torch.arange(5).repeat(3)
    down, right = (row[:, None] - row).abs(), (column[:, None] - column).abs()
    values = torch.randn(15, 15, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    off = ~torch.eye(15, dtype=torch.bool)
    groups = torch.nn.functional.one_hot((down * 5 + right)[off]).double()
    line = torch.stack([torch.ones(int(off.sum())), (down**2 + right**2)[off].sqrt()], dim=1).double()
    for told, design in ((offset_r2, groups), (distance_r2, line)):
        fitted = design @ torch.linalg.lstsq(design, values[off][:, None], driver="gelsd").solution
        expected = 1 - (values[off] - fitted[:, 0]).square().sum() / (values[off] - values[off].mean()).square().sum()
        assert told(values, grid) == pytest.approx(float(expected), abs=1e-9)
    assert offset_r2(-torch.hypot(down.double(), right.double()), grid) == pytest.approx(1)
    assert distance_r2(-torch.hypot(down.double(), right.double()), grid) == pytest.approx(1)


@pytest.mark.parametrize("half", [False, True], ids=["neighbouring pairs", "halves"])
def test_the_rotary_kernel_is_measured_on_vectors(half: bool) -> None:
    """Equal vectors, spread evenly over bands or in one band alone, rotated by timm's own code."""
    angles = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    wide = angles.repeat(1, 2) if half else angles.repeat_interleave(2, dim=1)
    embedding = torch.cat([wide.sin(), wide.cos()], dim=-1)
    affinity = rotary_affinity(embedding, (3, 4), half)
    turn = torch.rand(4, generator=torch.Generator().manual_seed(1)) * 2 * math.pi
    places = (torch.arange(4), torch.arange(4) + 4) if half else (torch.arange(0, 8, 2), torch.arange(1, 8, 2))
    for head in range(5):
        vector = torch.zeros(8)
        chosen = torch.ones(4) / 2 if head == 0 else torch.eye(4)[head - 1]
        vector[places[0]], vector[places[1]] = chosen * turn.cos(), chosen * turn.sin()
        rotated = apply_rot_embed_cat(vector.expand(12, 8), embedding, half=half)
        torch.testing.assert_close(affinity.values[head], rotated @ rotated.T, rtol=0, atol=1e-6)


@pytest.mark.parametrize("title", ROTARY)
def test_rotary_networks_turn_by_the_offset_alone(title: str) -> None:
    affinity = next(each for each in positions_of(title) if each.kind == "rotary")
    assert affinity.bands is not None
    assert len(affinity.values) == 1 + len(affinity.bands)
    rows, columns = affinity.grid
    torch.testing.assert_close(
        affinity.values[:, torch.arange(16), torch.arange(16)], torch.ones(len(affinity.values), 16)
    )
    for down, right in ((0, 1), (1, 0), (2, 3)):
        expected = (affinity.bands @ torch.tensor([float(down), float(right)])).cos()
        torch.testing.assert_close(affinity.values[1:, 0, down * columns + right], expected, rtol=0, atol=1e-5)
        moved = affinity.values[:, columns + 0, (1 + down) * columns + right] if 1 + down < rows else None
        if moved is not None:
            torch.testing.assert_close(moved, affinity.values[:, 0, down * columns + right], rtol=0, atol=1e-5)
    torch.testing.assert_close(affinity.values[0], affinity.values[1:].mean(0), rtol=0, atol=1e-6)
    assert (affinity.bands == 0).any(1).all(), "axial bands turn with rows or with columns, never with both"


def test_mixed_frequencies_give_each_block_and_head_its_own_kernel() -> None:
    found = positions_of("RoPE-ViT, mixed")
    assert [(each.kind, each.block, tuple(each.values.shape)) for each in found] == [
        ("rotary", 0, (3, 16, 16)),
        ("rotary", 1, (3, 16, 16)),
    ]
    assert not torch.allclose(found[0].values[0], found[0].values[1], atol=1e-3)


@pytest.mark.parametrize(
    ("title", "kinds", "prefix"),
    [
        ("ViT, supervised", ["learned table"], 1),
        ("DeiT, distilled", ["learned table"], 2),
        ("DeiT III", ["learned table"], 0),
        ("DINOv2 with registers", ["learned table"], 0),
        ("SigLIP, image tower (timm)", ["learned table"], 0),
        ("EVA-02", ["learned table", "rotary"], 1),
        ("DINOv3", ["rotary"], 0),
        ("BEiT", ["relative bias"] * 2, 0),
        ("Swin", ["relative bias"] * 4, 0),
        ("SwinV2", ["continuous bias"] * 4, 0),
        ("DINOv2 with registers (transformers)", ["learned table"], 1),
        ("DeiT, distilled (transformers)", ["learned table"], 2),
        ("MAE", ["sin-cos table"], 1),
    ],
)
def test_each_network_names_its_kind(title: str, kinds: list[str], prefix: int) -> None:
    """Reading rows 1 onwards of any table would shift DINOv2 with registers and SigLIP by one patch."""
    found = positions_of(title)
    assert [each.kind for each in found] == kinds
    assert (0 if found[0].prefix is None else len(found[0].prefix)) == prefix
    for each in found:
        assert each.values.shape[1:] == (each.grid[0] * each.grid[1],) * 2
        assert each.scope == ("window" if "Swin" in title else "picture")


def bias_from_table(table: Tensor, window: tuple[int, int]) -> Tensor:
    """Longhand of the authors' index: (Δrow + rows - 1) · (2 · columns - 1) + Δcolumn + columns - 1."""
    rows, columns = window
    places = [(row, column) for row in range(rows) for column in range(columns)]
    index = [[(r - s + rows - 1) * (2 * columns - 1) + c - d + columns - 1 for s, d in places] for r, c in places]
    return table[torch.tensor(index)].permute(2, 0, 1)


@pytest.mark.parametrize("title", ["Swin", "Swin (transformers)", "SimMIM", "BEiT"])
def test_every_pair_reads_the_authors_entry_of_the_bias_table(title: str) -> None:
    """Query and key swapped would mirror every map of this view."""
    backbone = next(each for each in SHOWN if each.title == title).open()
    tables = [value for name, value in backbone.module.named_parameters() if name.endswith("position_bias_table")]
    found = backbone.positions()
    assert len(tables) == len(found)
    for affinity, table in zip(found, tables, strict=True):
        torch.testing.assert_close(affinity.values, bias_from_table(table.detach(), affinity.grid), rtol=0, atol=0)
