"""What a zero-shot answer can be asked beyond its scores: words of the prompt, a matrix of pairs, a labelled set.

Each function returns arrays for the `.npz` and facts for the caption.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from explorers import lent
from explorers.gate import gate
from explorers.text import per_cent
from explorers.traces import Traced
from explorers.zero_shot_answers import able, feature_of
from explorers.zero_shot_matrix import Kind, Pairs, firsts, matrix, pairs
from explorers.zero_shot_score import whole
from explorers.zero_shot_sets import labelled_set
from models.backbone import Backbone
from models.measured import measured
from models.word_relevance import WordRelevance

Found = tuple[dict[str, np.ndarray], dict[str, Any]]


def held_out(checkpoint: str) -> dict[str, Any] | None:
    """The bundled network's own figure on pictures that nobody tuned on, in percent, and what it learnt from; None
    where there is none."""
    known = measured(checkpoint)
    first, fifth = (known.ending(f", top {top}") if known else None for top in (1, 5))
    if not known or not first or not fifth:
        return None
    (name, one), (_, five) = first, fifth
    shares = {"top": one["value"], "low": one["low"], "high": one["high"], "chance": one["baseline"],
              "five": five["value"]}  # fmt: skip
    texts = name.partition("among ")[2].partition(",")[0]
    return {"pictures": known.pictures, "texts": texts, **{key: per_cent(share) for key, share in shares.items()}}


def language_of(checkpoint: str) -> str:
    """Of the captions that a bundled network learnt; English where nobody says."""
    known = measured(checkpoint)
    return "ru" if known and known.language == "ru" else "en"


def words(seen: Traced, prompt: str) -> WordRelevance:
    """Of a prompt for the traced picture."""
    network = able(seen.backbone)
    picture = feature_of(seen)
    with gate():
        return lent.word_relevance(network, prompt, picture)


def words_found(seen: Traced, prompt: str) -> Found:
    found = words(seen, prompt)
    arrays = {"word_left_out": found.left_out.numpy(), "word_gradient": found.gradient.numpy()}
    return arrays, word_facts(prompt, found)


def word_facts(prompt: str, found: WordRelevance) -> dict[str, Any]:
    costs = found.left_out.tolist()
    most = max(range(len(costs)), key=costs.__getitem__)
    return {
        "words": list(found.words), "prompt": prompt, "most": found.words[most],
        "whole": f"{found.cosine:.3f}", "rest": f"{found.cosine - costs[most]:.3f}",
        "apart": f"{100 * found.apart:.0f}",
    }  # fmt: skip


def matrix_found(
    backbone: Backbone, kind: Kind, seed: int, files: Sequence[Path], labels: Sequence[str], templates: Sequence[str]
) -> Found:
    shown = paired(backbone, kind, seed, files, labels, templates)
    cosine = matrix(backbone, shown)
    return {"matrix": cosine.numpy()}, matrix_facts(shown, cosine, kind, seed)


def paired(
    backbone: Backbone, kind: Kind, seed: int, files: Sequence[Path], labels: Sequence[str], templates: Sequence[str]
) -> Pairs:
    """Pictures and texts of a matrix, as this network is fed and in its captions' language."""
    return pairs(kind, backbone.pixels.size[0], seed, files, labels, templates, language_of(backbone.card.id))


def matrix_facts(shown: Pairs, cosine: Tensor, kind: Kind, seed: int) -> dict[str, Any]:
    facts = {"kind": kind, "texts": list(shown.texts), "pictures": len(shown.pictures), "seed": seed,
             "low": f"{cosine.min():.3g}", "high": f"{cosine.max():.3g}", "paired": shown.paired}  # fmt: skip
    if shown.paired:
        own = cosine.diagonal().sum()
        beside = (cosine.sum() - own) / max(1, cosine.numel() - len(cosine))
        rows, columns = firsts(cosine)
        facts |= {"rows": rows, "columns": columns, "own": f"{own / len(cosine):.3f}", "beside": f"{beside:.3f}"}
    return facts


def set_found(backbone: Backbone, name: str, count: int, templates: Sequence[str]) -> Found:
    asked = labelled_set(name, count, backbone.pixels.size[0], language_of(backbone.card.id))
    score, more = whole(backbone, asked, templates)
    facts = {
        "set": name, "labels": len(asked.labels), "names": list(asked.labels), "pictures": score.count,
        "right": score.right, "skipped": more["skipped"], "accuracy": per_cent(score.right / score.count),
        "low": per_cent(score.low), "high": per_cent(score.high), "chance": per_cent(1 / len(asked.labels)),
        "confidence": per_cent(float(score.confidence.mean())), "error": per_cent(score.calibration.error),
        "bins": len(score.calibration.counts),
    }  # fmt: skip
    return more["arrays"], facts
