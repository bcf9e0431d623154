"""Where positions meet the picture: the network's own code is followed from the tensors that positions are made of.

A `TorchFunctionMode` sees every operation of a forward pass. What is computed from a position table or from rotary
frequencies alone, such as the table resized for another grid, is followed; where it is first combined with anything
else it has met the picture, and that is the place to read it or to change it. Bias tables live inside attention and are
exchanged where they are first used instead. The mode belongs to one thread and the module is never touched: nobody else
who runs the same network at the same time can see it, and afterwards there is nothing to restore.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

Meant = Literal["table", "rotary"]

_TABLES = ("pos_embed", "position_embedding", "position_embeddings")
_ROTARY = ("rope", "rope_embeddings")


def followed(network: nn.Module) -> Iterator[tuple[Tensor, Meant]]:
    """The tensors that tables and rotary embeddings are made of, by the names that timm and transformers give them."""
    for path, tensor in (*network.named_parameters(), *network.named_buffers()):
        names = path.split(".")
        if any(name in _ROTARY for name in names):
            yield tensor, "rotary"
        elif any(name in _TABLES for name in names) and tensor.is_floating_point():
            yield tensor, "table"


class Meeting(TorchFunctionMode):
    """Follows `sources` through a forward pass, and exchanges tensors.

    changed:    (meant, values) to values: what a followed tensor is where it meets the picture
    exchanged:  pairs of a tensor of the network and the one that stands for it in this pass
    met:        what met the picture, in order, before it was changed
    """

    def __init__(
        self,
        sources: Iterable[tuple[Tensor, Meant]],
        changed: Callable[[Meant, Tensor], Tensor],
        exchanged: Iterable[tuple[Tensor, Tensor]] = (),
    ) -> None:
        super().__init__()
        self.changed = changed
        self.met: list[tuple[Meant, Tensor]] = []
        self.used = 0
        self._followed: dict[int, tuple[Tensor, Meant]] = {id(tensor): (tensor, meant) for tensor, meant in sources}
        self._exchanged = {id(own): (own, other) for own, other in exchanged}
        self._constant: dict[int, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: Mapping | None = None) -> Any:
        if not self._concerns((*args, *kwargs.values()) if kwargs else args):
            return func(*args, **(kwargs or {}))
        leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        own: list[Meant] = [self._followed[id(leaf)][1] for leaf in leaves if id(leaf) in self._followed]
        if any(id(leaf) in self._exchanged for leaf in leaves):
            args, kwargs = tree_map(self._other, (args, kwargs))
            self.used += 1
        elif own and not all(map(self._may_accompany, leaves)):
            args, kwargs = tree_map(self._meet, (args, kwargs))
        elif own:
            written = args[0] if func is Tensor.__setitem__ else None
            return self._follow(func(*args, **(kwargs or {})), own[0], written)
        elif all(map(self._is_constant, leaves)):
            return self._keep(func(*args, **(kwargs or {})))
        return func(*args, **(kwargs or {}))

    def _concerns(self, given: Sequence[Any]) -> bool:
        """Asked at every operation of a pass, so it looks no deeper than a list among the arguments."""
        tensors = False
        for one in given:
            for leaf in one if isinstance(one, (list, tuple)) else (one,):
                if id(leaf) in self._followed or id(leaf) in self._exchanged or id(leaf) in self._constant:
                    return True
                tensors = tensors or isinstance(leaf, Tensor)
        return bool(self._followed) and not tensors

    def _is_constant(self, leaf: Tensor) -> bool:
        """Numbers that no picture and no weight went into: indices, and what is counted off on the spot."""
        return id(leaf) in self._constant

    def _may_accompany(self, leaf: Tensor) -> bool:
        return id(leaf) in self._followed or self._is_constant(leaf) or not leaf.is_floating_point()

    def _other(self, leaf: Any) -> Any:
        return self._exchanged[id(leaf)][1] if id(leaf) in self._exchanged else leaf

    def _meet(self, leaf: Any) -> Any:
        if id(leaf) not in self._followed:
            return leaf
        meant = self._followed[id(leaf)][1]
        self.met.append((meant, leaf.detach()))
        return self.changed(meant, leaf)

    def _follow(self, result: Any, meant: Meant, written: Tensor | None = None) -> Any:
        result = list(result) if isinstance(result, Iterator) else result
        for leaf in tree_leaves((result, written)):
            if isinstance(leaf, Tensor):
                self._followed[id(leaf)] = (leaf, meant)
        return iter(result) if isinstance(result, list) else result

    def _keep(self, result: Any) -> Any:
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._constant[id(leaf)] = leaf
        return result
