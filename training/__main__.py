"""python -m training OBJECTIVE --images PICTURES --run NAME · resume NAME · evaluate CHECKPOINT · list"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import signal
import sys
import typing
from collections.abc import Iterable, Sequence
from typing import Any

from models.faults import Fault

EXAMPLES = """examples:
  python -m training mae --images shapes --run first             a masked autoencoder on drawn shapes
  python -m training clip --images scenes --language both --run pairs
  python -m training dino --images my_photos/ --size tiny --run mine --steps 20000
  python -m training resume mine --hours 2                       goes on where it was stopped or killed
  python -m training evaluate run/mine --images scenes           beside the trivial baselines
  accelerate launch -m training mae --images my_photos/ --run many --batch 512

A run is a folder in PATCHLIGHT_RUNS, or in ./runs. Ctrl-C writes a checkpoint and stops.
`python -m training OBJECTIVE --help` shows every setting with its default."""


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except Fault as fault:
        print(f"training: {fault}", file=sys.stderr)
        return 2


def _run(words: list[str]) -> int:
    parser, chosen = _parser(words)
    if chosen is None:
        parser.print_help()
        return 0
    given = vars(parser.parse_args(words))
    if chosen == "list":
        return _list()
    if chosen == "evaluate":
        from training.evaluate import main as evaluate

        return evaluate(given)
    return _resume(given) if chosen == "resume" else _start(chosen, given)


def _parser(words: list[str]) -> tuple[argparse.ArgumentParser, str | None]:
    """The parser, with the settings of the one command that was named, so that help never imports what it need not."""
    from training.objective import method, names

    chosen = next((word for word in words if not word.startswith("-")), None)
    shape: Any = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m training", description=_about(), epilog=EXAMPLES, formatter_class=shape)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    resume = commands.add_parser("resume", help="go on with a run")
    resume.add_argument("run", metavar="NAME")
    _session(resume)
    resume.add_argument("--hours", type=float, help="a new limit of time, all sessions together")
    resume.add_argument("--disk", type=float, help="a new limit of megabytes")
    _evaluation(commands.add_parser("evaluate", help="measure a checkpoint beside trivial baselines"))
    commands.add_parser("list", help="objectives, datasets and sizes")
    for name in names():
        command = commands.add_parser(
            name, help=_sentence(name), formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        if name == chosen:
            _objective(command, method(name))
    return parser, chosen


def _objective(command: argparse.ArgumentParser, method: Any) -> None:
    from training.recipe import CHOICES
    from training.settings import Settings

    command.description = method.builds.__globals__["__doc__"]
    command.formatter_class = _Help
    command.add_argument("--run", required=True, metavar="NAME", help="what the run is called")
    _session(command)
    _options(command.add_argument_group("pictures and network"), CHOICES, {})
    _options(command.add_argument_group(f"{method.title}"), dataclasses.fields(method.options), {}, method.options)
    _options(command.add_argument_group("engine"), dataclasses.fields(Settings), method.settings)


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Defaults beside every option, and the method's own text as it was written."""


def _session(command: argparse.ArgumentParser) -> None:
    command.add_argument("--track", choices=("tensorboard",), help="also write curves for this viewer")
    command.add_argument("--threads", type=int, default=0, help="processor threads; 0 leaves the choice to torch")


def _options(group: Any, fields: Iterable[Any], defaults: Any, home: type | None = None) -> None:
    for choice in fields:
        default = defaults.get(choice.name, choice.default)
        flag = f"--{choice.name.replace('_', '-')}"
        words = {"help": choice.metadata["help"].replace("%", "%%"), "default": default, "dest": choice.name}
        if isinstance(default, bool):
            group.add_argument(flag, action=argparse.BooleanOptionalAction, **words)
        else:
            kind = float if choice.type == "float" else type(choice.default)
            group.add_argument(flag, type=kind, choices=choice.metadata["choices"] or None, metavar="", **words)


def _evaluation(command: argparse.ArgumentParser) -> None:
    command.add_argument("checkpoint", metavar="CHECKPOINT", help="an id, as `python -m models list` shows them")
    command.add_argument("--images", default="scenes", help="pictures with known answers")
    command.add_argument("--count", type=int, default=512, help="pictures to measure on, and as many to learn from")
    command.add_argument("--split", default="validation", choices=("validation", "test"))
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", help="also write the figures to this JSON file")


def _start(name: str, given: dict[str, Any]) -> int:
    from training.objective import method
    from training.recipe import CHOICES, Recipe
    from training.run import open_run
    from training.settings import Settings

    own = {choice.name: given[choice.name] for choice in CHOICES}
    options = {choice.name: given[choice.name] for choice in dataclasses.fields(method(name).options)}
    settings = {choice.name: given[choice.name] for choice in dataclasses.fields(Settings)}
    made = Recipe(name, **own, options=options, settings=settings)
    from accelerate import PartialState

    state = PartialState(cpu=given["device"] == "cpu")
    with state.main_process_first():
        run = open_run(given["run"], made if state.is_main_process else None)
    return _learn(run, given)


def _resume(given: dict[str, Any]) -> int:
    from training.run import open_run

    budgets = {name: given[name] for name in ("hours", "disk") if given[name] is not None}
    return _learn(open_run(given["run"], budgets=budgets), given)


def _learn(run: Any, given: dict[str, Any]) -> int:
    import torch
    from accelerate import PartialState
    from tqdm import tqdm

    if given["threads"]:
        torch.set_num_threads(given["threads"])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: run.stop())
    first = PartialState(cpu=run.settings.device == "cpu").is_main_process
    total, begun = run.settings.steps * run.settings.batch, run.status.get("seen", 0)
    bar = tqdm(total=total, initial=begun, unit="picture", unit_scale=True, desc=run.folder.name, disable=not first)
    with bar, _tracker(run, given["track"]) as track:
        for progress in run.learn():
            bar.update(progress.seen - bar.n)
            bar.set_postfix(loss=f"{progress.loss:.4f}", step=progress.step, refresh=False)
            track(progress)
    if first:
        status = run.status
        print(f"{run.folder.name}: {status['state']} at step {status['step']}; look at it as run/{run.folder.name}")
    return 0


@contextlib.contextmanager
def _tracker(run: Any, viewer: str | None) -> Any:
    if viewer is None:
        yield lambda progress: None
        return
    import importlib.util

    from accelerate import Accelerator

    if importlib.util.find_spec("tensorboard") is None:
        raise Fault("Curves for tensorboard were asked for, but it is not installed; run `pip install tensorboard`.")
    accelerator = Accelerator(log_with=viewer, project_dir=str(run.folder), cpu=run.settings.device == "cpu")
    accelerator.init_trackers("curves")
    yield lambda progress: accelerator.log({"loss": progress.loss, **progress.figures}, step=progress.step)
    accelerator.end_training()


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


def _about() -> str:
    return (
        "Train a vision transformer on pictures, look at it in every explorer.\n\n"
        "An objective is one of the commands below. Pictures are a dataset's name (scenes, shapes, emoji, cifar10 …),\n"
        "a folder with or without class folders, a CSV or parquet file with captions, or hub/OWNER/NAME.\n"
        "Sizes: nano 0.1M, micro 1M, milli 1.6M, mini 3M, tiny 5M, small 22M, base 86M, large 303M parameters."
    )


def _sentence(name: str) -> str:
    """The first line of an objective's file, without importing it."""
    import importlib.util
    from ast import get_docstring, parse

    spec = importlib.util.find_spec(f"training.objectives.{name}")
    with open(typing.cast(Any, spec).origin, encoding="utf-8") as file:
        return (get_docstring(parse(file.read())) or "").partition("\n")[0].replace("%", "%%")


if __name__ == "__main__":
    sys.exit(main())
