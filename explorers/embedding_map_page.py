"""What the page's embedding map fetches: an index with its progress, then points with thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorers import delivery, embedding_map_points, gallery_page
from explorers.bundle import pack
from explorers.embedding_map import Question, explore
from explorers.embedding_map_words import caption
from explorers.export import npz
from explorers.gallery_index import index_of
from explorers.parameters import checked, parameter
from explorers.permalink import from_query
from explorers.traces import trace

if TYPE_CHECKING:
    from explorers.frame import Desk


class Asked(Question):
    """As the page asks: its texts travel as one, a line for each."""

    lines: str = parameter("", title="Texts", longest=40_000)


def opening(desk: Desk) -> bytes:
    """The desk's facts, and the addresses of answers."""
    seen = trace(desk.checkpoint, desk.file, desk.side, desk.fit)
    offers = {"points": _offer(desk, points), "numbers": _offer(desk, numbers, "patchlight-embeddings.npz")}
    return pack(gallery_page.opening(desk, seen, offers), {})


def points(asked: Question) -> bytes:
    """`places` (points, 2), `own` (pictures), `centres` (2, 2), thumbnails, and facts with the caption."""
    seen = index_of(asked.checkpoint, asked.gallery, asked.folder, asked.side)
    arrays, facts = embedding_map_points.found(seen, asked)
    shown = gallery_page.thumbnails(seen.index, arrays["items"].tolist())
    shown |= {"places": arrays["places"].astype(np.float32), "own": arrays["own"]}
    shown["matched"] = arrays["matched"].astype(np.float32)
    if "centres" in arrays:
        shown["centres"] = arrays["centres"]
    return pack(facts | {"said": gallery_page.spoken(caption(facts))}, shown)


def numbers(asked: Question) -> bytes:
    """What is shown, as the endpoint's `.npz`."""
    return npz(explore(None, asked))


def _offer(desk: Desk, answer: Callable[[Question], bytes], filename: str | None = None) -> str:
    def answered(values: Mapping[str, str]) -> bytes:
        asked = from_query(Asked, values)
        plain = asked.model_dump(exclude={"lines"})
        told = {"texts": asked.lines.splitlines(), "checkpoint": desk.checkpoint, "side": desk.side}
        return answer(checked(Question, {**plain, **told}))

    return delivery.offer(answered, filename=filename)
