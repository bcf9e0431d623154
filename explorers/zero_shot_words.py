"""The sentences under a zero-shot answer, written once: the endpoint fills them here, the page in zero_shot.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorers.explorer import Sentence

SENTENCES: Mapping[str, str] = {
    "softmax": "“{label}” comes first of {labels} labels, with {share} % by softmax and a cosine of {cosine}; "
    "“{second}” has {other} %.",
    "sigmoid": "“{label}” comes first of {labels} labels, with {share} % by sigmoid and a cosine of {cosine}; "
    "“{second}” has {other} %.",
    "softmax alone": "“{label}” is the only label, so softmax says 100 % whatever the picture; its cosine is {cosine}.",
    "sigmoid alone": "“{label}” is the only label; sigmoid says {share} %, its cosine is {cosine}.",
    "template": "Template: “{template}”.",
    "ensemble": "Each label is the mean of {templates} templates, taken of unit vectors (2103.00020, section 3.1.4).",
    "softmax trained": "Trained with softmax; logit = {scale} · cosine.",
    "sigmoid trained": "Trained with sigmoid; logit = {scale} · cosine + ({bias}).",
    "moved": "Here temperature and bias were moved: logit = {scale} · cosine + ({bias}).",
    "tokens": "The map is the cosine of “{label}” with each patch of the last block, {low} to {high}.",
    "values": "The map is the cosine of “{label}” with each patch's value in the last block, {low} to {high} "
    "(MaskCLIP).",
    "gradient": "The map is gradient × attention of the cosine with “{label}”, {low} to {high}.",
    "network": "{title}, {revision}, input {width} × {height} px.",
    "twin": "The map is of the random twin: the same network, never trained.",
    "random": "The weights are random: this network was never trained.",
}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `zero_shot.explore`."""
    said = [_first(facts)]
    templates = facts["templates"]
    if len(templates) == 1:
        said.append(Sentence(SENTENCES["template"], {"template": templates[0]}))
    else:
        said.append(Sentence(SENTENCES["ensemble"], {"templates": len(templates)}))
    factor = {"scale": f"{facts['scale']:.4g}", "bias": f"{facts['bias']:.4g}"}
    trained = "softmax trained" if facts["read_out"] == "softmax" else "sigmoid trained"
    said.append(Sentence(SENTENCES[trained], factor))
    if facts["map"]:
        said.append(Sentence(SENTENCES[facts["map"]["patches"]], {**facts["map"]}))
    height, width = facts["shape"]
    told = {"title": facts["title"], "revision": facts["revision"], "width": width, "height": height}
    said.append(Sentence(SENTENCES["network"], told))
    return (*said, *([Sentence(SENTENCES["random"])] if facts["random"] else []))


def _first(facts: Mapping[str, Any]) -> Sentence:
    order, share, read_out = facts["order"], facts[facts["read_out"]], facts["read_out"]
    first = {
        "label": facts["labels"][order[0]], "share": _percent(share[order[0]]),
        "cosine": f"{facts['cosine'][order[0]]:.3f}",
    }  # fmt: skip
    if len(order) == 1:
        return Sentence(SENTENCES["softmax alone" if read_out == "softmax" else "sigmoid alone"], first)
    rest = {"labels": len(order), "second": facts["labels"][order[1]], "other": _percent(share[order[1]])}
    return Sentence(SENTENCES["softmax" if read_out == "softmax" else "sigmoid"], {**first, **rest})


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
