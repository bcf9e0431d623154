"""Where positions meet the picture: the network's own code is followed from the tensors that positions are made of.

A `TorchFunctionMode` sees every operation of a forward pass. What is computed from a position table or from rotary
frequencies alone, such as the table resized for another grid, is followed; where it is first combined with anything
else it has met the picture, and that is the place to read it or to change it. Bias tables live inside attention and are
exchanged where they are first used instead. The mode belongs to one thread and no weight is ever touched: nobody else
who runs the same network at the same time can see it, and afterwards there is nothing to restore.

The mode costs a few microseconds at each operation, so it is off inside blocks but for those of their parts that
positions were seen to concern when the network was first followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

Meant = Literal["table", "rotary"]

_TABLES = frozenset(("pos_embed", "position_embedding", "position_embeddings"))
_ROTARY = frozenset(("rope", "rope_embeddings"))


def followed(network: nn.Module) -> Iterator[tuple[Tensor, Meant]]:
    """The tensors that tables and rotary embeddings are made of, by the names that timm and transformers give them."""
    for path, module in network.named_modules():
        if not (module._parameters or module._buffers):
            continue
        parts = frozenset(path.split("."))
        for name, tensor in (*module._parameters.items(), *module._buffers.items()):
            if tensor is None:
                continue
            if name in _ROTARY or parts & _ROTARY:
                yield tensor, "rotary"
            elif (name in _TABLES or parts & _TABLES) and tensor.is_floating_point():
                yield tensor, "table"


class Meeting(TorchFunctionMode):
    """Follows `sources` through forward passes, and exchanges tensors.

    changed:    (meant, values) to values: what a followed tensor is where it meets the picture
    whole:      whether a tensor holds a row for each patch. Rotary frequencies that do not yet mean nothing alone: they
                are followed through the coordinates that they are multiplied by, wherever a network keeps those
    exchanged:  pairs of a tensor of the network and the one that stands for it
    met:        what met the picture, in order, before it was changed
    """

    def __init__(
        self,
        sources: Iterable[tuple[Tensor, Meant]],
        changed: Callable[[Meant, Tensor], Tensor],
        whole: Callable[[Tensor], bool],
        exchanged: Iterable[tuple[Tensor, Tensor]] = (),
    ) -> None:
        super().__init__()
        self.changed = changed
        self.whole = whole
        self.met: list[tuple[Meant, Tensor]] = []
        self.used: set[int] = set()
        self.noticed: Callable[[], None] = lambda: None
        self._followed: dict[int, tuple[Tensor, Meant]] = {id(tensor): (tensor, meant) for tensor, meant in sources}
        self._exchanged = {id(own): (own, other) for own, other in exchanged}
        self._constant: dict[int, Tensor] = {}
        self._changed: dict[int, Tensor] = {}
        self._known = {*self._followed, *self._exchanged}

    def on(self) -> None:
        self._stand([self, *self._others()])

    def off(self) -> None:
        self._stand(self._others())

    def _others(self) -> list[TorchFunctionMode]:
        return [mode for mode in _get_current_function_mode_stack() if mode is not self]

    @staticmethod
    def _stand(modes: Sequence[TorchFunctionMode]) -> None:
        """Exactly these modes, outermost first: the recorder switches its own on and off at the same hooks, and each
        only ever takes the innermost away, whichever that is."""
        for mode in reversed(_get_current_function_mode_stack()):
            mode.__exit__(None, None, None)
        for mode in modes:
            mode.__enter__()

    @property
    def unused(self) -> bool:
        """Whether some of what was to be exchanged never came up."""
        return len(self.used) < len(self._exchanged)

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: Mapping | None = None) -> Any:
        kwargs = kwargs or {}
        if not self._concerns(args) and not (kwargs and self._concerns(kwargs.values())):
            return func(*args, **kwargs)
        leaves = list(_tensors((*args, *kwargs.values())))
        own = [self._followed[id(leaf)] for leaf in leaves if id(leaf) in self._followed]
        exchanged = {id(leaf) for leaf in leaves if id(leaf) in self._exchanged}
        if own or exchanged:
            self.noticed()
        if exchanged:
            args, kwargs = _mapped(self._other, args, kwargs)
            self.used |= exchanged
        elif own and not self._goes_on(own, leaves):
            args, kwargs = _mapped(self._meet, args, kwargs)
        elif own:
            written = args[0] if func is Tensor.__setitem__ else None
            return self._follow(func(*args, **kwargs), own[0][1], written)
        elif all(map(self._is_constant, leaves)):
            return self._keep(func(*args, **kwargs))
        return func(*args, **kwargs)

    def _concerns(self, given: Iterable[Any]) -> bool:
        """Asked at every operation, so it looks no deeper than a list among the arguments."""
        known = self._known
        for one in given:
            if id(one) in known or (type(one) in (list, tuple) and any(id(leaf) in known for leaf in one)):
                return True
        return bool(self._followed) and next(_tensors(given), None) is None

    def _goes_on(self, own: Sequence[tuple[Tensor, Meant]], leaves: Iterable[Tensor]) -> bool:
        """Whether what comes out is still a matter of positions alone."""
        if all(meant == "rotary" and not self.whole(tensor) for tensor, meant in own):
            return True
        return all(
            id(leaf) in self._followed or self._is_constant(leaf) or not leaf.is_floating_point() for leaf in leaves
        )

    def _is_constant(self, leaf: Tensor) -> bool:
        """Numbers that no picture and no weight went into: indices, and what is counted off on the spot."""
        return id(leaf) in self._constant

    def _other(self, leaf: Any) -> Any:
        return self._exchanged[id(leaf)][1] if id(leaf) in self._exchanged else leaf

    def _meet(self, leaf: Any) -> Any:
        if id(leaf) not in self._followed:
            return leaf
        if id(leaf) not in self._changed:  # rotary embeddings meet queries and keys in every block
            meant = self._followed[id(leaf)][1]
            self.met.append((meant, leaf.detach()))
            self._changed[id(leaf)] = self.changed(meant, leaf)
        return self._changed[id(leaf)]

    def _follow(self, result: Any, meant: Meant, written: Tensor | None = None) -> Any:
        result = list(result) if isinstance(result, Iterator) else result
        for leaf in _tensors((result, written)):
            self._followed[id(leaf)] = (leaf, meant)
            self._known.add(id(leaf))
        return iter(result) if isinstance(result, list) else result

    def _keep(self, result: Any) -> Any:
        for leaf in _tensors((result,)):
            self._constant[id(leaf)] = leaf
            self._known.add(id(leaf))
        return result


def _tensors(given: Iterable[Any]) -> Iterator[Tensor]:
    """Among arguments or results, and in the lists among them; torch's functions take tensors no deeper."""
    for one in given:
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, (list, tuple)):
            yield from (leaf for leaf in one if isinstance(leaf, Tensor))


def _mapped(act: Callable[[Any], Any], args: tuple, kwargs: Mapping[str, Any]) -> tuple[tuple, dict[str, Any]]:
    def deep(one: Any) -> Any:
        return type(one)(map(act, one)) if type(one) in (list, tuple) else act(one)

    return tuple(map(deep, args)), {name: deep(one) for name, one in kwargs.items()}
