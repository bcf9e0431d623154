"""The same network's attention computed openly: what every map is held against. Shares nothing with the recorder."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from models.backbone import Backbone, Layer
from models.loading import open_network


def eager_weights(backbone: Backbone, pixels: Tensor) -> list[Tensor]:
    """Softmax of each block, (windows, heads, queries, keys), on a copy whose fused kernels are off."""
    twin: Any = open_network(_openly(backbone.module), backbone.card, backbone.pixels)
    if hasattr(twin.module, "config"):
        return _of_transformers(twin, pixels)
    for part in twin.module.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
    drops = [part.attn.attn_drop for part in twin.blocks]
    noted = _noted(drops, lambda inputs, _: inputs[0], lambda: twin.module(pixels[None]))
    return [  # SAM's windows and heads are one axis
        weights if weights.ndim == 4 else weights.unflatten(0, (-1, block.attn.num_heads))
        for weights, block in zip(noted, twin.blocks, strict=True)
    ]


def _openly(network: Any) -> Any:
    """A copy; of Data2Vec one that is made anew, since its attention is eager or not from the first moment on."""
    if "Data2Vec" not in type(network).__name__:
        return copy.deepcopy(network)
    twin = type(network)._from_config(copy.deepcopy(network.config), attn_implementation="eager")
    twin.load_state_dict(network.state_dict())
    return twin.to(network.dtype)


def _of_transformers(twin: Any, pixels: Tensor) -> list[Tensor]:
    """transformers' attention modules return their weights beside their output once it is told to be eager; those of
    SwinV2 know no other way, Data2Vec's return them when asked, and both drop out on their weights as timm does."""
    name = type(twin.module).__name__
    if "Swinv2" in name or "Data2Vec" in name:
        inner = "self" if "Swinv2" in name else "attention"
        drops = [getattr(block.attention, inner).dropout for block in twin.blocks]
        return _noted(drops, lambda inputs, _: inputs[0], lambda: twin.trace(pixels))
    twin.module.set_attn_implementation("eager")
    attentions = [_attention(block) for block in twin.blocks]
    return _noted(attentions, lambda _, output: output[1], lambda: twin.trace(pixels))


def _attention(block: nn.Module) -> nn.Module:
    found = [part for name, part in block.named_children() if name in ("attention", "self_attn")]
    assert len(found) == 1
    return found[0]


def _noted(parts: list[nn.Module], pick: Callable[[Any, Any], Tensor], forward: Callable[[], Any]) -> list[Tensor]:
    noted: list[Tensor] = []
    hooks = [part.register_forward_hook(lambda _, inputs, output: noted.append(pick(inputs, output))) for part in parts]
    with torch.no_grad():
        forward()
    for hook in hooks:
        hook.remove()
    assert len(noted) == len(parts)
    return noted


def recorded_weights(layer: Layer) -> Tensor:
    """(windows, heads, queries, keys)."""
    return torch.stack([layer.weights(window) for window in range(layer.windows)])
