"""Numbers for the page's scripts: a JSON header and raw arrays in one binary.

    4 bytes    length n of the header, little-endian
    n bytes    header, JSON: {"facts": …, "arrays": {name: {"type", "shape", "start"}}}
    the rest   the arrays, C order, little-endian, each at a multiple of 8 bytes from the end of the header

`assets/stage/bundle.js` reads it back without copying. Maps travel as square roots of the share of their own maximum,
a byte each: with linear steps a single sink would push everything else below the first step and out of the picture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

ALIGN = 8


def pack(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """One binary of `facts` (JSON values) and `arrays` (uint8, int32 or float32, any shape)."""
    table: dict[str, Any] = {}
    parts: list[bytes] = []
    start = 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        table[name] = {"type": array.dtype.name, "shape": array.shape, "start": start}
        parts += [raw, b"\0" * (-len(raw) % ALIGN)]
        start += len(raw) + -len(raw) % ALIGN
    header = json.dumps({"facts": facts, "arrays": table}, allow_nan=False).encode()
    header += b" " * (-(4 + len(header)) % ALIGN)
    return b"".join([len(header).to_bytes(4, "little"), header, *parts])


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `pack` was given: facts and arrays."""
    size = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + size])
    arrays = {}
    for name, entry in header["arrays"].items():
        count = int(np.prod(entry["shape"]))
        flat = np.frombuffer(data, dtype=entry["type"], count=count, offset=4 + size + entry["start"])
        arrays[name] = flat.reshape(entry["shape"])
    return header["facts"], arrays


def coded(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Non-negative maps (..., values) as bytes (..., values) and their maxima (...): value = peak · (byte / 255)².

    A byte's step is at most 0.8 % of the maximum at the top and 0.0004 % at the bottom.
    """
    peaks = maps.max(-1)
    roots = np.sqrt(maps / np.maximum(peaks, np.finfo(np.float32).tiny)[..., None])
    return np.rint(255 * roots).astype(np.uint8), peaks.astype(np.float32)


def decoded(codes: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """What the page makes of `coded`'s answer, float32."""
    return peaks[..., None] * (codes.astype(np.float32) / 255) ** 2
