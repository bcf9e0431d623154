"""What the page's zero-shot tab begins with: the picture once, the network's own facts, and where answers come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from explorers import delivery, zero_shot_further
from explorers.beginnings import Beginning, beginning, readers
from explorers.bundle import pack
from explorers.desk_facts import desk_facts
from explorers.learnt import page_facts
from explorers.permalink import from_query
from explorers.zero_shot_answers import able, feature_of, learned
from explorers.zero_shot_asked import (
    TWIN,
    Asked,
    cosines,
    heated,
    listed,
    matrix_answer,
    numbers,
    reworded,
    set_answer,
    traced,
    word_answer,
)
from explorers.zero_shot_words import SENTENCES
from models.faults import Fault
from models.label_lists import imagenet_templates, presets

if TYPE_CHECKING:
    from explorers.frame import Desk

ANSWERS = {
    "cosines": cosines, "heat": heated, "words": word_answer, "matrix": matrix_answer, "set": set_answer,
    "list": listed, "wordings": reworded,
}  # fmt: skip


def opening(desk: Desk) -> bytes:
    """The picture as fed and the addresses of answers; or why this network cannot read, and which ones can."""
    seen = traced(desk)
    facts = {**desk_facts(seen), "sentences": dict(SENTENCES), "able": readers()}
    try:
        network = able(seen.backbone)
    except Fault as fault:
        return pack({**facts, **delivery.told(fault), "refused": True}, {})
    facts |= {
        **learned(network, feature_of(seen)),
        "presets": {name: list(labels) for name, labels in presets().items()}, "imagenet": list(imagenet_templates()),
        "twin": not desk.checkpoint.endswith(TWIN), "start": _start(beginning(desk.checkpoint)),
        "measured": zero_shot_further.held_out(desk.checkpoint), "learnt": page_facts(desk.checkpoint, desk.file),
        "local": os.environ.get("PATCHLIGHT_PUBLIC") != "1",
        **{name: _offer(partial(answer, desk)) for name, answer in ANSWERS.items()},
        "numbers": _offer(partial(numbers, desk), "patchlight-zero-shot.npz"),
    }  # fmt: skip
    return pack(facts, {"image": seen.backbone.pixels.rgb(seen.pixels)})


def _start(begun: Beginning) -> dict[str, Any]:
    return {
        "labels": list(begun.labels), "templates": [begun.templates[0]], "several": list(begun.templates),
        "set": begun.labelled, "matrix": begun.matrix,
    }  # fmt: skip


def _offer(answer: Callable[[Asked], bytes], filename: str | None = None) -> str:
    def answered(values: Mapping[str, str]) -> bytes:
        return answer(from_query(Asked, values))

    return delivery.offer(answered, filename=filename)
