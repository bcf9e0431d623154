"""What the page is told of the network and picture that a tab shows, whatever else that tab draws."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from models.feeding import framed

if TYPE_CHECKING:
    from explorers.traces import Traced

LARGEST_PHOTOGRAPH = 1600
"""Pixels of the longer side of the photograph that the page draws under its maps."""


def network_facts(seen: Traced) -> dict[str, Any]:
    card, pixels = seen.backbone.card, seen.backbone.pixels
    return {
        "checkpoint": card.id,
        "title": card.title,
        "revision": revision(card),
        "random": card.random,
        "notes": network_notes(card),
        "blocks": len(seen.layers),
        "names": list(seen.layers[0].names),
        "shape": seen.shape,
        "picture": seen.digest,
        "patch": pixels.patch,
        "fed": seen.told,
        "box": seen.box,
    }


def network_notes(card: Any) -> list[dict[str, Any]]:
    """What was said or taken as usual of a network beyond its weights, as `explorer.noted` and the page read it."""
    return [{"template": note.template, "facts": dict(note.facts)} for note in card.notes]


def revision(card: Any) -> str:
    if card.sha256:
        return f"sha256 {card.sha256[:4]}…{card.sha256[-2:]}"
    return f"revision {card.revision[:7]}" if card.revision else card.id


def desk_facts(seen: Traced) -> dict[str, Any]:
    """Facts that every tab's bundle carries."""
    positions = seen.backbone.positions()
    return {
        **network_facts(seen),
        "layers": [{"heads": layer.heads, "grid": layer.grid, "prefix": layer.prefix} for layer in seen.layers],
        "positions": positions[0].kind if positions else "none",
        "parameters": seen.backbone.card.parameters,
        "multiple": seen.backbone.pixels.multiple,
        "fixed": seen.backbone.pixels.fixed,
    }


def photograph(seen: Traced) -> bytes:
    """The picture in its own resolution and in the input's shape, as JPEG."""
    height, width = seen.shape
    factor = min(LARGEST_PHOTOGRAPH, max(*seen.image.size, height, width)) / max(height, width)
    size = (round(height * factor), round(width * factor))
    file = io.BytesIO()
    framed(seen.image, seen.box, size).save(file, "JPEG", quality=90)
    return file.getvalue()
