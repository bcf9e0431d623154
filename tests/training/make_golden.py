"""Makes golden.safetensors again: what the authors' own code gives for the numbers that are in it.

    pip install --no-deps --target PACKAGES open_clip_torch==3.3.0 lightly==1.6.0
    python -m tests.training.make_golden PACKAGES [CLONES]

Of each repository one class is read at the stated commit, out of CLONES/<owner>/<name> or fetched into a temporary
folder, and run on its own, since the rest wants libraries of its year. The inputs were drawn once and stay.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from timm.loss.cross_entropy import LabelSmoothingCrossEntropy
from torch import Tensor, nn

FILE = Path(__file__).with_name("golden.safetensors")

REPOSITORIES = {
    "dino": ("facebookresearch/dino", "7c446df", "main_dino.py", "DINOLoss"),
    "sinkhorn": ("facebookresearch/dinov2", "b8931f7", "dinov2/loss/dino_clstoken_loss.py", "DINOLoss"),
    "mae": ("facebookresearch/mae", "efb2a80", "models_mae.py", "MaskedAutoencoderViT"),
    "simmim": ("microsoft/SimMIM", "d3e29bc", "models/simmim.py", "SimMIM"),
}
"""Repository, commit, file and class of each entry; those of packages stand in the metadata with their versions."""

INPUTS = [
    "dino/student",
    "dino/teacher",
    "dino/centre",
    "sinkhorn/scores",
    "mae/pixels",
    "mae/mask",
    "mae/prediction",
    "mae_normalised/prediction",
    "simmim/pixels",
    "simmim/mask",
    "simmim/prediction",
    "clip/image",
    "clip/text",
    "clip/scale",
    "siglip/bias",
    "simclr/first",
    "simclr/second",
    "supervised/logits",
    "supervised/labels",
]


class Sources:
    """Classes of the authors, each run from its own text."""

    def __init__(self, packages: Path, clones: Path) -> None:
        self.packages, self.clones = packages, clones

    def of_repository(self, name: str) -> Any:
        repository, commit, file, kind = REPOSITORIES[name]
        place = self.clones / repository
        if not place.is_dir():
            url = f"https://github.com/{repository}"
            subprocess.run(["git", "clone", "--quiet", "--bare", url, str(place)], check=True)
        shown = subprocess.run(["git", "-C", str(place), "show", f"{commit}:{file}"], capture_output=True, check=True)
        return _class(shown.stdout.decode(), kind)

    def of_package(self, file: str, kind: str) -> Any:
        return _class((self.packages / file).read_text(encoding="utf-8"), kind)


def _class(text: str, kind: str) -> Any:
    """The class of this name, with what its module imports of torch and NumPy, and nothing else of it."""
    node = next(one for one in ast.parse(text).body if isinstance(one, ast.ClassDef) and one.name == kind)
    known: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "np": np, "dist": dist}
    exec(compile(ast.Module([node], []), kind, "exec"), known)
    return known[kind]


def dino(given: dict[str, Tensor], sources: Sources) -> dict[str, Tensor]:
    """Two teacher views and five student views of three pictures; one process."""
    loss = sources.of_repository("dino")(16, 5, 0.04, 0.04, 0, 1)
    loss.center.copy_(given["dino/centre"])
    student = _leaf(given["dino/student"])
    value = loss(student, given["dino/teacher"], 0)
    return {"dino/loss": value, "dino/gradient": _gradient(value, student), "dino/new_centre": loss.center}


def sinkhorn(given: dict[str, Tensor], sources: Sources) -> dict[str, Tensor]:
    loss = sources.of_repository("sinkhorn")(16)
    return {"sinkhorn/probabilities": loss.sinkhorn_knopp_teacher(given["sinkhorn/scores"], 0.05)}


def mae(given: dict[str, Tensor], sources: Sources) -> dict[str, Tensor]:
    found, kind = {}, sources.of_repository("mae")
    for name, normalised in (("mae", False), ("mae_normalised", True)):
        network = SimpleNamespace(norm_pix_loss=normalised, patch_embed=SimpleNamespace(patch_size=(4, 4)))
        network.patchify = lambda images, network=network: kind.patchify(network, images)
        prediction = _leaf(given[f"{name}/prediction"])
        value = kind.forward_loss(network, given["mae/pixels"], prediction, given["mae/mask"])
        found |= {f"{name}/loss": value, f"{name}/gradient": _gradient(value, prediction)}
    return found


def simmim(given: dict[str, Tensor], sources: Sources) -> dict[str, Tensor]:
    """Encoder and decoder are passed over, so that the loss sees the prediction itself."""
    prediction = _leaf(given["simmim/prediction"])
    network = SimpleNamespace(encoder=lambda x, mask: prediction, decoder=lambda z: z, patch_size=4, in_chans=3)
    value = sources.of_repository("simmim").forward(network, given["simmim/pixels"], given["simmim/mask"])
    return {"simmim/loss": value, "simmim/gradient": _gradient(value, prediction)}


def clip(given: dict[str, Tensor], sources: Sources) -> dict[str, Tensor]:
    leaves = {name: _leaf(given[f"clip/{name}"]) for name in ("image", "text", "scale")}
    value = sources.of_package("open_clip/loss.py", "ClipLoss")()(*leaves.values())
    return {"clip/loss": value, **_gradients("clip", value, leaves)}


def siglip(given: dict[str, Tensor], sources: Sources) -> dict[str, Tensor]:
    leaves = {name: _leaf(given[f"clip/{name}"]) for name in ("image", "text", "scale")}
    leaves["bias"] = _leaf(given["siglip/bias"])
    value = sources.of_package("open_clip/loss.py", "SigLipLoss")()(*leaves.values())
    return {"siglip/loss": value, **_gradients("siglip", value, leaves)}


def simclr(given: dict[str, Tensor], sources: Sources) -> dict[str, Tensor]:
    sys.path.insert(0, str(sources.packages))
    from lightly.loss.ntx_ent_loss import NTXentLoss  # pyright: ignore[reportMissingImports]

    leaves = {name: _leaf(given[f"simclr/{name}"]) for name in ("first", "second")}
    value = NTXentLoss(temperature=0.3)(*leaves.values())
    return {"simclr/loss": value, **_gradients("simclr", value, leaves)}


def supervised(given: dict[str, Tensor], sources: Sources) -> dict[str, Tensor]:
    logits = _leaf(given["supervised/logits"])
    value = LabelSmoothingCrossEntropy(0.1)(logits, given["supervised/labels"])
    return {"supervised/loss": value, "supervised/gradient": _gradient(value, logits)}


MAKERS: tuple[Callable[[dict[str, Tensor], Sources], dict[str, Tensor]], ...] = (
    dino, sinkhorn, mae, simmim, clip, siglip, simclr, supervised,
)  # fmt: skip


def _leaf(value: Tensor) -> Tensor:
    return value.clone().requires_grad_()


def _gradient(value: Tensor, leaf: Tensor) -> Tensor:
    return torch.autograd.grad(value, leaf, retain_graph=True)[0]


def _gradients(name: str, value: Tensor, leaves: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{name}/{leaf}_gradient": _gradient(value, leaves[leaf]) for leaf in leaves}


def made(given: dict[str, Tensor], sources: Sources) -> dict[str, Tensor]:
    """The inputs and everything that follows from them."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        follows = {name: value for make in MAKERS for name, value in make(given, sources).items()}
    finally:
        dist.destroy_process_group()
    return {name: given[name] for name in INPUTS} | {name: value.detach().clone() for name, value in follows.items()}


def main() -> None:
    parser = ArgumentParser(prog="python -m tests.training.make_golden")
    parser.add_argument("packages", type=Path, help="where open_clip_torch and lightly were installed")
    parser.add_argument("clones", type=Path, nargs="?", help="where <owner>/<name> of the repositories lie")
    told = parser.parse_args()
    before = load_file(FILE)
    with safe_open(FILE, "pt") as file, tempfile.TemporaryDirectory() as own:
        stated = file.metadata()
        after = made(before, Sources(told.packages, told.clones or Path(own)))
    assert after.keys() == before.keys(), after.keys() ^ before.keys()
    apart = {name: float((after[name] - before[name]).abs().max()) for name in after if name not in INPUTS}
    print(f"{len(apart)} values, the furthest {max(apart.values()):.1e} from what was there")
    save_file({name: value.contiguous() for name, value in after.items()}, FILE, stated)


if __name__ == "__main__":
    main()
