"""How the page looks: one palette for its scripts, its styles and Gradio's own components."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import gradio as gr

from explorers import delivery
from explorers.frame import ASSETS

IMPORTED = re.compile(r'^(?:import|export)\b[^;]*?from "\./(\w+)\.js"', re.MULTILINE)


@cache
def scripts(first: str = "page") -> tuple[str, ...]:
    """`first` and every module that it imports, directly or through others, but for what is imported when asked."""
    found = [first]
    for name in found:
        text = (delivery.STAGE / f"{name}.js").read_text(encoding="utf-8")
        found += [other for other in dict.fromkeys(IMPORTED.findall(text)) if other not in found]
    return tuple(found)


def head() -> str:
    """Styles and scripts. Not by `launch(css=…)`, which Gradio rewrites and which no browser can cache.

    Every script is named at once: found one through the other, they would cost a journey to the server each.
    """
    early = "".join(f'<link rel="modulepreload" href="patchlight/stage/{name}.js">' for name in scripts())
    return f'<style>{variables()}</style><link rel="stylesheet" href="patchlight/stage/page.css">{early}'


def palette() -> dict[str, Any]:
    return json.loads((ASSETS / "palette.json").read_text(encoding="utf-8"))


def variables() -> str:
    """The palette as CSS variables, light and dark."""
    rules = {"body": palette()["light"], "body.dark": palette()["dark"]}
    return "\n".join(
        f"{selector} {{ {' '.join(f'--pl-{name}: {value};' for name, value in values.items())} }}"
        for selector, values in rules.items()
    )


def theme() -> gr.themes.Base:
    """Gradio's own components in the same colours."""
    light, dark = palette()["light"], palette()["dark"]
    names = {
        "body_background_fill": "ground", "background_fill_primary": "panel", "background_fill_secondary": "raised",
        "block_background_fill": "panel", "border_color_primary": "line", "body_text_color": "text",
        "body_text_color_subdued": "muted", "button_primary_background_fill": "accent",
        "button_primary_text_color": "on-accent", "slider_color": "accent", "block_label_text_color": "muted",
    }  # fmt: skip
    values = {name: light[colour] for name, colour in names.items()}
    values |= {f"{name}_dark": dark[colour] for name, colour in names.items()}
    return gr.themes.Base(font=["system-ui", "DejaVu Sans", "sans-serif"]).set(**values)
