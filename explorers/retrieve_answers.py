"""What is nearest in a gallery to a text, to a picture, or to one of the gallery's own, without a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from explorers import traces
from explorers.attention_answers import revision
from explorers.desk_facts import network_notes
from explorers.gallery_index import Seen, picture_vector
from explorers.gallery_words import facts_of
from explorers.learnt import outside
from explorers.text_features import text_features
from models.backbone import ZeroShot
from models.faults import Fault
from models.gallery_search import EXACT, best
from models.image import open_image

if TYPE_CHECKING:
    from explorers.retrieve import Question

USUAL = 12
"""Pictures found unless more or fewer are asked for."""


@dataclass(frozen=True)
class Query:
    """What is looked for: one of these."""

    text: str = ""
    picture: Path | None = None
    item: int | None = None

    @property
    def by(self) -> str:
        return "text" if self.text else "item" if self.picture is None else "picture"


def query_of(image: Path | None, asked: Question) -> Query:
    """What is looked for, checked before any gallery is read. Raises `Fault`."""
    text = asked.text.strip()
    given = {"text": bool(text), "picture": image is not None, "item": asked.item is not None}
    there = [name for name, is_given in given.items() if is_given]
    if not there or (asked.by != "auto" and not given[asked.by]):
        raise Fault(
            "Nothing was looked for: there is no text, no picture and no picture of the gallery; give one of them."
        )
    if asked.by == "auto" and len(there) > 1:
        raise Fault(
            "Several things were looked for at once; give a text, a picture or a picture of the gallery, one of them."
        )
    by = there[0] if asked.by == "auto" else asked.by
    if by == "text":
        reads(traces.backbone(asked.checkpoint))
        return Query(text=text)
    return Query(picture=image) if by == "picture" else Query(item=asked.item)


def reads(network: Any) -> ZeroShot:
    """The network, or a `Fault` where it has no text tower."""
    if not isinstance(network, ZeroShot):
        raise Fault(
            "A text was looked for, but {title} has no text tower; ask with a picture, or choose a CLIP or a SigLIP.",
            title=network.card.title,
        )
    return network


def found(seen: Seen, query: Query, asked: Question) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and facts as `retrieve.explore` documents them."""
    index, card = seen.index, traces.backbone(asked.checkpoint).card
    vector = vector_of(seen, query, asked)
    count = count_of(len(index) - (query.item is not None), asked.k)
    use_faiss = asked.search == "faiss" or (asked.search == "auto" and len(index) > EXACT)
    cells = seen.cells() if use_faiss else None
    arrays: dict[str, np.ndarray] = {"query": vector}
    if cells is None:
        arrays["cosines"] = np.clip(index.vectors @ vector, -1, 1)
        rows = best(arrays["cosines"], count, query.item)
        cosines = arrays["cosines"][rows]
    else:
        rows, cosines = cells.nearest(vector, count, query.item)
    meant = concept_of(seen, query)
    facts = {
        **facts_of(seen), "side": asked.side, "by": query.by, "query": words_of(seen, query), "item": query.item,
        "hits": [_hit(seen, int(row), float(cosine), meant) for row, cosine in zip(rows, cosines, strict=True)],
        "there": 0 if meant is None else index.concepts.count(meant) - (query.item is not None),
        "search": "exact" if cells is None else "faiss", "cells": cells and cells.cells,
        "probed": cells and cells.probed, "checkpoint": card.id, "title": card.title, "revision": revision(card),
        "random": card.random, "notes": network_notes(card),
        "outside": outside(
            asked.checkpoint, file=query.picture, sets=[seen.gallery], texts=[query.text] if query.text else []
        ),
    }  # fmt: skip
    return arrays | {"items": np.asarray(rows, np.int32), "cosine": cosines}, facts


def vector_of(seen: Seen, query: Query, asked: Question) -> np.ndarray:
    """Unit vector (channels,) of what is looked for."""
    if query.picture is not None:
        return picture_vector(asked.checkpoint, open_image(query.picture), asked.side)
    if query.item is None:
        network = reads(traces.backbone(asked.checkpoint))
        return text_features(network, [query.text])[0].numpy()
    if query.item >= len(seen.index):
        raise Fault(
            "Picture {item} of the gallery was looked for, but it has pictures 0 to {last}; choose one of those.",
            item=query.item, last=len(seen.index) - 1,
        )  # fmt: skip
    return seen.index.vectors[query.item]


def words_of(seen: Seen, query: Query) -> str:
    """What a caption calls it."""
    if query.picture is not None:
        return query.picture.name
    return query.text if query.item is None else seen.index.names[query.item]


def count_of(there: int, asked: int | None) -> int:
    """How many are to be found of as many as there are. Raises `Fault`."""
    if there == 0:
        raise Fault("Pictures like the only one of a gallery were looked for, but there is no other; add pictures.")
    if asked is None:
        return min(USUAL, there)
    if asked > there:
        raise Fault(
            "The {asked} nearest pictures were asked for, but there are {there} to be found; ask for 1 to {there}.",
            asked=asked, there=there,
        )  # fmt: skip
    return asked


def concept_of(seen: Seen, query: Query) -> int | None:
    """The number of what is looked for, where the gallery's captions say so."""
    index = seen.index
    if not index.concepts or query.by == "picture":
        return None
    if query.item is not None:
        return index.concepts[query.item]
    text = query.text.casefold()
    spoken = (
        number for names in (index.names, index.russian) for number, name in enumerate(names) if name.casefold() == text
    )
    first = next(spoken, None)
    return None if first is None else index.concepts[first]


def _hit(seen: Seen, row: int, cosine: float, meant: int | None) -> dict[str, Any]:
    index = seen.index
    return {
        "item": row, "name": index.names[row], "russian": index.russian[row] if index.russian else "",
        "cosine": cosine, "same": meant is not None and index.concepts[row] == meant,
    }  # fmt: skip
