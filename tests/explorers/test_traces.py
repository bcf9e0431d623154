"""Whether the heavy pass runs once, behind one gate, within bounds, at the cost that was told before."""

from __future__ import annotations

import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from PIL import Image

import models
from explorers import forecast, traces
from explorers.cache import Cache
from explorers.cost import Ledger, held
from explorers.gate import Gate
from models.backbone import Backbone
from models.card import Card
from models.faults import Fault
from models.loading import open_network
from models.pixels import Pixels

PICTURES = Path(__file__).resolve().parent.parent.parent / "assets" / "pictures"


def network(name: str, side: int, patch: int, multiple: int, **options: Any) -> Backbone:
    torch.manual_seed(0)
    module = timm.create_model(name, **options)
    pixels = Pixels((side, side), patch, multiple, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    return open_network(module, Card(f"timm/{name}", name, "toy"), pixels)


@pytest.fixture
def vit(monkeypatch: pytest.MonkeyPatch) -> Backbone:
    """A small network in place of whatever is loaded, and empty caches."""
    opened = network("test_vit", 160, 16, 16, dynamic_img_size=True)
    monkeypatch.setattr(models, "load", lambda checkpoint, progress=None: opened, raising=False)
    monkeypatch.setattr(forecast, "ledger", Ledger())
    monkeypatch.setattr(traces, "_networks", Cache(2**30, traces._network_bytes))
    monkeypatch.setattr(traces, "_traces", Cache(2**30, traces._trace_bytes))
    return opened


def passes(backbone: Backbone, monkeypatch: pytest.MonkeyPatch, pause: float = 0.0) -> list[tuple[int, ...]]:
    """The shape of each forward pass from now on; each takes `pause` longer, inside the gate or the test fails."""
    seen: list[tuple[int, ...]] = []
    true = backbone.trace

    def trace(pixels: torch.Tensor) -> Any:
        assert traces.gate.held, "the accelerator was used outside the gate"
        seen.append(tuple(pixels.shape))
        time.sleep(pause)
        return true(pixels)

    monkeypatch.setattr(backbone, "trace", trace)
    return seen


def test_the_same_question_runs_once(vit: Backbone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    traces.cost(vit, (160, 160))
    seen = passes(vit, monkeypatch, pause=0.2)
    copy = tmp_path / "another name.jpg"
    copy.write_bytes((PICTURES / "cat.jpg").read_bytes())
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(traces.trace, "timm/test_vit", file) for file in (PICTURES / "cat.jpg", copy) * 2]
        found = [one.result() for one in asked]
    assert len(seen) == 1
    assert all(one is found[0] for one in found)
    traces.trace("timm/test_vit", PICTURES / "cat.jpg", side=96)
    traces.trace("timm/test_vit", PICTURES / "cat.jpg", fit="crop")
    traces.trace("timm/test_vit?random", PICTURES / "cat.jpg")
    assert len(seen) == 4
    assert len({one.key for one in map(traces.trace, ["timm/test_vit"] * 2, [PICTURES / "cat.jpg", copy])}) == 1


def test_a_run_that_saved_newer_weights_is_traced_anew(
    vit: Backbone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    weights = tmp_path / "mine" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"first")
    first = traces.trace("run/mine", PICTURES / "cat.jpg")
    assert traces.trace("run/mine", PICTURES / "cat.jpg") is first
    later = time.time_ns() + 5_000_000_000
    os.utime(weights, ns=(later, later))
    assert traces.trace("run/mine", PICTURES / "cat.jpg").key != first.key


@pytest.mark.parametrize("side", [64, 160, 320, 640])
def test_tokens_are_exact_and_memory_is_within_a_tenth(vit: Backbone, side: int) -> None:
    with Image.open(PICTURES / "rocket.jpg") as picture:
        shape = vit.pixels.shape((picture.height, picture.width), side)
    told = traces.cost(vit, shape)
    seen = traces.trace("timm/test_vit", PICTURES / "rocket.jpg", side)
    measured = held(seen.layers) + seen.pixels.nbytes
    assert told.tokens == seen.layers[0].length
    assert told.bytes == pytest.approx(measured, rel=0.1)


def test_windows_and_a_bias_are_counted_too() -> None:
    """Swin's tokens grow in windows, BEiT keeps a whole bias: neither is a plain multiple of the tokens."""
    ledger = Ledger()
    small, large = (
        network("swin_tiny_patch4_window7_224", side, 4, 32, depths=(2, 2, 1, 1), embed_dim=24, img_size=side)
        for side in (224, 448)
    )
    law = ledger.note("swin", small.trace(torch.zeros(3, 224, 224)), 1, 1.0)
    told = law.cost((112, 112), 448 * 448).bytes
    assert told is not None
    assert told - 12 * 448 * 448 == pytest.approx(held(large.trace(torch.zeros(3, 448, 448))), rel=0.1)

    small, large = (
        network("beit_base_patch16_224", side, 16, 16, depth=2, embed_dim=48, num_heads=4, img_size=side)
        for side in (64, 320)
    )
    law = ledger.note("beit", small.trace(torch.zeros(3, 64, 64)), 1, 1.0)
    told = law.cost((20, 20), 320 * 320).bytes
    assert told is not None
    assert told - 12 * 320 * 320 == pytest.approx(held(large.trace(torch.zeros(3, 320, 320))), rel=0.1)


def test_time_is_this_machines_own(vit: Backbone) -> None:
    """What is told before the second run follows from the first, not from a table of other machines."""
    assert traces.cost(replace(vit.card, patch=16), (640, 640)).seconds is None
    ledger, layers = Ledger(), vit.trace(torch.zeros(3, 320, 320))
    law = ledger.note("a", layers, 371_240, 0.5)
    assert law.cost((20, 20), 320 * 320).seconds == pytest.approx(0.5)
    quarter = law.cost((10, 10), 160 * 160).seconds
    assert quarter is not None
    assert 0.5 / 16 < quarter < 0.5 / 4, "a quarter of the tokens saves more than their number, less than its square"
    for _ in range(8):
        ledger.note("a", layers, 371_240, 2.0)
    assert law.cost((20, 20), 320 * 320).seconds == pytest.approx(2.0)


def test_what_is_foreseen_is_what_comes(vit: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to a reader whose network has not run yet; the small pass that finds it out is no large one."""
    seen = passes(vit, monkeypatch)
    told = forecast.foreseen(vit, PICTURES / "rocket.jpg", side=640)
    assert [shape[1] * shape[2] < 640 * 427 / 4 for shape in seen] == [True]
    came = traces.trace("timm/test_vit", PICTURES / "rocket.jpg", side=640)
    assert told["shape"] == came.shape
    assert told["cost"]["tokens"] == came.layers[0].length
    assert told["cost"]["bytes"] == pytest.approx(held(came.layers) + came.pixels.nbytes, rel=0.1)
    assert told["cost"]["seconds"] > 0
    again = forecast.foreseen(vit, PICTURES / "rocket.jpg", side=640)["cost"]["seconds"]
    assert again == pytest.approx(came.seconds), "a real pass is worth more than a trial"
    assert len(seen) == 2


def test_a_trace_without_room_is_refused_before_it_is_made(vit: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces._traces, "limit", 2 * 2**20)
    traces.cost(vit, (160, 160))
    seen = passes(vit, monkeypatch)
    with pytest.raises(Fault, match="where 2 MB are kept for traces; choose a smaller input size"):
        traces.trace("timm/test_vit", PICTURES / "cat.jpg", side=640)
    assert seen == []


def test_a_kept_trace_does_not_keep_its_network(monkeypatch: pytest.MonkeyPatch, vit: Backbone) -> None:
    """Otherwise the limit on networks would bound nothing: every picture would hold another one."""
    loaded = []

    def load(checkpoint: str, progress: Any = None) -> Backbone:
        loaded.append(checkpoint)
        return network("test_vit", 160, 16, 16, dynamic_img_size=True)

    monkeypatch.setattr(models, "load", load, raising=False)
    monkeypatch.setattr(traces._networks, "limit", 1)
    seen = traces.trace("timm/a", PICTURES / "cat.jpg")
    assert seen.backbone is traces.backbone("timm/a")
    traces.backbone("timm/b")
    gc.collect()
    assert seen.network() is None
    assert seen.backbone.card.id == "timm/test_vit"
    assert loaded == ["timm/a", "timm/b", "timm/a"]


def test_the_cache_forgets_the_least_recently_used() -> None:
    made: list[str] = []
    cache: Cache[bytes] = Cache(100, len)

    def ask(name: str, size: int) -> bytes:
        return cache.get(name, lambda: made.append(name) or bytes(size))

    for name in ("a", "b", "a", "c", "a", "b"):
        ask(name, 40)
    assert made == ["a", "b", "c", "b"]
    assert (len(cache), cache.bytes) == (2, 80)
    ask("large", 1000)
    assert (len(cache), cache.bytes) == (1, 1000)


def test_the_cache_is_bounded_in_number_too() -> None:
    cache: Cache[bytes] = Cache(100, len, most=2)
    for name in ("a", "b", "c"):
        cache.get(name, lambda: b"1")
    assert len(cache) == 2, "small values pile up without end"


def test_a_failure_is_everybodys_but_a_stop_is_ones_own() -> None:
    """Who waits for a download that its owner cancels starts it again; who waits for a fault gets the fault."""
    cache: Cache[str] = Cache(100, len)
    begun = threading.Event()

    def stopped() -> str:
        begun.set()
        time.sleep(0.1)
        raise KeyboardInterrupt

    def broken() -> str:
        begun.set()
        time.sleep(0.1)
        raise Fault("It is gone.")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get, "a", stopped)
        begun.wait()
        assert cache.get("a", lambda: "mine") == "mine"
        assert isinstance(first.exception(), KeyboardInterrupt)
        begun.clear()
        pool.submit(cache.get, "b", broken)
        begun.wait()
        with pytest.raises(Fault, match="gone"):
            cache.get("b", lambda: "never made")


def test_who_stops_a_download_stops_nobody_else(vit: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people open the same network and one of them leaves: the other still gets it."""
    begun = threading.Event()

    def load(checkpoint: str, progress: Any = None) -> Backbone:
        begun.set()
        time.sleep(0.1)
        if progress is not None:
            progress(1, 2)
        return vit

    def leave(here: int, whole: int) -> None:
        raise Fault("I left.")

    monkeypatch.setattr(models, "load", load, raising=False)
    with ThreadPoolExecutor(1) as pool:
        leaver = pool.submit(traces.backbone, "timm/test_vit", leave)
        begun.wait()
        assert traces.backbone("timm/test_vit") is vit
        with pytest.raises(Fault, match="I left"):
            leaver.result()


def test_the_gate_lets_one_in_first_come_first_served() -> None:
    gate, order, inside = Gate(), [], []

    def work(number: int) -> None:
        with gate(), gate():
            inside.append(gate.held)
            order.append(number)
            time.sleep(0.01)

    with ThreadPoolExecutor(6) as pool, gate():
        for number in range(6):
            pool.submit(work, number)
            while gate.waiting <= number:
                time.sleep(0.001)
        assert order == []
    assert order == list(range(6))
    assert all(inside)
    assert not gate.held


def test_the_gate_refuses_rather_than_keep_people_waiting() -> None:
    gate = Gate(longest=1, patience=0.2)
    with ThreadPoolExecutor(2) as pool, gate():
        patient = pool.submit(lambda: gate().__enter__())
        while gate.waiting == 0:
            time.sleep(0.001)
        with pytest.raises(Fault, match="1 are waiting already"):
            pool.submit(lambda: gate().__enter__()).result()
        with pytest.raises(Fault, match=r"did not get its turn within 0\.2 s"):
            patient.result()
        assert gate.waiting == 0
    with gate():
        assert gate.held


def test_who_holds_the_gate_never_waits_for_one_who_needs_it(vit: Backbone) -> None:
    """Otherwise two requests for the same picture would wait for one another for ever."""
    traces.cost(vit, (160, 160))
    with ThreadPoolExecutor(1) as pool:
        with traces.gate():
            other = pool.submit(traces.trace, "timm/test_vit", PICTURES / "cat.jpg")
            while traces.gate.waiting == 0:
                time.sleep(0.001)
            mine = traces.trace("timm/test_vit", PICTURES / "cat.jpg")
        assert torch.equal(other.result(timeout=20).layers[-1].tokens, mine.layers[-1].tokens)


def test_memory_that_runs_out_is_freed_and_then_named(vit: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    traces.trace("timm/test_vit", PICTURES / "cat.jpg")
    true, failures = vit.trace, [1]

    def trace(pixels: torch.Tensor) -> Any:
        if failures[0] > 0:
            failures[0] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return true(pixels)

    monkeypatch.setattr(vit, "trace", trace)
    assert traces.trace("timm/test_vit", PICTURES / "rocket.jpg").layers
    assert len(traces._traces) == 1, "what was kept before was not let go"
    failures[0] = 2
    with pytest.raises(Fault, match="memory ran out, twice; choose an input size of 80 pixels or less"):
        traces.trace("timm/test_vit", PICTURES / "coffee.jpg")


def test_damaged_weights_show_no_map(vit: Backbone) -> None:
    with torch.no_grad():
        next(vit.module.parameters()).fill_(float("nan"))
    with pytest.raises(Fault, match="output is not finite"):
        traces.trace("timm/test_vit", PICTURES / "cat.jpg")


@pytest.mark.parametrize("told", ["lots", "-5", "0", "1.5"])
def test_limits_are_whole_megabytes(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_TRACES_MB", told)
    with pytest.raises(Fault, match="PATCHLIGHT_TRACES_MB was set to"):
        traces._limit("PATCHLIGHT_TRACES_MB")
