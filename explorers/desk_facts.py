"""What the desk at the left of the page is told of the network and picture that a tab shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorers.attention_answers import network_facts

if TYPE_CHECKING:
    from explorers.traces import Traced


def desk_facts(seen: Traced) -> dict[str, Any]:
    """Facts that every tab's bundle carries, whatever else it shows."""
    positions = seen.backbone.positions()
    return {
        **network_facts(seen),
        "layers": [{"heads": layer.heads, "grid": layer.grid, "prefix": layer.prefix} for layer in seen.layers],
        "positions": positions[0].kind if positions else "none",
        "parameters": seen.backbone.card.parameters,
        "multiple": seen.backbone.pixels.multiple,
        "fixed": seen.backbone.pixels.fixed,
    }
