"""The sentences under an attention map, each written once: the endpoint fills them here, the page in caption.js.

Captions count blocks, heads, rows and columns from 1, as papers do; parameters count from 0, as arrays do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorers import fed_words
from explorers.explorer import Sentence, noted

SENTENCES: Mapping[str, str] = {
    "from prefix": "Where {token} looks in block {block} of {blocks}.",
    "from patch": "Where the patch in row {row}, column {column} looks in block {block} of {blocks}.",
    "from mean": "Where the patches look in block {block} of {blocks}, averaged over all of them.",
    "from pool": "Where the attention pool's latent, the network's read-out, looks behind block {block} of {blocks}.",
    "to prefix": "Who looks at {token} in block {block} of {blocks}.",
    "to patch": "Who looks at the patch in row {row}, column {column} in block {block} of {blocks}.",
    "rollout prefix": "Attention rollout from {token} through blocks 1 to {block} of {blocks}.",
    "rollout patch": "Attention rollout from the patch in row {row}, column {column} through blocks 1 to {block} of "
    "{blocks}.",
    "rollout mean": "Attention rollout averaged over all patches, through blocks 1 to {block} of {blocks}.",
    "rollout pool": "Attention rollout from the attention pool's latent through blocks 1 to {block} of {blocks}.",
    "class": "What the logit of “{target}” rests on: gradient × attention through all {blocks} blocks, positive part.",
    "class text": "What the cosine with “{target}” rests on: gradient × attention through all {blocks} blocks, "
    "positive part.",
    "only head": "The map is that of the only head.",
    "mean": "The map is the mean of {heads} heads.",
    "max": "The map is the maximum over {heads} heads.",
    "min": "The map is the minimum over {heads} heads.",
    "head": "The map is head {head} of {heads}.",
    "rollout fused mean": "Heads are fused by their mean; the lowest {discard} % of each row are discarded.",
    "rollout fused max": "Heads are fused by their maximum; the lowest {discard} % of each row are discarded.",
    "rollout fused min": "Heads are fused by their minimum; the lowest {discard} % of each row are discarded.",
    "mass row": "It is one row of the softmax: patches hold {patches} % of it, prefix tokens {prefix} %.",
    "mass mean": "It is the mean of the softmax's rows of all patches: patches hold {patches} % of it, prefix tokens "
    "{prefix} %.",
    "mass pool": "It is the row of the attention pool's softmax: patches hold {patches} % of it, prefix tokens "
    "{prefix} %.",
    "whole row": "It is one row of the softmax, which sums to 1 over the patches.",
    "whole mean": "It is the mean of the softmax's rows of all patches, which sums to 1 over the patches.",
    "whole pool": "It is the row of the attention pool's softmax, which sums to 1 over the patches.",
    "padded row": "It is one row of the softmax: {patches} % of it falls on patches, {padding} % on padding at the "
    "picture's edge.",
    "padded mean": "It is the mean of the softmax's rows of all patches: {patches} % of it falls on patches, {padding} "
    "% on padding at the picture's edge.",
    "window": "The row sums to 1 over the patch's own window; what lies outside is hatched, since it cannot be seen.",
    "padded window": "Of the row {patches} % falls on patches of the patch's own window, {padding} % on padding at the "
    "picture's edge; what lies outside is hatched, since it cannot be seen.",
    "no row": "Fused this way it is no row of a softmax and sums to nothing in particular.",
    "column": "It is one column of the softmax: its weights come from different rows and sum to {sum}.",
    "scale own": "Colours run from 0 to {peak}, the greatest value of this map.",
    "scale shared": "Colours run from 0 to {peak}, the greatest value of all blocks and heads.",
    "scale clipped": "Colours run from 0 to {peak}, the 99th percentile of this map's patches above 0; brighter ones "
    "are cut.",
    "scale beside": "Colours run from 0 to {peak} in both halves: the greater of their two scales.",
    "mark": "The smallest set of patches that holds {share} % of the mass counts {kept} of {patches}.",
    "network": "{title}, {revision}, input {width} × {height} pixels.",
    "random": "The weights are random: this network was never trained.",
}

ROUNDING = 1e-4
"""Share of a row below which what is missing is rounding, not padding."""


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The caption of one finding, by the facts of `attention_answers.answer`; caption.js does the same in the page."""
    return (*_what(facts), _scale(facts), *_mark(facts), *_network(facts))


def query_facts(query: str, names: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Kind of a query and what a sentence says of it: ("patch", {"row": 13, "column": 8})."""
    kind, _, place = query.partition(" ")
    if kind == "prefix":
        return kind, {"token": names[int(place)]}
    if kind == "patch":
        row, column = place.split(",")
        return kind, {"row": int(row) + 1, "column": int(column) + 1}
    return kind, {}


def percent(share: float) -> str:
    return f"{100 * share:.3g}"


def _what(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    view = facts["view"]
    kind, who = query_facts(facts["query"], facts["names"])
    place = {"block": facts["block"] + 1, "blocks": facts["blocks"]}
    if view == "class":
        scored = "class text" if facts["reads_text"] else "class"
        return (Sentence(SENTENCES[scored], {"target": facts["target"], "blocks": facts["blocks"]}),)
    first = Sentence(SENTENCES[f"{view} {kind}"], {**place, **who})
    if view == "rollout":
        return first, Sentence(SENTENCES[f"rollout fused {facts['fusion']}"], {"discard": percent(facts["discard"])})
    return first, _heads(facts), _mass(facts)


def _heads(facts: Mapping[str, Any]) -> Sentence:
    if facts["heads"] == 1:
        return Sentence(SENTENCES["only head"])
    if facts["head"] is None:
        return Sentence(SENTENCES[facts["fusion"]], {"heads": facts["heads"]})
    return Sentence(SENTENCES["head"], {"head": facts["head"] + 1, "heads": facts["heads"]})


def _mass(facts: Mapping[str, Any]) -> Sentence:
    if facts["head"] is None and facts["fusion"] != "mean" and facts["heads"] > 1:
        return Sentence(SENTENCES["no row"])
    if facts["view"] == "to":
        return Sentence(SENTENCES["column"], {"sum": f"{facts['sum']:.3g}"})
    kind = facts["query"].partition(" ")[0]
    noun = "window" if facts["windowed"] else kind if kind in ("mean", "pool") else "row"
    patches, prefix, padding = facts["sum"] - facts["prefix_share"], facts["prefix_share"], 1 - facts["sum"]
    if padding > ROUNDING:
        shares = {"patches": percent(patches), "padding": percent(padding)}
        return Sentence(SENTENCES[f"padded {noun}"], shares)
    if noun == "window":
        return Sentence(SENTENCES["window"])
    if not facts["prefix"]:
        return Sentence(SENTENCES[f"whole {noun}"])
    return Sentence(SENTENCES[f"mass {noun}"], {"patches": percent(patches), "prefix": percent(prefix)})


def _scale(facts: Mapping[str, Any]) -> Sentence:
    return Sentence(SENTENCES[f"scale {facts['scaling']}"], {"peak": f"{facts['scale']:.2g}"})


def _mark(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    if facts["mark"] == "off":
        return ()
    held = {"share": percent(facts["share"]), "kept": facts["kept"], "patches": facts["patches"]}
    return (Sentence(SENTENCES["mark"], held),)


def _network(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    height, width = facts["shape"]
    named = {"title": facts["title"], "revision": facts["revision"], "width": width, "height": height}
    said = Sentence(SENTENCES["network"], named)
    random = (Sentence(SENTENCES["random"]),) if facts["random"] else ()
    return said, fed_words.said(facts), *noted(facts), *random
