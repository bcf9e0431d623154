"""`python -m benchmarks [NAME …]`: measure, and keep each table in benchmarks/README.md under its own heading."""

from __future__ import annotations

import argparse
import importlib
import re
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER / "README.md"


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_") and path.stem != "measure")


def keep(name: str, text: str) -> None:
    """Replace the part of the page that stands under the heading `name`, or add it."""
    page = PAGE.read_text(encoding="utf-8")
    part = f"## {name}\n\n{text.strip()}\n\n"
    found = re.compile(rf"^## {re.escape(name)}\n.*?(?=^## |\Z)", re.M | re.S)
    page = found.sub(lambda _: part, page) if found.search(page) else page.rstrip() + "\n\n" + part
    PAGE.write_text(page.rstrip() + "\n", encoding="utf-8")


def main() -> None:
    from benchmarks.measure import machine

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(names())}; all by default")
    chosen = parser.parse_args().names or names()
    for name in chosen:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"measuring {name} …", flush=True)
        head = f"{(module.__doc__ or '').strip()}\n\n`python -m benchmarks {name}`, {date.today()}, {machine()}."
        keep(name, f"{head}\n\n{module.measure()}")


if __name__ == "__main__":
    main()
