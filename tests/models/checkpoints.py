"""Checkpoints as trainings leave them, with small random weights: the layouts that `models convert` is held to."""

from __future__ import annotations

import argparse
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path, PosixPath
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import timm
import torch
from torch import Tensor

State = dict[str, Tensor]


def encoder(seed: int = 0, name: str = "vit_tiny_patch16_224", **options: Any) -> State:
    torch.manual_seed(seed)
    built = timm.create_model(name, **{"img_size": 32, "depth": 2, "num_classes": 0, **options})
    return OrderedDict(built.state_dict())


def under(prefix: str, state: State) -> State:
    return OrderedDict((prefix + name, value) for name, value in state.items())


def optimiser(state: State) -> dict[str, Any]:
    slots = {number: {"step": 3, "exp_avg": torch.zeros_like(value)} for number, value in enumerate(state.values())}
    return {"state": slots, "param_groups": [{"lr": 1e-3, "params": [*slots]}]}


TOLD = argparse.Namespace(arch="vit_tiny", patch_size=16, output_dir=PosixPath("out"), best=np.float64(0.5))


def dino() -> dict[str, Any]:
    """facebookresearch/dino, main_dino.py: two networks with their heads, the loss's centre, the run's arguments."""
    head = {"head.mlp.0.weight": torch.randn(8, 192), "head.last_layer.weight_v": torch.randn(9, 8)}
    student, teacher = encoder(1), encoder(0)
    return {
        "student": {**under("module.backbone.", student), **under("module.", head)},
        "teacher": {**under("backbone.", teacher), **head}, "optimizer": optimiser(student), "epoch": 3,
        "args": TOLD, "dino_loss": {"center": torch.zeros(1, 9)},
    }  # fmt: skip


def dinov2() -> dict[str, Any]:
    """facebookresearch/dinov2, train.py: the teacher alone, its blocks in chunks."""
    state = under("backbone.", encoder(init_values=1e-5))
    chunked = {name.replace(".blocks.", ".blocks.0."): value for name, value in state.items()}
    heads = {"dino_head.mlp.0.weight": torch.randn(4, 192), "dino_head.last_layer.weight_v": torch.randn(4, 4)}
    return {"teacher": {**chunked, "backbone.mask_token": torch.zeros(1, 192), **heads}}


def mae() -> dict[str, Any]:
    """facebookresearch/mae, util/misc.py: encoder and decoder in `model`."""
    state = encoder()
    decoder = {"mask_token": torch.zeros(1, 1, 64), "decoder_embed.weight": torch.randn(64, 192)}
    return {"model": {**state, **decoder}, "optimizer": optimiser(state), "epoch": 3, "scaler": {}, "args": TOLD}


def moco() -> dict[str, Any]:
    """facebookresearch/moco-v3, main_moco.py."""
    momentum, predictor = (
        under("module.momentum_encoder.", encoder(1)),
        {"module.predictor.0.weight": torch.randn(4, 4)},
    )
    base = under("module.base_encoder.", encoder(0))
    return {"epoch": 3, "arch": "vit_small", "state_dict": {**base, **momentum, **predictor}, "optimizer": {}}


def simmim() -> dict[str, Any]:
    """microsoft/SimMIM, utils.py; its settings are a yacs node, which pickles as a subclass of dict."""
    options = {"embed_dim": 24, "depths": (1, 1), "num_heads": (2, 4), "window_size": 4}
    torch.manual_seed(0)
    built = timm.create_model("swin_tiny_patch4_window7_224", img_size=32, num_classes=0, **options)
    state = under("encoder.", {name: value for name, value in built.state_dict().items() if "attn_mask" not in name})
    painter = {"encoder.mask_token": torch.zeros(1, 1, 24), "decoder.0.weight": torch.randn(3, 48, 1, 1)}
    return {"model": {**state, **painter}, "epoch": 3, "config": CfgNode(MODEL=CfgNode(TYPE="swin"))}


def timm_train() -> dict[str, Any]:
    """timm's own CheckpointSaver: plain weights and their average."""
    plain, average = encoder(1), encoder(0)
    return {
        "epoch": 3,
        "arch": "vit_tiny",
        "state_dict": plain,
        "state_dict_ema": average,
        "args": TOLD,
        "metric": np.float64(1),
    }


def deit() -> dict[str, Any]:
    """facebookresearch/deit, main.py."""
    return {"model": encoder(1), "model_ema": encoder(0), "scaler": {}, "args": TOLD}


def open_clip() -> dict[str, Any]:
    """mlfoundations/open_clip, main.py, with an image tower of timm."""
    text = {"module.text.transformer.weight": torch.randn(4, 4), "module.logit_scale": torch.ones([])}
    return {"epoch": 3, "name": "run", "state_dict": {**under("module.visual.trunk.", encoder(0)), **text}}


def lightly() -> dict[str, Any]:
    """lightly's DINO in PyTorch Lightning: both networks in one `state_dict`."""
    head = {"teacher_head.layers.0.weight": torch.randn(4, 4)}
    both = {**under("student_backbone.", encoder(1)), **under("teacher_backbone.", encoder(0)), **head}
    return {"epoch": 3, "state_dict": both, "optimizer_states": [], "hyper_parameters": {}, "callbacks": {}}


class CfgNode(dict[str, Any]):
    """A node of yacs, as far as pickling sees it."""


CfgNode.__module__ = "yacs.config"


TRAININGS: dict[str, Callable[[], dict[str, Any]]] = {
    "DINO": dino, "DINOv2": dinov2, "MAE": mae, "MoCo v3": moco, "SimMIM": simmim, "timm": timm_train, "DeiT": deit,
    "OpenCLIP": open_clip, "lightly": lightly,
}  # fmt: skip


def saved(content: Any, file: Path) -> Path:
    """By torch.save, which looks a class up before it writes its name."""
    config = ModuleType("yacs.config")
    vars(config)["CfgNode"] = CfgNode
    with patch.dict(sys.modules, {"yacs": ModuleType("yacs"), "yacs.config": config}):
        torch.save(content, file)
    return file
