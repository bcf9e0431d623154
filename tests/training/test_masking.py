"""What is hidden is hidden in the number and the squares that were asked for, and patches keep their order."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.faults import Fault
from tests.training.squares import Squares
from training.masking import drop_tokens, patchify, random_mask
from training.mixture import Mixture


@pytest.mark.parametrize(("ratio", "unit", "hidden"), [(0.75, 1, 48), (0.6, 2, 40), (0.5, 4, 32)])
def test_masks_hide_the_same_number_of_whole_squares(ratio: float, unit: int, hidden: int) -> None:
    masks = random_mask(16, (8, 8), ratio, torch.device("cpu"), unit)
    assert (masks.sum((1, 2)) == hidden).all()
    squares = masks.view(16, 8 // unit, unit, 8 // unit, unit).transpose(2, 3).flatten(3)
    assert ((squares == 0).all(-1) | (squares == 1).all(-1)).all()
    assert len(masks.flatten(1).unique(dim=0)) > 3


def test_patches_are_laid_out_by_row_column_channel() -> None:
    image = torch.arange(2 * 3 * 4 * 6.0).view(2, 3, 4, 6)
    patches = patchify(image, 2)
    assert patches.shape == (2, 6, 12)
    assert torch.equal(patches[1, 4], image[1, :, 2:4, 2:4].permute(1, 2, 0).flatten())


def test_dropped_tokens_are_patches_and_only_while_learning() -> None:
    embeddings = nn.Identity()
    drop_tokens(embeddings, 0.5, prefix=1)
    tokens = torch.arange(9.0).view(1, 9, 1).expand(4, -1, 3)
    torch.manual_seed(0)
    kept = embeddings(tokens)
    assert kept.shape == (4, 5, 3)
    assert (kept[:, 0] == 0).all()
    assert all(len(row.unique()) == 5 for row in kept[..., 0])
    assert torch.equal(embeddings.eval()(tokens), tokens)


def test_datasets_take_turns_without_losing_a_batch() -> None:
    first, second = Squares(), Squares(side=16)
    both = Mixture((first, second))
    assert both.classes == first.classes
    for step, (part, turn) in enumerate([(first, 0), (second, 0), (first, 1), (second, 1)]):
        found = both.batch(step, seed=3, count=4, device="cpu").images
        assert torch.equal(found, part.batch(turn, seed=3, count=4, device="cpu").images)
    with pytest.raises(Fault, match="several datasets at once"):
        both.batch(0, seed=None, count=4, device="cpu")
