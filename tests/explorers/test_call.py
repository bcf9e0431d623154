"""Whether one call can take the accelerator from everybody: its share, its slices, and its end when nobody waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from explorers import call, slices
from explorers.cache import Cache, also, clear_all
from explorers.call import Call, Ended, Stopped, calling, check_stretch, current
from explorers.gate import Gate
from explorers.slices import Slices
from models.faults import Fault

PACE = 0.02


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public page on which a call has one second, cut into slices of a tenth."""
    monkeypatch.setenv("PATCHLIGHT_PUBLIC", "1")
    monkeypatch.setenv("PATCHLIGHT_CALL_SECONDS", "1")
    monkeypatch.setattr(slices, "SLICE", 5 * PACE)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    own = Gate()
    monkeypatch.setattr(slices, "gate", own)
    return own


def slowly(items: object) -> int:
    count = len(items)  # pyright: ignore[reportArgumentType]
    time.sleep(PACE * count)
    return count


def test_slices_take_what_their_time_allows(shared: None, gate: Gate) -> None:
    """All items once, none twice; a slice grows to its time and no further."""
    with calling():
        sizes = list(Slices(32, 24)(range(24), slowly))
    assert sum(sizes) == 24
    assert sizes[0] == 1, "what one item takes is not known before one has run"
    assert max(sizes) <= 5


def test_another_gets_its_turn_between_two_slices(shared: None, gate: Gate) -> None:
    begun, waited = threading.Event(), []

    def work() -> None:
        with calling():
            for _ in Slices(32, 40)(range(40), slowly):
                begun.set()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        begun.wait(5)
        start = time.perf_counter()
        with gate():
            waited.append(time.perf_counter() - start)
        assert not done.done(), "the other waited for the whole work"
        done.result()
    assert waited[0] < 0.5


def test_a_call_that_asks_for_too_much_is_refused_early(shared: None, gate: Gate) -> None:
    """20 s of work where 1 s is given: refused after the slices that show it, not after a second of holding."""
    with calling() as one, pytest.raises(Ended, match=r"2\d s of the accelerator.*one call has 1 s"):
        list(Slices(32, 1000)(range(1000), slowly))
    assert one.spent < 0.5


def test_short_holds_add_up_to_the_same_share(shared: None, gate: Gate) -> None:
    """A loop of single passes is one call as well: no path goes round the count."""

    def hold() -> None:
        while True:
            with gate():
                time.sleep(PACE)

    with calling() as one, pytest.raises(Ended):
        hold()
    assert 1 < one.spent < 1.5


def test_on_one_s_own_page_a_call_has_what_it_takes(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATCHLIGHT_PUBLIC", raising=False)
    monkeypatch.setenv("PATCHLIGHT_CALL_SECONDS", "1")
    with calling() as one:
        one.spent = 10_000.0
        assert sum(Slices(8, 8)(range(8), slowly)) == 8
    check_stretch(10_000.0)


def test_a_pass_that_nothing_can_interrupt_is_judged_before(shared: None) -> None:
    check_stretch(None)
    check_stretch(call.STRETCH - 1)
    with pytest.raises(Fault, match=r"about 60 s was asked.*longer than 10 s at a stretch"):
        check_stretch(60.0)


def test_work_ends_when_nobody_waits(gate: Gate) -> None:
    """Between slices, and in the line too."""
    left = threading.Event()
    with calling(left.is_set):
        work = Slices(4, 100)(range(100), slowly)
        assert next(work) == 1
        left.set()
        with pytest.raises(Stopped):
            next(work)

    held = threading.Event()

    def wait() -> None:
        with calling(left.is_set), gate():
            held.set()

    left.clear()
    with ThreadPoolExecutor(1) as pool:
        with gate():
            waiting = pool.submit(wait)
            while not gate.waiting:
                time.sleep(0.01)
            left.set()
            with pytest.raises(Stopped):
                waiting.result(5)
        assert not held.is_set()
    assert gate.waiting == 0


def test_one_who_leaves_is_no_answer_to_another(gate: Gate) -> None:
    """Two ask for the same; the first goes while it is made, and the second still gets it."""
    cache: Cache[str] = Cache(100, len)
    left, begun = threading.Event(), threading.Event()

    def first() -> str:
        def make() -> str:
            begun.set()
            left.wait(5)
            current().check()
            return "first"

        with calling(left.is_set):
            return cache.get("key", make)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        begun.wait(5)
        other = pool.submit(lambda: cache.get("key", lambda: "second"))
        time.sleep(0.1)
        left.set()
        with pytest.raises(Stopped):
            one.result(5)
        assert other.result(5) == "second"


def test_the_setting_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("0", "-1", "soon", "1.5"):
        monkeypatch.setenv("PATCHLIGHT_CALL_SECONDS", wrong)
        with pytest.raises(Fault, match="PATCHLIGHT_CALL_SECONDS was set to"):
            Call()


@pytest.fixture
def something() -> list[str]:
    kept = ["old"]
    also(kept.clear)
    return kept


def test_all_that_is_kept_can_be_let_go(something: list[str]) -> None:
    """When memory runs out, every cache gives: nine of them were, and two could be told."""
    made: Callable[[], str] = lambda: "value"  # noqa: E731
    cache: Cache[str] = Cache(100, len)
    cache.get("key", made)
    clear_all()
    assert len(cache) == 0
    assert something == []
