"""Answers to what the page's zero-shot tab asks while one looks: cosines of labels that are new, then maps, words,
pictures against texts, a labelled set.

Read-outs, temperature, bias, order, accuracy and calibration are worked out in the page from cosines alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from explorers import zero_shot_further
from explorers.bundle import pack
from explorers.export import npz
from explorers.long_lists import long_list
from explorers.parameters import Parameters, parameter
from explorers.traces import Traced, trace
from explorers.zero_shot import Question, explore, templates_of
from explorers.zero_shot_answers import compared, heat
from explorers.zero_shot_matrix import Kind, matrix, thumbnails
from explorers.zero_shot_score import BATCH, part
from explorers.zero_shot_sets import labelled_set
from explorers.zero_shot_words import caption
from models.faults import Fault
from models.label_lists import wordings

if TYPE_CHECKING:
    from explorers.frame import Desk

TWIN = "?random"


class Asked(Parameters):
    """One question of the page's script. Lists travel as one text, a line for each: an address is no place for many."""

    labels: str = parameter("", title="Labels", longest=60000)
    templates: str = parameter("{}", title="Templates", longest=60000)
    ensemble: Literal["given", "imagenet"] = parameter("given", title="Set of templates")
    label: int | None = parameter(None, title="Label of the map", least=0, most=999)
    patches: Literal["none", "tokens", "values", "gradient"] = parameter("none", title="Text to patches")
    twin: bool = parameter(False, title="Random twin")
    words: bool = parameter(False, title="Words")
    matrix: Literal["none", "drawn", "emoji", "examples", "own"] = parameter("none", title="Matrix")
    drawing: int = parameter(0, title="Seed", least=0, most=9999)
    pictures: str = parameter("", title="Pictures", longest=30000)
    set: str = parameter("", title="Labelled set", longest=1000)
    scored: int = parameter(200, title="Pictures", least=16, most=1000)
    start: int = parameter(0, title="Batch", least=0, most=1000)

    def question(self, desk: Desk) -> Question:
        """The same as the endpoint takes it."""
        own = {name: value for name, value in self if name in Question.model_fields}
        lists = {"labels": self.labels.splitlines(), "templates": self.templates.splitlines()}
        return Question(**{**own, **lists, "checkpoint": desk.checkpoint, "side": desk.side, "fit": desk.fit})


def cosines(desk: Desk, asked: Asked) -> bytes:
    """`cosine` (labels), `each` and `left_out` (templates, labels) of the labels that the page does not know yet."""
    question = asked.question(desk)
    arrays = compared(traced(desk), question.labels, templates_of(question)).arrays()
    return pack({}, {name: arrays[name] for name in ("cosine", "each", "left_out")})


def heated(desk: Desk, asked: Asked) -> bytes:
    """Map of one label, by this network or by its random twin."""
    question = asked.question(desk)
    if question.patches == "none" or len(question.labels) != 1:
        raise Fault("A map was asked for, but for {count} labels; ask for one label at a time.",
                    count=len(question.labels))  # fmt: skip
    shown = traced(desk, TWIN if asked.twin else "")
    text = compared(shown, question.labels, templates_of(question)).text[0]
    values = heat(shown, text, question.patches).numpy()
    return pack({"low": float(values.min()), "high": float(values.max())}, {"map": values})


def word_answer(desk: Desk, asked: Asked) -> bytes:
    """Relevance of each word of one prompt, the first line of `labels`."""
    prompt = next(iter(asked.labels.splitlines()), "")
    found = zero_shot_further.words(traced(desk), prompt)
    facts = zero_shot_further.word_facts(prompt, found)
    return pack(facts, {"left_out": found.left_out.numpy(), "gradient": found.gradient.numpy()})


def matrix_answer(desk: Desk, asked: Asked) -> bytes:
    """Cosines (pictures, texts) and thumbnails of the pictures."""
    question, backbone, kind = asked.question(desk), traced(desk).backbone, _kind(asked)
    shown = zero_shot_further.paired(
        backbone, kind, asked.drawing, _files(desk, asked), question.labels, templates_of(question)
    )
    cosine = matrix(backbone, shown)
    facts = zero_shot_further.matrix_facts(shown, cosine, kind, asked.drawing)
    return pack({**facts, "templates": list(shown.templates)}, {"cosine": cosine.numpy(), "small": thumbnails(shown)})


def set_answer(desk: Desk, asked: Asked) -> bytes:
    """Some pictures of a labelled set, from number `start` on: cosines with every label, truth, thumbnails."""
    backbone = traced(desk).backbone
    language = zero_shot_further.language_of(desk.checkpoint)
    wanted = labelled_set(asked.set, asked.scored, backbone.pixels.size[0], language)
    found = part(backbone, wanted, templates_of(asked.question(desk)), asked.start)
    facts = {"of": len(wanted), "labels": list(wanted.labels) if asked.start == 0 else None, "skipped": found.skipped,
             "step": BATCH}  # fmt: skip
    return pack(facts, {"cosine": found.cosine, "truth": found.truth, "small": found.thumbnails})


def listed(_desk: Desk, asked: Asked) -> bytes:
    """Class names that are too many to travel with every picture: of ImageNet, or of the bundled emoji."""
    return pack({"labels": long_list(asked.set)}, {})


def reworded(_desk: Desk, asked: Asked) -> bytes:
    """Other ways of saying a label, the first line of `labels`."""
    label = next(iter(asked.labels.splitlines()), "")
    return pack({"label": label, "wordings": list(wordings(label))}, {})


def numbers(desk: Desk, asked: Asked) -> bytes:
    """What is shown, as the endpoint's `.npz`; a matrix of the reader's own pictures holds all of them."""
    question = asked.question(desk)
    if asked.matrix != "own":
        return npz(explore(desk.file, question))
    finding = explore(desk.file, question.model_copy(update={"matrix": "none"}))
    templates = templates_of(question)
    arrays, facts = zero_shot_further.matrix_found(
        traced(desk).backbone, "own", asked.drawing, _files(desk, asked), question.labels, templates
    )
    told = {**finding.facts, "pairs": facts}
    return npz(replace(finding, arrays={**finding.arrays, **arrays}, caption=caption(told), facts=told))


def _kind(asked: Asked) -> Kind:
    return "drawn" if asked.matrix == "none" else asked.matrix


def _files(desk: Desk, asked: Asked) -> list[Path]:
    """The pictures that were added, examples or uploads, each checked as the desk's own is."""
    return [desk.model_copy(update={"picture": name}).file for name in asked.pictures.splitlines()]


def traced(desk: Desk, suffix: str = "") -> Traced:
    """Out of the cache, or made again where it had to make room."""
    return trace(desk.checkpoint + suffix, desk.file, desk.side, desk.fit)
