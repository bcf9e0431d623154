"""Batched augmentation equals torchvision's picture by picture, and every picture has its own draw."""

from __future__ import annotations

import torch
from torchvision.transforms.v2 import functional as one

from training import augment
from training.augment import Look


def pictures(count: int = 4, side: int = 24) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_jitter_equals_torchvision_for_each_picture() -> None:
    images = pictures()
    factors = torch.tensor([0.5, 0.9, 1.0, 1.5])
    none = torch.ones(4)
    for place, function in enumerate((one.adjust_brightness, one.adjust_contrast, one.adjust_saturation)):
        b, c, s = (factors if place == here else none for here in range(3))
        expected = torch.stack([function(i, f) for i, f in zip(images, factors.tolist(), strict=True)])
        torch.testing.assert_close(augment.jitter(images, b, c, s, torch.zeros(4)), expected, rtol=1e-5, atol=2e-6)


def test_hue_keeps_luma_and_comes_back_after_a_whole_turn() -> None:
    images = pictures() * 0.2 + 0.4
    none = torch.ones(4)
    turned = augment.jitter(images, none, none, none, torch.full((4,), 0.05))
    assert (turned - images).abs().max() > 0.01
    torch.testing.assert_close(augment.luma(turned), augment.luma(images), rtol=0, atol=2e-3)
    torch.testing.assert_close(augment.jitter(images, none, none, none, none), images, rtol=0, atol=1e-5)


def test_blur_and_solarise_equal_torchvision() -> None:
    images = pictures()
    sigma = torch.tensor([0.3, 0.6, 1.0, 1.4])
    reach = 2 * 5 + 1
    expected = torch.stack(
        [one.gaussian_blur(i, [reach, reach], [s, s]) for i, s in zip(images, sigma.tolist(), strict=True)]
    )
    torch.testing.assert_close(augment.blur(images, sigma), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(augment.solarise(images), one.solarize(images, 0.5))


def test_a_whole_crop_is_the_picture_or_its_mirror() -> None:
    images = pictures(16)
    torch.manual_seed(0)
    same = augment.crops(images, 24, scale=(1, 1))
    for crop, image in zip(same, images, strict=True):
        assert min((crop - image).abs().max(), (crop - image.flip(-1)).abs().max()) < 1e-5


def test_crops_keep_the_share_of_area_that_was_asked() -> None:
    """A picture whose red is its column and whose green is its row: a crop's ranges are its width and height."""
    ramp = torch.linspace(0, 1, 64).expand(64, 64)
    images = torch.stack([ramp, ramp.T, ramp]).expand(500, 3, 64, 64)
    torch.manual_seed(0)
    seen = augment.crops(images, 32, scale=(0.25, 0.25), flip=False)[:, :2].flatten(2)
    width, height = ((seen.amax(2) - seen.amin(2)) / (31 / 32 * 64 / 63)).unbind(1)
    torch.testing.assert_close((width * height).mean(), torch.tensor(0.25), rtol=0.02, atol=0)
    assert (width / height).amax() < 1.02 * augment.WIDEST
    assert (width / height).amin() < 0.98 < 1.02 < (width / height).amax()


def test_pictures_of_a_batch_get_different_draws() -> None:
    images = pictures(1).expand(8, -1, -1, -1)
    torch.manual_seed(0)
    changed = augment.recolour(augment.crops(images, 24, scale=(0.2, 0.6)), Look(jitter=1.0))
    assert torch.pdist(changed.flatten(1)).min() > 0.1
    assert 0 <= changed.min() <= changed.max() <= 1
