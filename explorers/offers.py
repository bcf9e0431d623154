"""Networks that are named where the chosen one lacks what is asked: those on this machine, else some to be fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from models.card import Card
from models.card_catalogue import catalogue, checkpoints

OFFERED = 4
"""Networks that are named where none is on this machine."""


def offered(*kinds: Callable[[Card], bool]) -> list[dict[str, Any]]:
    """id, title, and whether it is here, of networks of any of these kinds; those of the first kind come first."""
    here = _ordered(checkpoints(), kinds)
    cards = here or _ordered(catalogue(), kinds)[:OFFERED]
    return [{"id": card.id, "title": card.title, "here": bool(here)} for card in cards]


def _ordered(cards: Iterable[Card], kinds: Iterable[Callable[[Card], bool]]) -> list[Card]:
    return list({card.id: card for fits in kinds for card in cards if fits(card)}.values())


def windowed(card: Card) -> bool:
    """Whether attention stays within windows."""
    return card.family.startswith("Swin")


def classifies(card: Card) -> bool:
    """Whether it scores classes of its own, which relevance explains without a word from the reader."""
    return "classifies" in card.abilities


def reads(card: Card) -> bool:
    """Whether it scores a text, which the reader has to write first."""
    return "zero-shot" in card.abilities
