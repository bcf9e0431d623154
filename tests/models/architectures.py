"""The architectures that conformance is shown for: their own classes at small sizes, with random weights, saved as
their makers save them and opened by the door that everybody uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import timm
import torch
import transformers
from timm.models._hub import save_config_for_hf, save_for_hf
from torch import nn

from models.backbone import Backbone
from models.families import create_options
from models.loading import load
from models.positions import sincos_table
from tests.models.letters import write_clip, write_siglip

SMALL: dict[str, Any] = {"depth": 2, "embed_dim": 48, "num_heads": 3}
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Architecture:
    """One row of the table.

    title:   for people
    build:   makes the network with random weights
    patch:   pixels
    size:    (height, width) in pixels that it is built for
    save:    writes it to a folder, as its maker does
    writer:  whose folder that is
    others:  further shapes that must work: not square, interpolated
    twin:    "?random" where weights make no difference
    """

    title: str
    build: Callable[[], nn.Module]
    patch: int
    size: tuple[int, int]
    save: Callable[[Any, Path], None]
    writer: str
    others: tuple[tuple[int, int], ...] = ()
    twin: str = ""

    def network(self) -> nn.Module:
        """The same each time, and with tokens, tables and gains that are not the zeros and ones of a fresh network."""
        torch.manual_seed(0)
        network = self.build().eval()
        with torch.no_grad():
            for value in network.parameters():
                if value.requires_grad:
                    value.add_(0.1 * torch.randn_like(value))
        return network

    def open(self) -> Backbone:
        with TemporaryDirectory() as place:
            self.save(self.network(), Path(place))
            return load(f"file/{place}{self.twin}", "cpu")


def _by_timm(network: nn.Module, place: Path) -> None:
    save_for_hf(network, str(place), safe_serialization=True)


def _described_by_timm(network: nn.Module, place: Path) -> None:
    save_config_for_hf(network, str(place / "config.json"))


def _by_transformers(network: Any, place: Path) -> None:
    """With what its publishers put beside it: how pictures are fed, and how texts are."""
    network.save_pretrained(place)
    fed = {"do_normalize": True, "image_mean": HALF, "image_std": HALF, "resample": 3}
    (place / "preprocessor_config.json").write_text(json.dumps(fed))
    if isinstance(network, transformers.CLIPModel):
        write_clip(place)
    elif isinstance(network, transformers.SiglipModel | transformers.Siglip2Model):
        write_siglip(place)


def _timm(title: str, name: str, patch: int = 16, **options: Any) -> Architecture:
    module = timm.model_entrypoint(name).__module__.rpartition(".")[2]
    told = create_options().get(module, {})
    size = (4 * patch, 4 * patch)
    options = {**SMALL, "img_size": size, **told, **options}
    others = ((3 * patch, 5 * patch), (6 * patch, 6 * patch)) if told else ()
    return Architecture(title, lambda: timm.create_model(name, **options), patch, size, _by_timm, "timm", others)


def _naflex(title: str, name: str) -> Architecture:
    """It has a configuration of its own instead of keyword arguments, and takes every size."""
    options: dict[str, Any] = {**SMALL, "img_size": 64, "pos_embed_grid_size": (4, 4)}
    others = ((48, 80), (96, 96))
    return Architecture(title, lambda: timm.create_model(name, **options), 16, (64, 64), _by_timm, "timm", others)


def _swin(title: str, name: str, **options: Any) -> Architecture:
    told = create_options()[timm.model_entrypoint(name).__module__.rpartition(".")[2]]
    options = {"img_size": 64, "window_size": 4, "embed_dim": 24, "depths": (2, 2), "num_heads": (2, 4), **options}
    others = ((48, 80), (72, 128))
    return Architecture(
        title, lambda: timm.create_model(name, **told, **options), 4, (64, 64), _by_timm, "timm", others
    )


def _hf(
    title: str, kind: str, patch: int, size: int, others: tuple[tuple[int, int], ...], **config: Any
) -> Architecture:
    def build() -> nn.Module:
        network: Any = getattr(transformers, kind)
        return _with_fixed_tables(network(network.config_class(**config)))

    return Architecture(title, build, patch, (size, size), _by_transformers, "transformers", others)


def _with_fixed_tables(network: Any) -> nn.Module:
    """MAE's tables are no weights; transformers leaves them zero where it makes a network, and its converters lay them
    as MAE's authors do, columns first after a row for CLS."""
    for name, table in network.named_parameters():
        if not table.requires_grad and table.ndim == 3:
            side, channels = int((table.shape[1] - 1) ** 0.5), table.shape[2]
            assert name.endswith(("position_embeddings", "decoder_pos_embed"))
            table[:, 1:].copy_(sincos_table((side, side), channels).roll(channels // 2, dims=-1))
    return network


_WINDOWS: dict[str, Any] = {
    "image_size": 64, "embed_dim": 24, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4, "encoder_stride": 8,
}  # fmt: skip
_TOWER: dict[str, Any] = {
    "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 96,
}  # fmt: skip
_SEES: dict[str, Any] = {**_TOWER, "image_size": 64, "patch_size": 16}
_READS: dict[str, Any] = {
    **_TOWER, "vocab_size": 64, "max_position_embeddings": 8, "eos_token_id": 53, "bos_token_id": 52,
}  # fmt: skip
_OTHERS = ((48, 80), (96, 96))

SHOWN = (
    _timm("ViT, supervised", "vit_tiny_patch16_224"),
    _timm("ViT, mean-pooled, without CLS", "vit_base_patch16_rpn_224"),
    _timm("DeiT, distilled", "deit_tiny_distilled_patch16_224"),
    _timm("DeiT III", "deit3_small_patch16_224"),
    _timm("DINO", "vit_small_patch16_224", num_classes=0),
    _timm("DINOv2", "vit_small_patch14_dinov2", patch=14),
    _timm("DINOv2 with registers", "vit_small_patch14_reg4_dinov2", patch=14),
    _timm("DINOv3", "vit_small_patch16_dinov3"),
    _timm("EVA-02", "eva02_tiny_patch14_224", patch=14),
    _timm("EVA", "eva_large_patch14_196", patch=14),
    _timm("RoPE-ViT, axial", "vit_small_patch16_rope_224"),
    _timm("RoPE-ViT, mixed", "vit_small_patch16_rope_mixed_224"),
    _timm("Perception Encoder", "vit_pe_core_tiny_patch16_384"),
    _timm("BEiT", "beit_base_patch16_224"),
    _timm("FlexiViT", "flexivit_small"),
    _timm("ViT, relative position, table", "vit_relpos_medium_patch16_cls_224", rel_pos_type="bias"),
    _timm("ViT, relative position, MLP", "vit_relpos_base_patch32_plus_rpn_256", patch=32),
    _timm("ViT, relative position, shared", "vit_srelpos_small_patch16_224"),
    _naflex("NaFlexViT", "naflexvit_base_patch16_gap"),
    _naflex("NaFlexViT, rows and columns", "naflexvit_base_patch16_parfac_gap"),
    _naflex("NaFlexViT, SigLIP", "naflexvit_base_patch16_siglip"),
    _timm("CLIP, image tower (timm)", "vit_base_patch16_clip_224", num_classes=0),
    _timm("SigLIP, image tower (timm)", "vit_base_patch16_siglip_224"),
    _swin("Swin", "swin_tiny_patch4_window7_224"),
    _swin("SwinV2", "swinv2_tiny_window8_256"),
    _swin("SwinV2-CR", "swinv2_cr_tiny_224"),
    _timm("SAM, image encoder", "samvit_base_patch16", window_size=3, global_attn_indexes=(1,)),
    _timm("SAM, image encoder, as a classifier", "samvit_base_patch16_224", window_size=3, global_attn_indexes=(1,)),
    _hf("Swin (transformers)", "SwinForImageClassification", 4, 64, ((48, 80), (72, 100)), **_WINDOWS),
    _hf("SwinV2 (transformers)", "Swinv2Model", 4, 64, ((48, 80), (72, 100)), **_WINDOWS),
    _hf("SimMIM", "SwinForMaskedImageModeling", 4, 64, ((48, 80),), **_WINDOWS),
    _hf("ViT (transformers)", "ViTForImageClassification", 16, 64, _OTHERS, **_SEES),
    _hf("DINO (transformers)", "ViTModel", 16, 64, _OTHERS, **_SEES),
    _hf("DeiT, distilled (transformers)", "DeiTForImageClassificationWithTeacher", 16, 64, _OTHERS, **_SEES),
    _hf("DINOv2 (transformers)", "Dinov2Model", 16, 64, _OTHERS, **_SEES),
    _hf("DINOv2 with registers (transformers)", "Dinov2WithRegistersForImageClassification", 16, 64, _OTHERS, **_SEES),
    _hf("DINOv3 (transformers)", "DINOv3ViTModel", 16, 64, _OTHERS, **_SEES, num_register_tokens=4),
    _hf(
        "BEiT (transformers)", "BeitForImageClassification", 16, 64, _OTHERS, **_SEES, use_relative_position_bias=True,
    ),
    _hf(
        "BEiT, one bias for all blocks (transformers)", "BeitModel", 16, 64, _OTHERS, **_SEES,
        use_shared_relative_position_bias=True, use_mean_pooling=False,
    ),
    _hf(
        "Data2Vec (transformers)", "Data2VecVisionForImageClassification", 16, 64, _OTHERS, **_SEES,
        use_relative_position_bias=True, use_shared_relative_position_bias=True,
    ),
    _hf("I-JEPA (transformers)", "IJepaForImageClassification", 16, 64, _OTHERS, **_SEES),
    _hf("MSN (transformers)", "ViTMSNForImageClassification", 16, 64, _OTHERS, **_SEES),
    _hf(
        "ViT of timm in transformers' wrapper", "TimmWrapperForImageClassification", 16, 64, _OTHERS,
        architecture="vit_tiny_patch16_224", model_args={**SMALL, "img_size": 64},
    ),
    _hf(
        "MAE", "ViTMAEForPreTraining", 16, 64, _OTHERS, **_SEES,
        decoder_hidden_size=32, decoder_num_hidden_layers=1, decoder_num_attention_heads=2,
        decoder_intermediate_size=64,
    ),
    _hf("CLIP", "CLIPModel", 16, 64, _OTHERS, vision_config=_SEES, text_config=_READS, projection_dim=32),
    _hf("SigLIP", "SiglipModel", 16, 64, _OTHERS, vision_config=_SEES, text_config=_READS),
    _hf(
        "SigLIP 2", "Siglip2Model", 16, 64, _OTHERS,
        vision_config={**_TOWER, "num_patches": 16, "patch_size": 16}, text_config=_READS,
    ),
)  # fmt: skip
"""What Patchlight shows."""


def _refused(title: str, name: str, **options: Any) -> Architecture:
    config = timm.get_pretrained_cfg(name)
    size = config.input_size[1:] if config else (224, 224)
    return Architecture(
        title, lambda: timm.create_model(name, **options), 16, (size[0], size[1]), _described_by_timm, "timm",
        twin="?random",
    )  # fmt: skip


REFUSED = (
    _refused("XCiT", "xcit_nano_12_p16_224", depth=1),
    _refused("CaiT", "cait_xxs24_224", depth=1),
    _refused("ViT, two attentions a block", "vit_small_patch16_18x2_224", depth=1),
    _refused("ViT, differential attention", "vit_dwee_patch16_reg1_gap_256", depth=1),
    _refused("PVT v2", "pvt_v2_b0"),
    _refused("MViT v2", "mvitv2_tiny"),
    _refused("Twins", "twins_svt_small", depths=(1, 1, 1, 1)),
    _refused("MaxViT", "maxvit_rmlp_pico_rw_256"),
    _refused("Hiera", "hiera_tiny_224"),
    _refused("CoaT", "coat_tiny"),
    _refused("ResNet", "resnet18"),
    _refused("MLP-Mixer", "mixer_s32_224"),
)
"""What must be refused, each for a reason that a pass through it shows."""
