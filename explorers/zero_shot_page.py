"""What the page's zero-shot tab fetches: the picture once, then cosines of labels that are new, then maps.

Read-outs, temperature, bias and order are worked out in the page from cosines alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from explorers import delivery
from explorers.bundle import pack
from explorers.desk_facts import desk_facts
from explorers.export import npz
from explorers.parameters import Parameters, parameter
from explorers.permalink import from_query
from explorers.traces import Traced, trace
from explorers.zero_shot import Question, explore, templates_of
from explorers.zero_shot_answers import able, compared, heat, learned
from explorers.zero_shot_words import SENTENCES
from models.catalogue import catalogue, checkpoints
from models.faults import Fault
from models.label_lists import imagenet_templates, presets
from models.text_to_patches import picture_feature

if TYPE_CHECKING:
    from explorers.frame import Desk

OFFERED = 4
"""Networks that are named where the chosen one has no text tower."""

TWIN = "?random"


class Asked(Parameters):
    """One question of the page's script. Lists travel as one text, a line for each: an address is no place for many."""

    labels: str = parameter("", title="Labels", longest=60000)
    templates: str = parameter("{}", title="Templates", longest=60000)
    ensemble: Literal["given", "imagenet"] = parameter("given", title="Set of templates")
    label: int | None = parameter(None, title="Label of the map", least=0, most=999)
    patches: Literal["none", "tokens", "values", "gradient"] = parameter("none", title="Text to patches")
    twin: bool = parameter(False, title="Random twin")

    def question(self, desk: Desk) -> Question:
        """The same as the endpoint takes it."""
        return Question(
            checkpoint=desk.checkpoint, side=desk.side, fit=desk.fit, labels=self.labels.splitlines(),
            templates=self.templates.splitlines(), ensemble=self.ensemble, label=self.label, patches=self.patches,
        )  # fmt: skip


def opening(desk: Desk) -> bytes:
    """The picture as fed and the addresses of answers; or why this network cannot read, and which ones can."""
    seen = _traced(desk)
    facts = {**desk_facts(seen), "sentences": dict(SENTENCES), "able": offered()}
    try:
        network = able(seen.backbone)
    except Fault as fault:
        return pack({**facts, **delivery.told(fault), "refused": True}, {})
    facts |= {
        **learned(network, picture_feature(seen.backbone, seen.layers)),
        "presets": {name: list(labels) for name, labels in presets().items()}, "imagenet": list(imagenet_templates()),
        "twin": not desk.checkpoint.endswith(TWIN),
        "cosines": _offer(desk, partial(cosines, desk)), "heat": _offer(desk, partial(heated, desk)),
        "numbers": _offer(desk, partial(numbers, desk), "patchlight-zero-shot.npz"),
    }  # fmt: skip
    return pack(facts, {"image": seen.backbone.pixels.rgb(seen.pixels)})


def offered() -> list[dict[str, Any]]:
    """Networks with a text tower: those on this machine, else those that can be fetched."""
    here = [card for card in checkpoints() if "zero-shot" in card.abilities or card.family in ("CLIP", "SigLIP")]
    cards = here or [card for card in catalogue() if "zero-shot" in card.abilities]
    return [{"id": card.id, "title": card.title} for card in cards[:OFFERED]]


def cosines(desk: Desk, asked: Question, _: bool) -> bytes:
    """`cosine` (labels), `each` and `left_out` (templates, labels) of the labels that the page does not know yet."""
    arrays = compared(_traced(desk), asked.labels, templates_of(asked)).arrays()
    return pack({}, {name: arrays[name] for name in ("cosine", "each", "left_out")})


def heated(desk: Desk, asked: Question, twin: bool) -> bytes:
    """Map of one label, by this network or by its random twin."""
    if asked.patches == "none" or len(asked.labels) != 1:
        raise Fault("A map was asked for, but for {count} labels; ask for one label at a time.",
                    count=len(asked.labels))  # fmt: skip
    shown = _traced(desk, TWIN if twin else "")
    values = heat(shown, compared(shown, asked.labels, templates_of(asked)).text[0], asked.patches).numpy()
    return pack({"low": float(values.min()), "high": float(values.max())}, {"map": values})


def numbers(desk: Desk, asked: Question, _: bool) -> bytes:
    """What is shown, as the endpoint's `.npz`."""
    return npz(explore(desk.file, asked))


def _traced(desk: Desk, suffix: str = "") -> Traced:
    """Out of the cache, or made again where it had to make room."""
    return trace(desk.checkpoint + suffix, desk.file, desk.side, desk.fit)


def _offer(desk: Desk, answer: Callable[[Question, bool], bytes], filename: str | None = None) -> str:
    def answered(values: Mapping[str, str]) -> bytes:
        asked = from_query(Asked, values)
        return answer(asked.question(desk), asked.twin)

    return delivery.offer(answered, filename=filename)
