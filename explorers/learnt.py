"""What a network that ships with Patchlight learnt, and what it is asked about all the same: the first sentences of a
caption say so, since such an answer looks like any other.

    outside("bundled/clip", file=Path("coffee.jpg"), texts=["a red star", "пицца"])   two sentences
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from explorers.explorer import Sentence
from explorers.frame import examples
from explorers.identity import digest_of
from models.measured import measured

PICTURES: Mapping[str, tuple[str, ...]] = {"shapes": ("shapes",), "scenes": ("emoji", "shapes")}
"""Examples of what was learnt, by the pictures that a network learnt from; any other picture is another kind."""

SETS: Mapping[str, tuple[str, ...]] = {
    "shapes": ("shapes", "unseen", "held", "drawn"),
    "scenes": ("shapes", "unseen", "held", "drawn", "emoji", "twemoji", "emojione"),
}
"""Galleries, labelled sets and matrices of that kind."""

SENTENCES: Mapping[str, str] = {
    "shapes": "This network learnt drawn shapes alone: what it says of any other picture means nothing.",
    "scenes": "This network learnt emoji and drawn shapes alone: what it says of any other picture means nothing.",
    "en": "This network learnt English captions in which these words never stood: {words}; what it says of them means "
    "nothing.",
    "ru": "This network learnt Russian captions in which these words never stood: {words}; what it says of them means "
    "nothing.",
}

NAMED = 6
"""Words that a sentence names."""


def outside(
    checkpoint: str, *, file: Path | None = None, sets: Sequence[str] = (), texts: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Sentences, as facts, on what of this the network never learnt: the picture in `file`, named sets of pictures,
    words of texts. Empty for networks of which nobody says what they learnt."""
    known = measured(checkpoint)
    if known is None:
        return []
    strange = any(name not in SETS[known.pictures] for name in sets) or (file is not None and not _inside(known, file))
    words = unread(checkpoint, texts)
    named = ", ".join(words[:NAMED]) + (", …" if len(words) > NAMED else "")
    said = [{"template": SENTENCES[known.pictures], "facts": {}}] if strange else []
    return said + ([{"template": SENTENCES[_language(known)], "facts": {"words": named}}] if words else [])


def warned(facts: Mapping[str, Any]) -> list[Sentence]:
    """Those sentences back from an explorer's facts."""
    return [Sentence(**one) for one in facts["outside"]]


def unread(checkpoint: str, texts: Sequence[str]) -> list[str]:
    """Words of `texts` that never stood in the network's captions, each once."""
    known = _vocabulary(checkpoint)
    if known is None:
        return []
    from training.vocabulary import words

    return list(dict.fromkeys(word for text in texts for word in words(text) if word not in known))


def page_facts(checkpoint: str, file: Path) -> dict[str, Any] | None:
    """What the page's scripts need to say the same while one types; None where nobody says what was learnt.

    inside: whether the desk's picture is of the kind; sentence, words: templates; named: words that a sentence names;
    pictures, sets: names of the kind, a picture to go to first; vocabulary: None where it reads nothing."""
    known = measured(checkpoint)
    if known is None:
        return None
    vocabulary = _vocabulary(checkpoint)
    return {
        "inside": _inside(known, file), "sentence": SENTENCES[known.pictures], "words": SENTENCES[_language(known)],
        "named": NAMED, "pictures": PICTURES[known.pictures], "sets": SETS[known.pictures],
        "vocabulary": None if vocabulary is None else sorted(vocabulary),
    }  # fmt: skip


def _inside(known: Any, file: Path) -> bool:
    there = examples()
    return digest_of(file) in {digest_of(there[name]) for name in PICTURES[known.pictures]}


def _language(known: Any) -> str:
    return "ru" if known.language == "ru" else "en"


def _vocabulary(checkpoint: str) -> frozenset[str] | None:
    from models.card_catalogue import bundled_folder

    known = measured(checkpoint)
    if known is None or not (bundled_folder() / checkpoint.partition("/")[2] / "tokenizer.json").is_file():
        return None
    from training.vocabulary import vocabulary

    return vocabulary(known.pictures, "ru" if known.language == "ru" else "en")
