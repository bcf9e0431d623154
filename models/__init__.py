"""How do I look inside this network?

    import models
    backbone = models.load("registry/dinov2-small")
    layers = backbone.trace(backbone.pixels(image))
    layers[-1].attention_from(0)                      # (heads, tokens): where CLS looks

Importing this package costs nothing: torch, timm and transformers are imported when a name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.backbone import Affinity as Affinity
    from models.backbone import Backbone as Backbone
    from models.backbone import Layer as Layer
    from models.card import Card as Card
    from models.card_catalogue import catalogue as catalogue
    from models.card_catalogue import checkpoints as checkpoints
    from models.faults import Fault as Fault
    from models.faults import Refusal as Refusal
    from models.loading import load as load

_HOME = {
    "Affinity": "backbone", "Backbone": "backbone", "Layer": "backbone", "Card": "card", "Fault": "faults",
    "Refusal": "faults", "load": "loading", "catalogue": "card_catalogue", "checkpoints": "card_catalogue",
}  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    return getattr(importlib.import_module(f"models.{_HOME[name]}"), name)
