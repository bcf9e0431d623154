"""How good is a checkpoint? Beside each figure stands what costs nothing: raw pixels, a disc, a near patch, chance.

python -m training evaluate run/mine --images scenes
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from models.backbone import Backbone, Classifies, Reconstructs, ZeroShot
from models.class_names import class_names
from models.faults import Fault
from models.features import Features
from models.positions import cosine, offset_r2
from models.structure import random_table
from training.datasets import Batch, Dataset, Tells
from training.features import at_once, fed, parts
from training.figures import Figure, share
from training.health import nearest_visible
from training.masking import random_mask
from training.matching import retrieval, zero_shot

NEIGHBOURS = 10
PIXELS = 16
"""Side of the small pictures whose raw pixels are the baseline of k-NN and probe."""

TRACED = 128
"""Pictures whose attention, or whose reconstruction, is looked at one by one."""


def evaluate(
    backbone: Backbone, learn: Dataset, ask: Dataset, count: int, seed: int = 0, untrained: Backbone | None = None
) -> Iterator[Figure]:
    """Every figure that `backbone` is able to give on these pictures: learnt from `learn`, measured on `ask`.

    untrained: its random twin, `load("…?random")`, to be measured beside it
    """
    known, asked = _pictures(learn, count, seed), _pictures(ask, count, seed + 1)
    others = _others(learn, count, seed)
    plain = {} if untrained is None else {f.name: f.value for f in _measured(untrained, learn, known, asked, seed)}
    seen = {} if others is None else {f.name: f.value for f in _on_pictures(backbone, learn, known, others, seed)}
    for figure in _measured(backbone, learn, known, asked, seed):
        yield replace(figure, untrained=plain.get(figure.name), seen=seen.get(figure.name))


def _measured(backbone: Backbone, learn: Dataset, known: Batch, asked: Batch, seed: int) -> Iterator[Figure]:
    """Positions come beside figures of pictures, never instead of them."""
    measured = False
    for figure in _on_pictures(backbone, learn, known, asked, seed):
        measured = True
        yield figure
    if not measured:
        raise _nothing(learn)
    yield from positions(backbone)


def _nothing(learn: Dataset) -> Fault:
    others = learn.taken.others if isinstance(learn, Tells) else ()
    if others:
        return Fault(
            "These pictures come without classes, and without captions that this network reads, so nothing can be "
            "measured; say which of the columns {found} holds captions, or call the one with classes label.",
            found=", ".join(others),
        )
    return Fault(
        "These pictures come without classes, and without captions that this network reads, so nothing can be "
        "measured; put the pictures of each class into a folder of its own, or give a table with captions."
    )


def _on_pictures(backbone: Backbone, learn: Dataset, known: Batch, asked: Batch, seed: int) -> Iterator[Figure]:
    if known.labels is not None and len(learn.classes) > 1:
        yield from own_classifier(backbone, asked, learn.classes)
        yield from classification(backbone, known, asked)
    if isinstance(backbone, ZeroShot):
        if asked.captions is not None:
            yield from retrieval(backbone, asked)
        if asked.labels is not None and len(learn.classes) > 1:
            yield from zero_shot(backbone, asked, learn.classes)
    if isinstance(backbone, Reconstructs):
        yield reconstruction(backbone, asked, seed)
    if asked.masks is not None:
        yield attention(backbone, asked)


def own_classifier(backbone: Backbone, asked: Batch, classes: tuple[str, ...]) -> Iterator[Figure]:
    """What the network was trained to answer, where it has names for all of these classes, beside the class that most
    of the pictures show."""
    names = class_names(backbone) if isinstance(backbone, Classifies) else ()
    if asked.labels is None or not set(classes) <= set(names):
        return
    assert isinstance(backbone, Classifies)
    truth = torch.tensor([names.index(name) for name in classes])[asked.labels.cpu()]
    logits = _each(asked, lambda batch: backbone.class_logits(fed(backbone, batch.images)), "its own classifier")
    right = float((logits.argmax(1) == truth).float().mean())
    most = float(asked.labels.bincount().max()) / len(asked)
    yield share("accuracy of its own classifier", right, len(asked), "most frequent class", most)


def classification(backbone: Backbone, known: Batch, asked: Batch) -> Iterator[Figure]:
    """k-NN and linear probe on frozen features, beside the same on 16 × 16 pixels."""
    assert known.labels is not None
    assert asked.labels is not None
    features = Features(backbone).eval()
    ours = _each(known, lambda batch: features(fed(backbone, batch.images)), "features to learn from")
    theirs = _each(asked, lambda batch: features(fed(backbone, batch.images)), "features to ask about")
    pixels, others = (F.adaptive_avg_pool2d(batch.images, PIXELS).flatten(1) for batch in (known, asked))
    for name, against, judge in (
        ("k-NN accuracy", "k-NN of {n0} × {n1} pixels", neighbours),
        ("linear probe accuracy", "linear probe of {n0} × {n1} pixels", probe),
    ):
        right, plain = (
            float((judge(a, known.labels, b) == asked.labels).float().mean())
            for a, b in ((ours, theirs), (pixels, others))
        )
        yield share(name, right, len(asked), against.format(n0=PIXELS, n1=PIXELS), plain)


def neighbours(known: Tensor, labels: Tensor, asked: Tensor) -> Tensor:
    """Labels (pictures,) by vote of the nearest by cosine, each with weight exp(cosine / 0.07) (DINO, appendix F.1)."""
    cosine, nearest = (F.normalize(asked, dim=-1) @ F.normalize(known, dim=-1).T).topk(min(NEIGHBOURS, len(known)))
    votes = torch.zeros(len(asked), int(labels.max()) + 1)
    return votes.scatter_add_(1, labels[nearest], (cosine / 0.07).exp()).argmax(1)


def probe(known: Tensor, labels: Tensor, asked: Tensor) -> Tensor:
    """Labels by multinomial logistic regression on standardised features, with |weights|² / (2 · 0.1 · pictures)."""
    if len(labels.unique()) < 2:
        raise Fault("A linear probe needs two classes, but these pictures show one; take more pictures.")
    mean, deviation = known.mean(0), known.std(0).clamp(min=1e-6)
    known, asked = (known - mean) / deviation, (asked - mean) / deviation
    weights = torch.zeros(known.shape[1], int(labels.max()) + 1, requires_grad=True)
    bias = torch.zeros(weights.shape[1], requires_grad=True)
    solver = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> float:
        solver.zero_grad()
        value = F.cross_entropy(known @ weights + bias, labels) + weights.square().sum() / (0.2 * len(known))
        value.backward()
        return float(value.detach())

    with torch.enable_grad():
        solver.step(loss)
    return (asked @ weights.detach() + bias.detach()).argmax(1)


def reconstruction(backbone: Any, asked: Batch, seed: int) -> Figure:
    """Squared error of hidden patches, 3 of 4, as a share of what copying the nearest visible patch costs."""
    images = fed(backbone, asked.images[:TRACED])
    grid = backbone.mask_grid((images.shape[-2], images.shape[-1]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        masks = random_mask(len(images), grid, 0.75, torch.device("cpu")).int()
    ratios = []
    for pixels, mask in zip(images, masks, strict=True):
        answer = backbone.reconstruct(pixels, mask)
        hidden = answer.mask.bool().flatten().cpu()
        target, guess = (values.flatten(0, 1).float().cpu() for values in (answer.target, answer.prediction))
        copied = nearest_visible(target[None], hidden[None].float(), (answer.mask.shape[0], answer.mask.shape[1]))[0]
        ours, plain = ((values - target)[hidden].square().mean() for values in (guess, copied))
        ratios.append((float(ours), float(plain)))
    ours, plain = (torch.tensor(column) for column in zip(*ratios, strict=True))
    value = float(ours.mean() / plain.mean())
    spread = 1.96 * float((ours - value * plain).std() / plain.mean()) / math.sqrt(len(ours))
    name = "hidden patches' error / nearest visible patch's"
    return Figure(name, value, value - spread, value + spread, "nearest visible patch", 1.0, len(ours))


def attention(backbone: Backbone, asked: Batch) -> Figure:
    """Overlap of objects with the mean map of the last block, as many patches as the objects have, beside a disc."""
    assert asked.masks is not None
    scores: list[tuple[float, float]] = []
    for image, mask in zip(fed(backbone, asked.images[:TRACED]), asked.masks[:TRACED], strict=True):
        layer = backbone.trace(image)[-1]
        whole = layer.attention_from(0) if "CLS" in layer.names else layer.attention_mean()
        seen = whole.mean(0)[layer.prefix :].cpu()
        covered = F.adaptive_avg_pool2d((mask != 0).float()[None, None].cpu(), layer.grid).flatten() > 0.5
        if 0 < int(covered.sum()) < len(covered):
            scores.append((overlap(seen, covered), overlap(-from_centre(layer.grid), covered)))
    if not scores:
        raise Fault("Attention was to be compared with objects, but these pictures show none; take other pictures.")
    ours, disc = torch.tensor(scores).unbind(1)
    spread = 1.96 * float(ours.std()) / math.sqrt(len(ours))
    mean = float(ours.mean())
    return Figure(
        "attention on objects, IoU", mean, mean - spread, mean + spread, "centred disc", float(disc.mean()), len(ours)
    )


def overlap(values: Tensor, covered: Tensor) -> float:
    """Intersection over union of `covered` (patches,) and as many patches of the largest `values`."""
    chosen = torch.zeros_like(covered)
    chosen[values.topk(int(covered.sum())).indices] = True
    return float((chosen & covered).sum() / (chosen | covered).sum())


def from_centre(grid: tuple[int, int]) -> Tensor:
    """(patches,) distance of each patch from the middle."""
    rows, columns = (torch.arange(length) - (length - 1) / 2 for length in grid)
    return (rows.square().unsqueeze(1) + columns.square()).sqrt().flatten()


def positions(backbone: Backbone) -> Iterator[Figure]:
    """How much of the similarity of positions their offset explains, beside a random table's; nothing where all are
    equally alike, as in a Swin whose table of biases is still zero."""
    for affinity in backbone.positions()[:1]:
        value = offset_r2(affinity.values[0].float().cpu(), affinity.grid)
        if math.isnan(value):
            continue
        plain = offset_r2(cosine(random_table(affinity.grid, 64)), affinity.grid)
        yield Figure("positions explained by offset, R²", value, value, value, "random table", plain, 0)


def _pictures(dataset: Dataset, count: int, seed: int) -> Batch:
    if dataset.length is not None:
        count = min(count, dataset.length)
    return dataset.batch(0, seed=seed, count=count, device="cpu")


def _others(dataset: Dataset, count: int, seed: int) -> Batch | None:
    """As many pictures of the same part that `_pictures` does not give; None where there are too few."""
    if dataset.length is not None and dataset.length < 2 * count:
        return None
    return dataset.batch(1, seed=seed, count=count, device="cpu")


@torch.no_grad()
def _each(batch: Batch, give: Callable[[Batch], Tensor], what: str) -> Tensor:
    size = at_once(batch.images.shape[-1])
    return torch.cat([give(batch[part]).cpu() for part in parts(len(batch), size, what)])
