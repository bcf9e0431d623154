"""One loop for every objective: to stream is to iterate, to stop is to close, to test is `list(...)`.

Nothing outside `Snapshot` is remembered from one step to the next: pictures and random numbers are functions of
(seed, step). So a run that was killed and resumed on the CPU gives the same numbers, bit for bit, unless its
schedules follow the clock.
"""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from models.faults import Fault
from training.attention import lean
from training.averaging import follow, follower
from training.datasets import Dataset
from training.gather import shared
from training.objective import Figures, Objective, Paced, Remembers, Views
from training.optimisers import memory, optimisers, rate_at, remember
from training.settings import Settings

Snapshot = Mapping[str, Tensor]
"""Everything that the next step depends on, by name: `module/…`, `average/…`, `optimiser/…`, `step`, `first`,
`seconds`."""

NATIVE = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
"""What torch.cpu says of such instructions."""

EXPLODED = 10.0
"""A loss so many times its first value (or one, if that is larger) counts as exploded."""


class Diverged(Fault):
    """The loss is no number any more, or far above where it began; the weights before that step are kept."""


@dataclass(frozen=True)
class Progress:
    """What one update did.

    step:          updates done
    share:         of the run that is over, by its steps or by its minutes, in (0, 1]
    loss:          mean over the batch's pictures and all processes
    figures:       the objective's own, likewise
    seen:          pictures seen since the run began
    rate:          learning rate of this update
    speed:         pictures a second of this update
    memory:        bytes: the accelerator's peak, or the process's on the CPU
    snapshot:      the state after this update; its tensors are live until the next one
    """

    step: int
    share: float
    loss: float
    figures: Mapping[str, float]
    seen: int
    rate: float
    speed: float
    memory: int
    snapshot: Callable[[], dict[str, Tensor]] = field(repr=False, compare=False)


class _Step(nn.Module):
    """An objective's loss as a forward pass, so that data-parallel wrappers see which gradients to share."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.module = objective.module
        self.objective = objective

    def forward(self, views: Views) -> tuple[Tensor, Figures]:
        return self.objective.loss(views)


def train(
    objective: Objective, images: Dataset, settings: Settings, start: Snapshot | None = None
) -> Generator[Progress, None, None]:
    """Learns, one `Progress` an update, from the beginning or from where `start` was taken."""
    accelerator = devices(settings)
    share = _share(settings, accelerator.num_processes)
    learner = accelerator.prepare(_Step(objective))
    made = optimisers(objective.module, settings, objective.paces() if isinstance(objective, Paced) else None)
    average = follower(objective.module) if settings.ema else None
    images = objective.remembered(images) if isinstance(objective, Remembers) else images
    step, first, spent = _restore(objective.module, average, made, start)
    weights = [weight for weight in objective.module.parameters() if weight.requires_grad]
    objective.module.train()
    begun, reached = time.perf_counter() - spent, settings.reached(step, spent)
    while reached < settings.steps:
        clock = time.perf_counter()
        rate = rate_at(reached, settings)
        for group in (group for optimiser in made for group in optimiser.param_groups):
            group["lr"] = rate * group["share"]
        loss, figures = _gradients(learner, objective, images, settings, step, share, accelerator)
        norm = nn.utils.clip_grad_norm_(weights, settings.clip or math.inf)
        first = loss if first is None else first
        _check(loss, float(norm), first, step)
        for optimiser in made:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        step, spent = step + 1, shared(time.perf_counter() - begun)
        reached = settings.reached(step, spent)
        objective.after_step(reached / settings.steps)
        if average is not None:
            follow(average, objective.module, min(settings.ema, step / (step + 9)))
        yield Progress(
            step=step, share=reached / settings.steps, loss=loss, figures={**figures, "gradient norm": float(norm)},
            seen=step * settings.batch, rate=rate, speed=settings.batch / (time.perf_counter() - clock),
            memory=_memory(accelerator.device),
            snapshot=partial(_snapshot, objective.module, average, made, step, first, spent),
        )  # fmt: skip


def devices(settings: Settings) -> Accelerator:
    """Where to learn, and with how many processes, as `accelerate launch` says; equal settings give the same one."""
    return Accelerator(cpu=settings.device == "cpu")


def _gradients(
    learner: nn.Module, objective: Objective, images: Dataset, settings: Settings, step: int, share: int,
    accelerator: Accelerator,
) -> tuple[float, dict[str, float]]:  # fmt: skip
    """Leaves the batch's mean gradient on the weights and returns the mean loss and figures over all processes."""
    device, processes = accelerator.device, accelerator.num_processes
    total: dict[str, Tensor] = {}
    for part in range(settings.accumulate):
        place = (step * settings.accumulate + part) * processes + accelerator.process_index
        last = part == settings.accumulate - 1
        with _chance(settings.seed, place, device), nullcontext() if last else accelerator.no_sync(learner):
            views = objective.views(images.batch(place, seed=settings.seed, count=share, device=device))
            with passing(device, settings.precision):
                loss, figures = learner(views)
            (loss / settings.accumulate).backward()
        for name, value in {"loss": loss, **figures}.items():
            total[name] = total.get(name, 0) + value.detach().float() / settings.accumulate
    mean = accelerator.reduce(torch.stack(list(total.values())), "mean")
    values = dict(zip(total, mean.tolist(), strict=True))  # pyright: ignore[reportAttributeAccessIssue]
    return values.pop("loss"), values


def multiplies_halves(device: torch.device) -> bool:
    """Whether bf16 is the faster one: accelerators multiply it as such, and CPUs with AVX-512 BF16 or AMX, where a step
    takes half the time of fp32; on others it is emulated and costs more."""
    known = (getattr(torch.cpu, name, None) for name in NATIVE)
    return device.type != "cpu" or any(has is not None and has() for has in known)


@contextmanager
def passing(device: torch.device, precision: str) -> Iterator[None]:
    """Numbers and attention of a forward pass that learns."""
    halved = precision == "bf16" or (precision == "auto" and multiplies_halves(device))
    with (
        torch.autocast(device.type, torch.bfloat16, enabled=halved),
        lean() if halved and device.type == "cpu" else nullcontext(),
    ):
        yield


@contextmanager
def _chance(seed: int, place: int, device: torch.device) -> Iterator[None]:
    """torch's random numbers as a function of (seed, place), and the caller's own left as they were."""
    from training.datasets._contract import stream

    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(stream(seed + 1, place))
        yield


def _share(settings: Settings, processes: int) -> int:
    share, rest = divmod(settings.batch, processes * settings.accumulate)
    if rest or share < 2:
        raise Fault(
            "A batch of {batch} was asked for, but {processes} processes with {parts} parts each cannot share it "
            "evenly with two pictures or more; choose a multiple of {least}.",
            batch=settings.batch, processes=processes, parts=settings.accumulate,
            least=2 * processes * settings.accumulate,
        )  # fmt: skip
    return share


def _check(loss: float, norm: float, first: float, step: int) -> None:
    if math.isfinite(loss) and math.isfinite(norm) and loss <= EXPLODED * max(abs(first), 1.0):
        return
    raise Diverged(
        "Learning diverged at step {step}: the loss is {loss}, it began at {first}; duplicate the run with "
        "a lower learning rate.",
        step=step + 1, loss=f"{loss:.4g}", first=f"{first:.4g}",
    )  # fmt: skip


def _snapshot(
    module: nn.Module, average: nn.Module | None, made: tuple, step: int, first: float, spent: float
) -> dict[str, Tensor]:
    state = {f"module/{name}": value for name, value in module.state_dict().items()}
    if average is not None:
        state |= {f"average/{name}": value for name, value in average.state_dict().items()}
    state |= {f"optimiser/{name}": value for name, value in memory(made, module).items()}
    numbers = {"first": torch.tensor(first, dtype=torch.float64), "seconds": torch.tensor(spent, dtype=torch.float64)}
    return state | {"step": torch.tensor(step), **numbers}


def _restore(
    module: nn.Module, average: nn.Module | None, made: tuple, start: Snapshot | None
) -> tuple[int, float | None, float]:
    """Updates done, the first loss, and seconds spent learning; older checkpoints do not tell those."""
    if start is None:
        return 0, None, 0.0
    module.load_state_dict(_under(start, "module/"))
    if average is not None:
        average.load_state_dict(_under(start, "average/"))
    remember(made, module, _under(start, "optimiser/"))
    return int(start["step"]), float(start["first"]), float(start["seconds"]) if "seconds" in start else 0.0


def _under(snapshot: Snapshot, prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in snapshot.items() if name.startswith(prefix)}


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
