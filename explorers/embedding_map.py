"""Where do pictures and texts lie in the space that they share, and how wide is the gap between them?

Every picture of a gallery and every text is a point; the plane is that of greatest variance. A network trained to match
the two still keeps them apart: the modality gap is measured in all channels, not on the plane.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorers.beginnings import AnyGallery
from explorers.embedding_map_words import caption
from explorers.explorer import Explorer, Finding
from explorers.parameters import Parameters, parameter

if TYPE_CHECKING:
    from PIL import Image

    from explorers.frame import Desk, Frame

DEFAULT = "bundled/clip"


class Question(Parameters):
    """Which pictures and texts are laid out, and how."""

    checkpoint: str = parameter(DEFAULT, title="Network", help="Id of a checkpoint, source/name.", longest=400)
    side: int | None = parameter(None, title="Input size", help="The network's own, at most 224, if empty.", unit="px")
    gallery: AnyGallery = parameter(
        "auto",
        title="Gallery",
        help="Which pictures are laid out; auto is of the kind that a bundled network learnt from.",
    )
    folder: str = parameter("", title="Folder", help="Path of a folder of pictures, for the gallery folder.")
    texts: list[str] = parameter([], title="Texts", help="Besides the captions of the gallery.", longest=200)
    captions: bool = parameter(True, title="Captions", help="Lay out the gallery's captions as well, if it has any.")
    method: Literal["pca", "gap", "tsne", "umap"] = parameter(
        "pca",
        title="Layout",
        help="Principal components, the gap as an axis, t-SNE (Maaten 2008) or UMAP (1802.03426).",
    )
    centre: Literal["as they are", "apart"] = parameter(
        "as they are", title="Centres", help="apart takes off pictures and texts their own mean: the gap is gone."
    )
    pictures: int = parameter(400, title="Pictures laid out", help="Evenly out of the gallery.", least=2, most=2000)


# -- compute -----------------------------------------------------------------------------------------------------------


def explore(image: Path | None, asked: Question) -> Finding:
    """Places of pictures and texts on one plane, and the gap between them.

    places:    (points, 2) pictures first, then texts; principal components in units of the vectors, else as laid out
    items:     (pictures) place of each picture in the gallery, counted from 0
    own:       (pictures) number of its text among the texts, -1 if it has none
    vectors:   (points, channels) unit, before any centre was taken off
    matched:   (pictures) cosine with its own text, not a number if it has none
    explained: (2) share of the variance along each axis, for the layouts pca and gap
    centres:   (2, 2) centroids of pictures and of texts, for the same, where there are texts
    """
    from explorers import embedding_map_points
    from explorers.gallery_index import index_of

    seen = index_of(asked.checkpoint, asked.gallery, asked.folder, asked.side)
    arrays, facts = embedding_map_points.found(seen, asked)
    return Finding(arrays, caption(facts), facts)


def embedding_map(checkpoint: str = DEFAULT, **values: object) -> Finding:
    """The same from Python: `embedding_map("bundled/clip", gallery="unseen").facts["gap"]`."""
    return EXPLORER.run(None, checkpoint, **values)


# -- draw --------------------------------------------------------------------------------------------------------------


def sheet(finding: Finding, language: str) -> Image.Image:
    """For the shell: the whole map."""
    from explorers.embedding_map_figure import drawn

    return drawn(finding, language)


def picture(desk: Desk) -> Mapping[str, Any]:
    """Where the page asks for an index and for a layout of it."""
    from explorers import delivery, embedding_map_page

    return {"maps": delivery.place(embedding_map_page.opening(desk))}


# -- build -------------------------------------------------------------------------------------------------------------


def build(frame: Frame) -> None:
    """Thumbnails and texts on a canvas, drawn by `assets/stage/embedding_map.js`."""
    frame.stage("embedding_map", Question, picture)


EXPLORER = Explorer("embedding_map", "Embeddings", 44, Question, explore, build, pictureless=True, sheet=sheet)
"""`/embedding_map`, `python -m explorers embedding_map`, the tab "Embeddings"."""
