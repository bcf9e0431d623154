"""Makes `assets/emoji/emoji.parquet` and its README: `python -m training.build.emoji`.

Seven drawings of one vocabulary under permissive licences, fetched by the npm client, rendered at 64 pixels with their
transparency, and named in English and Russian by emojibase. Apple's, Facebook's and share-alike drawings stay out.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import resvg_py
from PIL import Image

from training.build.credits import NAMES, STYLES, Style, readme
from training.build.slugs import match

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "assets" / "emoji"
SIDE = 64
GROUPS = {0, 1, 3, 4, 5, 6, 7, 8}  # emojibase's numbers; 2 are skin and hair swatches, 9 are flags


Drawing = Callable[[], Image.Image]


def unpack(package: str, into: Path) -> Path:
    """Fetches one npm package, whose hash the client checks, and returns its folder."""
    told = subprocess.run(
        ["npm", "pack", package, "--json", "--pack-destination", str(into)], check=True, capture_output=True, text=True
    )
    archive = into / json.loads(told.stdout)[0]["filename"].replace("@", "").replace("/", "-")
    folder = into / archive.stem
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / "package"


def vocabulary(folder: Path) -> list[dict[str, Any]]:
    """Every concept but flags and swatches, in emojibase's order, named in both languages."""
    english = json.loads((folder / "en" / "data.json").read_text())
    russian = {entry["hexcode"]: entry for entry in json.loads((folder / "ru" / "data.json").read_text())}
    messages = json.loads((folder / "en" / "messages.json").read_text())
    groups = {entry["order"]: entry["key"] for entry in messages["groups"]}
    subgroups = {entry["order"]: entry["key"] for entry in messages["subgroups"]}
    with (OUT / "subgroups.csv").open(newline="") as table:
        words = {row.pop("subgroup"): row for row in csv.DictReader(table)}
    return [
        {
            "hexcode": entry["hexcode"],
            "emoji": entry["emoji"],
            "english": entry["label"],
            "russian": russian[entry["hexcode"]]["label"],
            "english_keywords": entry.get("tags", []),
            "russian_keywords": russian[entry["hexcode"]].get("tags", []),
            "group": groups[entry["group"]],
            "subgroup": subgroups[entry["subgroup"]],
            **{f"subgroup_{column}": word for column, word in words[subgroups[entry["subgroup"]]].items()},
        }
        for entry in sorted(english, key=lambda entry: entry.get("order", 0))
        if entry.get("group") in GROUPS
    ]


def shortcodes(folder: Path) -> dict[str, list[str]]:
    """Nicknames of each concept, which older drawings are filed under."""
    names: dict[str, list[str]] = {}
    for file in sorted((folder / "en" / "shortcodes").glob("*.json")):
        for code, given in json.loads(file.read_text()).items():
            names.setdefault(code, []).extend([given] if isinstance(given, str) else given)
    return names


def render(icons: dict[str, Any], name: str) -> Image.Image:
    """One of Iconify's drawings as a picture of 64 × 64 pixels with alpha."""
    icon = icons["icons"][name]
    width, height = (icon.get(part, icons.get(part, 16)) for part in ("width", "height"))
    side = max(width, height)  # a drawing that is not square stands in the middle of one that is
    left, top = icon.get("left", 0) - (side - width) / 2, icon.get("top", 0) - (side - height) / 2
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {side} {side}">{icon["body"]}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=drawing, width=SIDE, height=SIDE, skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def shrink(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return picture.convert("RGBA").resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def plain_code(hexcode: str) -> str:
    """Code points without the variation selector, which packages add or leave out as they please."""
    return hexcode.upper().replace("-FE0F", "")


def drawings(style: Style, folder: Path, concepts: list[dict[str, Any]], nicknames: dict) -> dict[str, Drawing]:
    """How to draw each concept that the style has, by code point."""
    if style.by == "file":
        files = {plain_code(file.stem): file for file in (folder / "assets").iterdir()}
        pairs = {concept["hexcode"]: files.get(plain_code(concept["hexcode"])) for concept in concepts}
        return {code: partial(shrink, file) for code, file in pairs.items() if file}
    icons = json.loads((folder / "icons.json").read_text())
    plain = {name: name for name in icons["icons"]}
    plain |= {name: alias["parent"] for name, alias in icons.get("aliases", {}).items() if set(alias) == {"parent"}}
    if style.by == "code":
        listed = json.loads((folder / "chars.json").read_text())
        codes = {plain_code(code): name for code, name in listed.items()}
        bare = {concept["hexcode"]: codes.get(plain_code(concept["hexcode"])) for concept in concepts}
    else:
        bare = match(concepts, nicknames, set(plain), style.name)
    found = {code: plain[name] for code, name in bare.items() if name in plain}
    return {code: partial(render, icons, name) for code, name in found.items() if name in icons["icons"]}


def encode(picture: Image.Image) -> bytes:
    """Lossless WebP; the colour under full transparency is dropped."""
    held = io.BytesIO()
    picture.save(held, "WEBP", lossless=True, quality=100, method=4)  # method 6 takes 30 times as long for 1.5 %
    return held.getvalue()


def rows(work: Path) -> list[dict[str, Any]]:
    named = unpack(NAMES, work)
    concepts, nicknames = vocabulary(named), shortcodes(named)
    made = []
    for style in STYLES:
        known = drawings(style, unpack(style.package, work), concepts, nicknames)
        for concept in concepts:
            if draw := known.get(concept["hexcode"]):
                picture = draw()
                if np.asarray(picture)[..., 3].max() > 127:  # an empty drawing teaches nothing
                    made.append({"style": style.name, **concept, "image": {"bytes": encode(picture), "path": None}})
    return made


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        made = rows(Path(work))
    columns = {name: [row[name] for row in made] for name in made[0]}
    shape = datasets.Features({
        name: datasets.Image() if name == "image"
        else datasets.List(datasets.Value("string")) if name.endswith("keywords")
        else datasets.Value("string")
        for name in columns
    })  # fmt: skip
    datasets.Dataset.from_dict(columns, features=shape).to_parquet(OUT / "emoji.parquet")
    (OUT / "README.md").write_text(readme(made))


if __name__ == "__main__":
    main()
