"""Holds the drawing of the house: which room may import what, and that one new file is enough."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from pkgutil import iter_modules

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("models", "training", "explorers")

FORBIDDEN = {
    "models": {"gradio", "plotly", "training", "explorers", "app"},
    "training": {"gradio", "plotly", "timm", "transformers", "explorers", "app"},
    "explorers": {"timm", "transformers", "app"},
}
HEAVY = ("torch", "timm", "transformers", "accelerate", "plotly", "datasets", "onnx")


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Full dotted names that a file imports, at whatever depth of nesting."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize(
    "path", [path for room in ROOMS for path in files(room)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_room_imports_only_rooms_to_its_right(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    crossed = {name for name in imports(path) if name.partition(".")[0] in FORBIDDEN[room]}
    assert not crossed, f"{path.relative_to(ROOT)} breaks the drawing: {sorted(crossed)}"


def test_app_imports_gradio_and_explorers_only() -> None:
    outside = {name.partition(".")[0] for name in imports(ROOT / "app.py")} - set(sys.stdlib_module_names)
    assert outside <= {"gradio", "explorers", "spaces"}, f"app.py reaches past the explorers: {sorted(outside)}"


def test_no_explorer_imports_another() -> None:
    explorers = {path.stem for path in files("explorers") if "EXPLORER" in assigned(path)}
    assert explorers, "no explorer was found: the room's constant has changed its name"
    for name in explorers:
        others = {f"explorers.{other}" for other in explorers - {name}}
        assert not others & imports(ROOT / "explorers" / f"{name}.py"), f"explorers/{name}.py imports another explorer"


def assigned(path: Path) -> set[str]:
    """Names bound at the top of a module."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        found.update(target.id for target in targets if isinstance(target, ast.Name))
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_costs_nothing(room: str) -> None:
    """A person sees the page in seconds, whatever is installed: heavy libraries wait for their first use."""
    code = f"import sys, {room}; print([name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]", f"`import {room}` already imports {run.stdout.strip()}"


@pytest.mark.parametrize("room", ROOMS)
def test_no_published_name_is_a_module_of_its_room(room: str) -> None:
    """Importing the module would put it in the name's place, and the second call would meet a module."""
    published = getattr(importlib.import_module(room), "_HOME", {})
    modules = {name for place in importlib.import_module(room).__path__ for _, name, _ in iter_modules([place])}
    assert not published.keys() & modules


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "common", "misc", "manager"}
    assert not [path for room in ROOMS for path in files(room) if path.stem in empty]


CONVERSION = ROOT / "models" / "conversion.py"
"""The one door for pickles, with torch's restricted unpickler, which only the shell's command opens."""


def test_weights_are_never_pickles_and_code_is_never_remote() -> None:
    for path in [path for room in ROOMS for path in files(room)]:
        text = path.read_text(encoding="utf-8")
        pickles = ("torch.load(", "import pickle") if path != CONVERSION else ()
        for word in (*pickles, "trust_remote_code=True", "weights_only=False"):
            assert word not in text, f"{path.relative_to(ROOT)} uses {word}"
    text = CONVERSION.read_text(encoding="utf-8")
    assert text.count("torch.load(") == text.count("weights_only=True)") == 1
    opened = [path.relative_to(ROOT) for path in files("models") + files("training") + files("explorers")
              if "models.conversion" in imports(path)]  # fmt: skip
    assert opened == [Path("models/__main__.py")]


FAMILY = """
from torch import nn
from models.backbone import Family
from models.families.vit import FAMILY as VIT

class Newcomer(nn.Module):
    pass

FAMILY = Family("Newcomer", lambda network: isinstance(network, Newcomer), VIT.opens)
"""


def test_one_file_adds_a_family(tmp_path: Path) -> None:
    """Dropped into its folder, a family is asked about networks; nothing else is touched, so nothing must know it."""
    (tmp_path / "newcomer.py").write_text(FAMILY, encoding="utf-8")
    code = (
        "import models.families as room; room.__path__.append({folder!r}); from models.families import family_of;"
        "from models.families.newcomer import Newcomer; print(family_of(Newcomer()).name)"
    )
    told = [sys.executable, "-c", code.format(folder=str(tmp_path))]
    run = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "Newcomer"


EXPLORER = '''
"""Nothing but its own file."""
from pathlib import Path
from explorers.explorer import Explorer, Finding, Sentence
from explorers.parameters import Parameters, parameter

class Asked(Parameters):
    checkpoint: str = parameter("registry/dinov2-small", title="Network")

def explore(image: Path | None, asked: Asked) -> Finding:
    return Finding({}, (Sentence("Here."),), {})

EXPLORER = Explorer("newcomer", "Newcomer", 99, Asked, explore, lambda frame: None)
'''


def test_one_file_adds_an_explorer_to_page_endpoint_and_shell(tmp_path: Path) -> None:
    (tmp_path / "newcomer.py").write_text(EXPLORER, encoding="utf-8")
    code = (
        "import explorers; explorers.__path__.append({folder!r}); from explorers.page import build;"
        "page = build(); print('newcomer' in {{fn.api_name for fn in page.fns.values()}});"
        "import explorers.__main__ as shell; shell.main(['newcomer', '--help'])"
    )
    told = [sys.executable, "-c", code.format(folder=str(tmp_path))]
    run = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("True\n")
    assert "--checkpoint" in run.stdout
