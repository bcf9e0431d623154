"""python -m training OBJECTIVE --images PICTURES --run NAME · resume NAME · evaluate CHECKPOINT · estimate … · jobs"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.faults import Fault
from training import shell
from training.arguments import DRAWN, parser_of


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("training").setLevel(logging.INFO)
    try:
        if words[:3] == ["estimate", "--recipe", "-"]:
            _step_back(int(words[3]))
            return shell.measure(sys.stdin.read())
        return _run(words)
    except Fault as fault:
        print(f"training: {fault}", file=sys.stderr)
        return 2


def _run(words: list[str]) -> int:
    estimating = words[:1] == ["estimate"] and len(words) > 1
    words = [*words[1:], "--run", "none"] if estimating else words
    parser, chosen = parser_of(words)
    if chosen is None:
        parser.print_help()
        return 0
    given = vars(parser.parse_args(words))
    if chosen == "list":
        return _list()
    if chosen == "jobs":
        return shell.jobs(given)
    if estimating:
        return shell.estimate(_recipe(chosen, given))
    if given.get("track") and importlib.util.find_spec("tensorboard") is None:
        raise Fault("Curves for tensorboard were asked for, but it is not installed; run `pip install tensorboard`.")
    _step_back(given.get("nice", 0))
    if chosen == "evaluate":
        return _evaluate(given)
    return _resume(given) if chosen == "resume" else _start(chosen, given)


def _step_back(nice: int) -> None:
    """Linux weighs sessions before it weighs processes, so the session's own figure is set too, where there is one."""
    if nice and os.name == "posix":
        os.nice(nice)
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")


def _start(name: str, given: dict[str, Any]) -> int:
    from training.run import open_run

    made = _recipe(name, given)
    state = shell.processes(given["device"])
    with state.main_process_first():
        run = open_run(given["run"], made if state.is_main_process else None)
    return _learn(run, given)


def _recipe(name: str, given: dict[str, Any]) -> Any:
    from training.objective import method
    from training.recipe import CHOICES, Recipe
    from training.settings import Settings

    own = {choice.name: given[choice.name] for choice in CHOICES}
    options = {choice.name: given[choice.name] for choice in dataclasses.fields(method(name).options)}
    settings = {choice.name: given[choice.name] for choice in dataclasses.fields(Settings)}
    return Recipe(name, **own, options=options, settings=settings)


def _resume(given: dict[str, Any]) -> int:
    from training.run import open_run

    budgets = {name: given[name] for name in ("hours", "disk") if given[name] is not None}
    return _learn(open_run(given["run"], budgets=budgets), given)


def _learn(run: Any, given: dict[str, Any]) -> int:
    import torch
    from tqdm import tqdm

    if given["threads"]:
        torch.set_num_threads(given["threads"])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: run.stop())
    first = shell.processes(run.settings.device).is_main_process
    total = None if run.settings.minutes else run.settings.steps * run.settings.batch
    begun = run.status.get("seen", 0)
    silent = None if first else True  # None: where nobody sits before a terminal
    bar = tqdm(total=total, initial=begun, unit="picture", unit_scale=True, desc=run.folder.name, disable=silent)
    with bar, _tracker(run, given["track"]) as track:
        for progress in run.learn():
            bar.update(progress.seen - bar.n)
            bar.set_postfix(loss=f"{progress.loss:.4f}", step=progress.step, refresh=False)
            track(progress)
    if first:
        status = run.status
        look = f"; look at it as run/{run.folder.name}" if (run.folder / "config.json").exists() else ""
        print(f"{run.folder.name}: {status['state']} at step {status['step']}{look}")
        if run.skipped:
            print(f"pictures skipped: {len(run.skipped)}, listed in {run.folder / 'skipped.txt'}")
    return 0


@contextlib.contextmanager
def _tracker(run: Any, viewer: str | None) -> Any:
    if viewer is None:
        yield lambda progress: None
        return
    from accelerate import Accelerator

    accelerator = Accelerator(log_with=viewer, project_dir=str(run.folder), cpu=run.settings.device == "cpu")
    accelerator.init_trackers("curves")
    yield lambda progress: accelerator.log({"loss": progress.loss, **progress.figures}, step=progress.step)
    accelerator.end_training()


def _evaluate(given: dict[str, Any]) -> int:
    """Prints the figures; `--out` takes them as JSON, or NAME-fault.json beside it the sentence why there are none."""
    from models.disk import replace_file
    from training.figures import table
    from training.ledger import Task

    out = Path(given["out"]) if given["out"] else None
    none = out and out.with_name(f"{out.stem}-fault.json")
    try:
        figures = _figures(given)
    except Fault as fault:
        if none:
            said = {"template": fault.template, "facts": {name: str(fact) for name, fact in fault.facts.items()}}
            replace_file(none, json.dumps(said).encode())
        raise
    if out and none:
        told = ("checkpoint", "images", "split", "count", "seed", *DRAWN)
        found = {name: given[name] for name in told} | {"figures": [dataclasses.asdict(figure) for figure in figures]}
        found["begun"] = Task(out.parent, "evaluation").entry().get("begun")  # which start this answers
        replace_file(out, (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode())
        none.unlink(missing_ok=True)
    print(table(figures))
    return 0


def _figures(given: dict[str, Any]) -> list[Any]:
    from models.loading import RANDOM, load
    from training.datasets import Source, open_dataset
    from training.evaluate import evaluate
    from training.told import left_out, sources

    backbone, twin = load(given["checkpoint"]), load(given["checkpoint"].removesuffix(RANDOM) + RANDOM)
    drawn = {
        "language": given["language"],
        "objects": (given["few"], given["many"]),
        "smallest": given["smallest_object"],
    }
    learn, ask = (
        open_dataset(
            Source(
                given["images"], side=backbone.pixels.size[0], split=split, captions=given["captions"] or None, **drawn
            )
        )
        for split in ("train", given["split"])
    )
    for line in sources(learn, ask):
        print(line, flush=True)
    figures = list(evaluate(backbone, learn, ask, given["count"], given["seed"], twin))
    for line in (*left_out("train", learn), *left_out(given["split"], ask)):
        print(line)
    return figures


def _list() -> int:
    from training import datasets
    from training.networks import SIZES
    from training.objective import methods

    for title, rows in (
        ("objectives", [(entry.name, entry.about) for entry in methods()]),
        ("datasets", [(entry.name, entry.about) for entry in datasets.found()]),
        ("sizes", [(name, f"{s.width} channels, {s.depth} blocks, {s.heads} heads") for name, s in SIZES.items()]),
    ):
        print(f"{title}:")
        for name, about in rows:
            print(f"  {name:12} {about}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
