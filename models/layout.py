"""What is this file of weights? Told from names and shapes alone, for files that come without a description.

Original layouts of DINO, DeiT and MAE name a ViT's tensors as timm does, behind a prefix and beside heads and decoders
that an encoder leaves aside; timm's own filters know CLIP's names and Swin's older ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from models.faults import Refusal

HEADS = {192: 3, 384: 6, 512: 8, 768: 12, 1024: 16, 1280: 16, 1408: 16, 1536: 24}
"""Heads by width, as ViT, DeiT and DINOv2 have them; no tensor's shape tells."""

PREFIXES = (
    "", "teacher.backbone.", "teacher.module.backbone.", "teacher.", "student.backbone.", "student.", "module.",
    "backbone.", "module.backbone.", "encoder.", "model.", "visual.", "_orig_mod.",
)  # fmt: skip
"""What training code puts before an encoder's names; a teacher comes before its student."""

Header = Mapping[str, Tensor]


@dataclass(frozen=True)
class Layout:
    """kind:          whose layout it is: "timm", "DINO", "DINOv2", "MAE", "SimMIM", "CLIP"
    prefix:        what stands before the encoder's names
    aside:         names that the encoder does not need: heads of training, decoders, text towers
    architecture:  timm's name of the architecture to start from
    options:       its keyword arguments, read from shapes
    """

    kind: str
    prefix: str
    aside: tuple[str, ...]
    architecture: str
    options: dict[str, Any] = field(default_factory=dict)

    def select(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The encoder's tensors under the names that timm's filter expects."""
        kept = {name: value for name, value in state.items() if name not in self.aside}
        start = len(self.prefix)
        return {name[start:]: value for name, value in kept.items()}


def layout(header: Header) -> Layout:
    """The layout of a file of weights. Raises `Refusal` where it cannot be told from names and shapes.

    A class token's place in the position table is told by counting: what remains must be a square grid.
    """
    for prefix in PREFIXES:
        here = {name.removeprefix(prefix): value for name, value in header.items() if name.startswith(prefix)}
        for marks, read in _READERS.items():
            if all(mark in here for mark in marks):
                return read(header, here, prefix)
    kind = next((kind for mark, kind in _TRANSFORMERS.items() if any(mark in name for name in header)), None)
    if kind is not None:
        raise Refusal(
            "The file holds weights of {kind} under the names of transformers, but how many heads it has is not in the "
            "weights; put its config.json and preprocessor_config.json beside it.",
            kind=kind,
        )
    raise Refusal(
        "The file holds {count} tensors, beginning with {first}, in no layout that is known here; put the config.json "
        "of timm or transformers beside it.",
        count=len(header), first=", ".join(list(header)[:3]),
    )  # fmt: skip


def _vit(header: Header, here: Header, prefix: str) -> Layout:
    width, _, patch, _ = here["patch_embed.proj.weight"].shape
    kind, aside = _training(header, here, prefix)
    registers = next((here[name].shape[1] for name in ("reg_token", "register_tokens") if name in here), 0)
    places, side = here["pos_embed"].shape[1], 0
    for before in (0, 1, 2, 1 + registers):
        side = math.isqrt(places - before)
        if side * side == places - before:
            break
    has_class = "cls_token" in here
    apart = has_class and (places == side * side or "register_tokens" in here)
    options = {
        "embed_dim": width, "depth": _count(here, "blocks."), "num_heads": _heads(width), "patch_size": patch,
        "img_size": side * patch, "mlp_ratio": here["blocks.0.mlp.fc1.weight"].shape[0] / width,
        "num_classes": here["head.weight"].shape[0] if "head.weight" in here else 0,
        "qkv_bias": "blocks.0.attn.qkv.bias" in here,
    }  # fmt: skip
    if "dist_token" in here:
        return Layout(kind, prefix, aside, "deit_tiny_distilled_patch16_224", options)
    options |= {
        "class_token": has_class, "reg_tokens": registers, "no_embed_class": apart,
        "init_values": 1e-5 if any(".ls1." in name for name in here) else None, "pre_norm": "norm_pre.weight" in here,
        "global_pool": "avg" if "fc_norm.weight" in here or not has_class else "token",
    }  # fmt: skip
    return Layout(kind, prefix, aside, "vit_tiny_patch16_224", options)


def _swin(header: Header, here: Header, prefix: str) -> Layout:
    kind, aside = _training(header, here, prefix)
    stages = _count(here, "layers.")
    tables = [here[f"layers.{stage}.blocks.0.attn.relative_position_bias_table"].shape for stage in range(stages)]
    window = (math.isqrt(tables[0][0]) + 1) // 2
    patch = here["patch_embed.proj.weight"].shape[2]
    classes = next((here[name].shape[0] for name in ("head.fc.weight", "head.weight") if name in here), 0)
    options = {
        "embed_dim": here["patch_embed.proj.weight"].shape[0],
        "depths": tuple(_count(here, f"layers.{stage}.blocks.") for stage in range(stages)),
        "num_heads": tuple(table[1] for table in tables), "window_size": window, "patch_size": patch,
        "img_size": window * patch * 2 ** (stages - 1), "num_classes": classes,
    }  # fmt: skip
    return Layout(kind, prefix, aside, "swin_tiny_patch4_window7_224", options)


def _clip(header: Header, here: Header, prefix: str) -> Layout:
    width, _, patch, _ = here["conv1.weight"].shape
    side = math.isqrt(here["positional_embedding"].shape[0] - 1) * patch
    depth = _count(here, "transformer.resblocks.")
    options = {
        "embed_dim": width, "depth": depth, "num_heads": _heads(width), "patch_size": patch, "img_size": side,
        "num_classes": here["proj"].shape[1],
    }  # fmt: skip
    if "input_resolution" not in header:
        raise Refusal(
            "The file holds a CLIP under the names of OpenCLIP, but whether it computes GELU or quick GELU is not in "
            "the weights; open it by its timm name, or from transformers.",
        )
    text = tuple(name for name in header if not name.startswith(prefix))
    return Layout("CLIP", "", text, "vit_base_patch32_clip_quickgelu_224", options)


_READERS: dict[tuple[str, ...], Callable[[Header, Header, str], Layout]] = {
    ("patch_embed.proj.weight", "pos_embed", "blocks.0.attn.qkv.weight", "blocks.0.mlp.fc1.weight"): _vit,
    ("patch_embed.proj.weight", "layers.0.blocks.0.attn.relative_position_bias_table"): _swin,
    ("conv1.weight", "class_embedding", "positional_embedding", "transformer.resblocks.0.ln_1.weight", "proj"): _clip,
}
"""Names that only one layout has, and what reads it."""

_TRANSFORMERS = {
    "decoder.decoder_embed": "MAE", "vision_model.head.probe": "SigLIP", "text_model.embeddings": "CLIP",
    "vision_model.embeddings": "CLIP", "embeddings.patch_embeddings": "ViT or Swin",
}  # fmt: skip


def _training(header: Header, here: Header, prefix: str) -> tuple[str, tuple[str, ...]]:
    """Whose training left this file, and what of it the encoder does not need."""
    outside = [name for name in header if not name.startswith(prefix)]
    unneeded = ("decoder", "head.mlp.", "head.last_layer") + (() if "register_tokens" in here else ("mask_token",))
    inside = [name for name in here if name.startswith(unneeded)]
    names = [*outside, *inside]
    kind = "timm"
    if any("decoder_embed" in name for name in names):
        kind = "MAE"
    elif any(name.startswith("decoder.0.") for name in names):
        kind = "SimMIM"
    elif any("last_layer" in name for name in names) or "teacher" in prefix or "student" in prefix:
        kind = "DINO"
    elif "register_tokens" in here:
        kind = "DINOv2"
    return kind, (*outside, *(prefix + name for name in inside))


def _count(here: Header, start: str) -> int:
    return len({name[len(start) :].partition(".")[0] for name in here if name.startswith(start)})


def _heads(width: int) -> int:
    if width in HEADS:
        return HEADS[width]
    if width % 64:
        raise Refusal(
            "The file holds a vision transformer {width} channels wide, but how many heads it has is not in the "
            "weights; put its config.json beside it.",
            width=width,
        )
    return width // 64
