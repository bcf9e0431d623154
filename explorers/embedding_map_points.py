"""Pictures and texts as points of one plane, without a page."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from explorers import traces
from explorers.attention_answers import revision
from explorers.desk_facts import network_notes
from explorers.gallery_index import Seen
from explorers.gallery_words import facts_of
from explorers.learnt import outside
from explorers.text_features import text_features
from models.backbone import Backbone, ZeroShot
from models.faults import Fault
from models.layouts import LEAST, laid_out
from models.modality_gap import Gap, gap, gap_plane, principal_plane

if TYPE_CHECKING:
    from explorers.embedding_map import Question

_one_at_a_time = threading.Lock()
"""t-SNE and UMAP take every core for seconds."""


def found(seen: Seen, asked: Question) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and facts as `embedding_map.explore` documents them."""
    network = traces.backbone(asked.checkpoint)
    index, card = seen.index, network.card
    items = evenly(len(index), asked.pictures)
    texts, own = texts_of(seen, items, network, asked)
    pictures = index.vectors[items]
    told = vectors_of(network, texts) if texts else np.empty((0, pictures.shape[1]), np.float32)
    points = np.concatenate([pictures, told])
    if len(points) < LEAST:
        raise Fault(
            "A map of {found} points was asked for; {least} are needed, choose a larger gallery or add texts.",
            found=len(points), least=LEAST,
        )  # fmt: skip
    moved = apart(pictures, told) if asked.centre == "apart" else points
    measured = gap(pictures, told, own) if texts else None
    arrays, facts = _plane(moved, asked, measured)
    if measured is not None:
        facts["gap"] = _told(measured, arrays.get("components"))
    if measured is not None and "components" in arrays:
        means = [part.mean(0) for part in np.split(arrays["places"], [len(pictures)])]
        arrays["centres"] = np.stack(means).astype(np.float32)
    matched = np.where(own < 0, np.nan, (pictures * told[own]).sum(1)) if texts else np.full(len(items), np.nan)
    arrays |= {"items": items.astype(np.int32), "own": own.astype(np.int32), "vectors": points, "matched": matched}
    facts |= {
        **facts_of(seen), "side": asked.side, "shown": len(items), "texts": texts, "centre": asked.centre,
        "method": asked.method,
        "names": [index.names[item] for item in items],
        "russian": [index.russian[item] for item in items] if index.russian else [],
        "checkpoint": card.id, "title": card.title, "revision": revision(card), "random": card.random,
        "notes": network_notes(card), "outside": outside(asked.checkpoint, sets=[seen.gallery], texts=asked.texts),
    }  # fmt: skip
    return arrays, facts


def evenly(there: int, wanted: int) -> np.ndarray:
    """`wanted` of `there` numbers at equal distances, all where there are no more."""
    return np.linspace(0, there - 1, min(there, wanted)).round().astype(np.int64)


def texts_of(seen: Seen, items: np.ndarray, network: Backbone, asked: Question) -> tuple[list[str], np.ndarray]:
    """Texts, each once, and the number of each picture's own, -1 where it has none. Raises `Fault`."""
    typed = [text.strip() for text in asked.texts if text.strip()]
    if not isinstance(network, ZeroShot):
        if typed:
            raise Fault(
                "Texts were to be laid out, but {title} has no text tower; leave them out, or choose a CLIP or a "
                "SigLIP.",
                title=network.card.title,
            )
        return [], np.full(len(items), -1)
    captions = [seen.index.names[item] for item in items] if asked.captions and seen.index.concepts else []
    texts = list(dict.fromkeys([*captions, *typed]))
    number = {text: place for place, text in enumerate(texts)}
    own = [number[text] for text in captions] if captions else [-1] * len(items)
    return texts, np.array(own)


def vectors_of(network: Backbone, texts: list[str]) -> np.ndarray:
    """Unit vectors (texts, channels)."""
    assert isinstance(network, ZeroShot)
    return text_features(network, texts).numpy()


def apart(pictures: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Both with their own centroid at the origin: what is left of the space once the gap is taken out."""
    return np.concatenate([part - part.mean(0) if len(part) else part for part in (pictures, texts)])


def _plane(points: np.ndarray, asked: Question, measured: Gap | None) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    if asked.method in ("pca", "gap"):
        if asked.method == "gap" and measured is None:
            raise Fault(
                "A map along the gap of pictures and texts was asked for, but there are no texts; add some, or choose "
                "principal components."
            )
        plane = principal_plane(points) if measured is None or asked.method == "pca" else gap_plane(
            points, measured.direction
        )  # fmt: skip
        arrays = {"places": plane.places, "explained": plane.explained, "components": plane.components}
        return arrays, {"explained": plane.explained.tolist(), "settings": {}}
    with _one_at_a_time:
        places, settings = laid_out(points, "tsne" if asked.method == "tsne" else "umap")
    return {"places": places}, {"explained": None, "settings": settings}


def _told(measured: Gap, components: np.ndarray | None) -> dict[str, Any]:
    """Numbers of the gap; `shown` is the share of its length that lies in the plane of `components`."""
    inside = None if components is None else float(np.linalg.norm(components @ measured.direction))
    values = {name: getattr(measured, name) for name in ("length", "matched", "others", "pictures", "texts")}
    return {
        **{name: None if np.isnan(value) else value for name, value in values.items()},
        "shown": None if inside is None else inside / max(measured.length, 1e-9),
    }
