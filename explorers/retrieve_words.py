"""The sentences under retrieved pictures, written once: the endpoint fills them here, the page in retrieve.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorers import gallery_words
from explorers.explorer import Sentence
from explorers.learnt import warned

SENTENCES: Mapping[str, str] = {
    "text": "The {found} pictures nearest to the text “{query}”; first comes “{first}” with a cosine of {cosine}, last "
    "one with {last}.",
    "picture": "The {found} pictures nearest to the given picture; first comes “{first}” with a cosine of {cosine}, "
    "last one with {last}.",
    "item": "The {found} pictures nearest to the gallery's own “{query}”, which is left out; first comes “{first}” "
    "with a cosine of {cosine}, last one with {last}.",
    "same": "By the gallery's captions {same} of them, marked =, mean what was asked for, of {there} in all.",
    "exact": "Every picture was compared.",
    "faiss": "Searched by faiss in {probed} of {cells} cells: a nearer picture in another cell would be missed.",
}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `retrieve.explore`; retrieve.js does the same in the page."""
    hits = facts["hits"]
    asked = {
        "found": len(hits), "query": facts["query"], "first": hits[0]["name"], "cosine": f"{hits[0]['cosine']:.3f}",
        "last": f"{hits[-1]['cosine']:.3f}",
    }  # fmt: skip
    said = [*warned(facts), Sentence(SENTENCES[facts["by"]], asked)]
    if facts["there"]:
        same = sum(hit["same"] for hit in hits)
        said.append(Sentence(SENTENCES["same"], {"same": same, "there": facts["there"]}))
    searched = {"probed": facts["probed"], "cells": facts["cells"]}
    said.append(Sentence(SENTENCES[facts["search"]], searched))
    return (*said, *gallery_words.caption(facts))
