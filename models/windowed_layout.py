"""Swin and BEiT, whose tables of relative positions tell heads and windows, from the names and shapes of weights."""

from __future__ import annotations

import math

from models.card import Note
from models.faults import Refusal
from models.state_dict import Found, Layout

SHARED, OWN = "rel_pos_bias.relative_position_bias_table", "blocks.0.attn.relative_position_bias_table"


def read_swin(found: Found) -> Layout:
    """Swin (arXiv 2103.14030): a bias table of (2 window − 1)² offsets by heads in every block."""
    found.allow("Swin")
    kind, aside = found.training()
    stages = found.count("layers.")
    tables = [found.shape(f"layers.{stage}.blocks.0.attn.relative_position_bias_table", 2) for stage in range(stages)]
    windows = tuple((_side(offsets) + 1) // 2 for offsets, _ in tables)
    channels, patch = found.patch()
    options = {
        "embed_dim": channels, "depths": tuple(found.count(f"layers.{stage}.blocks.") for stage in range(stages)),
        "num_heads": tuple(table[1] for table in tables), "patch_size": patch,
        "window_size": windows if len({*windows}) > 1 else windows[0],
        "img_size": max(window * patch * 2**stage for stage, window in enumerate(windows)),
        "num_classes": found.classes("head.fc.weight", "head.weight"),
    }  # fmt: skip
    notes = (Note("Windows are taken as square, as usual; the weights do not tell."),)
    return Layout(kind, found.prefix, aside, "swin_tiny_patch4_window7_224", options, notes)


def read_beit(found: Found) -> Layout:
    """BEiT (arXiv 2106.08254): a bias table of (2 side − 1)² offsets and three of CLS by heads, shared or per block."""
    found.allow("BEiT")
    _, aside = found.training()
    channels, patch = found.patch()
    offsets, heads = found.shape(SHARED if SHARED in found.here else OWN, 2)
    side = (_side(offsets - 3) + 1) // 2
    scaled = "blocks.0.gamma_1" in found.here
    options = {
        "embed_dim": channels, "depth": found.count("blocks."), "num_heads": heads, "patch_size": patch,
        "img_size": side * patch, "mlp_ratio": (found.here["blocks.0.mlp.fc1.weight"].shape[0] + 0.5) / channels,
        "use_shared_rel_pos_bias": SHARED in found.here, "use_rel_pos_bias": OWN in found.here,
        "use_abs_pos_emb": "pos_embed" in found.here, "init_values": 0.1 if scaled else None,
        "qkv_bias": "blocks.0.attn.q_bias" in found.here, "num_classes": found.classes("head.weight"),
        "global_pool": "avg" if "fc_norm.weight" in found.here else "token",
        "use_fc_norm": "fc_norm.weight" in found.here,
    }  # fmt: skip
    usual = Note(
        "Not in the weights, taken as usual under such names: {usual}.", {"usual": f"grid={side}x{side}, act=gelu"}
    )
    return Layout("BEiT", found.prefix, aside, "beit_base_patch16_224", options, (usual,), colours="BEiT")


def _side(offsets: int) -> int:
    """Of a square table of offsets. Raises `Refusal` where it is none."""
    side = math.isqrt(max(0, offsets))
    if side * side != offsets or side % 2 == 0:
        raise Refusal(
            "The file's table of relative positions has {offsets} offsets, which no square window has, and its sides "
            "are not in the weights; put the config.json of timm or transformers beside it.",
            offsets=offsets,
        )
    return side
