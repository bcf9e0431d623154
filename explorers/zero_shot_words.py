"""The sentences under a zero-shot answer, written once: the endpoint fills them here, the page in zero_shot.js."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorers import fed_words
from explorers.explorer import Sentence, noted
from explorers.learnt import warned
from explorers.text import per_cent

SENTENCES: Mapping[str, str] = {
    "softmax": "“{label}” comes first of {labels} labels, with {share} % by softmax and a cosine of {cosine}; "
    "“{second}” has {other} %.",
    "sigmoid": "“{label}” comes first of {labels} labels, with {share} % by sigmoid and a cosine of {cosine}; "
    "“{second}” has {other} %.",
    "softmax alone": "“{label}” is the only label, so softmax says 100 % whatever the picture; its cosine is {cosine}.",
    "sigmoid alone": "“{label}” is the only label; sigmoid says {share} %, its cosine is {cosine}.",
    "bound": "Every word of “{label}” is in other labels too: networks trained to match know what is in a picture "
    "better than what belongs to what (2204.03162, 2210.01936).",
    "template": "Template: “{template}”.",
    "ensemble": "Each label is the mean of {templates} templates, taken of unit vectors (2103.00020, section 3.1.4).",
    "softmax trained": "Trained with softmax; logit = {scale} · cosine.",
    "sigmoid trained": "Trained with sigmoid; logit = {scale} · cosine + ({bias}).",
    "moved": "Here temperature and bias were moved: logit = {scale} · cosine + ({bias}).",
    "tokens": "The map is the cosine of “{label}” with each patch of the last block, {low} to {high}.",
    "values": "The map is the cosine of “{label}” with each patch's value in the last block, {low} to {high} "
    "(MaskCLIP).",
    "gradient": "The map is gradient × attention of the cosine with “{label}”, {low} to {high}.",
    "left out": "Of “{prompt}”, “{most}” matters most: with it the cosine is {whole}, without it {rest}.",
    "word gradient": "Gradient × attention follows the cosine with “{prompt}” back to its words (2103.15679); start, "
    "end and padding hold {apart} %.",
    "matrix": "Pictures: {pictures}, in columns, against texts: {texts}, in rows; cosines from {low} to {high}.",
    "diagonal": "On the diagonal each picture meets its own text: the text comes first for {rows} pictures of "
    "{pictures}, the picture for {columns} texts; the mean cosine is {own} there and {beside} elsewhere.",
    "drawn": "The pictures were drawn with seed {seed}, of combinations of colour and shape that training leaves out.",
    "emoji": "The pictures are emoji of the style that is kept for the test, chosen with seed {seed}.",
    "scored": "The own label comes first of {labels} for {right} pictures of {pictures}: {accuracy} %, 95 % interval "
    "{low} to {high} % (Wilson), chance {chance} %.",
    "calibrated": "Mean confidence is {confidence} %; the expected calibration error over {bins} bins is {error} % "
    "(1706.04599).",
    "skipped": "Pictures that could not be read: {skipped}.",
    "squares": "Its pictures are squares, cut from the middle where they were not, and fed whole.",
    "shapes": "The pictures are drawn shapes of the test split, among all 64 names of the vocabulary.",
    "held": "The pictures are drawn shapes of the test split, among the 16 names that occur.",
    "twemoji": "The pictures are emoji of the style that is kept for validation, each its own label.",
    "emojione": "The pictures are emoji of the style that is kept for the test, each its own label.",
    "folder": "The pictures come from a folder; their labels are the names of its folders.",
    "measured shapes": "This network knows drawn shapes alone: of combinations of colour and shape that are kept out "
    "of training it puts the right caption of {texts} first for {top} % (95 % interval {low} to {high} %, chance "
    "{chance} %) and among the first five for {five} %.",
    "measured scenes": "This network knows emoji and shapes alone: in a style that is kept out of training it puts the "
    "right caption of {texts} first for {top} % (95 % interval {low} to {high} %, chance {chance} %) and among the "
    "first five for {five} %.",
    "network": "{title}, {revision}, input {width} × {height} px.",
    "twin": "The map is of the random twin: the same network, never trained.",
    "random": "The weights are random: this network was never trained.",
}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `zero_shot.explore`."""
    said = [*warned(facts), _first(facts)]
    label, templates = facts["labels"][facts["order"][0]], facts["templates"]
    if _bound(label, facts["labels"]):
        said.append(Sentence(SENTENCES["bound"], {"label": label}))
    if len(templates) == 1:
        said.append(Sentence(SENTENCES["template"], {"template": templates[0]}))
    else:
        said.append(Sentence(SENTENCES["ensemble"], {"templates": len(templates)}))
    factor = {"scale": f"{facts['scale']:.4g}", "bias": f"{facts['bias']:.4g}"}
    trained = "softmax trained" if facts["read_out"] == "softmax" else "sigmoid trained"
    said.append(Sentence(SENTENCES[trained], factor))
    if facts["map"]:
        said.append(Sentence(SENTENCES[facts["map"]["patches"]], {**facts["map"]}))
    said += _further(facts)
    said.append(fed_words.said(facts))
    height, width = facts["shape"]
    told = {"title": facts["title"], "revision": facts["revision"], "width": width, "height": height}
    said.append(Sentence(SENTENCES["network"], told))
    if known := facts["measured"]:
        said.append(Sentence(SENTENCES[f"measured {known['pictures']}"], known))
    return (*said, *noted(facts), *([Sentence(SENTENCES["random"])] if facts["random"] else []))


def _further(facts: Mapping[str, Any]) -> list[Sentence]:
    """Of words, matrix and labelled set, where they were asked for."""
    said: list[Sentence] = []
    if word := facts.get("word"):
        said += [Sentence(SENTENCES["left out"], word), Sentence(SENTENCES["word gradient"], word)]
    if pairs := facts.get("pairs"):
        said.append(Sentence(SENTENCES["matrix"], {**pairs, "texts": len(pairs["texts"])}))
        said += [Sentence(SENTENCES["diagonal"], pairs)] if pairs["paired"] else []
        said += [Sentence(SENTENCES[pairs["kind"]], pairs)] if pairs["kind"] in ("drawn", "emoji") else []
        said.append(Sentence(SENTENCES["squares"]))
    if scored := facts.get("scored"):
        kind = scored["set"] if scored["set"] in ("shapes", "held", "twemoji", "emojione") else "folder"
        said += [Sentence(SENTENCES["scored"], scored), Sentence(SENTENCES["calibrated"], scored)]
        said += [Sentence(SENTENCES[kind], scored), Sentence(SENTENCES["squares"])]
        said += [Sentence(SENTENCES["skipped"], scored)] if scored["skipped"] else []
    return said


def _first(facts: Mapping[str, Any]) -> Sentence:
    order, share, read_out = facts["order"], facts[facts["read_out"]], facts["read_out"]
    first = {
        "label": facts["labels"][order[0]], "share": per_cent(share[order[0]]),
        "cosine": f"{facts['cosine'][order[0]]:.3f}",
    }  # fmt: skip
    if len(order) == 1:
        return Sentence(SENTENCES["softmax alone" if read_out == "softmax" else "sigmoid alone"], first)
    rest = {"labels": len(order), "second": facts["labels"][order[1]], "other": per_cent(share[order[1]])}
    return Sentence(SENTENCES["softmax" if read_out == "softmax" else "sigmoid"], {**first, **rest})


def _bound(label: str, labels: Sequence[str]) -> bool:
    """Whether only how its words belong together tells the label from the others, as with "red square" among "red
    heart" and "green square"."""
    others = {word for other in labels if other != label for word in other.split()}
    return len(label.split()) > 1 and others.issuperset(label.split())
