"""A plain vision transformer, told from the names and shapes of its weights and what the reader says beside them.

Heads, the order of norms, activation, ε and the grid of a table leave no trace in any shape. They are taken without
asking only where the file bears the marks of authors whose code builds this width and depth in one way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

from timm.layers.mlp import SwiGLUPacked
from timm.layers.norm import LayerNorm
from timm.models.vision_transformer import ResPostBlock

from models import answers
from models.answers import Answers, Ask, Untold
from models.card import Note
from models.faults import Fault
from models.state_dict import Found, Layout, ask_architecture

_BUILT = {
    "facebookresearch/dino": {(192, 12): 3, (384, 12): 6, (768, 12): 12},
    "facebookresearch/dinov2": {(384, 12): 6, (768, 12): 12, (1024, 24): 16, (1536, 40): 24},
    "facebookresearch/mae": {(768, 12): 12, (1024, 24): 16, (1280, 32): 16},
}
"""Heads by (channels, blocks), as these authors' functions build them: vit_tiny, vit_small, …, mae_vit_huge."""

CLIP = "openai/CLIP"

_BLOCK = "blocks.0."

_PARTS = {
    *(f"{part}.{kind}" for kind in ("weight", "bias") for part in ("norm1", "norm2", "attn.qkv", "attn.proj")),
    *(f"mlp.{part}.{kind}" for kind in ("weight", "bias") for part in ("fc1", "fc2", "w12", "w3")),
    *(f"attn.{part}_norm.{kind}" for kind in ("weight", "bias") for part in "qk"), "ls1.gamma", "ls2.gamma",
}  # fmt: skip
"""What a plain ViT's block is made of, under timm's names and DINOv2's."""

_FOREIGN = {
    "attn.q_bias": "EVA", "gamma_1": "EVA / RoPE-ViT", "attn.rel_pos_h": "SAM", "attn.norm.weight": "BEiT-3",
    "attn.lambda_q1": "ViT, differential attention",
}  # fmt: skip
"""Other networks' blocks, by a part that they have."""

Asked = dict[str, Any]


def read_vit(found: Found) -> Layout:
    here = found.here
    found.allow("ViT", "heads", "grid", "norm", "act", "eps")
    _require_plain(found)
    (width, patch), depth = found.patch(), found.count("blocks.")
    kind, aside = found.training()
    registers = next((here[name].shape[1] for name in ("reg_token", "register_tokens") if name in here), 0)
    has_class, distilled, gated = "cls_token" in here, "dist_token" in here, "blocks.0.mlp.w12.weight" in here
    built = _authors(found)
    heads = _BUILT[built].get((width, depth)) if built else None
    places = found.shape("pos_embed", 3)[1]
    said = _settled(
        found.answers, width, places, built if heads else None, heads, _before(found, registers), _doubted(found)
    )
    hidden = here["blocks.0.mlp.w12.weight" if gated else "blocks.0.mlp.fc1.weight"].shape[0]
    rows, columns = said["grid"]
    options: dict[str, Any] = {
        "embed_dim": width, "depth": depth, "num_heads": said["heads"], "patch_size": patch,
        "img_size": (rows * patch, columns * patch), "mlp_ratio": (hidden + 0.5) / width,
        "num_classes": found.classes("head.weight"), "qkv_bias": "blocks.0.attn.qkv.bias" in here,
        "act_layer": said["act"], "norm_layer": partial(LayerNorm, eps=said["eps"]),
    }  # fmt: skip
    if gated:
        options["mlp_layer"] = SwiGLUPacked
    if said["norm"] == "post":
        options["block_fn"] = ResPostBlock
    notes = _notes(found.answers, said, built if heads else None)
    colours = "CLIP" if "norm_pre.weight" in here else "SigLIP" if "attn_pool.latent" in here else "ImageNet"
    if distilled:
        return Layout(kind, found.prefix, aside, "deit_tiny_distilled_patch16_224", options, notes)
    pooled = "attn_pool.latent" in here
    options |= {
        "class_token": has_class, "reg_tokens": registers,
        "no_embed_class": "register_tokens" in here or ((has_class or registers > 0) and said["before"] == 0),
        "init_values": 1e-5 if any(".ls1." in name for name in here) else None, "pre_norm": "norm_pre.weight" in here,
        "qk_norm": "blocks.0.attn.q_norm.weight" in here,
        "global_pool": "map" if pooled else "avg" if "fc_norm.weight" in here or not has_class else "token",
        "fc_norm": "fc_norm.weight" in here, "final_norm": "norm.weight" in here or "fc_norm.weight" in here,
    }  # fmt: skip
    return Layout(kind, found.prefix, aside, "vit_tiny_patch16_224", options, notes, colours=colours)


def read_clip(found: Found) -> Layout:
    """The image tower under OpenAI's names; only OpenAI's own files hold `input_resolution`, and their code builds 64
    channels a head with quick GELU (openai/CLIP, model.py, `build_model`)."""
    found.allow("CLIP", "heads", "grid", "act")
    width, patch = found.patch()
    places = found.shape("positional_embedding", 2)[0]
    built = CLIP if "input_resolution" in found.header else None
    usual = {"norm": "pre", "act": "quick_gelu" if built else None, "eps": 1e-5}
    said = _settled(found.answers, width, places, built, width // 64 if built else None, (1,), usual)
    rows, columns = said["grid"]
    options = {
        "embed_dim": width, "depth": found.count("transformer.resblocks."), "num_heads": said["heads"],
        "patch_size": patch, "img_size": (rows * patch, columns * patch), "act_layer": said["act"],
        "num_classes": found.here["proj"].shape[1],
    }  # fmt: skip
    aside = tuple(name for name in found.header if not name.startswith(found.prefix))
    notes = _notes(found.answers, said, built)
    return Layout("CLIP", found.prefix, aside, "vit_base_patch32_clip_224", options, notes, "visual.", "CLIP")


def _require_plain(found: Found) -> None:
    """Networks that share these names with a plain ViT and compute something else are not taken for one."""
    here = found.here
    block = {name[len(_BLOCK) :] for name in here if name.startswith(_BLOCK)}
    foreign = next((kind for mark, kind in _FOREIGN.items() if mark in block), None)
    if foreign or block - _PARTS:
        raise ask_architecture(foreign or "ViT, another block")
    if any(name.startswith("patch_embed.backbone.") for name in here):
        raise ask_architecture("ViT, convolutions before its patches")
    if "norm_pre.weight" in here and ("attn_pool.latent" in here or "norm.weight" not in here):
        raise ask_architecture("Perception Encoder / CLIP, attention pool")
    if "norm1.bias" not in block:
        raise ask_architecture("ViT, RMSNorm")
    if "mlp.w12.weight" in block and found.of_dinov2:
        return
    if not {"mlp.fc1.weight", "mlp.fc2.weight"} <= block:
        raise ask_architecture("ViT, another MLP")
    if here[_BLOCK + "mlp.fc1.weight"].shape[0] != here[_BLOCK + "mlp.fc2.weight"].shape[-1]:
        raise ask_architecture("ViT, gated MLP")


def _authors(found: Found) -> str | None:
    """The repository whose training left this file, by marks that only its code leaves."""
    if found.of_dinov2 and any(".ls1." in name for name in found.here):
        return "facebookresearch/dinov2"
    if {"decoder_embed.weight", "decoder_pos_embed", "decoder_blocks.0.attn.qkv.weight"} <= found.here.keys():
        return "facebookresearch/mae"
    beside = found.prefix.removesuffix("backbone.") + "head."
    heads = {name.partition("last_layer")[0] for name in found.header if ".last_layer." in name}
    if found.prefix.endswith("backbone.") and beside in heads and beside + "mlp.0.weight" in found.header:
        return "facebookresearch/dino"
    return None


def _before(found: Found, registers: int) -> tuple[int, ...]:
    """How many places of the table may stand before its patches: CLS and registers have places of their own or not."""
    if "dist_token" in found.here:
        return (2,)
    if "register_tokens" in found.here:
        return (1,)
    if "cls_token" in found.here:
        return (0, 1, 1 + registers) if registers else (0, 1)
    return (0, registers) if registers else (0,)


def _doubted(found: Found) -> Asked:
    """Usual norm, activation and ε; None where published networks with these very names differ."""
    here = found.here
    pooled = "attn_pool.latent" in here
    plain = "cls_token" in here or any(".ls1." in name for name in here)
    clip = "norm_pre.weight" in here
    siglip = pooled or ("cls_token" not in here and "norm.weight" in here)
    act = "silu" if "blocks.0.mlp.w12.weight" in here else None if clip or siglip else "gelu"
    return {"norm": "pre" if plain or clip or pooled else None, "act": act, "eps": 1e-5 if clip else 1e-6}


def _settled(
    said: Answers, width: int, places: int, built: str | None, heads: int | None, before: tuple[int, ...], usual: Asked
) -> Asked:
    """What the reader said, else authors' code, else what is usual. Raises `Untold` for what is left, all at once."""
    share = [str(count) for count in range(1, width + 1) if width % count == 0 and 8 <= width // count <= 256]
    square = _square(places, before)
    acts = ("quick_gelu", "gelu") if usual["eps"] == 1e-5 else ("gelu", "gelu_tanh")
    asks = []
    if not said.heads and not heads:
        asks.append(Ask("heads", tuple(share)))
    if not said.grid and not (built and square):
        asks.append(Ask("grid", _grids(places, before), f"{square}x{square}" if square else ""))
    if not said.norm and not usual["norm"]:
        asks.append(Ask("norm", ("pre", "post"), "pre"))
    if not said.act and not usual["act"]:
        asks.append(Ask("act", acts))
    if asks:
        raise _question(asks, said, width, places)
    if said.heads and width % said.heads:
        raise Fault(
            "heads={heads} was said, but {width} channels are not shared evenly by so many heads; give one of "
            "{choices}.",
            heads=said.heads, width=width, choices=", ".join(share),
        )  # fmt: skip
    grid = said.grid or (square, square)
    if places - math.prod(grid) not in before:
        patches = ", ".join(str(places - count) for count in before)
        raise Fault(
            "grid={rows}x{columns} was said, but the file's table has {places} places, {patches} of them for patches "
            "(as many as its first tokens leave); give rows and columns with that product.",
            rows=grid[0], columns=grid[1], places=places, patches=patches,
        )  # fmt: skip
    return {
        "heads": said.heads or heads, "grid": grid, "before": places - math.prod(grid),
        **{name: getattr(said, name) or usual[name] for name in ("norm", "act", "eps")},
    }  # fmt: skip


def _question(asks: Iterable[Ask], said: Answers, width: int, places: int) -> Untold:
    asks = tuple(asks)
    hints = {"heads": "heads=N", "grid": "grid=ROWSxCOLUMNS", "norm": "norm=pre", "act": "act=gelu"}
    wanted = [f"grid={ask.usual}" if ask.name == "grid" and ask.usual else hints[ask.name] for ask in asks]
    question = Untold(
        "The file holds a vision transformer {width} channels wide with a table of {places} places, but its weights do "
        "not tell {asked}; say it in the id, as in {example}, or put its config.json beside it.",
        width=width, places=places, asked=", ".join(ask.name for ask in asks),
        example="?" + "&".join([*filter(None, [str(said)]), *wanted]),
    )  # fmt: skip
    question.asks = asks
    return question


def _square(places: int, before: tuple[int, ...]) -> int:
    """Side of the square grid that the patches make, 0 where they make none."""
    for count in before:
        side = math.isqrt(max(0, places - count))
        if side and side * side == places - count:
            return side
    return 0


def _grids(places: int, before: tuple[int, ...]) -> tuple[str, ...]:
    """Every way in which the patches may lie; of a table that is too large for a list none is named."""
    found = [
        f"{rows}x{(places - count) // rows}" for count in before for rows in range(1, places - count + 1)
        if (places - count) % rows == 0
    ] if places < 10**5 else []  # fmt: skip
    return tuple(dict.fromkeys(found))


def _notes(said: Answers, settled: Asked, built: str | None) -> tuple[Note, ...]:
    found = list(answers.notes(said))
    if built and not said.heads:
        told = {"heads": settled["heads"], "authors": built}
        found.append(Note("Heads: {heads}, as the code of {authors} builds a network of this size.", told))
    usual = {name: settled[name] for name in ("grid", "norm", "act", "eps") if not getattr(said, name)}
    if usual:
        listed = str(Answers(**usual)).replace("&", ", ")
        found.append(Note("Not in the weights, taken as usual under such names: {usual}.", {"usual": listed}))
    return tuple(found)
