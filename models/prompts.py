"""From labels to what a text tower reads: templates, and the mean over several of them.

Radford et al. 2021, arXiv 2103.00020, section 3.1.4: a bare word is rarely what stood beside a picture on the web, so a
label is put into a sentence; and over many sentences the mean is taken of unit vectors, not of probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from models.faults import Fault

PLACE = "{}"
"""Where a template takes the label."""

LONGEST = 500
"""Characters of a label or a template; the text towers read 64 or 77 tokens and cut what is longer."""


def check_labels(labels: Sequence[str]) -> None:
    """Refuses what cannot be asked: no label, an empty one, one that no text tower would read to its end."""
    if not labels:
        raise Fault("A picture was to be compared with labels, but there is none; give at least one.")
    for number, label in enumerate(labels, start=1):
        if not label.strip():
            raise Fault("Label {number} was given, but it is empty; write a word or leave it out.", number=number)
        if len(label) > LONGEST:
            raise Fault(
                "Label {number} was given, but it has {found} characters where {most} can be read; shorten it.",
                number=number, found=len(label), most=LONGEST,
            )  # fmt: skip


def check_templates(templates: Sequence[str]) -> None:
    """Refuses a template that says the same of every label."""
    if not templates:
        raise Fault("Labels were to be put into templates, but there is none; give {place} to ask the bare label.",
                    place=PLACE)  # fmt: skip
    for template in templates:
        if template.count(PLACE) != 1:
            raise Fault(
                "The template {given} was given, but it has {found} places for the label; write {place} once.",
                given=repr(template[:60]), found=template.count(PLACE), place=PLACE,
            )  # fmt: skip
        if len(template) > LONGEST:
            raise Fault(
                "A template was given, but it has {found} characters where {most} can be read; shorten it.",
                found=len(template), most=LONGEST,
            )  # fmt: skip


def filled(templates: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Every label in every template, all labels of the first template first. Raises `Fault`."""
    check_templates(templates)
    check_labels(labels)
    return [template.replace(PLACE, label.strip()) for template in templates for label in labels]


def ensemble(features: Tensor) -> Tensor:
    """Unit vectors (templates, labels, channels) to one unit vector a label (labels, channels)."""
    return F.normalize(features.mean(0), dim=-1)


def left_out(features: Tensor) -> Tensor:
    """What `ensemble` would give without each template: (templates, labels, channels); as it is for a single one."""
    return features if len(features) == 1 else F.normalize(features.sum(0) - features, dim=-1)
