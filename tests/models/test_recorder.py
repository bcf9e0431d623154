"""The recorder sees what the kernel and the softmax did, and leaves nothing behind, whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.faults import Refusal
from models.recorder import Recorder, record


class Block(nn.Module):
    """Attention with a residual; `kernel` says which of the two doors it goes through, `fused_attn` as in timm."""

    def __init__(self, kernel: Callable[..., Tensor] | None = None) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.kernel = kernel
        self.fused_attn = False

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = self.qkv(tokens).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
        if self.kernel is not None:
            looked = self.kernel(query, key, value)
        elif self.fused_attn:
            looked = F.scaled_dot_product_attention(query, key, value)
        else:
            looked = (query @ key.transpose(-2, -1) / 2).softmax(-1) @ value
        return tokens + looked.transpose(1, 2).flatten(2)


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(Block(), nn.Linear(8, 8), Block()).eval()


@pytest.fixture
def tokens() -> Tensor:
    return torch.randn(1, 6, 8, generator=torch.Generator().manual_seed(1))


def blocks_of(network: nn.Sequential) -> list[nn.Module]:
    return [network[0], network[2]]


def hooks(network: nn.Module) -> int:
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in network.modules())


def eager(network: nn.Sequential, tokens: Tensor) -> list[Tensor]:
    """The softmax of each block longhand, with plain modules."""
    found = []
    for part in network:
        if isinstance(part, Block):
            query, key, _ = part.qkv(tokens).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
            found.append((query @ key.transpose(-2, -1) / 2).softmax(-1))
        tokens = part(tokens)
    return found


def test_each_block_is_seen_once_in_order(network: nn.Sequential, tokens: Tensor) -> None:
    seen, result = record(blocks_of(network), lambda: network(tokens))
    torch.testing.assert_close(result, network(tokens), rtol=0, atol=1e-6)
    torch.testing.assert_close(seen[1].output, result)
    for block, weights in zip(seen, eager(network, tokens), strict=True):
        call = block.attention
        assert call.query is not None
        assert call.key is not None
        assert call.scale == 0.5
        seen_weights = (call.scale * call.query @ call.key.transpose(-2, -1)).softmax(-1)
        torch.testing.assert_close(seen_weights, weights, rtol=0, atol=1e-6)


def test_nothing_is_left_behind(network: nn.Sequential, tokens: Tensor) -> None:
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    network[1].train()
    first, _ = record(blocks_of(network), lambda: network(tokens))
    second, _ = record(blocks_of(network), lambda: network(tokens))
    assert hooks(network) == 0
    assert [part.training for part in network] == [False, True, False]
    assert not any(block.fused_attn for block in blocks_of(network))
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    assert all(torch.equal(one.attention.query, two.attention.query) for one, two in zip(first, second, strict=True))  # pyright: ignore


def test_an_exception_leaves_nothing_behind(network: nn.Sequential, tokens: Tensor) -> None:
    """Out of memory in the middle of a pass must not leave a network that records for ever."""

    def fail(*_: Any) -> Tensor:
        raise RuntimeError("out of memory")

    broken = Block(fail)
    network.append(broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        record([*blocks_of(network), broken], lambda: network(tokens))
    assert hooks(network) == 0
    assert not network[0].fused_attn
    assert torch.is_grad_enabled()
    seen, _ = record(blocks_of(network), lambda: network[:3](tokens))
    assert len(seen[0].calls) == 1


def test_attention_outside_the_blocks_is_not_theirs(network: nn.Sequential, tokens: Tensor) -> None:
    seen, _ = record([network[2]], lambda: network(tokens))
    assert len(seen) == len(seen[0].calls) == 1


@pytest.mark.parametrize("calls", [0, 2])
def test_any_other_number_of_calls_is_refused(tokens: Tensor, calls: int) -> None:
    def kernel(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        for _ in range(calls):
            value = F.scaled_dot_product_attention(query, key, value)
        return value

    block = Block(kernel)
    seen, _ = record([block], lambda: block(tokens))
    with pytest.raises(Refusal, match=f"makes {calls} attention calls"):
        _ = seen[0].attention


def test_the_softmax_is_seen_where_no_kernel_is(tokens: Tensor) -> None:
    def cosine(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return F.softmax(9 * F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).mT, dim=-1) @ value

    block = Block(cosine)
    seen, result = record([block], lambda: block(tokens))
    logits = seen[0].attention.logits
    assert logits is not None
    value = block.qkv(tokens).unflatten(-1, (3, 2, 4))[:, :, 2].transpose(1, 2)
    torch.testing.assert_close(tokens + (logits.softmax(-1) @ value).transpose(1, 2).flatten(2), result)


@pytest.mark.parametrize(
    "options",
    [
        {"attn_mask": torch.ones(6, 6, dtype=torch.bool).tril()},
        {"attn_mask": torch.linspace(-3, 3, 36).view(1, 1, 6, 6)},
        {"is_causal": True},
        {"scale": 0.125},
    ],
    ids=["boolean mask", "additive mask", "causal", "scale"],
)
def test_mask_and_scale_are_those_of_the_kernel(tokens: Tensor, options: dict[str, Any]) -> None:
    block = Block(lambda query, key, value: F.scaled_dot_product_attention(query, key, value, **options))
    seen, result = record([block], lambda: block(tokens))
    call = seen[0].attention
    assert call.query is not None
    assert call.key is not None
    logits = call.scale * call.query @ call.key.mT
    weights = (logits if call.bias is None else logits + call.bias).softmax(-1)
    value = block.qkv(tokens).unflatten(-1, (3, 2, 4))[:, :, 2].transpose(1, 2)
    torch.testing.assert_close(tokens + (weights @ value).transpose(1, 2).flatten(2), result)


def test_gradients_reach_the_weights(network: nn.Sequential, tokens: Tensor) -> None:
    """d output / d weights by the chain rule is value times what comes from above: held against a finite difference."""
    seen, result = record(blocks_of(network), lambda: network(tokens), gradients=True)
    torch.testing.assert_close(result, network(tokens), rtol=0, atol=1e-6)
    weights = seen[1].attention.weights
    assert weights is not None
    (gradient,) = torch.autograd.grad(result[0, 2].sum(), weights)
    last = network[2]
    assert isinstance(last, Block)
    value = last.qkv(network[:2](tokens)).unflatten(-1, (3, 2, 4))[:, :, 2].transpose(1, 2)
    torch.testing.assert_close(gradient[0, :, 2], value[0].sum(-1), rtol=0, atol=1e-5)
    assert not gradient[0, :, [0, 1, 3, 4, 5]].any()


def test_recordings_of_two_threads_do_not_meet(network: nn.Sequential) -> None:
    inputs = [torch.randn(1, count, 8, generator=torch.Generator().manual_seed(count)) for count in (5, 9)]
    shapes: dict[int, set] = {0: set(), 1: set()}

    def look(which: int) -> None:
        for _ in range(20):
            seen, _ = record(blocks_of(network), lambda: network(inputs[which]))
            shapes[which] |= {(len(block.calls), *block.attention.query.shape) for block in seen}  # pyright: ignore

    threads = [threading.Thread(target=look, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shapes == {0: {(1, 1, 2, 5, 4)}, 1: {(1, 1, 2, 9, 4)}}


def modes_entered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each pass that is watched by the mode, which sees everything, from now on."""
    entered: list[str] = []
    true = Recorder.__enter__
    monkeypatch.setattr(Recorder, "__enter__", lambda self: entered.append("mode") or true(self))
    return entered


def test_only_the_first_pass_is_watched_call_by_call(
    network: nn.Sequential, tokens: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking about every call of torch costs a small network several percent of its time."""
    entered = modes_entered(monkeypatch)
    passes = [record(blocks_of(network), lambda: network(tokens))[0] for _ in range(3)]
    assert len(entered) == 1
    for later in passes[1:]:
        for one, two in zip(passes[0], later, strict=True):
            torch.testing.assert_close(one.attention.query, two.attention.query, rtol=0, atol=0)
            torch.testing.assert_close(one.output, two.output, rtol=0, atol=0)


def test_attention_that_leaves_the_kernel_is_found_again(
    network: nn.Sequential, tokens: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network switched to open attention after its first pass must not be taken for one without attention."""
    record(blocks_of(network), lambda: network(tokens))
    entered = modes_entered(monkeypatch)
    for block in blocks_of(network):
        monkeypatch.setattr(block, "forward", lambda tokens, block=block: openly(block, tokens))
    seen, _ = record(blocks_of(network), lambda: network(tokens))
    assert entered == ["mode"]
    for block, weights in zip(seen, eager(network, tokens), strict=True):
        assert block.attention.logits is not None
        torch.testing.assert_close(block.attention.logits.softmax(-1), weights, rtol=0, atol=1e-6)


def openly(block: Any, tokens: Tensor) -> Tensor:
    query, key, value = block.qkv(tokens).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
    looked = (query @ key.transpose(-2, -1) / 2).softmax(-1) @ value
    return tokens + looked.transpose(1, 2).flatten(2)


def test_the_kernel_keeps_its_name_and_other_threads_their_calls(network: nn.Sequential, tokens: Tensor) -> None:
    """While one thread records, another may run the same network, and is not seen; a failure restores the kernel."""
    kernel = F.scaled_dot_product_attention
    record(blocks_of(network), lambda: network(tokens))
    results: list[Tensor] = []

    def both() -> Tensor:
        other = threading.Thread(target=lambda: results.append(network(tokens[:, :3])))
        other.start()
        other.join()
        return network(tokens)

    seen, _ = record(blocks_of(network), both)
    assert [block.attention.query.shape[-2] for block in seen] == [6, 6]  # pyright: ignore[reportOptionalMemberAccess]
    torch.testing.assert_close(results[0], network(tokens[:, :3]), rtol=0, atol=1e-6)
    assert F.scaled_dot_product_attention is kernel
    with pytest.raises(ZeroDivisionError):
        record(blocks_of(network), lambda: network(tokens * (1 // 0)))
    assert F.scaled_dot_product_attention is kernel
