"""Bare files of weights, each in the layout in which its authors' code saves it, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import ViTMAEConfig, ViTMAEForPreTraining

from models.__main__ import main
from models.answers import answers
from models.doctor import diagnose
from models.loading import load

SMALL: dict[str, Any] = {"img_size": 32, "depth": 2, "num_classes": 0}
State = dict[str, Tensor]


def vit(**options: object) -> tuple[nn.Module, State]:
    torch.manual_seed(0)
    network = timm.create_model("vit_tiny_patch16_224", **{**SMALL, **options})
    return network, network.state_dict()


def prefixed(prefix: str, state: State) -> State:
    return {prefix + name: value for name, value in state.items()}


def dino() -> tuple[nn.Module, State]:
    """facebookresearch/dino, main_dino.py: student and teacher, each a backbone and a head."""
    network, state = vit()
    head = {"head.mlp.0.weight": torch.ones(8, 192), "head.last_layer.weight_v": torch.ones(9, 8)}
    student = prefixed("student.module.backbone.", {name: value * 0 for name, value in state.items()})
    teacher = {**prefixed("backbone.", state), **head}
    return network, {**student, **prefixed("teacher.", teacher)}


def mae() -> tuple[nn.Module, State]:
    """facebookresearch/mae, models_mae.py: encoder and decoder side by side."""
    network, state = vit()
    decoder = {"mask_token": torch.ones(1, 1, 64), "decoder_embed.weight": torch.ones(64, 192)}
    return network, {**state, **decoder, "decoder_blocks.0.attn.qkv.weight": torch.ones(192, 64)}


def dinov2() -> tuple[nn.Module, State]:
    """facebookresearch/dinov2: registers and mask token under other names, CLS first in the table."""
    network, state = vit(reg_tokens=4, init_values=1.0, no_embed_class=True, img_size=64)
    table = torch.cat([torch.zeros(1, 1, 192), state.pop("pos_embed")], dim=1)
    registers = state.pop("reg_token")
    return network, {**state, "pos_embed": table, "register_tokens": registers, "mask_token": torch.ones(1, 192)}


def deit() -> tuple[nn.Module, State]:
    network = timm.create_model("deit_tiny_distilled_patch16_224", **{**SMALL, "num_classes": 5})
    return network, network.state_dict()


def simmim() -> tuple[nn.Module, State]:
    """microsoft/SimMIM, models/simmim.py: an encoder with a mask token, and one convolution to paint."""
    options: dict[str, Any] = {"embed_dim": 24, "depths": (1, 1), "num_heads": (2, 4), "window_size": 4, "img_size": 32}
    network = timm.create_model("swin_tiny_patch4_window7_224", **options, num_classes=0)
    state = {name: value for name, value in network.state_dict().items() if "attn_mask" not in name}
    return network, {
        **prefixed("encoder.", state), "encoder.mask_token": torch.ones(1, 1, 24),
        "decoder.0.weight": torch.ones(3, 48, 1, 1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("build", "kind", "aside", "said"),
    [
        (vit, "timm", {}, "heads=3&grid=2x2"),
        (deit, "timm", {}, "heads=3&grid=2x2"),
        (dino, "DINO", {"student": 30, "projection head": 2}, "heads=3&grid=2x2"),
        (dinov2, "DINOv2", {}, "heads=3&grid=4x4"),
        (mae, "MAE", {"mask token": 1, "decoder": 2}, "heads=3&grid=2x2"),
        (simmim, "SimMIM", {"mask token": 1, "decoder": 1}, ""),
    ],
)
def test_a_bare_file_opens_with_exactly_its_weights(
    build: Callable[[], tuple[nn.Module, State]], kind: str, aside: dict[str, int], said: str, tmp_path: Path
) -> None:
    network, state = build()
    file = tmp_path / "bare.safetensors"
    save_file({name: value.contiguous() for name, value in state.items()}, file)
    found = diagnose(file, answers=answers(said))
    assert found.fault is None
    assert found.layout == kind
    assert dict(found.aside) == aside
    assert found.backbone is not None
    ours, theirs = found.backbone.module.state_dict(), network.state_dict()
    held = {name for name in theirs if name in ours}
    assert {name for name, _ in network.named_parameters()} <= held
    differing = [name for name in held if ours[name].shape != theirs[name].shape]
    assert not differing
    images = torch.randn(1, 3, *found.backbone.pixels.size)
    with torch.no_grad():
        seen = found.backbone.module.forward_features(images)  # pyright: ignore[reportCallIssue]
        wanted = network.eval().forward_features(images)  # pyright: ignore[reportCallIssue]
    assert torch.allclose(seen, wanted, atol=1e-5)


def openai(quick: bool) -> State:
    """openai/CLIP's names, text tower beside; only OpenAI's own files hold `input_resolution`."""
    width, names = 64, {}
    for tower in ("visual.transformer", "transformer"):
        block = f"{tower}.resblocks.0"
        for norm in ("ln_1", "ln_2"):
            names |= {f"{block}.{norm}.weight": torch.ones(width), f"{block}.{norm}.bias": torch.zeros(width)}
        names |= {
            f"{block}.attn.in_proj_weight": torch.randn(3 * width, width),
            f"{block}.attn.in_proj_bias": torch.zeros(3 * width),
        }
        for part, (rows, columns) in {
            "attn.out_proj": (width, width), "mlp.c_fc": (4 * width, width), "mlp.c_proj": (width, 4 * width),
        }.items():  # fmt: skip
            names |= {f"{block}.{part}.weight": torch.randn(rows, columns), f"{block}.{part}.bias": torch.zeros(rows)}
    for norm in ("visual.ln_pre", "visual.ln_post", "ln_final"):
        names |= {f"{norm}.weight": torch.ones(width), f"{norm}.bias": torch.zeros(width)}
    names |= {
        "visual.conv1.weight": torch.randn(width, 3, 16, 16), "visual.class_embedding": torch.randn(width),
        "visual.positional_embedding": torch.randn(5, width), "visual.proj": torch.randn(width, 32),
        "token_embedding.weight": torch.randn(9, width), "text_projection": torch.randn(width, 32),
        "positional_embedding": torch.randn(7, width), "logit_scale": torch.ones([]),
    }  # fmt: skip
    return {**names, "input_resolution": torch.tensor(32)} if quick else names


def test_the_image_tower_of_an_original_clip_opens_with_its_own_activation(tmp_path: Path) -> None:
    save_file(openai(quick=True), tmp_path / "clip.safetensors")
    found = diagnose(tmp_path / "clip.safetensors")
    assert found.fault is None
    assert found.layout == "CLIP"
    assert dict(found.aside)["text tower"] > 10
    assert found.backbone is not None
    activation = found.backbone.module.get_submodule("blocks.0.mlp.act")
    assert type(activation).__name__ == "QuickGELU"
    save_file(openai(quick=False), tmp_path / "open_clip.safetensors")
    plain = diagnose(tmp_path / "open_clip.safetensors")
    assert [ask.name for ask in plain.asks] == ["heads", "grid", "act"]
    told = diagnose(tmp_path / "open_clip.safetensors", answers=answers("heads=1&grid=2x2&act=gelu"))
    assert told.backbone is not None
    assert type(told.backbone.module.get_submodule("blocks.0.mlp.act")).__name__ == "GELU"


def test_names_of_others_are_told_with_what_is_missing(tmp_path: Path) -> None:
    small = ViTMAEConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, image_size=32, patch_size=8,
        decoder_hidden_size=16, decoder_num_hidden_layers=1, decoder_num_attention_heads=2,
        decoder_intermediate_size=32,
    )  # fmt: skip
    save_file(ViTMAEForPreTraining(small).state_dict(), tmp_path / "theirs.safetensors")
    assert "holds weights of MAE under the names of transformers" in str(
        diagnose(tmp_path / "theirs.safetensors").fault
    )
    save_file({"a": torch.ones(1)}, tmp_path / "alone.safetensors")
    assert "in no layout that is known" in str(diagnose(tmp_path / "alone.safetensors").fault)


def test_metadata_that_names_an_architecture_is_believed_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "named.safetensors"
    save_file(timm.create_model("test_vit").state_dict(), file, {"architecture": "test_vit"})
    assert load(f"file/{file}", "cpu").card.parameters == 371_240
    save_file(timm.create_model("test_vit").state_dict(), file, {"architecture": "test_vit2"})
    assert "does not fit this architecture: missing" in str(diagnose(file).fault)
    save_file(timm.create_model("test_vit").state_dict(), file, {"architecture": "no_such_network"})
    assert "which timm does not have" in str(diagnose(file).fault)


def test_the_doctor_speaks_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    _, state = mae()
    save_file(state, tmp_path / "mae.safetensors")
    file = tmp_path / "mae.safetensors"
    assert main(["doctor", str(file)]) == 1
    assert f"open it by: file/{file}?heads=N&grid=2x2" in capsys.readouterr().out
    assert main(["doctor", f"{file}?heads=3&grid=2x2"]) == 0
    said = capsys.readouterr().out
    assert f"open it by: file/{file}?heads=3&grid=2x2" in said
    assert "Heads: 3, as you said." in said
    assert "layout: MAE" in said
    assert "left aside: decoder, tensors: 2" in said
    assert "can: attention, positions" in said
    (tmp_path / "old.pth").write_bytes(b"PK\x03\x04 a zip of pickles")
    assert main(["doctor", str(tmp_path / "old.pth")]) == 1
    said = capsys.readouterr().err
    assert "is a pickle" in said
    assert "python -m models convert old.pth" in said
