"""OpenCLIP's own folders: the image tower computes what OpenCLIP's code computes, as its config says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from models.backbone import Backbone
from models.doctor import diagnose
from models.faults import Refusal
from models.loading import load

VISION: dict[str, Any] = {"image_size": 32, "layers": 2, "width": 48, "patch_size": 16, "head_width": 12}
FED = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "interpolation": "bilinear"}


class Block(nn.Module):
    """OpenCLIP's residual attention block, src/open_clip/transformer.py."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def forward(self, tokens: Tensor, quick: bool) -> Tensor:
        seen = self.ln_1(tokens)
        tokens = tokens + self.attn(seen, seen, seen, need_weights=False)[0]
        hidden = self.mlp["c_fc"](self.ln_2(tokens))
        return tokens + self.mlp["c_proj"](hidden * torch.sigmoid(1.702 * hidden) if quick else F.gelu(hidden))


class Eye(nn.Module):
    """OpenCLIP's vision transformer."""

    def __init__(self) -> None:
        super().__init__()
        width = VISION["width"]
        self.conv1 = nn.Conv2d(3, width, VISION["patch_size"], VISION["patch_size"], bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width))
        self.positional_embedding = nn.Parameter(torch.randn(5, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        blocks = [Block(width, width // VISION["head_width"]) for _ in range(VISION["layers"])]
        self.transformer = nn.ModuleDict({"resblocks": nn.ModuleList(blocks)})
        self.proj = nn.Parameter(torch.randn(width, 20))

    def forward(self, pixels: Tensor, quick: bool) -> Tensor:
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_embedding.expand(len(pixels), 1, -1), patches], 1) + self.positional_embedding
        tokens = self.ln_pre(tokens)
        for block in self.transformer["resblocks"]:  # pyright: ignore[reportGeneralTypeIssues]
            tokens = block(tokens, quick)
        return self.ln_post(tokens[:, 0]) @ self.proj


def written(place: Path, state: dict[str, Tensor], model: dict[str, Any]) -> Path:
    """A folder as OpenCLIP pushes it to the hub, with a text tower beside the eye."""
    place.mkdir(parents=True, exist_ok=True)
    text = {
        "token_embedding.weight": torch.ones(9, 8),
        "text_projection": torch.ones(8, 20),
        "logit_scale": torch.ones(1),
    }
    save_file(
        {**text, **{f"visual.{name}": value for name, value in state.items()}}, place / "open_clip_model.safetensors"
    )
    config = {"model_cfg": {"embed_dim": 20, "text_cfg": {}, **model}, "preprocess_cfg": FED}
    (place / "open_clip_config.json").write_text(json.dumps(config))
    return place


def opened(path: Path) -> Backbone:
    return load(f"file/{path}", "cpu")


@pytest.mark.parametrize("quick", [True, False])
def test_a_clip_opens_as_its_config_says(tmp_path: Path, quick: bool) -> None:
    """F15: heads and activation lie in the config; every token's way is the one that OpenCLIP's code goes."""
    torch.manual_seed(0)
    eye, pixels = Eye().eval(), torch.randn(2, 3, 32, 32)
    place = written(tmp_path / "clip", eye.state_dict(), {"vision_cfg": VISION, "quick_gelu": quick})
    for asked in (place, place / "open_clip_model.safetensors"):
        found: Any = opened(asked)
        with torch.no_grad():
            torch.testing.assert_close(found.module(pixels), eye(pixels, quick), rtol=0, atol=1e-4)
            other = eye(pixels, not quick)
        assert not torch.allclose(found.module(pixels), other, rtol=0, atol=1e-3), "the two activations differ"
        assert found.trace(pixels[0])[0].heads == 4
        assert (found.pixels.mean, found.pixels.interpolation) == ((0.1, 0.2, 0.3), "bilinear")
        assert diagnose(asked).layout == "OpenCLIP"


def test_a_network_of_timm_within_a_clip_opens(tmp_path: Path) -> None:
    """OpenCLIP's SigLIPs: timm's own names behind `visual.trunk.`, the pool its answer."""
    torch.manual_seed(0)
    trunk = timm.create_model("test_vit", num_classes=0, img_size=96)
    state = {f"trunk.{name}": value for name, value in trunk.state_dict().items()}
    vision = {"image_size": 96, "timm_model_name": "test_vit", "timm_pool": "token", "timm_proj": "none"}
    found = opened(written(tmp_path / "trunk", state, {"vision_cfg": vision}))
    assert all(torch.equal(value, trunk.state_dict()[name]) for name, value in found.module.state_dict().items())
    assert found.pixels.size == (96, 96)


@pytest.mark.parametrize(
    ("vision", "named"),
    [
        ({"no_ln_pre": True}, "no_ln_pre"), ({"pool_type": "avg"}, "pool_type"), ({"layers": [3, 4, 6, 3]}, "layers"),
        ({"attentional_pool": True}, "attentional_pool"), ({"some_later_invention": 3}, "some_later_invention"),
    ],
)  # fmt: skip
def test_another_tower_is_refused_by_what_makes_it_another(tmp_path: Path, vision: dict[str, Any], named: str) -> None:
    place = written(tmp_path / "odd", Eye().state_dict(), {"vision_cfg": {**VISION, **vision}})
    with pytest.raises(Refusal, match=f"described by {named}, which is not read here"):
        opened(place)
