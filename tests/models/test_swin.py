"""Windows, shift, mask and padding lie where the authors' own code puts them; SimMIM's loss is the authors'."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F
from timm.models.swin_transformer import window_partition as timm_partition
from torch import Tensor
from transformers import SwinConfig, SwinForMaskedImageModeling, SwinModel
from transformers.models.swin.modeling_swin import window_partition as transformers_partition

from models.backbone import Backbone, Classifies, Parts, Reconstructs
from models.card import Card
from models.families import simmim, swin, window_encoder
from models.faults import Fault
from models.patches import patchify
from models.pixels import Pixels
from models.windows import window_members
from tests.models.architectures import HALF, SHOWN, Architecture

WINDOWED = [pytest.param(each, id=each.title) for each in SHOWN if "Swin" in each.title or each.title == "SimMIM"]
GRIDS = [((8, 8), (4, 4), (2, 2)), ((8, 8), (4, 4), (0, 0)), ((7, 10), (4, 4), (2, 2)), ((5, 3), (4, 3), (2, 1))]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(3, *shape, generator=torch.Generator().manual_seed(seed))


def parts(network: Any, size: int = 64) -> Parts:
    return Parts(network, Card("test/swin", "Swin", "Swin", random=True), Pixels((size, size), 4, 8, HALF, HALF))


@pytest.mark.parametrize(("grid", "window", "shift"), GRIDS)
def test_members_follow_timms_roll_pad_and_partition(grid: Any, window: Any, shift: Any) -> None:
    """Each token carries its index plus one, so that padding is nought, through timm's own steps."""
    index = torch.arange(1, grid[0] * grid[1] + 1).view(1, *grid, 1)
    rolled = torch.roll(index, (-shift[0], -shift[1]), (1, 2))
    padded = F.pad(rolled, (0, 0, 0, -grid[1] % window[1], 0, -grid[0] % window[0]))
    expected = timm_partition(padded, window).flatten(1) - 1
    assert torch.equal(window_members(grid, window, shift), expected)


@pytest.mark.parametrize(("grid", "window", "shift"), [case for case in GRIDS if case[1] == (4, 4)])
def test_members_follow_transformers_pad_roll_and_partition(grid: Any, window: Any, shift: Any) -> None:
    index = torch.arange(1, grid[0] * grid[1] + 1).view(1, *grid, 1)
    padded = F.pad(index, (0, 0, 0, -grid[1] % window[1], 0, -grid[0] % window[0]))
    rolled = torch.roll(padded, (-shift[0], -shift[1]), (1, 2))
    expected = transformers_partition(rolled, window[0]).flatten(1) - 1
    assert torch.equal(window_members(grid, window, shift, padding="before"), expected)


@pytest.mark.parametrize("architecture", WINDOWED)
@pytest.mark.parametrize("shape", [(64, 64), (48, 80)])
def test_a_changed_patch_is_noticed_within_its_window_alone(architecture: Architecture, shape: tuple[int, int]) -> None:
    """Not by index but by cause: paint over one patch and see whose output of the first two blocks changes.

    What the second block sees of it comes through the first block's window, and the shift mask keeps apart what the
    roll brought together; a token outside that reach must not change by a single bit.
    """
    backbone = architecture.open()
    pixels, patch = noise(*shape), 4
    columns = shape[1] // patch
    for token in (0, columns + 2, (shape[0] // patch) * columns - 1):
        row, column = divmod(token, columns)
        painted = pixels.clone()
        painted[:, row * patch : (row + 1) * patch, column * patch : (column + 1) * patch] += 1
        plain, changed = backbone.trace(pixels)[:2], backbone.trace(painted)[:2]
        reached = plain[0].window_of(token)
        assert torch.equal((plain[0].tokens != changed[0].tokens).any(-1), reached)
        sees = torch.stack([(plain[1].attention_from(other) > 1e-20).any(0) for other in range(plain[1].length)])
        allowed = (sees & reached).any(1) | reached
        assert torch.equal((plain[1].tokens != changed[1].tokens).any(-1), allowed)


@pytest.mark.parametrize("architecture", WINDOWED)
def test_every_second_block_is_shifted(architecture: Architecture) -> None:
    first, second, *_ = architecture.open().trace(noise(64, 64))
    assert first.members[0].tolist() == [row * 16 + column for row in range(4) for column in range(4)]
    assert second.members[0].tolist() == [row * 16 + column for row in range(2, 6) for column in range(2, 6)]
    assert second.members[-1].tolist() == [
        row % 16 * 16 + column % 16 for row in range(14, 18) for column in range(14, 18)
    ]


@pytest.mark.parametrize("title", ["SwinV2", "SwinV2 (transformers)"])
def test_the_continuous_bias_is_what_the_logits_hold_beside_the_cosine(title: str) -> None:
    """In a picture of one colour all tokens are equal, so is every cosine, and logits differ by the bias alone."""
    backbone = next(each for each in SHOWN if each.title == title).open()
    layer, affinity = backbone.trace(torch.zeros(3, 64, 64))[0], backbone.positions()[0]
    assert layer.logits is not None
    cosines = layer.logits[0] - affinity.values
    torch.testing.assert_close(cosines, cosines[:, :1, :1].expand_as(cosines), rtol=0, atol=1e-4)
    assert affinity.values.std() > 0.1
    assert affinity.values.min() >= 0
    assert affinity.values.max() <= 16


def test_other_sizes_change_nothing_on_a_shared_network() -> None:
    """Two viewers at once, each with a shape of their own, see what each would see alone."""
    for title in ("Swin", "Swin (transformers)"):
        backbone = next(each for each in SHOWN if each.title == title).open()
        shapes = [(64, 64), (32, 32), (48, 80)]
        alone = {shape: backbone.trace(noise(*shape))[-1].tokens for shape in shapes}
        together: dict[tuple[int, int], list[Tensor]] = {shape: [] for shape in shapes}
        threads = [threading.Thread(target=look, args=(backbone, shape, together[shape])) for shape in shapes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for shape in shapes:
            assert len(together[shape]) == 5
            assert all(torch.equal(tokens, alone[shape]) for tokens in together[shape])


def look(backbone: Backbone, shape: tuple[int, int], found: list[Tensor]) -> None:
    for _ in range(5):
        found.append(backbone.trace(noise(*shape))[-1].tokens)
        if isinstance(backbone, Classifies):
            backbone.class_logits(noise(*shape)[None])


def test_a_small_picture_does_not_spoil_the_next() -> None:
    """transformers' block drops its shift for good once a picture is no larger than its window."""
    config = SwinConfig(image_size=64, embed_dim=24, depths=[2, 2], num_heads=[2, 4], window_size=4)
    torch.manual_seed(0)
    network = SwinModel(config)
    backbone = window_encoder.FAMILY.opens(parts(network))
    first = backbone.trace(noise(64, 64))
    assert backbone.trace(noise(32, 32))[-1].windows == 1
    again = backbone.trace(noise(64, 64))
    assert torch.equal(again[-1].members, first[-1].members)
    assert torch.equal(again[-1].tokens, first[-1].tokens)
    assert again[-1].members[0, 0] != 0, "the last block is a shifted one"


@pytest.mark.parametrize(
    ("title", "shape", "told"),
    [
        ("Swin", (62, 64), "multiples"),
        ("Swin (transformers)", (30, 32), "multiples"),
        ("SimMIM", (16, 64), "one window"),
    ],
)
def test_a_shape_that_cannot_be_fed_is_a_fault(title: str, shape: tuple[int, int], told: str) -> None:
    backbone = next(each for each in SHOWN if each.title == title).open()
    with pytest.raises(Fault, match=told):
        backbone.trace(noise(*shape))


def test_a_network_of_one_size_says_so() -> None:
    network = timm.create_model("swin_tiny_patch4_window7_224", img_size=64, window_size=4, embed_dim=24, depths=(2, 2),
                                num_heads=(2, 4))  # fmt: skip
    with pytest.raises(Fault, match="takes 64 × 64 only"):
        swin.FAMILY.opens(parts(network)).trace(noise(64, 96))


def test_class_logits_are_the_networks_and_grow_gradients() -> None:
    for title in ("Swin", "SwinV2", "Swin (transformers)"):
        backbone = next(each for each in SHOWN if each.title == title).open()
        assert isinstance(backbone, Classifies)
        pixels = noise(64, 64)[None].requires_grad_()
        logits = backbone.class_logits(pixels)
        answer = backbone.module(pixels)
        torch.testing.assert_close(logits, getattr(answer, "logits", answer), rtol=0, atol=0)
        logits[0, 0].backward()
        assert pixels.grad is not None
        assert pixels.grad.any()


def painter(stride: int = 32) -> SwinForMaskedImageModeling:
    """SimMIM's own proportions: 192 pixels, patches of 4, four stages, 32 pixels to a decoded square."""
    torch.manual_seed(0)
    config = SwinConfig(
        image_size=192, embed_dim=12, depths=[1, 1, 2, 1], num_heads=[1, 2, 3, 4], window_size=6, encoder_stride=stride
    )
    return SwinForMaskedImageModeling(config).eval()


def test_simmims_loss_is_transformers_own() -> None:
    network, pixels = painter(), noise(192, 192)
    backbone = simmim.FAMILY.opens(parts(network, 192))
    assert isinstance(backbone, Reconstructs)
    for seed in range(3):
        mask = (torch.rand(6, 6, generator=torch.Generator().manual_seed(seed)) < 0.6).int()
        found = backbone.reconstruct(pixels, mask)
        hidden = mask.bool().repeat_interleave(8, 0).repeat_interleave(8, 1).flatten()[None]
        with torch.no_grad():
            own = painter()(pixels[None], bool_masked_pos=hidden)
        assert found.loss == pytest.approx(float(own.loss), abs=1e-5)
        torch.testing.assert_close(found.prediction, patchify(own.reconstruction[0], 32), rtol=0, atol=1e-5)
        torch.testing.assert_close(found.target, patchify(pixels, 32))
        assert torch.equal(found.mask, mask)
        assert not found.normalised
        mean = found.error[mask.bool()].mean()
        assert float(mean) == pytest.approx(found.loss, abs=1e-5), "the error's mean over hidden squares is the loss"


def test_hidden_squares_are_not_seen() -> None:
    """What stands in a hidden square may not change what is painted there."""
    backbone = simmim.FAMILY.opens(parts(painter(), 192))
    assert isinstance(backbone, Reconstructs)
    mask = torch.zeros(6, 6, dtype=torch.int)
    mask[2, 3] = 1
    pixels = noise(192, 192)
    other = pixels.clone()
    other[:, 64:96, 96:128] = 7.0
    one, two = backbone.reconstruct(pixels, mask), backbone.reconstruct(other, mask)
    assert torch.equal(one.prediction, two.prediction)
    assert not torch.equal(one.target[2, 3], two.target[2, 3])


@pytest.mark.parametrize(
    ("shape", "mask", "told"),
    [((192, 192), (48, 48), "hides squares of 32"), ((192, 256), (6, 8), "192 × 192 only")],
)
def test_a_mask_or_picture_of_another_shape_is_a_fault(
    shape: tuple[int, int], mask: tuple[int, int], told: str
) -> None:
    backbone = simmim.FAMILY.opens(parts(painter(), 192))
    assert isinstance(backbone, Reconstructs)
    with pytest.raises(Fault, match=told):
        backbone.reconstruct(noise(*shape), torch.zeros(mask, dtype=torch.int))
