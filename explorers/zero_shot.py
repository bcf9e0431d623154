"""Which of these texts belongs to the picture, and what made the answer: the word, the template or the temperature?

Type labels. A CLIP shares 100 % among them, even where none fits; a SigLIP judges each alone, so that a small figure
can be a confident yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.explorer import Explorer, Finding
from explorers.parameters import Fit, Parameters, fitting, parameter, within
from explorers.zero_shot_words import caption

if TYPE_CHECKING:
    from PIL import Image

    from explorers.frame import Desk, Frame

DEFAULT = "bundled/clip"
LABELS = ["cat", "cup of coffee", "astronaut", "rocket", "flower", "pavilion by a lake"]


class Question(Parameters):
    """Labels, how they are put into sentences, and which of them is looked for in the picture."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="Longer side; the network's own if empty.", unit="px")
    fit: Fit = fitting("trained")
    labels: list[str] = parameter(LABELS, title="Labels", help="Words or phrases in the network's language.",
                                  longest=1000)  # fmt: skip
    templates: list[str] = parameter(
        ["a photo of a {}."], title="Templates", help="Sentences with a pair of braces where the label goes.",
        longest=200,
    )  # fmt: skip
    ensemble: Literal["given", "imagenet"] = parameter(
        "given", title="Set of templates", help="Those given, or the 80 of CLIP's authors for ImageNet."
    )
    label: int | None = parameter(
        None, title="Label of the map", help="Counted from 0; the first of the ranking if empty.", least=0, most=999
    )
    patches: Literal["none", "tokens", "values", "gradient"] = parameter(
        "none", title="Text to patches", help="How patches are compared with the label."
    )
    words: bool = parameter(False, title="Words", help="Relevance of each word of the label's first prompt.")
    matrix: Literal["none", "drawn", "emoji", "examples", "own"] = parameter(
        "none", title="Matrix", help="Drawn shapes, emoji, examples, or the picture itself, against several texts."
    )
    drawing: int = parameter(0, title="Seed", help="Of the matrix's drawn pictures.", least=0, most=9999)
    set: str = parameter(
        "", title="Labelled set", help="shapes, held, twemoji, emojione, or a folder with a folder for each label.",
        longest=1000,
    )  # fmt: skip
    scored: int = parameter(200, title="Pictures", help="Of the labelled set, at most.", least=16, most=1000)
    panel: Literal["scores", "wording", "matrix", "set"] = parameter("scores", title="View", help="Of the page.")
    order: Literal["score", "given"] = parameter("score", title="Order", help="Of the bars on the page.")


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Question) -> Finding:
    """Every label's score by both read-outs, whichever the network was trained with.

    cosine, logits:     (labels) in the order given; logits = scale · cosine + bias, both as learned
    softmax, sigmoid:   (labels) of the same logits; the facts' `read_out` names the network's own
    each, left_out:     (templates, labels) cosine of one template alone, and of all others without it
    text:               (labels, channels) unit vectors; picture: (channels)
    image:              (height, width, 3) uint8, as fed
    heat:               (rows, columns) of `label`, with `patches`: cosine, or relevance for "gradient"
    word_left_out, word_gradient:  (words) of `label`'s first prompt, with `words`; see `models.word_relevance`
    matrix:             (pictures, texts) cosine, with `matrix`
    set_cosine, set_truth, set_predicted, set_confidence, set_confusion, set_bins:  with `set`; (pictures, labels),
                        (pictures) three times, (labels, labels) truth × said, and (3, bins) mean confidence, accuracy,
                        pictures
    """
    from explorers import traces, zero_shot_further
    from explorers.attention_answers import revision
    from explorers.desk_facts import network_notes
    from explorers.learnt import outside
    from explorers.zero_shot_answers import able, compared, ends, heat, learned

    able(traces.backbone(asked.checkpoint))
    seen = traces.trace(asked.checkpoint, image or "", asked.side, asked.fit)
    found = compared(seen, asked.labels, templates_of(asked))
    arrays, card = found.arrays(), seen.backbone.card
    order = sorted(range(len(found.labels)), key=lambda label: -float(arrays["cosine"][label]))
    facts: dict[str, Any] = {
        "labels": list(found.labels), "templates": list(found.templates), "order": order, "map": None,
        **{name: arrays[name].tolist() for name in ("cosine", "logits", "softmax", "sigmoid")},
        **learned(found.network, found.picture), "shape": seen.shape, "fed": seen.told,
        "checkpoint": card.id, "title": card.title,
        "revision": revision(card), "random": card.random, "notes": network_notes(card),
        "measured": zero_shot_further.held_out(card.id),
    }  # fmt: skip
    label = order[0] if asked.label is None else within("label", asked.label, 0, len(order) - 1)
    if asked.patches != "none":
        arrays["heat"] = heat(seen, found.text[label], asked.patches).numpy()
        low, high = ends(arrays["heat"])
        facts["map"] = {"patches": asked.patches, "label": found.labels[label], "low": low, "high": high}
    arrays |= {"text": found.text.numpy(), "picture": found.picture.numpy()}
    arrays["image"] = seen.backbone.pixels.rgb(seen.pixels)
    further: dict[str, zero_shot_further.Found] = {}
    if asked.words:
        prompt = found.templates[0].replace("{}", found.labels[label])
        further["word"] = zero_shot_further.words_found(seen, prompt)
    if asked.matrix != "none":
        further["pairs"] = zero_shot_further.matrix_found(
            seen.backbone, asked.matrix, asked.drawing, [image] if image else [], asked.labels, found.templates
        )
    if asked.set:
        further["scored"] = zero_shot_further.set_found(seen.backbone, asked.set, asked.scored, found.templates)
    for name, (more, told) in further.items():
        arrays |= more
        facts[name] = told
    sets = [name for name in (asked.matrix, asked.set) if name not in ("none", "own", "")]
    texts = [*asked.labels, *facts.get("pairs", {}).get("texts", ())]
    facts["outside"] = outside(asked.checkpoint, file=image, sets=sets, texts=texts)
    return Finding(arrays, caption(facts), facts)


def templates_of(asked: Question) -> list[str]:
    """The templates that are asked for, spelled out."""
    from models.label_lists import imagenet_templates

    return list(imagenet_templates()) if asked.ensemble == "imagenet" else asked.templates


def zero_shot(image: str | Path, checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `zero_shot("cat.jpg", "bundled/clip", labels=["a cat", "a dog"]).arrays["softmax"]`."""
    return EXPLORER.run(image, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def sheet(finding: Finding, language: str) -> Image.Image:
    """For the shell: the picture, its heat map where one was asked for, and bars of every read-out."""
    from explorers.zero_shot_figure import drawn

    return drawn(finding, language)


def picture(desk: Desk) -> Mapping[str, Any]:
    """The desk's picture as it is fed, and where the page asks for labels' cosines and maps."""
    from explorers import delivery, zero_shot_page

    return {"maps": delivery.place(zero_shot_page.opening(desk))}


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """Bars and maps, drawn by `assets/stage/zero_shot.js`."""
    frame.stage("zero_shot", Question, picture)


EXPLORER = Explorer("zero_shot", "Zero-shot", 40, Question, explore, build, needs="ZeroShot", sheet=sheet)
"""`/zero_shot`, `python -m explorers zero_shot`, the tab "Zero-shot"."""
