"""A sentence that is a value: what a run, a meter or a limit has to say, in the reader's language later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sentence:
    """One English sentence of the text catalogue and the facts that fill its `{placeholders}`."""

    template: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**self.facts)
