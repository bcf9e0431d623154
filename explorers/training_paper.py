"""The few settings of each objective that matter most, and what its paper chose: shown beside the form's own defaults.

Papers train on millions of pictures for days; the defaults here suit minutes. Values are written as the papers write
them, in no language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """value: as the paper has it · source: arXiv number, and where in it"""

    value: str
    source: str


MATTERS: Mapping[str, tuple[str, ...]] = {
    "clip": ("batch", "rate", "crop"),
    "dino": ("centring", "temperature", "momentum"),
    "mae": ("ratio", "normalised", "rate"),
    "probe": ("checkpoint", "frozen", "rate"),
    "siglip": ("batch", "rate", "crop"),
    "simclr": ("temperature", "crop", "batch"),
    "simmim": ("ratio", "unit", "rate"),
    "supervised": ("network", "smoothing", "rate"),
}
"""What the form shows at once; everything else is folded away below."""

PAPERS: Mapping[str, Mapping[str, Paper]] = {
    "clip": {
        "batch": Paper("32768", "2103.00020, table 18"),
        "rate": Paper("5e-4 (ViT-B/32)", "2103.00020, table 20"),
        "decay": Paper("0.2", "2103.00020, table 18"),
    },
    "dino": {
        "temperature": Paper("0.04 → 0.07", "2104.14294, 3.2"),
        "momentum": Paper("0.996 → 1", "2104.14294, 3.1"),
        "scores": Paper("65536", "2104.14294"),
        "local": Paper("10", "2104.14294, table 8"),
        "smallest": Paper("0.05", "2104.14294"),
        "rate": Paper("5e-4 × batch / 256", "2104.14294, 3.2"),
        "decay": Paper("0.04 → 0.4", "2104.14294, 3.2"),
        "batch": Paper("1024", "2104.14294, 3.2"),
    },
    "mae": {
        "ratio": Paper("0.75", "2111.06377, 4.1"),
        "normalised": Paper("✓", "2111.06377, table 1d"),
        "decoder_width": Paper("512", "2111.06377, table 1b"),
        "decoder_depth": Paper("8", "2111.06377, table 1a"),
        "rate": Paper("1.5e-4 × batch / 256", "2111.06377, table 8"),
        "decay": Paper("0.05", "2111.06377, table 8"),
        "batch": Paper("4096", "2111.06377, table 8"),
    },
    "siglip": {"batch": Paper("32768", "2303.15343")},
    "simclr": {
        "temperature": Paper("0.1; 0.5 (CIFAR-10)", "2002.05709, table 5; B.9"),
        "crop": Paper("0.08", "2002.05709, A"),
        "batch": Paper("4096", "2002.05709, 2.2"),
        "projection": Paper("128", "2002.05709, 2.1"),
        "rate": Paper("0.3 × batch / 256 (LARS)", "2002.05709, 2.2"),
    },
    "simmim": {
        "ratio": Paper("0.6", "2111.09886, 4.1"),
        "unit": Paper("32", "2111.09886, 4.1"),
        "crop": Paper("0.67", "2111.09886, 4.1"),
        "rate": Paper("8e-4 (batch 2048)", "2111.09886, 4.1"),
        "decay": Paper("0.05", "2111.09886, 4.1"),
    },
    "supervised": {
        "smoothing": Paper("0.1", "2012.12877, table 9"),
        "mixup": Paper("0.8", "2012.12877, table 9"),
        "rate": Paper("5e-4 × batch / 512", "2012.12877, table 9"),
        "decay": Paper("0.05", "2012.12877, table 9"),
        "batch": Paper("1024", "2012.12877, table 9"),
    },
}
