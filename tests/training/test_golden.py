"""Every loss, and its gradient, equals what the authors' own code gives for the same numbers.

golden.safetensors was made with that code by `make_golden.py`; its metadata name repository, commit and class of each
entry.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from tests.training.make_golden import INPUTS, MAKERS, REPOSITORIES
from training.health import nearest_visible
from training.masking import patchify
from training.objectives import clip, dino, mae, siglip, simclr, simmim, supervised

FILE = Path(__file__).with_name("golden.safetensors")
GOLDEN = load_file(FILE)


def leaf(name: str) -> Tensor:
    return GOLDEN[name].clone().requires_grad_()


def same(name: str, value: Tensor | None) -> None:
    assert value is not None
    torch.testing.assert_close(value.detach(), GOLDEN[name], rtol=1e-6, atol=1e-6)


def test_every_entry_names_its_source() -> None:
    with safe_open(FILE, "pt") as file:
        stated = file.metadata()
    assert {name.partition("/")[0].removesuffix("_normalised") for name in GOLDEN} == set(stated)
    for name, (repository, commit, _, kind) in REPOSITORIES.items():
        assert stated[name].startswith(f"{repository} {commit} ")
        assert kind in stated[name]
    assert set(INPUTS) < set(GOLDEN)
    assert {maker.__name__ for maker in MAKERS} == set(stated), "an entry that no command makes again"


def test_dino_distillation_and_centre() -> None:
    student = leaf("dino/student")
    teacher = dino.centred(GOLDEN["dino/teacher"].view(2, 3, 16), GOLDEN["dino/centre"], 0.04)
    loss = dino.distillation(student.view(5, 3, 16) / dino.STUDENT, teacher)
    loss.backward()
    same("dino/loss", loss)
    same("dino/gradient", student.grad)
    moved = GOLDEN["dino/centre"].lerp(GOLDEN["dino/teacher"].mean(0, keepdim=True), 1 - dino.CENTRE)
    same("dino/new_centre", moved)


def test_sinkhorn_equals_dinov2() -> None:
    same("sinkhorn/probabilities", dino.sinkhorn(GOLDEN["sinkhorn/scores"], 0.05))


@pytest.mark.parametrize("normalised", [False, True])
def test_mae(normalised: bool) -> None:
    name = "mae_normalised" if normalised else "mae"
    prediction = leaf(f"{name}/prediction")
    loss = mae.masked_error(prediction, patchify(GOLDEN["mae/pixels"], 4), GOLDEN["mae/mask"], normalised)
    loss.backward()
    same(f"{name}/loss", loss)
    same(f"{name}/gradient", prediction.grad)


def test_simmim() -> None:
    prediction = leaf("simmim/prediction")
    mask = GOLDEN["simmim/mask"].repeat_interleave(4, 1).repeat_interleave(4, 2)
    loss = simmim.hidden_difference(prediction, GOLDEN["simmim/pixels"], mask)
    loss.backward()
    same("simmim/loss", loss)
    same("simmim/gradient", prediction.grad)


def test_clip() -> None:
    image, text, scale = leaf("clip/image"), leaf("clip/text"), leaf("clip/scale")
    loss, _ = clip.contrastive(image, text, scale, clip.same_meaning(torch.arange(6)))
    loss.backward()
    same("clip/loss", loss)
    for name, value in {"image": image, "text": text, "scale": scale}.items():
        same(f"clip/{name}_gradient", value.grad)


def test_siglip() -> None:
    image, text, scale, bias = leaf("clip/image"), leaf("clip/text"), leaf("clip/scale"), leaf("siglip/bias")
    loss, _ = siglip.pairwise(image, text, scale, bias, clip.same_meaning(torch.arange(6)))
    loss.backward()
    same("siglip/loss", loss)
    for name, value in {"image": image, "text": text, "scale": scale, "bias": bias}.items():
        same(f"siglip/{name}_gradient", value.grad)


def test_simclr() -> None:
    first, second = leaf("simclr/first"), leaf("simclr/second")
    loss, _ = simclr.nt_xent(F.normalize(first, dim=-1), F.normalize(second, dim=-1), 0.3)
    loss.backward()
    same("simclr/loss", loss)
    same("simclr/first_gradient", first.grad)
    same("simclr/second_gradient", second.grad)


def test_supervised_smoothing() -> None:
    logits = leaf("supervised/logits")
    loss = supervised.cross_entropy(logits, supervised.smoothed(GOLDEN["supervised/labels"], 7, 0.1))
    loss.backward()
    same("supervised/loss", loss)
    same("supervised/gradient", logits.grad)


def test_mixup_mixes_targets_as_it_mixes_pictures() -> None:
    order, share = torch.tensor([1, 2, 0]), torch.tensor(0.7)
    targets = supervised.mix(torch.eye(3), share, order)
    torch.testing.assert_close(targets, 0.7 * torch.eye(3) + 0.3 * torch.eye(3)[order])


def test_equal_captions_are_no_negatives() -> None:
    """A duplicate pair must change nothing for the pair it duplicates; as a negative it would raise the loss."""
    generator = torch.Generator().manual_seed(0)
    image, text = (F.normalize(torch.randn(4, 8, generator=generator), dim=-1) for _ in range(2))
    doubled = torch.tensor([0, 1, 2, 3, 0]), torch.cat([image, image[:1]]), torch.cat([text, text[:1]])
    scale, bias = torch.tensor(5.0), torch.tensor(-3.0)
    alone = clip.contrastive(image, text, scale, clip.same_meaning(torch.arange(4)))[1].log_softmax(1)[0, 0]
    beside = clip.contrastive(doubled[1], doubled[2], scale, clip.same_meaning(doubled[0]))[1].log_softmax(1)[0, 0]
    torch.testing.assert_close(alone, beside)
    ignored = clip.same_meaning(doubled[0])
    logits = scale * doubled[1] @ doubled[2].T + bias
    sign = 2 * torch.eye(5) - 1
    expected = -(F.logsigmoid(sign * logits) * ~ignored).sum() / 5
    torch.testing.assert_close(siglip.pairwise(doubled[1], doubled[2], scale, bias, ignored)[0], expected)


def test_nearest_visible_patch_by_hand() -> None:
    patches = torch.arange(9.0).view(1, 9, 1)
    mask = torch.tensor([[0, 1, 1, 1, 1, 1, 1, 1, 0]])
    assert nearest_visible(patches, mask, (3, 3)).flatten().tolist() == [0, 0, 0, 0, 0, 8, 0, 8, 8]


def test_both_views_together_are_other_answers_than_each_by_itself() -> None:
    """SwAV passes each view, DINOv2 both at once: what equals one of them is not the other."""
    scores = torch.randn(2, 8, 8, generator=torch.Generator().manual_seed(0))
    each = torch.stack([dino.sinkhorn(scores[0], 0.05), dino.sinkhorn(scores[1], 0.05)])
    both = dino.sinkhorn(torch.cat([*scores]), 0.05).view(2, 8, 8)
    assert (each - both).abs().max() > 0.5
    taught = dino.DINO.__new__(dino.DINO)
    for centring, expected in (("sinkhorn", each), ("joint", both)):
        taught.options = dino.Options(centring=centring, temperature=0.05)
        torch.testing.assert_close(taught._sharpened(scores), expected)
