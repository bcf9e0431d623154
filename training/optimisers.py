"""Which update each weight gets, how its rate moves, and the optimisers' memory as plain tensors.

AdamW: Loshchilov and Hutter 2019, arXiv 1711.05101. Muon: Jordan et al. 2024, with the rate matched to AdamW's root
mean square as in Liu et al. 2025, arXiv 2502.16982, so that one rate serves both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from models.faults import Fault
from training.objective import Pace
from training.settings import Settings

TABLES = ("pos_embed", "position_embedding", "position_bias", "cls_token", "class_embedding", "mask_token", "probe")
"""Parts of names of tables and single tokens, which are matrices in shape only."""

BETAS = (0.9, 0.95)
"""AdamW's memory as in MAE (arXiv 2111.06377, table 8); 0.999 forgets too slowly for runs of a few thousand steps."""


def optimisers(
    module: nn.Module, settings: Settings, paces: Mapping[str, Pace] | None = None
) -> tuple[Optimizer, ...]:  # fmt: skip
    """AdamW, with Muon beside it if chosen, over the parameters of `module` that learn; each group has the `share` of
    the rate that it learns with."""
    learning = {name: weight for name, weight in module.named_parameters() if weight.requires_grad}
    hidden = {name for name in _hidden(module) if name in learning} if settings.optimiser == "muon" else set()
    rest = {name: weight for name, weight in learning.items() if name not in hidden}
    groups = _groups(rest, settings, paces or {})
    made: list[Optimizer] = [torch.optim.AdamW(groups, lr=settings.rate, betas=BETAS, fused=True)]
    if hidden:
        groups = _groups({name: learning[name] for name in sorted(hidden)}, settings, paces or {})
        made.append(_muon()(groups, lr=settings.rate, adjust_lr_fn="match_rms_adamw"))
    return tuple(made)


def _groups(
    weights: Mapping[str, nn.Parameter], settings: Settings, paces: Mapping[str, Pace]
) -> list[dict[str, Any]]:  # fmt: skip
    """What is alike in rate and decay, the fastest and most decayed first."""
    alike: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in weights.items():
        own = next((pace for start, pace in paces.items() if name.startswith(start)), Pace(1.0, settings.decay))
        alike.setdefault((own.share, own.decay if _decays(name, weight) else 0.0), []).append(weight)
    return [
        {"params": alike[share, decay], "weight_decay": decay, "share": share}
        for share, decay in sorted(alike, reverse=True)
    ]


def _muon() -> type[torch.optim.Muon]:
    if not hasattr(torch.optim, "Muon"):
        raise Fault(
            "The optimiser Muon was asked for, but torch {version} has none; install torch 2.9 or later, or choose "
            "adamw.",
            version=torch.__version__,
        )  # fmt: skip
    return torch.optim.Muon


def rate_at(step: float, settings: Settings) -> float:
    """Learning rate of the update after `step`, see `Settings.reached`: linear warm-up, then half a cosine down to the
    final share."""
    warm = math.ceil(settings.warmup * settings.steps)
    if step < warm:
        return settings.rate * (step + 1) / warm
    done = (step - warm) / max(1, settings.steps - warm)
    return settings.rate * (settings.final + (1 - settings.final) * (1 + math.cos(math.pi * done)) / 2)


def memory(made: Sequence[Optimizer], module: nn.Module) -> dict[str, Tensor]:
    """Everything that the optimisers remember: `<optimiser>/<weight>/<quantity>` to a tensor."""
    names: dict[Tensor, str] = {weight: name for name, weight in module.named_parameters()}
    return {
        f"{number}/{names[weight]}/{quantity}": torch.as_tensor(value)
        for number, optimiser in enumerate(made)
        for weight, held in optimiser.state.items()
        for quantity, value in held.items()
    }


def remember(made: Sequence[Optimizer], module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Puts back what `memory` gave."""
    weights = dict(module.named_parameters())
    for key, value in tensors.items():
        number, name, quantity = key.split("/")
        weight = weights[name]
        made[int(number)].state[weight][quantity] = value.to(weight.device, copy=True)


def _decays(name: str, weight: nn.Parameter) -> bool:
    return weight.ndim >= 2 and not any(part in name for part in TABLES)


def _hidden(module: nn.Module) -> set[str]:
    """Matrices of linear layers inside numbered blocks; first and last layers stay with AdamW, as its author says."""
    return {
        f"{name}.weight"
        for name, part in module.named_modules()
        if isinstance(part, nn.Linear) and any(word.isdigit() for word in name.split("."))
    }
