"""Look inside a vision transformer: every tab of the page as a command.

    python -m explorers attention --checkpoint registry/dinov2-small --image cat.jpg --out found

writes found/attention.npz (the numbers), found/attention.json (caption and facts) and found/attention.png (the map over
the picture, above its caption), and prints the caption.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, BooleanOptionalAction, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from explorers.explorer import Explorer, Finding, explorers
from explorers.export import write
from explorers.figure import figure
from explorers.parameters import Declared, Parameters, checked, declarations
from explorers.permalink import read, written
from explorers.safety import prepare
from explorers.text import LANGUAGES, paragraphs, sentence
from models.faults import Fault
from models.image import open_image


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0, or 1 where something was wrong and a sentence on stderr says what."""
    prepare()
    parser = _parser()
    told = parser.parse_args(arguments)
    explorer: Explorer = told.explorer
    try:
        parameters = checked(explorer.parameters, read(explorer.parameters, _given(vars(told))))
        image = getattr(told, "image", None)
        finding = explorer.explore(image, parameters)
        if explorer.sheet is not None:
            drawn = explorer.sheet(finding, told.language)
        else:
            drawn = None if image is None else _drawn(image, parameters, finding)
        files = write(told.out, explorer.name, finding, drawn, told.language, parameters)
    except Fault as fault:
        sys.stderr.write(sentence(fault, told.language) + "\n")
        return 1
    except OSError as full:
        sys.stderr.write(f"{told.out}: {full.strerror}\n")
        return 1
    sys.stdout.write("\n".join([finding.said(told.language), "", *map(str, files)]) + "\n")
    return 0


def add_arguments(parser: ArgumentParser, cls: type[Parameters]) -> None:
    """One option for each parameter; values stay text until the declaration reads and checks them."""
    for declared in declarations(cls):
        about: dict[str, Any] = {"dest": declared.name, "help": _help(declared)}
        if declared.kind == "truth":
            about |= {"action": BooleanOptionalAction, "default": None}
        else:
            about |= {"metavar": _metavar(declared), "required": declared.required}
            about |= {"nargs": "*"} if declared.many else {}
        parser.add_argument("--" + declared.name.replace("_", "-"), **about)


def _parser() -> ArgumentParser:
    intro, _, rest = (__doc__ or "").partition("\n\n")
    parser = ArgumentParser(
        "python -m explorers", description=intro, epilog=f"example:\n{rest}",
        formatter_class=RawDescriptionHelpFormatter,
    )  # fmt: skip
    names = parser.add_subparsers(title="explorers", metavar="NAME", required=True)
    for explorer in explorers():
        about = names.add_parser(explorer.name, help=_about(explorer), description=_about(explorer))
        if not explorer.pictureless:
            needed = not explorer.optional
            about.add_argument("--image", type=Path, required=needed, metavar="FILE", help="The picture.")
        add_arguments(about, explorer.parameters)
        about.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="Where to write; made if need be.")
        about.add_argument("--language", choices=LANGUAGES, default="en", help="Of what is printed (default en).")
        about.set_defaults(explorer=explorer)
    return parser


def _drawn(image: Path, parameters: Parameters, finding: Finding) -> Image.Image | None:
    """The picture of a finding that has a `map` over its picture, as its parameters say where they do."""
    if "map" not in finding.arrays or "shape" not in finding.facts:
        return None
    wanted = {name: value for name, value in parameters if name in ("table", "opacity")}
    wanted |= {name: finding.facts.get(name) for name in ("box", "scale")}
    return figure(open_image(image), finding.arrays["map"], finding.facts["shape"], **wanted)


def _about(explorer: Explorer) -> str:
    module = sys.modules[explorer.explore.__module__]
    return next(iter(paragraphs(module.__doc__)), explorer.title)


def _given(told: dict[str, Any]) -> dict[str, Any]:
    own = ("explorer", "image", "out", "language")
    return {name: value for name, value in told.items() if name not in own and value is not None}


def _metavar(declared: Declared) -> str:
    if declared.kind == "option":
        return "{" + ",".join(declared.options) + "}"
    return {"whole number": "N", "number": "X"}.get(declared.kind, "TEXT")


def _help(declared: Declared) -> str:
    span = "" if declared.least is None or declared.most is None else f"{declared.least:g} to {declared.most:g}"
    default = "" if declared.default in (None, "", []) else f"default {written(declared.default)}"
    notes = ", ".join(note for note in (declared.unit, span, default) if note)
    words = f"{declared.title}. {declared.help}".strip()
    return (f"{words} ({notes})" if notes else words).replace("%", "%%")


if __name__ == "__main__":
    raise SystemExit(main())
