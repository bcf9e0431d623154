"""What captions say of a gallery and of how a network sees it, shared by retrieval and the embedding map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from explorers.explorer import Sentence, noted

if TYPE_CHECKING:
    from explorers.gallery_index import Seen

SENTENCES: Mapping[str, str] = {
    "shapes": "Gallery: {count} drawn shapes in combinations of colour and shape from which the bundled networks "
    "learn, in drawings that they never saw.",
    "unseen": "Gallery: {count} drawn shapes in combinations of colour and shape that the bundled networks never saw.",
    "twemoji": "Gallery: {count} emoji in the style of Twemoji, which is kept out of training.",
    "emojione": "Gallery: {count} emoji in the style of EmojiOne 2, which is kept out of training.",
    "emoji": "Gallery: {count} emoji in the five styles that training draws from.",
    "photographs": "Gallery: the {count} pictures that ship with Patchlight.",
    "folder": "Gallery: {count} pictures of the folder {place}.",
    "skipped": "Left out because they cannot be read: {skipped}, such as {names}.",
    "unkept": "The index could not be written to the disk and will be made again after a restart.",
    "joint": "Vectors are those that the network makes for pictures and texts alike.",
    "CLS": "A picture's vector is the last block's CLS token, centred and scaled; no loss made its cosine a likeness.",
    "mean": "A picture's vector is the mean of the last block's patches, centred and scaled; no loss made its cosine a "
    "likeness.",
    "fed": "{title}, {revision}; of each picture the middle is fed at {width} × {height} px.",
    "random": "The weights are random: this network was never trained.",
}

NAMED = 3
"""Unreadable pictures that a caption names."""


def facts_of(seen: Seen) -> dict[str, Any]:
    """Facts of a gallery that captions and the page's scripts rest on."""
    index = seen.index
    return {
        "gallery": seen.gallery, "place": seen.place, "space": seen.space, "input": seen.shape, "count": len(index),
        "channels": index.vectors.shape[1], "skipped": list(index.skipped), "kept": index.bytes,
        "seconds": index.seconds, "fresh": seen.fresh,
    }  # fmt: skip


def caption(facts: Mapping[str, Any]) -> list[Sentence]:
    """Sentences that say which pictures they are and whose vectors."""
    skipped, (height, width) = facts["skipped"], facts["input"]
    said = [Sentence(SENTENCES[facts["gallery"]], {"count": facts["count"], "place": facts["place"]})]
    if skipped:
        names = ", ".join(one["name"] for one in skipped[:NAMED])
        said.append(Sentence(SENTENCES["skipped"], {"skipped": len(skipped), "names": names}))
    if not facts["kept"]:
        said.append(Sentence(SENTENCES["unkept"]))
    said.append(Sentence(SENTENCES[facts["space"]]))
    fed = {"title": facts["title"], "revision": facts["revision"], "width": width, "height": height}
    said.append(Sentence(SENTENCES["fed"], fed))
    return [*said, *noted(facts), *([Sentence(SENTENCES["random"])] if facts["random"] else [])]
