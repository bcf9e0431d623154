"""The sentences under a map of embeddings, written once: the endpoint fills them here, the page in embedding_map.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorers import gallery_words
from explorers.explorer import Sentence
from explorers.learnt import warned

SENTENCES: Mapping[str, str] = {
    "both": "Pictures and texts in one space: {shown} pictures and {texts} texts.",
    "alone": "{shown} pictures; without texts there is no gap to be seen.",
    "pca": "On the plane of the first two principal components, which explain {first} % and {second} % of the "
    "variance.",
    "gap plane": "Across runs the direction of the gap, {first} % of the variance; upwards what varies most at right "
    "angles to it, {second} %.",
    "tsne": "Laid out by t-SNE with perplexity {perplexity}: near points are near in the space, but distances between "
    "groups and the axes mean nothing.",
    "umap": "Laid out by UMAP with {neighbours} neighbours: near points are near in the space, but distances between "
    "groups and the axes mean nothing.",
    "gap": "The modality gap, the distance of the two centroids in all channels, is {length} for vectors of length 1 "
    "(Liang et al. 2022, arXiv 2203.02053).",
    "shown": "Of its length {share} % lie in this plane.",
    "apart": "Here pictures and texts were each moved to their own centroid, so that the gap is taken out.",
    "matched": "A picture has a mean cosine of {matched} with its own caption and of {others} with the others.",
}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `embedding_map.explore`."""
    counts = {"shown": facts["shown"], "texts": len(facts["texts"])}
    said = [*warned(facts), Sentence(SENTENCES["both" if facts["texts"] else "alone"], counts)]
    if facts["texts"]:
        said += _gap(facts["gap"], facts["centre"])
    shares = facts["explained"] or [0, 0]
    plane = {"first": f"{100 * shares[0]:.1f}", "second": f"{100 * shares[1]:.1f}"}
    settings = {name: f"{value:g}" for name, value in facts["settings"].items()}
    said.append(
        Sentence(SENTENCES["gap plane" if facts["method"] == "gap" else facts["method"]], {**plane, **settings})
    )
    return (*said, *gallery_words.caption(facts))


def _gap(gap: Mapping[str, Any], centre: str) -> list[Sentence]:
    said = [Sentence(SENTENCES["gap"], {"length": f"{gap['length']:.3f}"})]
    if centre == "apart":
        said.append(Sentence(SENTENCES["apart"]))
    elif gap["shown"] is not None:
        said.append(Sentence(SENTENCES["shown"], {"share": f"{100 * gap['shown']:.0f}"}))
    if gap["matched"] is not None and gap["others"] is not None:
        cosines = {name: f"{gap[name]:.3f}" for name in ("matched", "others")}
        said.append(Sentence(SENTENCES["matched"], cosines))
    return said
