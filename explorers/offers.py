"""Networks that are named where the chosen one lacks what is asked: those on this machine, else some to be fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.card import Card
from models.card_catalogue import catalogue, checkpoints

OFFERED = 4
"""Networks that are named where none is on this machine."""


def offered(fits: Callable[[Card], bool]) -> list[dict[str, Any]]:
    """id, title, and whether it is here, of networks that fit."""
    here = [card for card in checkpoints() if fits(card)]
    cards = here or [card for card in catalogue() if fits(card)][:OFFERED]
    return [{"id": card.id, "title": card.title, "here": bool(here)} for card in cards]


def windowed(card: Card) -> bool:
    """Whether attention stays within windows."""
    return card.family.startswith("Swin")


def scores(card: Card) -> bool:
    """Whether a class or a text is scored, so that relevance has something to explain."""
    return "classifies" in card.abilities or "zero-shot" in card.abilities
