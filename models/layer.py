"""What one block did to one image: its queries, keys and biases, and the rows and columns of attention they stand for.

Axis words are those of `models.backbone`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from models.faults import Refusal

MATRIX_ENTRIES = 64_000_000
"""`Layer.matrix` refuses above this many numbers (256 MB in single precision)."""

CHUNK_ENTRIES = 4_000_000
"""Whole-matrix quantities are summed over slices of queries of at most this many numbers, so memory stays O(tokens)."""


@dataclass(frozen=True)
class Layer:
    """What one block did to one image. A plain ViT is a Swin with a single window.

    grid:     (rows, columns) of patches that this block sees; shrinks down a Swin
    queries:  (windows, heads, tokens, dim) after q/k norm and rotary, as the attention kernel saw them
    keys:     (windows, heads, tokens, dim), likewise
    bias:     (windows or 1, heads or 1, queries, keys), relative position bias and shift mask, or None
    scale:    factor on query·key
    members:  (windows, tokens) index, in the block's whole sequence, of each local token; -1 for padding
    prefix:   number of tokens before the first patch
    tokens:   (tokens, channels) output of the block
    logits:   (windows, heads, queries, keys) instead of queries and keys where no kernel sees them (SwinV2's cosine
              attention); everything below answers the same
    bands:    (windows, tokens) tokens of one window whose numbers differ are kept apart by the shift mask, or None
    names:    what each prefix token is: "CLS", "distillation", "register 1" ...

    A grid that is no multiple of its window is padded by the network, and padding is looked at too: there a row's real
    tokens hold less than 1, as in the network's own attention. Axes that do not fit one another are refused.
    """

    grid: tuple[int, int]
    queries: Tensor | None
    keys: Tensor | None
    bias: Tensor | None
    scale: float
    members: Tensor
    prefix: int
    tokens: Tensor
    logits: Tensor | None = None
    names: tuple[str, ...] = ()
    bands: Tensor | None = None

    def __post_init__(self) -> None:
        looked = self.queries if self.logits is None else self.logits
        found = None if looked is None else looked.shape[::2]
        if found != self.members.shape or len(self.tokens) != self.length:
            raise Refusal(
                "A map of {rows} × {columns} patches and {prefix} tokens before them was asked for, but this block "
                "has {tokens} tokens and attends over {found}; choose a network of a family that Patchlight reads.",
                rows=self.grid[0], columns=self.grid[1], prefix=self.prefix, tokens=len(self.tokens),
                found="-" if found is None else " × ".join(map(str, found)),
            )  # fmt: skip

    @property
    def heads(self) -> int:
        source = self.queries if self.logits is None else self.logits
        assert source is not None
        return source.shape[1]

    @property
    def windows(self) -> int:
        return self.members.shape[0]

    @property
    def length(self) -> int:
        """Tokens in the block's whole sequence, prefix included."""
        return self.prefix + self.grid[0] * self.grid[1]

    def attention_from(self, token: int) -> Tensor:
        """Row of `token`, where it looks: (heads, tokens), sums to 1 over its window, zero outside. O(tokens)."""
        window, place = self._place(token)
        row = self.weights(window, place, place + 1)[:, 0]
        return row if self._in_order else self._spread(row, self.members[window])

    def attention_to(self, token: int) -> Tensor:
        """Column of `token`, who looks at it: (heads, tokens) in [0, 1]; does not sum to 1. Memory O(tokens)."""
        window, place = self._place(token)
        column = torch.cat([rows[:, :, place] for _, rows in self.slices(window)], dim=1)
        return self._spread(column, self.members[window])

    def attention_mean(self) -> Tensor:
        """Mean row over all patches, for networks that pool by the mean: (heads, tokens), sums to 1."""
        total = self.tokens.new_zeros(self.heads, self.length, dtype=torch.float32)
        for window in range(self.windows):
            members = self.members[window]
            asks = (members >= self.prefix).to(total.dtype)
            held = sum(asks[start : start + rows.shape[1]] @ rows.to(total) for start, rows in self.slices(window))
            total += self._spread(held, members)  # pyright: ignore[reportArgumentType]
        return total / (self.grid[0] * self.grid[1])

    def matrix(self) -> Tensor:
        """Every row: (heads, tokens, tokens), rows sum to 1. Refused above `MATRIX_ENTRIES` numbers."""
        entries = self.heads * self.length**2
        if entries > MATRIX_ENTRIES:
            raise Refusal(
                "The whole attention matrix was asked for: {heads} heads of {tokens} tokens make {entries} numbers, "
                "more than {limit}; ask for a smaller input size, or for single rows.",
                heads=self.heads, tokens=self.length, entries=entries, limit=MATRIX_ENTRIES,
            )  # fmt: skip
        whole = self.tokens.new_zeros(self.heads, self.length, self.length, dtype=torch.float32)
        for window in range(self.windows):
            real = self.members[window] >= 0
            index = self.members[window][real]
            rows = self.weights(window)[:, real][:, :, real]
            whole[:, index.unsqueeze(1), index.unsqueeze(0)] = rows.to(whole)
        return whole

    def weights(self, window: int, start: int = 0, stop: int | None = None) -> Tensor:
        """softmax(scale · q·k + bias) of queries `start:stop`: (heads, queries, keys), single precision or finer."""
        if self.logits is not None:
            return _full(self.logits[window, :, start:stop]).softmax(-1)
        assert self.queries is not None
        assert self.keys is not None
        query = _full(self.queries[window, :, start:stop])
        logits = (self.scale * query) @ _full(self.keys[window]).transpose(-2, -1)
        if self.bias is not None:
            logits = logits + _full(self.bias[window % self.bias.shape[0], :, start:stop])
        return logits.softmax(-1)

    def detached(self) -> Layer:
        """The same layer on the CPU, for keeping after the accelerator's memory is wanted back."""
        moved = {
            name: value.detach().cpu()
            for name in ("queries", "keys", "bias", "members", "tokens", "logits", "bands")
            if (value := getattr(self, name)) is not None
        }
        return replace(self, **moved)

    def window_of(self, token: int) -> Tensor:
        """Tokens that share a window with `token`: (tokens,) bool."""
        window, _ = self._place(token)
        inside = torch.zeros(self.length, dtype=torch.bool, device=self.members.device)
        inside[self.members[window][self.members[window] >= 0]] = True
        return inside

    def seen_by(self, token: int) -> Tensor:
        """Tokens that `token` may look at, those of its window that no mask keeps apart from it: (tokens,) bool."""
        window, place = self._place(token)
        if self.bands is None:
            return self.window_of(token)
        members, bands = self.members[window], self.bands[window]
        seen = torch.zeros(self.length, dtype=torch.bool, device=members.device)
        seen[members[(members >= 0) & (bands == bands[place])]] = True
        return seen

    @cached_property
    def _in_order(self) -> bool:
        """Whether the one window holds every token at its own place, as in every network but Swin."""
        members = self.members
        whole = members.shape == (1, self.length)
        return whole and torch.equal(members[0], torch.arange(self.length, device=members.device))

    @cached_property
    def _home(self) -> Tensor:
        """(tokens,) position of each token in the flattened `members`."""
        flat = self.members.flatten()
        home = torch.empty(self.length, dtype=torch.long, device=flat.device)
        real = (flat >= 0).nonzero().squeeze(1)
        home[flat[real]] = real
        return home

    def _place(self, token: int) -> tuple[int, int]:
        if isinstance(token, bool) or not isinstance(token, int) or not 0 <= token < self.length:
            raise Refusal(
                "Token {token} was asked for, but this block has tokens 0 to {last}; choose one of those.",
                token=token, last=self.length - 1,
            )  # fmt: skip
        return (0, token) if self._in_order else divmod(int(self._home[token]), self.members.shape[1])

    def slices(self, window: int) -> Iterator[tuple[int, Tensor]]:
        """Every row of one window in slices that bound memory: (first query, (heads, queries, keys))."""
        tokens = self.members.shape[1]
        step = max(1, CHUNK_ENTRIES // (self.heads * tokens))
        for start in range(0, tokens, step):
            yield start, self.weights(window, start, start + step)

    def _spread(self, values: Tensor, members: Tensor) -> Tensor:
        """(heads, window tokens) back to (heads, tokens); padding is dropped, other windows stay zero."""
        whole = values.new_zeros(values.shape[0], self.length)
        real = members >= 0
        whole[:, members[real]] = values[:, real]
        return whole


def _full(values: Tensor) -> Tensor:
    """Half precision is too coarse for a softmax; double stays double."""
    return values if values.dtype == torch.float64 else values.float()
