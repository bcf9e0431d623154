"""The loop learns, repeats itself, stops when closed, and refuses to go on with numbers that are none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from models.faults import Fault
from tests.training.squares import Squares
from training.engine import Diverged, Progress, multiplies_halves, passing, train
from training.objective import Objective, Plan, method, names
from training.optimisers import optimisers, rate_at
from training.recipe import recipe
from training.settings import Settings, checked
from training.words import words

FALLS = {
    "clip": 0.75, "dino": 0.97, "mae": 0.6, "siglip": 0.6, "simclr": 0.95, "simmim": 0.7, "supervised": 0.6,
}  # fmt: skip
"""After 30 steps on one batch the loss is at most this share of its first value. DINO's begins at ln K and its floor is
the teacher's entropy; SimCLR's views are drawn anew each step."""

OPTIONS: dict[str, dict[str, Any]] = {"dino": {"scores": 64, "frozen": 0.0, "local": 2}, "simmim": {"unit": 8}}


def built(name: str, images: Squares, **options: Any) -> Objective:
    chosen = method(name)
    captions = images.batch(0, seed=0, count=64, device="cpu").captions or ()
    options = OPTIONS.get(name, {}) | options
    plan = Plan(
        "nano", 32, 4 if name == "simmim" else 8, checked(chosen.options, options), images.classes, words(captions)
    )
    torch.manual_seed(0)
    return chosen.builds(plan)


def settings(name: str, **changes: Any) -> Settings:
    own = {"steps": 30, "batch": 16, "device": "cpu", "precision": "fp32", "warmup": 0.1}
    return checked(Settings, {**method(name).settings, **own, **changes})


def losses(steps: Iterator[Progress]) -> list[float]:
    return [progress.loss for progress in steps]


def test_every_objective_is_tried_here() -> None:
    assert set(FALLS) | {"probe"} == set(names())


@pytest.mark.parametrize("name", FALLS)
def test_one_batch_repeated_is_learnt(name: str) -> None:
    images = Squares(frozen=True)
    found = losses(train(built(name, images), images, settings(name, rate=2e-3)))
    assert sum(found[-3:]) / 3 < FALLS[name] * found[0]


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
@pytest.mark.parametrize("name", ["dino", "clip", "mae"])
def test_a_resumed_run_continues_bit_for_bit(name: str, optimiser: str) -> None:
    images, chosen = Squares(), settings(name, steps=6, optimiser=optimiser, ema=0.9, precision="bf16")
    whole = losses(train(built(name, images), images, chosen))
    steps = train(built(name, images), images, chosen)
    kept: dict[str, torch.Tensor] = {}
    for progress in steps:
        if progress.step == 3:
            kept = {key: value.clone() for key, value in progress.snapshot().items()}
            break
    assert losses(train(built(name, images), images, chosen, kept)) == whole[3:]


def test_the_callers_random_numbers_are_left_alone() -> None:
    images = Squares()
    steps = train(built("mae", images), images, settings("mae", steps=2))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    list(steps)
    assert torch.equal(torch.rand(3), expected)


def test_closing_stops() -> None:
    images = Squares()
    objective = built("mae", images)
    steps = train(objective, images, settings("mae"))
    next(steps)
    before = {name: value.clone() for name, value in objective.module.state_dict().items()}
    steps.close()
    assert list(steps) == []
    assert all(torch.equal(before[name], value) for name, value in objective.module.state_dict().items())


def test_accumulated_parts_give_the_gradient_of_the_whole_batch() -> None:
    """For a loss that is a mean over pictures; parts of a stream are other pictures, so the batch is frozen."""
    images = Squares(frozen=True)
    doubled = built("supervised", images, smoothing=0.0)
    single = built("supervised", images, smoothing=0.0)
    fixed = single.views(images.batch(0, seed=0, count=8, device="cpu"))
    for objective in (doubled, single):
        objective.views = lambda batch: {name: value[: len(batch)] for name, value in fixed.items()}  # pyright: ignore[reportAttributeAccessIssue]
    list(train(doubled, images, settings("supervised", steps=2, batch=16, accumulate=2)))
    list(train(single, images, settings("supervised", steps=2, batch=8)))
    for one, other in zip(doubled.module.parameters(), single.module.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


class Broken:
    """A loss of one's choosing at each step."""

    def __init__(self, values: list[float]) -> None:
        self.module = torch.nn.Linear(1, 1)
        self.values = values

    def views(self, batch: Any) -> dict[str, torch.Tensor]:
        return {}

    def loss(self, views: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        return self.module.weight.sum() * 0 + self.module.bias.sum() * 0 + self.values.pop(0), {}

    def after_step(self, progress: float) -> None:
        pass

    def result(self) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("bad", [math.nan, math.inf, 50.0])
def test_a_loss_that_is_no_number_or_explodes_stops_and_keeps_the_weights(bad: float) -> None:
    broken = Broken([2.0, 1.9, bad, 1.0])
    steps = train(broken, Squares(), settings("mae", steps=4))
    assert [next(steps).step, next(steps).step] == [1, 2]
    before = broken.module.weight.detach().clone()
    with pytest.raises(Diverged, match="diverged at step 3"):
        next(steps)
    assert torch.equal(broken.module.weight, before)


def test_rate_rises_then_falls_to_its_final_share() -> None:
    chosen = checked(Settings, {"steps": 100, "warmup": 0.1, "final": 0.02, "rate": 3.0})
    rates = [rate_at(step, chosen) for step in range(100)]
    assert rates[0] == pytest.approx(0.3)
    assert max(rates) == rates[9] == pytest.approx(3.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx(3.0 * (0.02 + 0.98 / 2))
    assert rates[-1] == pytest.approx(0.06, rel=0.1)


class Clocked(Broken):
    """Each loss takes so many seconds of a clock that stands still otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
        super().__init__([1.0] * 99)
        self.now, self.seconds, self.shares = 1000.0, seconds, []
        monkeypatch.setattr("training.engine.time.perf_counter", lambda: self.now)

    def loss(self, views: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        self.now += self.seconds.pop(0)
        return super().loss(views)

    def after_step(self, progress: float) -> None:
        self.shares.append(progress)


def test_minutes_end_a_run_by_the_clock_and_its_schedules_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong if a machine that is slow half way learnt longer than it was told, or never came down to the last rate, or
    a run that was stopped had its whole time again. What others do between two steps counts; what they do while it is
    stopped does not."""
    chosen = settings("mae", steps=100, minutes=0.1, warmup=0.0, final=0.0, rate=1.0)
    slow = Clocked(monkeypatch, [0.3, 0.3, 1.5, 3.3, 9.0])
    steps, rates, snapshot = train(slow, Squares(), chosen), [], {}
    for progress in steps:
        rates.append(progress.rate)
        snapshot = progress.snapshot()
        if progress.step == 3:
            break
        slow.now += 0.3
    assert slow.shares == pytest.approx([0.05, 0.15, 0.45])
    assert rates == pytest.approx([(1 + math.cos(math.pi * share)) / 2 for share in (0.0, 0.05, 0.15)])
    slow.now += 5000.0
    later = list(train(slow, Squares(), chosen, snapshot))
    assert [(progress.step, progress.share) for progress in later] == [(4, pytest.approx(1.0))]
    assert slow.shares == pytest.approx([0.05, 0.15, 0.45, 1.0])
    assert later[0].rate == pytest.approx((1 + math.cos(math.pi * 0.45)) / 2)


def test_muon_gets_matrices_of_blocks_and_decay_spares_tables() -> None:
    module = built("clip", Squares()).module
    adamw, muon = optimisers(module, settings("clip", optimiser="muon", decay=0.1))
    names = {weight: name for name, weight in module.named_parameters()}
    held = [names[weight] for weight in muon.param_groups[0]["params"]]
    assert held
    assert all(".layers." in name and name.endswith(".weight") for name in held)
    free = {names[weight] for weight in adamw.param_groups[1]["params"]}
    assert {name for name in names.values() if "position_embedding" in name or "class_embedding" in name} <= free
    assert sum(len(group["params"]) for group in (*adamw.param_groups, *muon.param_groups)) == len(names)


def test_muon_is_one_sentence_where_torch_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch 2.8, which the requirements allow, came before it; AdamW learns there as everywhere."""
    monkeypatch.delattr(torch.optim, "Muon")
    images = Squares()
    with pytest.raises(Fault, match=r"torch .* has none; install torch 2\.9"):
        next(train(built("mae", images), images, settings("mae", optimiser="muon")))
    assert next(train(built("mae", images), images, settings("mae"))).step == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"steps": 0}, "steps was given as 0"),
        ({"rate": math.nan}, "rate was given as nan"),
        ({"batch": True}, "batch was given as True"),
        ({"optimiser": "sgd"}, "adamw, muon"),
        ({"speed": 3}, "there are only steps"),
    ],
)
def test_bad_settings_are_one_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        checked(Settings, values)


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    images = Squares()
    with pytest.raises(Fault, match="multiple of 10"):
        next(train(built("mae", images), images, settings("mae", batch=16, accumulate=5)))


@pytest.mark.parametrize("name", names())
def test_a_batch_is_passed_in_parts_only_where_the_loss_stays_the_same(name: str) -> None:
    """Sixteen pictures in four parts are four losses among four: CLIP's begins at ln 4 instead of ln 16."""
    values = {"objective": name, "settings": {"batch": 16, "accumulate": 4}}
    if name in ("clip", "siglip", "simclr", "dino"):
        with pytest.raises(Fault, match=r"batch of 16 was to be passed in 4 parts, but .* compares the pictures"):
            recipe(values)
    else:
        assert recipe(values).engine.accumulate == 4


@pytest.mark.parametrize("native", [True, False])
def test_precision_is_that_of_the_device_unless_it_is_named(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU that has instructions for bf16 takes half the time with it; on others it is emulated and slower."""
    monkeypatch.setattr("training.engine.NATIVE", ("is_available",) if native else ("_is_no_such_thing",))
    assert checked(Settings, {}).precision == "auto"
    assert multiplies_halves(torch.device("cuda"))
    auto = torch.bfloat16 if native else torch.float32
    for precision, dtype in (("auto", auto), ("bf16", torch.bfloat16), ("fp32", torch.float32)):
        with passing(torch.device("cpu"), precision):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
