"""What a run was measured to know, as `python -m training evaluate` left it in the run's folder."""

from __future__ import annotations

import json
from typing import Any

from models.card_catalogue import runs_folder


def evaluation(name: str) -> dict[str, Any] | None:
    """What `evaluation.json` of a run holds, where it was evaluated, and as `apart` what its pictures have that those
    of training have not, "" where that is nothing."""
    try:
        told = json.loads((runs_folder() / name / "evaluation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    from training.datasets import found  # imports what opens them, which who was never evaluated need not wait for

    return {**told, "apart": next((one.apart for one in found() if one.claims(told["images"])), "")}
