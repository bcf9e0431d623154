"""A watch over a network that is kept only where there is something to see, learnt by what was seen the first time.

Hooks at blocks and at their parts switch it, for one thread alone; other threads pass by them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from torch import nn

WHOLE = ""
"""Stands for a block whose own code, outside its parts, was concerned."""

_concerned: WeakKeyDictionary[nn.Module, frozenset[str]] = WeakKeyDictionary()
"""Block to the names of its parts in which something was seen."""


class Watch(Protocol):
    """noticed: called by the watch whenever it sees something"""

    noticed: Callable[[], None]

    def on(self) -> None: ...

    def off(self) -> None: ...


@contextmanager
def focused(watch: Watch, blocks: Sequence[nn.Module]) -> Iterator[None]:
    """`watch` is on within, but inside `blocks` only where it was seen to be needed."""
    known = all(block in _concerned for block in blocks)
    with ExitStack() as stack:
        stack.callback(watch.off)
        watch.on()
        if known:
            for block in blocks:
                _skip(watch, block, stack)
            yield
        else:
            ran: set[nn.Module] = set()
            found = {block: _followed(watch, block, ran, stack) for block in blocks}
            yield
            _concerned.update({block: frozenset(parts) for block, parts in found.items() if block in ran})


def _skip(watch: Watch, block: nn.Module, stack: ExitStack) -> None:
    parts = _concerned[block]
    if WHOLE in parts:
        return
    _between(block, watch.off, watch.on, stack)
    for name in parts:
        _between(block.get_submodule(name), watch.on, watch.off, stack)


def _followed(watch: Watch, block: nn.Module, ran: set[nn.Module], stack: ExitStack) -> set[str]:
    """Names of parts, filled as the block runs."""
    found: set[str] = set()
    running: list[str] = []

    def enter(name: str) -> None:
        running.append(name)
        watch.noticed = lambda: found.add(name)

    def leave() -> None:
        running.pop()
        watch.noticed = _nothing
        if running:
            watch.noticed = lambda: found.add(running[-1])
        else:
            ran.add(block)

    for name, part in [(WHOLE, block), *block.named_children()]:
        _between(part, lambda name=name: enter(name), leave, stack)
    return found


def _nothing() -> None:
    """Nobody asks."""


def _between(part: nn.Module, before: Callable[[], None], after: Callable[[], None], stack: ExitStack) -> None:
    thread = threading.get_ident()

    def entering(*_: Any) -> None:
        if threading.get_ident() == thread:
            before()

    def leaving(*_: Any) -> None:
        if threading.get_ident() == thread:
            after()

    stack.callback(part.register_forward_pre_hook(entering).remove)
    stack.callback(part.register_forward_hook(leaving).remove)
