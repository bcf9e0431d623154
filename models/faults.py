"""Errors that a person reads: one sentence that says what was asked, what was found and what to do.

The English sentence is the key by which the Russian one is found, so a fault carries its template and its facts
apart and is translated whole, never glued together.
"""

from __future__ import annotations

from collections.abc import Callable

LONGEST_FACT = 1000
"""Characters of one fact in a sentence: names in files of others may be of any length."""


class Fault(ValueError):
    """Bad input or a missing thing. `template` is the English sentence, `facts` fill its `{placeholders}`."""

    def __init__(self, template: str, **facts: object) -> None:
        self.template = template
        self.facts = {name: shortened(fact) for name, fact in facts.items()}
        super().__init__(template.format(**self.facts))

    def __reduce__(self) -> tuple[Callable[..., Fault], tuple[type[Fault], str, dict[str, object]]]:
        """Errors are copied by their message; a fault is its template and facts, also in another process."""
        return _copied, (type(self), self.template, self.facts)


class Refusal(Fault):
    """The network is healthy, but what was asked for does not exist for it: no map rather than a wrong one."""


def shortened(fact: object, longest: int = LONGEST_FACT) -> object:
    """Text cut in its middle where it is longer than `longest` characters; numbers as they are."""
    if isinstance(fact, int | float):
        return fact
    text = str(fact)
    return fact if len(text) <= longest else f"{text[: longest // 2]}…{text[-(longest // 2 - 1) :]}"


def _copied(kind: type[Fault], template: str, facts: dict[str, object]) -> Fault:
    return kind(template, **facts)
