"""DINO: a student that sees small pieces must answer as a slow copy of itself does that sees the whole.

Caron et al. 2021, arXiv 2104.14294, equations 2 to 4 and algorithm 1. Student g_s and teacher g_t answer each view with
K scores; over the two global views x and all other views x' of a picture,

    L = mean_{x, x' ≠ x} H(softmax((g_t(x) - c) / τ_t), softmax(g_s(x') / τ_s))

The teacher follows the student by a moving average, and so does the centre c follow the teacher's mean answer over all
processes. On small data centring collapses to the uniform answer; Sinkhorn-Knopp makes a batch use every score equally:
each view by itself, as SwAV does (Caron et al. 2020, arXiv 2006.09882, section 3.1), which is the default, or both
together, as DINOv2 does (arXiv 2304.07193; `sinkhorn_knopp_teacher` in its code), where a score may be the first view's
alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.augment import Look, crops, normalise, recolour
from training.averaging import follow, follower
from training.datasets import Batch
from training.gather import processes, total
from training.health import divergence, entropy, rank, spread
from training.networks import Network, vit
from training.objective import Figures, Method, Plan, Result, Views
from training.settings import option

LOOKS = (Look(blur=1.0), Look(blur=0.1, solarise=0.2), Look(blur=0.5))
"""First global, second global, local views (appendix A.1, after BYOL)."""

STUDENT = 0.1
"""τ_s (section 3.1)."""

CENTRE = 0.9
"""Momentum of the centre (equation 4)."""

SHOWN = 64
"""Scores of the teacher that a run keeps to be looked at."""


@dataclass(frozen=True)
class Options:
    local: int = option(4, "small crops of each picture, beside two large ones", least=0)
    split: float = option(
        0.4, "small crops keep less of the area than this share, large ones more", least=0.1, most=0.9
    )
    smallest: float = option(0.08, "least share of the area that a crop keeps", least=0.01, most=0.9)
    scores: int = option(2048, "K, outputs of the head", least=2)
    temperature: float = option(0.04, "τ_t, the teacher's temperature; lower is sharper", least=0.005, most=1)
    centring: str = option(
        "sinkhorn",
        "what keeps the teacher from one answer; joint: Sinkhorn over both views",
        choices=("sinkhorn", "joint", "mean", "none"),
    )
    average: bool = option(True, "the teacher is a slow average of the student; off: a copy of it after each update")
    momentum: float = option(0.99, "the teacher's memory at the start; it rises to 1", least=0, most=1)
    drop: float = option(
        0.0, "share of patches that the student misses, as in MSN (arXiv 2204.07141)", least=0, most=0.9
    )
    frozen: float = option(0.02, "share of the steps in which the head's last layer waits", least=0, most=1)
    hue: float = option(0.1, "largest turn of the colours; at 0.5 no colour tells pictures apart", least=0, most=0.5)


def distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean cross-entropy over pairs of different views.

    student: (views, images, K) scores divided by τ_s, the global views first
    teacher: (global views, images, K) probabilities
    """
    log = student.log_softmax(-1)
    pairs = -torch.einsum("gik,vik->gv", teacher, log) / student.shape[1]
    others = ~torch.eye(*pairs.shape, dtype=torch.bool, device=pairs.device)
    return pairs[others].mean()


def centred(scores: Tensor, centre: Tensor, temperature: Tensor | float) -> Tensor:
    """Equation 1 after centring: softmax((scores - centre) / temperature)."""
    return ((scores - centre) / temperature).softmax(-1)


@torch.no_grad()
def sinkhorn(scores: Tensor, temperature: Tensor | float, turns: int = 3) -> Tensor:
    """(rows, K) probabilities whose columns weigh the same over all rows of all processes: those of one view in SwAV,
    of both in DINOv2."""
    top = scores.max()
    if processes() > 1:
        torch.distributed.all_reduce(top, torch.distributed.ReduceOp.MAX)
    plan = ((scores.float() - top) / temperature).exp()
    plan = plan / total(plan.sum())
    rows, columns = scores.shape[0] * processes(), scores.shape[1]
    for _ in range(turns):
        plan = plan / (total(plan.sum(0, keepdim=True)).clamp(min=1e-30) * columns)
        plan = plan / (plan.sum(1, keepdim=True).clamp(min=1e-30) * rows)
    return plan * rows


class Head(nn.Module):
    """Three layers, a bottleneck of unit length, and K weight-normalised directions (appendix C)."""

    def __init__(self, channels: int, scores: int, hidden: int = 512, bottleneck: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, bottleneck)
        )
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.last = nn.Parameter(F.normalize(torch.randn(scores, bottleneck), dim=-1))

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(self.layers(features), dim=-1) @ F.normalize(self.last, dim=-1).T


class Pair(nn.Module):
    """Student and teacher, each a network with a head; the teacher's centre (K,); the share of the run that is done."""

    centre: Tensor
    done: Tensor

    def __init__(self, network: nn.Module, scores: int) -> None:
        super().__init__()
        channels: Any = network.num_features
        self.student = nn.ModuleDict({"network": network, "head": Head(channels, scores)})
        self.teacher = follower(self.student)
        self.register_buffer("centre", torch.zeros(scores))
        self.register_buffer("done", torch.zeros((), dtype=torch.float64))


class DINO:
    def __init__(self, network: Network, options: Options) -> None:
        self.network, self.options = network, options
        self.module = Pair(network.module, options.scores)
        head: Any = self.module.student["head"]
        head.last.register_hook(lambda gradient: gradient * (float(self.module.done) >= options.frozen))

    def views(self, batch: Batch) -> Views:
        side, patch = self.network.pixels.size[0], self.network.pixels.patch
        small = max(2, side // 2 // patch) * patch
        large, little = (self.options.split, 1.0), (self.options.smallest, self.options.split)
        globals_ = [self._view(batch.images, side, large, look) for look in LOOKS[:2]]
        locals_ = [self._view(batch.images, small, little, LOOKS[2]) for _ in range(self.options.local)]
        return {"global": torch.cat(globals_)} | ({"local": torch.cat(locals_)} if locals_ else {})

    def loss(self, views: Views) -> tuple[Tensor, Figures]:
        count, scores = len(views["global"]) // 2, self.options.scores
        features, known = self._taught(views["global"])
        teacher = self._sharpened(known.view(2, count, scores))
        student = self.module.student
        answers = [student["head"](student["network"](views[name])) for name in ("global", "local") if name in views]
        with torch.autocast(known.device.type, enabled=False):
            loss = distillation(torch.cat(answers).float().view(-1, count, scores) / STUDENT, teacher)
        self._move_centre(known)
        return loss, {
            "teacher entropy / maximum": entropy(teacher.flatten(0, 1)),
            "KL from mean": divergence(teacher.flatten(0, 1)),
            "feature deviation": spread(features[:count]),
            "rank": rank(features[:count]),
        }

    def shows(self, views: Views) -> dict[str, Tensor]:
        """teacher: (pictures, 64) probabilities of the scores that weigh most over these pictures, first view;
        similarity: (pictures, pictures) Σ √(p q), 1 where two pictures get the same answer."""
        scores = self._taught(views["global"])[1].view(2, -1, self.options.scores)
        answers = self._sharpened(scores)[0]
        most = answers.sum(0).topk(min(SHOWN, self.options.scores)).indices
        return {"teacher": answers[:, most], "similarity": answers.sqrt() @ answers.sqrt().T}

    def after_step(self, progress: float) -> None:
        self.module.done.fill_(progress)
        momentum = 1 - (1 - self.options.momentum) * (1 + math.cos(math.pi * progress)) / 2
        follow(self.module.teacher, self.module.student, momentum if self.options.average else 0.0)

    def result(self) -> Result:
        return Result(self.module.teacher["network"], self.network.config, self.network.pixels, "DINO")

    @torch.no_grad()
    def _taught(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The teacher's features and its scores, (views, K) float32; it sees every patch."""
        self.module.teacher.eval()
        features = self.module.teacher["network"](pixels)
        return features, self.module.teacher["head"](features).float()

    def _view(self, images: Tensor, side: int, scale: tuple[float, float], look: Look) -> Tensor:
        pixels = recolour(crops(images, side, scale=scale), replace(look, hue=self.options.hue))
        return normalise(pixels, self.network.pixels.mean, self.network.pixels.std)

    def _sharpened(self, scores: Tensor) -> Tensor:
        """(2, images, K) teacher probabilities."""
        if self.options.centring == "none":
            return (scores / self.options.temperature).softmax(-1)
        if self.options.centring == "mean":
            return centred(scores, self.module.centre, self.options.temperature)
        if self.options.centring == "joint":
            return sinkhorn(scores.flatten(0, 1), self.options.temperature).view_as(scores)
        return torch.stack([sinkhorn(view, self.options.temperature) for view in scores])

    @torch.no_grad()
    def _move_centre(self, scores: Tensor) -> None:
        mean = total(scores.sum(0)) / (len(scores) * processes())
        self.module.centre.lerp_(mean, 1 - CENTRE)


def build(plan: Plan) -> DINO:
    drop = {"patch_drop_rate": plan.options.drop} if plan.options.drop else {}
    return DINO(vit(plan.size, plan.side, plan.patch, options={"dynamic_img_size": True, **drop}), plan.options)


METHOD = Method(
    name="dino",
    title="DINO",
    about="answer small crops as a slow copy answers large ones (self-distillation)",
    options=Options,
    builds=build,
    whole=True,
    idle=("accumulate",),
    settings={"rate": 1e-3, "decay": 0.04, "batch": 64, "clip": 3.0},
)
