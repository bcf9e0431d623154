"""What a run was measured to know, as `python -m training evaluate` left it in the run's folder."""

from __future__ import annotations

import json
from typing import Any

from models.card_catalogue import runs_folder


def evaluation(name: str) -> dict[str, Any] | None:
    """What `evaluation.json` of a run holds, where it was evaluated."""
    try:
        return json.loads((runs_folder() / name / "evaluation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
