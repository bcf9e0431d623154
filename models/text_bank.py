"""Text embeddings that a network has made already: a text is read once, whatever picture it is then compared with."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from models.backbone import ZeroShot

BYTES = 256 * 2**20
"""Kept for each network; the texts that were not asked for longest are forgotten first."""

BATCH = 64


@dataclass
class _Bank:
    kept: OrderedDict[str, Tensor] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, text: str, feature: Tensor) -> None:
        self.kept[text] = feature
        while len(self.kept) * feature.nbytes > BYTES and len(self.kept) > 1:
            self.kept.popitem(last=False)


_banks: WeakKeyDictionary[ZeroShot, _Bank] = WeakKeyDictionary()
_making = threading.Lock()


def clear() -> None:
    """Forget all embeddings of all networks."""
    with _making:
        _banks.clear()


def read(network: ZeroShot, texts: Sequence[str]) -> Tensor:
    """Batch by batch through the network: unit vectors (texts, channels) on the CPU in single precision."""
    starts = range(0, len(texts), BATCH)
    return torch.cat([network.text_features(texts[start : start + BATCH]).float().cpu() for start in starts])


def text_features(
    network: ZeroShot, texts: Sequence[str], reader: Callable[[ZeroShot, Sequence[str]], Tensor] = read
) -> Tensor:
    """Unit vectors (texts, channels) as `read` makes them; only texts that are new go through the network, by `reader`
    where that is another process's."""
    with _making:
        bank = _banks.setdefault(network, _Bank())
    with bank.lock:
        found = {text: bank.kept[text] for text in texts if text in bank.kept}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found |= zip(new, reader(network, new).unbind(), strict=True)
        for text in dict.fromkeys(texts):
            bank.keep(text, found[text].clone() if text in new else found[text])
            bank.kept.move_to_end(text)
    return torch.stack([found[text] for text in texts])
