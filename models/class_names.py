"""What a classifier's classes are called."""

from __future__ import annotations

from functools import lru_cache

from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

from models.backbone import Backbone


def class_names(backbone: Backbone) -> tuple[str, ...]:
    """By its card or the network's own configuration, else as ImageNet names them where the number of classes is one of
    ImageNet's; empty where nobody says, and for untrained networks, whose outputs stand for nothing."""
    if backbone.card.random:
        return ()
    if backbone.card.classes:
        return backbone.card.classes
    labels = getattr(getattr(backbone.module, "config", None), "id2label", None)
    if labels and not str(labels[0]).startswith("LABEL_"):
        return tuple(str(labels[index]) for index in range(len(labels)))
    subset = infer_imagenet_subset(backbone.module)  # pyright: ignore[reportArgumentType]
    return _imagenet(subset) if subset else ()


@lru_cache(maxsize=4)
def _imagenet(subset: str) -> tuple[str, ...]:
    info = ImageNetInfo(subset)
    return tuple(info.index_to_description(index) for index in range(info.num_classes()))


@lru_cache(maxsize=1)
def imagenet_names() -> tuple[str, ...]:
    """The 1,000 classes of ImageNet as labels: the first word of each, with the second where several share the first.
    Two are called crane, a bird and a machine, and nothing else: they get equal scores."""
    every = [described.split(", ") for described in _imagenet("imagenet-1k")]
    firsts = [words[0] for words in every]
    return tuple(words[0] if firsts.count(words[0]) == 1 else ", ".join(words[:2]) for words in every)
