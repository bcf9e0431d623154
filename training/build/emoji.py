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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import resvg_py
from PIL import Image

from training.build.slugs import match

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "assets" / "emoji"
SIDE = 64
NAMES = "emojibase-data@17.0.0"
GROUPS = {0, 1, 3, 4, 5, 6, 7, 8}  # emojibase's numbers; 2 are skin and hair swatches, 9 are flags


@dataclass(frozen=True)
class Style:
    """One drawing of the vocabulary: `by` says how its files are told apart (code points or slugs of old names)."""

    name: str
    package: str
    licence: str
    credit: str
    by: str


STYLES = (
    Style("noto", "@iconify-json/noto@1.2.9", "Apache-2.0", "Google, https://github.com/googlefonts/noto-emoji", "code"),
    Style("fluent-3d", "@lobehub/fluent-emoji-3d@1.1.0", "MIT",
          "Microsoft Corporation, https://github.com/microsoft/fluentui-emoji, packed by LobeHub", "file"),
    Style("fluent-flat", "@iconify-json/fluent-emoji-flat@1.2.6", "MIT",
          "Microsoft Corporation, https://github.com/microsoft/fluentui-emoji", "code"),
    Style("noto-v1", "@iconify-json/noto-v1@1.2.5", "Apache-2.0",
          "Google, https://github.com/googlefonts/noto-emoji", "slug"),
    Style("fxemoji", "@iconify-json/fxemoji@1.2.2", "Apache-2.0", "Mozilla, https://github.com/mozilla/fxemoji", "slug"),
    Style("twemoji", "@iconify-json/twemoji@1.2.5", "CC-BY-4.0",
          "Twitter and contributors, https://github.com/jdecked/twemoji", "code"),
    Style("emojione", "@iconify-json/emojione@1.2.3", "CC-BY-4.0",
          "Emoji One 2, https://github.com/EmojiTwo/emojitwo", "slug"),
)  # fmt: skip

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
        return {
            concept["hexcode"]: lambda f=files[plain_code(concept["hexcode"])]: shrink(f)
            for concept in concepts
            if plain_code(concept["hexcode"]) in files
        }
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
    return {code: lambda n=name: render(icons, n) for code, name in found.items() if name in icons["icons"]}


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
                if picture.getextrema()[3][1] > 127:  # pyright: ignore[reportIndexIssue]  # an empty drawing teaches nothing
                    made.append({"style": style.name, **concept, "image": {"bytes": encode(picture), "path": None}})
    return made


README = """# Emoji

`emoji.parquet`: {total} pictures of {concepts} concepts in seven styles, 64 × 64 pixels, lossless WebP with alpha, made by
`python -m training.build.emoji`. Each row has the style, the code points, the name and the keywords in English and Russian,
the group and the subgroup. It opens with `datasets.load_dataset("parquet", data_files=...)`.

| style | npm package | version | licence | drawn by | pictures | split |
|---|---|---|---|---|---|---|
{table}

Names, keywords, groups: `{names}` (MIT, Copyright (c) 2017-2019 Miles Johnson), after Unicode CLDR. Names of the subgroups
(`subgroups.csv`) are this project's own.

## Which styles are looked at when

The split is by style, never by concept (`SPLITS` in `training/datasets/emoji.py`): one trains on noto, fluent-3d,
fluent-flat, noto-v1 and fxemoji, tunes on **twemoji** (`validation`), and looks at **emojione** (`test`) once, for the figure
that is reported. fluent-3d and fluent-flat have the same outlines, so they always stand on the same side.

## Attribution and changes

The drawings belong to those who are named in the table and are used under the licences named there:
[Apache-2.0](https://www.apache.org/licenses/LICENSE-2.0), [MIT](https://opensource.org/license/mit),
[CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/). They were rendered at 64 × 64 pixels and are otherwise unchanged;
flags and skin tones were left out. The MIT licence of Fluent is as its packages state it.
"""


def readme(made: list[dict[str, Any]]) -> str:
    from training.datasets.emoji import SPLITS

    side = {style: split for split, styles in SPLITS.items() for style in styles}
    lines = []
    for style in STYLES:
        package, version = style.package.rsplit("@", 1)
        count = sum(row["style"] == style.name for row in made)
        lines.append(
            f"| {style.name} | {package} | {version} | {style.licence} | {style.credit} | {count} | {side[style.name]} |"
        )
    return README.format(
        total=len(made), concepts=len({row["hexcode"] for row in made}), table="\n".join(lines), names=NAMES
    )


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
