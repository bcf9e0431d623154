"""Texts to numbers, as each two-tower network was trained to get them.

CLIP (arXiv 2103.00020): lower-cased by its own tokeniser, 77 tokens; what lies behind the end-of-text token is never
seen. SigLIP (arXiv 2303.15343): lower-cased, without punctuation; SigLIP 2 (arXiv 2502.14786): lower-cased; both padded
to their full length on the right, with no mask, because they were trained so and look at the padding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import transformers
from torch import Tensor, nn
from transformers import CLIPModel, Siglip2Model, SiglipModel

from models.create import described
from models.faults import Fault

Tokenise = Callable[[Sequence[str]], Mapping[str, Tensor]]


def tokenizer(folder: Path, network: nn.Module) -> Tokenise | None:
    """What feeds the text tower of `network` from the files in `folder`; None for networks without one."""
    if not isinstance(network, CLIPModel | SiglipModel | Siglip2Model):
        return None
    kind = _kind(folder, network)
    if kind is None:
        raise Fault(
            "{folder} has no tokeniser, so its text tower cannot be fed; put tokenizer.json or spiece.model beside its "
            "config.json.",
            folder=folder.name,
        )
    with described(kind.__name__):
        return _padded(kind.from_pretrained(folder, local_files_only=True), network)


def _kind(folder: Path, network: nn.Module) -> Any:
    there = {file.name for file in folder.iterdir()}
    if isinstance(network, CLIPModel):
        return transformers.CLIPTokenizer if there & {"tokenizer.json", "vocab.json"} else None
    if "spiece.model" in there:
        return transformers.SiglipTokenizer
    return transformers.Siglip2Tokenizer if "tokenizer.json" in there else None


def _padded(tokeniser: Any, network: Any) -> Tokenise:
    length = network.config.text_config.max_position_embeddings
    names = ("input_ids", "attention_mask") if isinstance(network, CLIPModel) else ("input_ids",)

    def tokenise(texts: Sequence[str]) -> Mapping[str, Tensor]:
        encoded = tokeniser(
            list(texts), padding="max_length", max_length=length, truncation=True, padding_side="right",
            return_tensors="pt",
        )  # fmt: skip
        return {name: encoded[name] for name in names}

    return tokenise
