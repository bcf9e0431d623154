"""Networks that paint: what the mask lab offers where the chosen one cannot, and to compare with."""

from __future__ import annotations

import json
from typing import Any

from explorers import offers
from models.card import Card
from models.card_catalogue import bundled_folder, runs_folder


def offered() -> list[dict[str, Any]]:
    """Those on this machine, else those that can be fetched: id, title, and whether it is here."""
    return offers.offered(lambda card: "reconstructs" in card.abilities or _paints(card))


def _paints(card: Card) -> bool:
    """Whether a checkpoint folder describes a network with its decoder; cards of runs do not say."""
    folder = {"run": runs_folder, "bundled": bundled_folder}.get(card.source)
    if folder is None:
        return False
    described = json.loads((folder() / card.id.partition("/")[2] / "config.json").read_text(encoding="utf-8"))
    return str(described.get("class", "")).endswith(("ForPreTraining", "ForMaskedImageModeling"))
