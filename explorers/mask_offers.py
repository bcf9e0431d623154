"""Networks that paint: what the mask lab offers where the chosen one cannot, and to compare with."""

from __future__ import annotations

import json
from typing import Any

from models.card import Card
from models.card_catalogue import bundled_folder, catalogue, checkpoints, runs_folder

OFFERED = 4
"""Networks that are named where none is on this machine."""


def offered() -> list[dict[str, Any]]:
    """Those on this machine, else those that can be fetched: id, title, and whether it is here."""
    here = [card for card in checkpoints() if "reconstructs" in card.abilities or _paints(card)]
    cards = here or [card for card in catalogue() if "reconstructs" in card.abilities][:OFFERED]
    return [{"id": card.id, "title": card.title, "here": bool(here)} for card in cards]


def _paints(card: Card) -> bool:
    """Whether a checkpoint folder describes a network with its decoder; cards of runs do not say."""
    folder = {"run": runs_folder, "bundled": bundled_folder}.get(card.source)
    if folder is None:
        return False
    described = json.loads((folder() / card.id.partition("/")[2] / "config.json").read_text(encoding="utf-8"))
    return str(described.get("class", "")).endswith(("ForPreTraining", "ForMaskedImageModeling"))
