"""What the page's retrieval tab fetches: an index with its progress, then the nearest pictures with thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from explorers import delivery, gallery_page, retrieve_answers
from explorers.bundle import pack
from explorers.export import npz
from explorers.gallery_index import index_of
from explorers.gallery_making import thumbnail
from explorers.parameters import checked
from explorers.permalink import from_query
from explorers.retrieve import Question, explore
from explorers.retrieve_words import caption
from explorers.traces import trace

if TYPE_CHECKING:
    from explorers.frame import Desk

BINS = 60
"""Of the histogram of all cosines."""


def opening(desk: Desk) -> bytes:
    """The desk's facts and picture, and the addresses of answers."""
    seen = trace(desk.checkpoint, desk.file, desk.side, desk.fit)
    offers = {
        "search": _offer(desk, found),
        "numbers": _offer(desk, numbers, "patchlight-retrieval.npz"),
    }
    image = {"picture": np.frombuffer(thumbnail(seen.image), np.uint8)}
    return pack(gallery_page.opening(desk, seen, offers), image)


def found(desk: Desk, asked: Question) -> bytes:
    """Hits with their thumbnails, the caption, and a histogram of the cosines of all pictures."""
    query = retrieve_answers.query_of(_file(desk, asked), asked)
    seen = index_of(asked.checkpoint, asked.gallery, asked.folder, asked.side)
    arrays, facts = retrieve_answers.found(seen, query, asked)
    shown = gallery_page.thumbnails(seen.index, arrays["items"].tolist())
    if query.item is not None:
        shown["asked"] = np.frombuffer(seen.index.thumbnail(query.item), np.uint8)
    facts |= {"said": gallery_page.spoken(caption(facts)), "low": None, "high": None}
    if "cosines" in arrays:
        low, high = float(arrays["cosines"].min()), float(arrays["cosines"].max())
        counts, _ = np.histogram(arrays["cosines"], BINS, (low, max(high, low + 1e-6)))
        shown["histogram"] = counts.astype(np.int32)
        facts |= {"low": low, "high": high}
    return pack(facts, {**shown, "cosine": arrays["cosine"].astype(np.float32)})


def numbers(desk: Desk, asked: Question) -> bytes:
    """What is shown, as the endpoint's `.npz`."""
    return npz(explore(_file(desk, asked), asked))


def _file(desk: Desk, asked: Question) -> Path | None:
    return desk.file if asked.by == "picture" else None


def _offer(desk: Desk, answer: Callable[[Desk, Question], bytes], filename: str | None = None) -> str:
    def answered(values: Mapping[str, str]) -> bytes:
        asked = from_query(Question, values).model_dump()
        return answer(desk, checked(Question, {**asked, "checkpoint": desk.checkpoint, "side": desk.side}))

    return delivery.offer(answered, filename=filename)
