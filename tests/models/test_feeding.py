"""A picture is fed as the network's authors feed it: held against timm's own transform and transformers' own
processors, on pictures that are wide, tall, square and smaller than the input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import transformers
from PIL import Image, ImageOps
from timm.data import create_transform, resolve_data_config
from timm.layers import HybridEmbed
from timm.models import PretrainedCfg, get_pretrained_cfg
from timm.models._hub import save_for_hf
from torch import Tensor

import models
from models.card import Card
from models.card_catalogue import catalogue
from models.create import create
from models.doctor import diagnose
from models.faults import Fault
from models.feeding import Recipe, framed
from models.pixels import Pixels
from models.sources.processor import fed
from models.sources.timm import options, pixels
from models.weights import save

PICTURES = Path("assets/pictures")
HALF = (0.5, 0.5, 0.5)
SIZES = ((451, 300), (301, 640), (512, 512), (90, 61))
"""(width, height)"""

CURATED = sorted({card.family: card.id[5:] for card in catalogue() if card.id.startswith("timm/")}.values())
"""One name of timm for each family of the catalogue."""

OTHERS = (
    "vit_base_patch16_siglip_224.v2_webli",  # squashed
    "vit_base_patch16_sapiens2.fb",  # squashed to a shape that is no square
    "deit3_small_patch16_384.fb_in1k",  # no crop
)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    photograph = Image.open(PICTURES / "cat.jpg").convert("RGB")
    return [photograph.resize(size) for size in SIZES]


def off(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max())


@pytest.mark.parametrize("name", [*CURATED, *OTHERS])
def test_timms_own_transform(name: str, pictures: list[Image.Image]) -> None:
    published = get_pretrained_cfg(name)
    assert published is not None
    with torch.device("meta"):
        own = pixels(timm.create_model(name, pretrained=False, **options(name)), published)
    data = resolve_data_config({}, pretrained_cfg=published.to_dict())
    transform: Any = create_transform(**data, is_training=False)
    for picture in pictures:
        assert off(own(picture, None, "trained"), transform(picture)) < 1e-5


def test_a_border_is_timms(pictures: list[Image.Image]) -> None:
    own = Pixels((224, 224), 16, 16, HALF, HALF, recipe=Recipe("longer", border=(128 / 255,) * 3))
    transform: Any = create_transform(
        (3, 224, 224), interpolation="bicubic", mean=HALF, std=HALF, crop_pct=1, crop_mode="border"
    )
    for picture in pictures:
        assert off(own(picture, None, "trained"), transform(picture)) < 1e-5


def test_a_recipe_is_scaled_as_timm_scales_it(pictures: list[Image.Image]) -> None:
    own = Pixels((224, 224), 16, 16, HALF, HALF, recipe=Recipe(crop=0.9))
    transform: Any = create_transform((3, 320, 320), interpolation="bicubic", mean=HALF, std=HALF, crop_pct=0.9)
    for picture in pictures:
        assert off(own(picture, 320, "trained"), transform(picture)) < 1e-5


PROCESSORS: dict[str, Any] = {
    "CLIP": transformers.CLIPImageProcessor(),
    "CLIP, larger than its crop": transformers.CLIPImageProcessor(size={"shortest_edge": 256}),
    "CLIP, smaller than its crop": transformers.CLIPImageProcessor(size={"shortest_edge": 200}),
    "SigLIP": transformers.SiglipImageProcessor(),
    "SigLIP 2": transformers.Siglip2ImageProcessor(),
    "MAE": transformers.ViTImageProcessor(),
    "DINOv2": transformers.BitImageProcessor(size={"shortest_edge": 256}),
    "DINOv3": transformers.DINOv3ViTImageProcessor(),
    "DeiT": transformers.DeiTImageProcessor(),
    "BEiT": transformers.BeitImageProcessor(),
    "Lanczos": transformers.ViTImageProcessor(resample=1),
    "nearest": transformers.ViTImageProcessor(resample=0),
    "not normalised": transformers.ViTImageProcessor(do_normalize=False),
    "not rescaled": transformers.ViTImageProcessor(
        do_rescale=False, image_mean=[120, 110, 100], image_std=[60, 50, 55]
    ),
    "rescaled to −1 … 1": transformers.ViTImageProcessor(rescale_factor=1 / 127.5, image_mean=1, image_std=1),
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_transformers_own_processor(name: str, pictures: list[Image.Image], tmp_path: Path) -> None:
    processor = PROCESSORS[name]
    processor.save_pretrained(tmp_path)
    told = fed(tmp_path, (224, 224), 16)
    mean, std = (values * (3 // len(values)) for values in (told.mean, told.std))
    own = Pixels((224, 224), 16, 16, mean, std, told.interpolation, recipe=told.recipe)
    for picture in pictures:
        theirs = processor(picture, return_tensors="pt")["pixel_values"][0]
        ours = own(picture, None, "trained")
        if theirs.ndim == 2:  # patches in a row, padded to as many as there may be
            rows, columns = own.grid((ours.shape[1], ours.shape[2]))
            theirs = theirs[: rows * columns].view(rows, columns, 16, 16, 3).permute(4, 0, 2, 1, 3).reshape(ours.shape)
        assert off(ours, theirs) < 1e-5


@pytest.mark.parametrize(
    "changed",
    [{"do_resize": False}, {"do_pad": True}, {"size": {"shortest_edge": 224, "longest_edge": 300}}],
    ids=["in its own size", "padded", "two edges"],
)
def test_what_is_not_done_is_refused(changed: dict[str, Any], tmp_path: Path) -> None:
    transformers.ViTImageProcessor(**changed).save_pretrained(tmp_path)
    with pytest.raises(Fault, match="which is not done here"):
        fed(tmp_path, (224, 224), 16)


def test_a_size_that_is_not_stated_is_the_networks(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit_mae"}))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}))
    assert fed(tmp_path, (32, 32), 8).recipe == Recipe("both", by="bytes"), "the class's 224 is of no network of 32"


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_is_fed_and_four_channels_are_refused(channels: int, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"img_size": 32, "depth": 1, "in_chans": channels, "num_classes": 0}
    network = timm.create_model("vit_tiny_patch16_224", **changes)
    save_for_hf(network, str(tmp_path), model_args=changes, safe_serialization=True)
    if channels == 4:
        with pytest.raises(Fault, match="reads 4 channels"):
            models.load(f"file/{tmp_path}", "cpu")
        return
    backbone = models.load(f"file/{tmp_path}", "cpu")
    picture = Image.open(PICTURES / "cat.jpg").convert("RGB")
    for fit in ("whole", "crop", "trained"):
        pixels = backbone.pixels(picture, None, fit)
        assert pixels.shape[0] == 1
        rows = backbone.trace(pixels)[0].attention_from(0)
        assert torch.allclose(rows.sum(-1), torch.ones(3))
    small = picture.resize((32, 32), Image.Resampling.BICUBIC)
    seen = backbone.pixels.rgb(backbone.pixels(small))
    assert np.array_equal(seen, np.asarray(small.convert("L").convert("RGB"))), "grey as Pillow makes it"


@pytest.mark.parametrize("fit", ["whole", "crop", "trained"])
@pytest.mark.parametrize(
    "recipe", [Recipe(crop=0.8), Recipe("both", 0.9), Recipe("longer"), Recipe("patches")], ids=str
)
def test_what_lies_under_a_map_is_what_was_fed(fit: Any, recipe: Recipe) -> None:
    """The page and the shell draw maps over `framed`; if it were another part of the picture, every map would lie
    beside what it shows."""
    across, down = np.meshgrid(np.linspace(0, 255, 300), np.linspace(0, 255, 200))
    ramps = Image.fromarray(np.stack([across, down, np.full_like(across, 128)], -1).round().astype(np.uint8))
    own = Pixels((96, 96), 16, 16, HALF, HALF, recipe=recipe)
    pixels = own(ramps, None, fit)
    size = (pixels.shape[1], pixels.shape[2])
    drawn = np.asarray(framed(ramps, own.box((200, 300), size, fit), size)).astype(int)
    apart = np.abs(drawn - own.rgb(pixels).astype(int))[2:-2, 2:-2]
    assert np.quantile(apart, 0.95) <= 3


def test_a_cropped_box_is_pillows() -> None:
    picture = Image.open(PICTURES / "cat.jpg").convert("RGB")
    own = Pixels((96, 96), 16, 16, (0, 0, 0), (1, 1, 1))
    fitted = np.asarray(ImageOps.fit(picture, (96, 64), Image.Resampling.BICUBIC))
    assert np.abs(own.rgb(own(picture, 96, "crop")).astype(int) - fitted).max() <= 1


def hybrids() -> list[str]:
    """Of timm's vision transformers those whose embedding is no single convolution of the picture."""
    found = []
    for name in timm.list_models("vit*"):
        with torch.device("meta"):
            embed = getattr(timm.create_model(name, pretrained=False), "patch_embed", None)
        found += [name] if isinstance(embed, HybridEmbed) else []
    return found


def test_a_patch_is_as_large_as_the_input_over_the_grid() -> None:
    """A hybrid's embedding counts cells of its convolutions, of which one is many pixels."""
    names = hybrids()
    assert len(names) >= 27
    for name in names:
        with torch.device("meta"):
            network: Any = timm.create_model(name, pretrained=False, **options(name))
        own = pixels(network, get_pretrained_cfg(name) or PretrainedCfg())
        assert own.grid(own.size) == network.patch_embed.grid_size, name


@pytest.mark.parametrize(
    "name",
    [
        "vit_tiny_r_s16_p8_224", "vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "eva02_tiny_patch14_224",
        "beit_base_patch16_224", "swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256",
    ],
)  # fmt: skip
def test_the_grid_that_is_foretold_is_the_traces(name: str) -> None:
    """Card, forecast and calculator count patches by it before anything has run."""
    backbone = models.load(f"timm/{name}?random", "cpu")
    shape = backbone.pixels.shape((300, 451), fit="trained")
    blank = torch.zeros(backbone.pixels.channels, *shape)
    assert backbone.trace(blank)[0].grid == backbone.pixels.grid(shape)


def test_the_doctor_feeds_one_picture(tmp_path: Path) -> None:
    """A description of grey pictures before weights for colours opens, and every picture would end in torch's words."""
    described = {"library": "timm", "name": "vit_tiny_patch16_224", "options": {"img_size": 32, "depth": 1}}
    grey = Pixels((32, 32), 16, 16, (0.5,), (0.5,))
    save(tmp_path, create(described), described, Card("file/odd", "Odd", "ViT"), grey)
    found = diagnose(tmp_path)
    assert found.backbone is None
    assert "opens, but no picture can be fed to it" in str(found.fault)
    save(tmp_path, create(described), described, Card("file/odd", "Odd", "ViT"), replace(grey, mean=HALF, std=HALF))
    assert diagnose(tmp_path).fault is None


def test_a_recipe_is_kept_in_a_folder(tmp_path: Path) -> None:
    described = {"library": "timm", "name": "vit_tiny_patch16_224", "options": {"img_size": 32, "depth": 1}}
    own = Pixels((32, 32), 16, 16, HALF, HALF, recipe=Recipe("both", 0.9, (48, 32), "bytes", HALF))
    save(tmp_path, create(described), described, Card("file/own", "Own", "ViT"), own)
    assert models.load(f"file/{tmp_path}", "cpu").pixels.recipe == own.recipe
