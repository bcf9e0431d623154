"""Masks: exact for every count, nested, the same on the page; what they hide stays hidden."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import ViTMAEConfig, ViTMAEForPreTraining

from models import masking
from models.backbone import Parts
from models.card import Card
from models.families import mae
from models.families.mae import Autoencoder
from models.faults import Fault
from models.pixels import Pixels

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS: tuple[masking.Kind, ...] = ("random", "block", "grid")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grid", [(14, 14), (8, 12), (3, 5), (1, 2)])
def test_every_count_is_exact_and_masks_are_nested(kind: masking.Kind, grid: tuple[int, int]) -> None:
    before = torch.zeros(grid, dtype=torch.int)
    for hidden in range(1, grid[0] * grid[1] + 1):
        mask = masking.mask_of(kind, grid, hidden, seed=7)
        assert int(mask.sum()) == hidden
        assert bool((mask >= before).all()), "a larger mask uncovered something"
        before = mask


def test_seeds_differ_and_repeat() -> None:
    for kind in KINDS:
        orders = [tuple(masking.order(kind, (14, 14), seed)) for seed in range(20)]
        assert len(set(orders)) == (1 if kind == "grid" else 20)
        assert orders[3] == tuple(masking.order(kind, (14, 14), 3))


def test_no_place_is_hidden_oftener_than_another() -> None:
    """Over seeds, a biased generator or shuffle would show: 2000 masks of half of 16 patches, 5 deviations."""
    times = sum(masking.mask_of("random", (4, 4), 8, seed) for seed in range(2000))
    assert isinstance(times, Tensor)
    assert float((times - 1000).abs().max()) < 5 * (2000 * 0.25) ** 0.5


def test_blocks_are_blocks() -> None:
    """Half hidden in blocks has far fewer edges than half hidden at random."""

    def edges(kind: masking.Kind) -> int:
        masks = [masking.mask_of(kind, (14, 14), 98, seed) for seed in range(10)]
        return sum(int(mask.diff(dim=axis).abs().sum()) for mask in masks for axis in (0, 1))

    assert edges("block") < 0.5 * edges("random")


def test_three_quarters_of_a_grid_leave_one_of_each_four() -> None:
    mask = masking.mask_of("grid", (14, 14), 147)
    assert (mask.unfold(0, 2, 2).unfold(1, 2, 2).sum((-1, -2)) == 3).all()


def test_the_page_makes_the_same_masks(tmp_path: Path, node: Callable[..., Any]) -> None:
    """`mask_orders.js` run by a JavaScript engine against Python: orders of all kinds, several grids and seeds."""
    cases: list[tuple[masking.Kind, masking.Grid, int]] = [
        (kind, grid, seed) for kind in KINDS for grid in ((14, 14), (9, 5), (1, 4)) for seed in (0, 1, 999999)
    ]
    script = tmp_path / "orders.mjs"
    source = (ROOT / "assets" / "stage" / "mask_orders.js").read_text(encoding="utf-8")
    asked = json.dumps([[kind, list(grid), seed] for kind, grid, seed in cases])
    script.write_text(f"{source}\nconsole.log(JSON.stringify({asked}.map((one) => order(...one))));", encoding="utf-8")
    assert node(script) == [masking.order(*case) for case in cases]


@pytest.mark.parametrize(("ratio", "hidden"), [(0.75, 147), (0.05, 10), (0.0, 1), (1.0, 195), (0.5, 98)])
def test_a_ratio_hides_the_nearest_count_but_never_all_or_nothing(ratio: float, hidden: int) -> None:
    assert masking.hidden_count(ratio, 196) == hidden


def test_a_painted_shape_shrinks_to_its_core_and_grows_around_its_edge() -> None:
    """A disc: as many as were painted are the painted ones, fewer lie deepest inside, more lie nearest outside."""
    rows, columns = torch.meshgrid(torch.arange(14), torch.arange(14), indexing="ij")
    apart = ((rows - 6).square() + (columns - 7).square()).float().sqrt()
    disc = (apart <= 4).int()
    painted = int(disc.sum())
    for seed in (0, 5):
        assert torch.equal(masking.mask_of("painted", (14, 14), painted, seed, disc), disc)
        core = masking.mask_of("painted", (14, 14), 9, seed, disc).bool()
        assert float(apart[core].max()) <= 2
        ring = masking.mask_of("painted", (14, 14), painted + 20, seed, disc).bool() & ~disc.bool()
        assert float(apart[ring].max()) <= 6
        assert sorted(masking.order("painted", (14, 14), seed, disc)) == list(range(196))
    assert masking.order("painted", (14, 14), 0, disc) != masking.order("painted", (14, 14), 5, disc)


def test_masks_are_written_and_read() -> None:
    mask = masking.mask_of("random", (3, 5), 7)
    assert torch.equal(masking.read(masking.written(mask)), mask)
    assert masking.read("01\n10").tolist() == [[0, 1], [1, 0]]
    for wrong in ("", "012", "01/0", "ab", "/"):
        with pytest.raises(Fault, match="rows of 0 and 1"):
            masking.read(wrong)


def test_a_mask_keeps_its_place_on_another_grid() -> None:
    coarse = masking.mask_of("random", (6, 6), 13)
    fine = masking.refitted(coarse, (12, 24))
    assert fine.shape == (12, 24)
    assert torch.equal(masking.refitted(fine, (6, 6)), coarse)
    fine[0, 0] = 1 - fine[0, 0]
    for mask, grid in ((fine, (6, 6)), (coarse, (8, 8))):
        with pytest.raises(Fault, match="edges"):
            masking.refitted(mask, grid)


@pytest.fixture(scope="module")
def fourteen() -> Autoencoder:
    """14 × 14 patches, as ViT-MAE has them, each of 4 pixels, so that all 196 counts run in seconds."""
    torch.manual_seed(0)
    config = ViTMAEConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=56, patch_size=4,
        decoder_hidden_size=16, decoder_num_attention_heads=2, decoder_num_hidden_layers=1,
        decoder_intermediate_size=16,
    )  # fmt: skip
    pixels = Pixels((56, 56), 4, 4, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    backbone = mae.FAMILY.opens(Parts(ViTMAEForPreTraining(config), Card("t/m", "m", "MAE", random=True), pixels))
    assert isinstance(backbone, Autoencoder)
    return backbone


def test_all_196_counts_of_painted_patches_are_hidden_exactly(fourteen: Autoencoder) -> None:
    """Not only the mask that is returned: pixels under it change nothing, pixels beside it do."""
    pixels, noise = torch.rand(3, 56, 56), torch.rand(3, 56, 56)
    for hidden in range(1, 196):
        mask = masking.mask_of("random", (14, 14), hidden, seed=hidden)
        under = mask.bool().repeat_interleave(4, 0).repeat_interleave(4, 1)
        found = fourteen.reconstruct(pixels, mask)
        assert torch.equal(found.mask, mask)
        changed = fourteen.reconstruct(torch.where(under, noise, pixels), mask)
        assert torch.equal(found.prediction, changed.prediction), hidden
        beside = int((~mask.bool()).flatten().nonzero()[0])
        row, column = divmod(beside, 14)
        touched = pixels.clone()
        touched[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 1
        assert not torch.equal(found.prediction, fourteen.reconstruct(touched, mask).prediction), hidden
    for hidden in (0, 196):
        with pytest.raises(Fault, match=f"hides {hidden} of 196"):
            fourteen.reconstruct(pixels, masking.mask_of("random", (14, 14), hidden))


def test_a_batch_of_masks_is_one_by_one(fourteen: Autoencoder) -> None:
    pixels = torch.rand(3, 56, 56)
    masks = torch.stack([masking.mask_of("random", (14, 14), 150, seed) for seed in range(5)])
    for mask, together in zip(masks, fourteen.reconstruct_each(pixels, masks), strict=True):
        alone = fourteen.reconstruct(pixels, mask)
        torch.testing.assert_close(together.prediction, alone.prediction, atol=1e-6, rtol=0)
        assert together.loss == pytest.approx(alone.loss, abs=1e-6)
        assert torch.equal(together.mask, mask)
    masks[0, 0, 0] = 1 - masks[0, 0, 0]
    with pytest.raises(Fault, match="for one batch"):
        fourteen.reconstruct_each(pixels, masks)


def test_masked_attention_is_the_networks_own(fourteen: Autoencoder) -> None:
    """Encoder rows live on visible patches only; decoder rows are those of transformers' own eager pass."""
    import copy

    pixels, mask = torch.rand(3, 56, 56), masking.mask_of("random", (14, 14), 150, 3)
    encoder, decoder = fourteen.trace_masked(pixels, mask)
    twin = copy.deepcopy(fourteen.network).eval()
    assert isinstance(twin, ViTMAEForPreTraining)
    twin.set_attn_implementation("eager")
    twin.config.mask_ratio = (150 - 0.5) / 196
    with torch.no_grad():
        own = twin(pixels[None], noise=_noise(mask), output_attentions=True)
    visible = (1 - mask).bool().flatten()
    first = int(visible.nonzero()[0])
    row = encoder[0].attention_from(1 + first)
    assert not row[:, 1:][:, ~visible].any()
    kept = torch.cat([torch.tensor([0]), 1 + visible.nonzero()[:, 0]])
    torch.testing.assert_close(row[:, kept], own.attentions[0][0, :, 1], atol=1e-5, rtol=0)
    hidden = 1 + int((~visible).nonzero()[0])
    painted = _decoder_rows(twin, pixels, mask)[0, :, hidden]
    torch.testing.assert_close(decoder[0].attention_from(hidden), painted, atol=1e-5, rtol=0)


def _noise(mask: Tensor) -> Tensor:
    """Ascending within visible and within hidden patches, so that transformers keeps reading order too."""
    return (mask.flatten() * 1000 + torch.arange(mask.numel())).float()[None]


def _decoder_rows(twin: ViTMAEForPreTraining, pixels: Tensor, mask: Tensor) -> Tensor:
    """The first decoder block's attention, caught where transformers' eager code multiplies it with its values."""
    found: list[Tensor] = []

    def keep(*seen: Any) -> None:
        found.extend(part for part in seen[2] if isinstance(part, Tensor) and part.ndim == 4)

    for part in twin.decoder.modules():
        if hasattr(part, "config"):
            part.config._attn_implementation = "eager"  # pyright: ignore
    handles = [part.register_forward_hook(keep) for part in twin.decoder.decoder_layers[0].modules()]
    with torch.no_grad():
        twin(pixels[None], noise=_noise(mask))
    for handle in handles:
        handle.remove()
    return found[0]
