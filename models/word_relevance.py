"""Which words of a prompt does its likeness to a picture rest on? Two answers, which need not agree.

    left out   the cosine of the prompt minus that of the same prompt without the word: measured, signed, exact. What
               two words do only together shows in both.
    gradient   gradient × attention in the text tower (Chefer et al. 2021, arXiv 2103.15679, equations 5 and 6), summed
               over the pieces of each word: through which words the answer was gathered. Never negative, so that a word
               that speaks against the picture is not seen.

A CLIP's text tower is causal and answers at its end-of-text token, a SigLIP's at its last position, padding or not. The
row of relevance that is read is that token's, so start, end and padding hold a share of it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from models.backbone import ZeroShot
from models.faults import Fault
from models.recorder import record
from models.relevance import relevance_row
from models.sequence import tokenised
from models.text_bank import text_features

MOST = 60
"""Words of a prompt; the text towers read 32 to 77 pieces."""


@dataclass(frozen=True)
class WordRelevance:
    """Of one prompt for one picture.

    words:     as they stand in the prompt
    cosine:    of the whole prompt with the picture
    left_out:  (words,) by how much the cosine falls where the word is left out; negative where it rises
    gradient:  (words,) at least 0; 0 for words that the tokeniser drops or cuts off
    apart:     share of all relevance that start, end and padding hold, in [0, 1]
    """

    words: tuple[str, ...]
    cosine: float
    left_out: Tensor
    gradient: Tensor
    apart: float


def word_relevance(network: ZeroShot, prompt: str, picture: Tensor) -> WordRelevance:
    """Of each word of `prompt` for `picture`, a unit vector (channels,) of the joint space. Raises `Fault`."""
    words = prompt.split()
    if not 1 <= len(words) <= MOST:
        raise Fault(
            "The relevance of words was asked of a prompt of {found} words; give one of 1 to {most}.",
            found=len(words), most=MOST,
        )  # fmt: skip
    shorter = [" ".join(words[:at] + words[at + 1 :]) for at in range(len(words))]
    cosines = text_features(network, [prompt, *shorter]) @ picture
    pieces, owners = piece_relevance(network, prompt, picture), owner_of_pieces(network, words)
    gradient = torch.stack([pieces[owners == at].sum() for at in range(len(words))])
    apart = float(pieces[owners < 0].sum() / pieces.sum().clamp_min(1e-30))
    return WordRelevance(tuple(words), float(cosines[0]), cosines[0] - cosines[1:], gradient, apart)


def piece_relevance(network: ZeroShot, prompt: str, picture: Tensor) -> Tensor:
    """Gradient × attention of the cosine for each position of the tokenised prompt, padding included: (pieces,).
    Without the identity that the method begins with: only what attention has brought to the token that is read."""
    towers = _towers(network)
    fed = tokenised(_tokenizer(network), [prompt], towers)
    aim = picture.to(towers.device)

    def cosine() -> Tensor:
        return F.normalize(towers.get_text_features(**fed).pooler_output.float(), dim=-1)[0] @ aim

    seen, value = record(list(towers.text_model.encoder.layers), cosine, gradients=True)
    return relevance_row(value, seen, identity=False).cpu()


def owner_of_pieces(network: ZeroShot, words: Sequence[str]) -> Tensor:
    """Which word each position belongs to, from 0, and -1 for start, end and padding: (pieces,).

    A word begins where the numbers of the prompt up to it and up to the word before it first differ, whatever the
    tokeniser; where they do not differ, it was dropped or cut off.
    """
    until = [" ".join(words[:count]) for count in range(len(words) + 1)]
    ids = tokenised(_tokenizer(network), [*until, " ".join([*words, "a"])], _towers(network))["input_ids"].cpu()
    owners = torch.full((ids.shape[1],), -1)
    for at, (before, after) in enumerate(pairwise(ids)):
        owners[_begin(before, after) :] = at if at < len(words) else -1
    owners[-1] = -1  # of a text that is cut off, too, the last position is the end
    return owners


def _begin(before: Tensor, after: Tensor) -> int:
    changed = (before != after).nonzero().flatten()
    return int(changed[0]) if len(changed) else len(before)


def _towers(network: ZeroShot) -> Any:
    return network.module  # pyright: ignore[reportAttributeAccessIssue]


def _tokenizer(network: ZeroShot) -> Any:
    return network.tokenizer  # pyright: ignore[reportAttributeAccessIssue]
