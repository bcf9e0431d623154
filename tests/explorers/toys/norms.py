"""How long each token's output is.

An explorer for tests: it lies in no room of the project, and dropping its folder beside the explorers is all it takes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from explorers.explorer import Explorer, Finding, Sentence
from explorers.frame import Frame
from explorers.parameters import Parameters, parameter, within
from explorers.traces import trace


class NormsParameters(Parameters):
    checkpoint: str = parameter(title="Network", longest=200)
    layer: int = parameter(-1, title="Layer", help="From 0; -1 is the last.", least=-1, most=99)
    head: int = parameter(0, title="Head", least=0, most=99)
    patch: int = parameter(0, title="Patch", least=0, most=9999)
    side: int | None = parameter(None, title="Input size", unit="px", least=16, most=640)
    share: float = parameter(0.6, title="Share of the mass", least=0.0, most=1.0)
    fit: Literal["whole", "crop"] = parameter("whole", title="Fit")
    row: bool = parameter(True, title="With the row of a patch")


def explore(image: Path | None, asked: NormsParameters) -> Finding:
    assert image is not None
    seen = trace(asked.checkpoint, image, asked.side, asked.fit)
    layer = seen.layers[within("layer", asked.layer, -1, len(seen.layers) - 1)]
    head = within("head", asked.head, 0, layer.heads - 1)
    patch = within("patch", asked.patch, 0, layer.grid[0] * layer.grid[1] - 1)
    arrays = {"norms": layer.tokens.double().norm(dim=-1).numpy()}
    if asked.row:
        arrays["row"] = layer.attention_from(layer.prefix + patch)[head].numpy()
    said = Sentence("Output norms of {count} tokens.", {"count": layer.length})
    return Finding(arrays, (said,), {"grid": list(layer.grid), "share": asked.share})


def build(frame: Frame) -> None:
    """No tab: this explorer is asked by endpoint and shell only."""


EXPLORER = Explorer("norms", "Norms", 1, NormsParameters, explore, build)
