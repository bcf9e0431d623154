"""What is this file of weights? Told from names and shapes alone, for files that come without a description.

Original layouts of DINO, DeiT and MAE name a ViT's tensors as timm does, behind a prefix and beside heads and decoders
that an encoder leaves aside; timm's own filters know CLIP's names and Swin's older ones. What shapes do not tell is
asked of the reader (`models.answers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor

from models import answers as said_in_ids
from models.answers import NOTHING, Answers
from models.card import Note
from models.faults import Fault, Refusal, shortened
from models.prefixes import fitting, plain_names, prefixes
from models.state_dict import Found, Header, Layout, ask_architecture
from models.vit_layout import read_clip, read_vit
from models.windowed_layout import OWN, SHARED, read_beit, read_swin

_EMBED, _CONV, _QKV = "patch_embed.proj.weight", "conv1.weight", "blocks.0.attn.qkv.weight"

Reader = Callable[[Found], Layout]

_READERS: dict[tuple[str, ...], Reader] = {
    (_EMBED, _QKV, OWN): read_beit,
    (_EMBED, _QKV, SHARED): read_beit,
    (_EMBED, "pos_embed", _QKV, "blocks.0.norm1.weight"): read_vit,
    (_EMBED, "layers.0.blocks.0.attn.relative_position_bias_table"): read_swin,
    (_CONV, "class_embedding", "positional_embedding", "transformer.resblocks.0.ln_1.weight", "proj"): read_clip,
}
"""Names that only one layout has, and what reads it."""

_KINDS: dict[Reader, str] = {read_clip: "CLIP", read_beit: "BEiT"}
"""Readers that read one kind only."""

_ARCHITECTURES = {
    "layers.0.blocks.0.attn.logit_scale": "SwinV2", "stages.0.blocks.0.attn.logit_scale": "SwinV2-CR",
    "storage_tokens": "DINOv3", "rope_embed.periods": "DINOv3", "blocks.0.attn.rel_pos_h": "SAM",
    "blocks.0.attn.rel_pos.mlp.fc1.weight": "ViT, relative positions",
    "blocks.0.attn.rel_pos.relative_position_bias_table": "ViT, relative positions",
    "shared_rel_pos.mlp.fc1.weight": "ViT, relative positions",
    "blocks.0.attn.q_proj.weight": "EVA-02", "blocks.0.attns.0.attn.qkv.weight": "ViT, parallel blocks",
    "blocks.0.in_proj.weight": "ViT, parallel blocks", "blocks.0.attn.qkv.weight": "DINOv3 / EVA / ViT",
}  # fmt: skip
"""Networks whose names are known but whose weights do not tell how they compute, by one name."""

_TRANSFORMERS = {
    "decoder.decoder_embed": "MAE", "vision_model.head.probe": "SigLIP", "text_model.embeddings": "CLIP",
    "vision_model.embeddings": "CLIP", "embeddings.patch_embeddings": "ViT or Swin",
}  # fmt: skip


def layout(header: Header, answers: Answers = NOTHING) -> Layout:
    """The layout of a file of weights, completed by what the reader said. Raises `Refusal` where it cannot be told from
    names and shapes, `Untold` where the reader can say what they do not tell."""
    named = plain_names(header)
    if answers.architecture:
        return _named(named, answers)
    read, found, places = _located(header, named, answers)
    return _noted(read(found), places, found.prefix)


def recognised(header: Header, answers: Answers = NOTHING) -> tuple[str, tuple[str, ...]]:
    """Whose layout it is and what the encoder does not need, also where more must be asked before it opens."""
    named = plain_names(header)
    read, found, _ = _located(header, named, answers)
    kind, aside = found.training()
    return _KINDS.get(read, kind), aside


def _located(header: Header, named: Header, said: Answers) -> tuple[Reader, Found, tuple[str, ...]]:
    """(what reads it, the network, all prefixes behind which there is one)."""
    for marks, read in _READERS.items():
        if places := prefixes(named, marks):
            prefix = _taken(places, said)
            return read, Found(named, _behind(named, prefix), prefix, said), places
    raise _unread(header, named)


def networks(names: Iterable[str]) -> tuple[str, ...]:
    """Prefixes of the networks among names of tensors that some reader knows, the one to take first."""
    known = dict.fromkeys(names)
    every = (prefixes(known, marks) for marks in (*_READERS, *((mark,) for mark in _ARCHITECTURES)))
    return next((places for places in every if places), ())


def in_transformers(names: Iterable[str]) -> str | None:
    """What a file under the names of transformers holds."""
    listed = tuple(names)
    return next((kind for mark, kind in _TRANSFORMERS.items() if any(mark in name for name in listed)), None)


def _named(named: Header, said: Answers) -> Layout:
    """The network behind the prefix of its first convolution, as the architecture that the reader names."""
    places = prefixes(named, (_EMBED,)) or prefixes(named, (_CONV,)) or ("",)
    prefix = _taken(places, said)
    found = Found(named, _behind(named, prefix), prefix, said)
    found.allow(said.architecture or "", "architecture", "grid")
    kind, aside = found.training()
    options: dict[str, Any] = {"num_classes": found.classes("head.weight", "head.fc.weight")}
    if said.grid:
        _, patch = found.patch()
        options["img_size"] = (said.grid[0] * patch, said.grid[1] * patch)
    made = Layout(kind, prefix, aside, said.architecture or "", options, said_in_ids.notes(said))
    return _noted(made, places, prefix)


def _taken(places: tuple[str, ...], said: Answers) -> str:
    if said.take is None:
        return places[0]
    found = fitting(places, said.take)
    if len(found) != 1:
        raise Fault(
            "take={take} was said, but the networks in the file stand behind {prefixes}; write a word of one of those.",
            take=said.take, prefixes=", ".join(prefix or "–" for prefix in places),
        )  # fmt: skip
    return found[0]


def _noted(found: Layout, places: tuple[str, ...], prefix: str) -> Layout:
    """With the word that there are others."""
    if len(places) < 2:
        return found
    told = {"count": len(places), "prefix": prefix or "–"}
    note = Note("Of {count} networks in the file it is the one behind “{prefix}”.", told)
    return Layout(**{**vars(found), "notes": (*found.notes, note)})


def _behind(header: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in header.items() if name.startswith(prefix)}


def _unread(header: Header, named: Header) -> Refusal:
    kind = in_transformers(header)
    if kind is not None:
        return Refusal(
            "The file holds weights of {kind} under the names of transformers, but how many heads it has is not in the "
            "weights; put its config.json and preprocessor_config.json beside it.",
            kind=kind,
        )
    for mark, kind in _ARCHITECTURES.items():
        if prefixes(named, (mark,)):
            return ask_architecture(kind)
    return Refusal(
        "The file holds {count} tensors, beginning with {first}, in no layout that is known here; put the config.json "
        "of timm or transformers beside it.",
        count=len(header), first=", ".join(str(shortened(name, 60)) for name in list(header)[:3]) or "–",
    )  # fmt: skip
