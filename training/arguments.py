"""What may be written after `python -m training`: commands, and every setting with its sentence and its default."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Iterable
from typing import Any

from training.shell import add_jobs

EXAMPLES = """examples:
  python -m training mae --images shapes --run first             a masked autoencoder on drawn shapes
  python -m training clip --images scenes --language both --run pairs
  python -m training dino --images my_photos/ --size tiny --run mine --steps 20000
  python -m training dino --images shapes --run soon --minutes 5 learns for so long by the clock
  python -m training resume mine --hours 2                       goes on where it was stopped or killed
  python -m training estimate mae --images shapes --size tiny    what it would cost, from a few real steps
  python -m training jobs                                        every run, and the queue of the page
  python -m training evaluate run/mine --images scenes           beside the trivial baselines
  torchrun --nproc_per_node 2 -m -- training mae --images my_photos/ --run many --batch 512

A run is a folder in PATCHLIGHT_RUNS, or in ./runs. Ctrl-C writes a checkpoint and stops.
`python -m training OBJECTIVE --help` shows every setting with its default."""


def parser_of(words: list[str]) -> tuple[argparse.ArgumentParser, str | None]:
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
    commands.add_parser("estimate", help="what a run would cost: the words that would start it, without --run")
    add_jobs(commands.add_parser("jobs", help="every run and the queue of the page; jobs stop NAME"))
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
    _back(command)


def _back(command: argparse.ArgumentParser) -> None:
    command.add_argument("--nice", type=int, default=0, help="step back for other processes: 0 not at all, 19 most")


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


DRAWN = ("language", "few", "many", "smallest_object", "captions")
"""Choices of a recipe that also say which pictures a checkpoint is measured on."""


def _evaluation(command: argparse.ArgumentParser) -> None:
    from training.recipe import CHOICES

    command.add_argument("checkpoint", metavar="CHECKPOINT", help="an id, as `python -m models list` shows them")
    command.add_argument("--images", default="scenes", help="pictures with known answers")
    command.add_argument("--count", type=int, default=512, help="pictures to measure on, and as many to learn from")
    _options(command, [choice for choice in CHOICES if choice.name in DRAWN], {})
    command.add_argument("--split", default="validation", choices=("validation", "test"))
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--out", help="also write the figures to this JSON file, or why there are none to NAME-fault.json"
    )
    _back(command)


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
