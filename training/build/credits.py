"""Whose drawings the emoji are, under which licences, and the README that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from training.datasets.emoji import SPLITS

NAMES = "emojibase-data@17.0.0"


@dataclass(frozen=True)
class Style:
    """One drawing of the vocabulary: `by` says how its files are told apart (code points or slugs of old names)."""

    name: str
    package: str
    licence: str
    credit: str
    by: str


STYLES = (
    Style("noto", "@iconify-json/noto@1.2.9", "Apache-2.0",
          "Google, https://github.com/googlefonts/noto-emoji", "code"),
    Style("fluent-3d", "@lobehub/fluent-emoji-3d@1.1.0", "MIT",
          "Microsoft Corporation, https://github.com/microsoft/fluentui-emoji, packed by LobeHub", "file"),
    Style("fluent-flat", "@iconify-json/fluent-emoji-flat@1.2.6", "MIT",
          "Microsoft Corporation, https://github.com/microsoft/fluentui-emoji", "code"),
    Style("noto-v1", "@iconify-json/noto-v1@1.2.5", "Apache-2.0",
          "Google, https://github.com/googlefonts/noto-emoji", "slug"),
    Style("fxemoji", "@iconify-json/fxemoji@1.2.2", "Apache-2.0",
          "Mozilla, https://github.com/mozilla/fxemoji", "slug"),
    Style("twemoji", "@iconify-json/twemoji@1.2.5", "CC-BY-4.0",
          "Twitter and contributors, https://github.com/jdecked/twemoji", "code"),
    Style("emojione", "@iconify-json/emojione@1.2.3", "CC-BY-4.0",
          "Emoji One 2, https://github.com/EmojiTwo/emojitwo", "slug"),
)  # fmt: skip

README = """# Emoji

`emoji.parquet`: {total} pictures of {concepts} concepts in seven styles, 64 × 64 pixels, lossless WebP with alpha,
made by `python -m training.build.emoji`. Each row has the style, the code points, the name and the keywords in
English and Russian, the group and the subgroup. It opens with `datasets.load_dataset("parquet", data_files=...)`.

| style | npm package | version | licence | drawn by | pictures | split |
|---|---|---|---|---|---|---|
{table}

Names, keywords, groups: `{names}` (MIT, Copyright (c) 2017-2019 Miles Johnson), after Unicode
CLDR. Names of the subgroups (`subgroups.csv`) are this project's own.

## Which styles are looked at when

The split is by style, never by concept (`SPLITS` in `training/datasets/emoji.py`): one trains on noto, fluent-3d,
fluent-flat, noto-v1 and fxemoji, tunes on **twemoji** (`validation`), and looks at **emojione** (`test`) once, for
the figure that is reported. fluent-3d and fluent-flat have the same outlines, so they always stand on the same
side.

## Attribution and changes

The drawings belong to those who are named in the table and are used under the licences named there:
[Apache-2.0](https://www.apache.org/licenses/LICENSE-2.0), [MIT](https://opensource.org/license/mit),
[CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/). They were rendered at 64 × 64 pixels and are otherwise
unchanged; flags and skin tones were left out. The MIT licence of Fluent is as its packages state it; its text stands in
`LICENSE-MIT.txt`.
"""


def readme(made: list[dict[str, Any]]) -> str:
    side = {style: split for split, styles in SPLITS.items() for style in styles}
    lines = []
    for style in STYLES:
        package, version = style.package.rsplit("@", 1)
        count = sum(row["style"] == style.name for row in made)
        cells = (style.name, package, version, style.licence, style.credit, str(count), side[style.name])
        lines.append(f"| {' | '.join(cells)} |")
    return README.format(
        total=len(made), concepts=len({row["hexcode"] for row in made}), table="\n".join(lines), names=NAMES
    )
