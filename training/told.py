"""What an evaluation says of its pictures before its figures: whence captions and classes, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator

from training.datasets import Dataset, Tells


def sources(learn: Dataset, ask: Dataset) -> Iterator[str]:
    """Where captions and classes come from, and from which columns nothing was taken; none of sets that are drawn."""
    if not isinstance(ask, Tells) or not isinstance(learn, Tells):
        return
    yield f"captions: {ask.taken.captions or 'none'}"
    classes = learn.taken.classes
    yield f"classes: {f'{classes}, {len(learn.classes)} of them' if classes else 'none'}"
    if ask.taken.others:
        yield f"other columns: {', '.join(ask.taken.others)}"


def left_out(part: str, dataset: Dataset) -> Iterator[str]:
    """How many files, rows and pictures of a part were left out, and why the first was."""
    if dataset.skipped:
        first = dataset.skipped[0]
        yield f"left out of {part}: {len(dataset.skipped)}, the first {first.picture}: {first.reason}"
