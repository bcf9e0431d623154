"""Baselines, errors, pasting, doubt and memory against longhand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from models.backbone import Reconstruction
from models.baselines import mean_of_visible, nearest_visible
from models.coverage import masks_of
from models.doubt import Doubt
from models.faults import Fault
from models.fidelity import coloured, pasted, patch_error, psnr, shown
from models.masking import mask_of
from models.memory import peak_bytes
from models.patches import patchify, statistics, unpatchify
from models.pixels import Pixels

GRID, SIDE = (3, 4), 2
PIXELS = Pixels((6, 8), SIDE, SIDE, (0.5, 0.4, 0.3), (0.2, 0.3, 0.25))


def picture() -> torch.Tensor:
    return torch.randn(3, 6, 8, generator=torch.Generator().manual_seed(0))


def test_the_nearest_visible_patch_is_found_by_longhand() -> None:
    patches = patchify(picture(), SIDE)
    for seed in range(10):
        mask = mask_of("random", GRID, 9, seed)
        found = nearest_visible(patches, mask)
        visible = [(row, column) for row in range(3) for column in range(4) if not mask[row, column]]
        for row in range(3):
            for column in range(4):
                near = min(visible, key=lambda place: (place[0] - row) ** 2 + (place[1] - column) ** 2)
                assert torch.equal(found[row, column], patches[near])


def test_the_mean_colour_is_of_visible_pixels_alone() -> None:
    pixels, mask = picture(), mask_of("random", GRID, 5, 1)
    hidden = mask.bool().repeat_interleave(SIDE, 0).repeat_interleave(SIDE, 1)
    found = unpatchify(mean_of_visible(patchify(pixels, SIDE), mask), SIDE)
    for channel in range(3):
        expected = pixels[channel][~hidden].mean()
        torch.testing.assert_close(found[channel], expected.expand(6, 8), atol=1e-6, rtol=0)
    pixels[:, hidden] = 99
    torch.testing.assert_close(unpatchify(mean_of_visible(patchify(pixels, SIDE), mask), SIDE), found)


def test_visible_patches_are_pasted_bit_for_bit() -> None:
    draw = torch.Generator().manual_seed(1)
    image, other = (torch.randint(0, 256, (6, 8, 3), dtype=torch.uint8, generator=draw) for _ in range(2))
    for hidden in range(1, 12):
        mask = mask_of("random", GRID, hidden, hidden)
        inside = mask.bool().repeat_interleave(SIDE, 0).repeat_interleave(SIDE, 1)
        joined = pasted(image, other, mask)
        assert torch.equal(joined[~inside], image[~inside])
        assert torch.equal(joined[inside], other[inside])


def test_psnr_of_a_known_difference() -> None:
    one, mask = torch.full((3, 6, 8), 0.5), mask_of("random", GRID, 6)
    error = patch_error(one, one + 0.1, GRID)
    assert psnr(error, mask) == pytest.approx(20.0, abs=1e-3)
    assert psnr(torch.zeros(GRID), mask) == math.inf


def normalised(mask: torch.Tensor) -> tuple[torch.Tensor, Reconstruction]:
    pixels = picture()
    patches = patchify(pixels, SIDE)
    mean, deviation = statistics(patches)
    target = (patches - mean) / deviation
    return pixels, Reconstruction(mask, target, target, torch.zeros(GRID), 0.0, True)


def test_true_statistics_give_the_answer_back_and_own_ones_do_not_know_it() -> None:
    mask = mask_of("random", GRID, 6)
    pixels, perfect = normalised(mask)
    torch.testing.assert_close(coloured(perfect, pixels, "true"), pixels, atol=1e-5, rtol=0)
    own = coloured(perfect, pixels, "own")
    hidden = mask.bool().repeat_interleave(SIDE, 0).repeat_interleave(SIDE, 1)
    changed = pixels.clone()
    changed[:, hidden] += 5
    torch.testing.assert_close(coloured(perfect, changed, "own"), own)
    assert not torch.allclose(own, pixels, atol=0.1)


def test_doubt_is_the_mean_and_deviation_of_what_was_painted_when_hidden() -> None:
    pixels, masks = picture(), masks_of(GRID, 6, 8, seed=2)
    sums, painted = Doubt(GRID, (6, 8)), []
    for index, mask in enumerate(masks):
        prediction = torch.randn(*GRID, 12, generator=torch.Generator().manual_seed(index))
        found = Reconstruction(mask, prediction, prediction, torch.zeros(GRID), 0.0, False)
        sums.add(found, pixels, PIXELS)
        colours = shown(PIXELS, unpatchify(prediction, SIDE))
        inside = mask.bool().repeat_interleave(SIDE, 0).repeat_interleave(SIDE, 1)
        painted.append(torch.where(inside, colours, torch.nan))
    values = torch.stack(painted).double()
    torch.testing.assert_close(sums.mean.double(), values.nanmean(0), atol=1e-6, rtol=0)
    spread = (values - values.nanmean(0)).square().nansum(0) / ((~values.isnan()).sum(0) - 1)
    torch.testing.assert_close(sums.deviation.double(), spread.sqrt(), atol=1e-5, rtol=0)
    assert int(sums.times.min()) >= 2
    with pytest.raises(Fault, match="less than twice"):
        masks_of(GRID, 2, 8)


def test_peak_memory_is_what_lives_at_once() -> None:
    assert peak_bytes(lambda: [torch.zeros(1000), torch.zeros(500)]) == 6000
    assert peak_bytes(lambda: [torch.zeros(1000).sum() for _ in range(5)]) == 4000 + 5 * 4
    network = nn.Sequential(nn.Linear(8, 1000), nn.GELU(), nn.Linear(1000, 8))
    one, many = (peak_bytes(lambda n=count: network(torch.zeros(n, 8))) for count in (1, 16))
    assert many == 16 * one
    kept = torch.zeros(1000)
    assert peak_bytes(lambda: kept.add_(1)) == 0
