"""Which pictures of a gallery belong to a text, and which are alike?

Type a text, or ask with a picture. A network without a text tower compares pictures with pictures: its cosine says
what lies near in it, not what a person would call alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.beginnings import AnyGallery
from explorers.explorer import Explorer, Finding
from explorers.parameters import Parameters, parameter
from explorers.retrieve_words import caption

if TYPE_CHECKING:
    from PIL import Image

    from explorers.frame import Desk, Frame

DEFAULT = "bundled/clip"


class Question(Parameters):
    """What is looked for, and where: a text, a picture that is given as a file, or one of the gallery's own."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="The network's own, at most 224, if empty.", unit="px")
    gallery: AnyGallery = parameter(
        "auto",
        title="Gallery",
        help="Which pictures are searched; auto is of the kind that a bundled network learnt from.",
    )
    folder: str = parameter("", title="Folder", help="Path of a folder of pictures, for the gallery folder.")
    by: Literal["auto", "text", "picture", "item"] = parameter(
        "auto", title="Query", help="What of that which is given is looked for; the only thing given, if auto."
    )
    text: str = parameter("", title="Text", help="Of a network that reads text.", longest=200)
    item: int | None = parameter(None, title="Picture of the gallery", help="Counted from 0.", least=0)
    k: int | None = parameter(
        None, title="Pictures found", help="12, or as many as there are, if empty.", least=1, most=200
    )
    search: Literal["auto", "exact", "faiss"] = parameter(
        "auto", title="Search", help="auto compares all up to 100,000 pictures and leaves more to faiss."
    )


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Question) -> Finding:
    """The pictures of greatest cosine with what was asked for, best first.

    items:    (found) place of each picture in the gallery, counted from 0
    cosine:   (found) in [-1, 1]
    query:    (channels) unit vector of what was asked for
    cosines:  (pictures) of all pictures, where all were compared
    """
    from explorers import retrieve_answers
    from explorers.gallery_index import index_of

    query = retrieve_answers.query_of(image, asked)
    seen = index_of(asked.checkpoint, asked.gallery, asked.folder, asked.side)
    arrays, facts = retrieve_answers.found(seen, query, asked)
    return Finding(arrays, caption(facts), facts)


def retrieve(image: str | Path | None = None, checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `retrieve(checkpoint="bundled/clip", text="a red circle", k=5).facts["hits"]`."""
    return EXPLORER.run(image, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def sheet(finding: Finding, language: str) -> Image.Image:
    """For the shell: what was looked for and the pictures that were found."""
    from explorers.retrieve_figure import drawn

    return drawn(finding, language)


def picture(desk: Desk) -> Mapping[str, Any]:
    """Where the page asks for an index and for what it finds."""
    from explorers import delivery, retrieve_page

    return {"maps": delivery.place(retrieve_page.opening(desk))}


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """A query, a gallery and its nearest pictures, drawn by `assets/stage/retrieve.js`."""
    frame.stage("retrieve", Question, picture)


EXPLORER = Explorer("retrieve", "Retrieval", 42, Question, explore, build, optional=True, sheet=sheet)
"""`/retrieve`, `python -m explorers retrieve`, the tab "Retrieval"."""
