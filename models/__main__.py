"""Checkpoints from the shell.

python -m models list [--all]        what opens right now; with --all also what can be fetched
python -m models doctor FILE         what a file or checkpoint folder is, what it will show, the id that opens it;
                                     FILE?heads=12&grid=8x32 says what the weights do not tell
python -m models convert FILE [OUT]  a training's checkpoint as safetensors
python -m models fetch ID            fetch a checkpoint, so that it opens without the network
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from models.card_catalogue import catalogue, checkpoints
from models.faults import Fault


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it went well, 1 after a fault, whose sentence goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m models", description="Checkpoints that Patchlight can look into.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what opens right now").add_argument("--all", action="store_true")
    commands.add_parser("doctor", help="what a file of weights is").add_argument("file")
    convert = commands.add_parser("convert", help="a training's checkpoint as safetensors")
    convert.add_argument("file", type=Path)
    convert.add_argument("out", type=Path, nargs="?", help="beside FILE and called like it, if left out")
    convert.add_argument("--take", metavar="NETWORK", help="which of several networks in the checkpoint")
    commands.add_parser("fetch", help="fetch a checkpoint for use without the network").add_argument("id")
    told = parser.parse_args(words)
    try:
        if told.command == "list":
            return show_list(told.all)
        if told.command == "convert":
            return show_conversion(told.file, told.out, told.take)
        return show_diagnosis(told.file) if told.command == "doctor" else fetch(told.id)
    except Fault as fault:
        sys.stderr.write(f"{fault}\n")
        return 1


def show_list(everything: bool) -> int:
    """One line a checkpoint: whether it is here, its id, parameters, size of the download, licence."""
    here = {card.id: card for card in checkpoints()}
    cards = {card.id: card for card in catalogue()} | here if everything else here
    for card in cards.values():
        millions = f"{card.parameters / 1e6:8.1f} M" if card.parameters else " " * 10
        size = f"{card.download / 1e6:8.0f} MB" if card.download else " " * 11
        mark = "here" if card.id in here else "    "
        sys.stdout.write(f"{mark}  {card.id:62} {card.family:12} {millions} {size}  {card.licence}\n")
    return 0


def show_diagnosis(asked: str) -> int:
    """What `models.doctor` found, a line a fact."""
    from models.answers import split
    from models.doctor import diagnose

    file, answers = split(asked)
    found = diagnose(Path(file), answers=answers)
    lines = [
        f"{found.file}: {found.tensors} tensors, {found.parameters} numbers",
        f"layout: {found.layout or 'unknown'}",
        *(f"left aside: {what}, tensors: {count}" for what, count in found.aside),
    ]
    if found.backbone is not None:
        pixels, blocks = found.backbone.pixels, len(found.backbone.blocks)
        able = ", ".join(("attention", "positions", *found.backbone.card.abilities))
        lines += [
            f"opens: {blocks} blocks, patch {pixels.patch}, input {pixels.size[0]} × {pixels.size[1]}",
            f"can: {able}",
            *(note.template.format(**note.facts) for note in found.backbone.card.notes),
            f"open it by: {found.id}",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    if found.asks and found.fault is not None:
        sys.stdout.write(f"open it by: {found.id.partition('?')[0]}{found.fault.facts['example']}\n")
    if found.fault is not None:
        sys.stderr.write(f"{found.fault}\n")
    return int(found.fault is not None)


def show_conversion(file: Path, out: Path | None, take: str | None) -> int:
    """Write safetensors, and say which network it is and which others there were."""
    from models.conversion import convert

    done = convert(file, out, take)
    lines = [f"{file.name}: {', '.join(done.there)}", f"took {done.taken}: {done.tensors} tensors"]
    if done.others:
        lines.append(f"to choose another of {', '.join(done.others)}: --take {done.others[0]}")
    lines += [f"wrote {done.out}", f"what it is: python -m models doctor {shlex.quote(str(done.out))}"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def fetch(id: str) -> int:
    """Fetch, convert and check a checkpoint by opening it once."""
    from models.loading import load

    def progress(here: int, size: int) -> None:
        sys.stderr.write(f"\r{id}: {here / 1e6:.0f} of {size / 1e6:.0f} MB")

    card = load(id, "cpu", progress=progress).card
    sys.stdout.write(f"\n{card.title}: {card.parameters} parameters, sha256 {card.sha256}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
