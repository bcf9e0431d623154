"""Whether everything that a person reads exists in both languages: the code is read, not trusted."""

from __future__ import annotations

import ast
import json
import re
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from explorers import text
from explorers.text import LANGUAGES, dictionary, paragraphs, say, sentence
from models.faults import Fault, Refusal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = [*(path for room in ("models", "training", "explorers") for path in sorted((ROOT / room).rglob("*.py")))]
SOURCES += [ROOT / "app.py"] if (ROOT / "app.py").exists() else []
SCRIPTS = sorted((ROOT / "assets" / "stage").glob("*.js"))
TRANSLATIONS = sorted((ROOT / "assets" / "text" / "ru").glob("*.toml"))

SPOKEN = {"title", "help", "unit"}
"""Arguments of `parameter(...)` and `Explorer(...)` that people read."""


@dataclass(frozen=True)
class Spoken:
    """A text that the page, a figure or an error shows, and where it is written; `text` is None if it is no literal."""

    text: str | None
    place: str


@cache
def trees() -> tuple[tuple[Path, ast.Module], ...]:
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES)


def name_of(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def faults() -> set[str]:
    """`Fault` and every class that descends from it, by name."""
    known = {"Fault"}
    classes = [node for _, tree in trees() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    while more := {one.name for one in classes if known & {name_of(base) for base in one.bases}} - known:
        known |= more
    return known


def literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def tables(tree: ast.Module) -> dict[str, list[str]]:
    """Constants of a module that are dictionaries of texts: `SENTENCES = {"row": "Where {token} looks."}`."""
    found = {}
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            texts = [text for value in node.value.values if (text := literal(value)) is not None]
            if isinstance(target, ast.Name) and len(texts) == len(node.value.values):
                found[target.id] = texts
    return found


def texts_of(first: ast.expr | None, known: dict[str, list[str]]) -> list[str | None]:
    """What a first argument may be: a literal, or an entry of a table of literals. [None] for anything else, but
    nothing for the `template` of a `Sentence` or `Fault`, which was looked at where that was made."""
    if isinstance(first, ast.Subscript) and isinstance(first.value, ast.Name) and first.value.id in known:
        return [*known[first.value.id]]
    if isinstance(first, ast.Attribute) and first.attr == "template":
        return []
    return [literal(first) if first is not None else None]


def spoken_in_code() -> Iterator[Spoken]:
    said = faults() | {"say", "Sentence", "Note"}
    for path, tree in trees():
        file, known, explores = path.relative_to(ROOT), tables(tree), False
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called, place = name_of(node.func), f"{file}:{node.lineno}"
            explores |= called == "Explorer"
            if called in said and not (called in ("Sentence", "Note") and not node.args):
                yield from (Spoken(text, place) for text in texts_of(node.args[0] if node.args else None, known))
            if called in ("parameter", "Explorer"):
                yield from spoken_in_declaration(node, place)
        if explores:
            yield from (Spoken(paragraph, f"{file}:1") for paragraph in paragraphs(ast.get_docstring(tree)))


def spoken_in_declaration(call: ast.Call, place: str) -> Iterator[Spoken]:
    for keyword in call.keywords:
        if keyword.arg in SPOKEN:
            yield Spoken(literal(keyword.value), place)
        if keyword.arg == "options" and isinstance(keyword.value, ast.Dict):
            yield from (Spoken(literal(value), place) for value in keyword.value.values)


QUOTED = r'"((?:[^"\\\n]|\\.)*)"'
SAID = re.compile(r"(?:(?<![\w.])say\(\s*|\b(?:say|label|hint|placeholder|heading|said):\s*)" + QUOTED)
SENTENCE_LIKE = re.compile(r"[A-Z{][^/<>=;]*[a-z][^/<>=;]* [^/<>=;]*|[A-Z][a-z]+…?")
KEYS = {"Escape", "Enter", "Tab", "Home", "End", "Delete", "Backspace", "Space", "Description", "Patchlight"}
KEYS |= {"Esc", "Tab, Shift+Tab", "Space, Enter"}
"""Names that browsers give to keys, and a PNG to its text chunks."""


def spoken_in_scripts() -> Iterator[Spoken]:
    """What the page's scripts say: every string that is said, and every one that reads like English."""
    for path in SCRIPTS:
        script = re.sub(r"^\s*(//|\*|/\*).*$", "", path.read_text(encoding="utf-8"), flags=re.M)
        texts = {ast.literal_eval(found[0]) for found in re.finditer(QUOTED, script)}
        said = {ast.literal_eval(f'"{found[1]}"') for found in SAID.finditer(script)}
        like = {text for text in texts if SENTENCE_LIKE.fullmatch(text)} - KEYS
        yield from (Spoken(text, str(path.relative_to(ROOT))) for text in sorted(said | like))


def spoken_in_cards() -> Iterator[Spoken]:
    file = ROOT / "assets" / "catalogue.toml"
    if not file.exists():
        return

    def trainings(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from [inner] if name == "training" and isinstance(inner, str) else trainings(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from trainings(inner)

    yield from (Spoken(text, "assets/catalogue.toml") for text in trainings(tomllib.loads(file.read_text("utf-8"))))


@cache
def spoken() -> list[Spoken]:
    found = [*spoken_in_code(), *spoken_in_scripts(), *spoken_in_cards()]
    once = {one.text or one.place: one for one in reversed(found)}.values()
    return [one for one in once if one.text is None or re.search("[A-Za-z]", re.sub(r"{.*?}", "", one.text))]


def facts(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def russian() -> dict[str, str]:
    return {
        english: translated
        for file in TRANSLATIONS
        for english, translated in tomllib.loads(file.read_text("utf-8")).items()
    }


def test_every_text_is_a_literal() -> None:
    """A text made at run time cannot be found by a translator."""
    assert [one.place for one in spoken() if one.text is None] == []


def test_every_text_has_its_russian() -> None:
    known = russian()
    assert [f"{one.place}: {one.text}" for one in spoken() if one.text is not None and one.text not in known] == []


def test_russian_names_the_same_facts() -> None:
    """A fact that is missing would be lost to Russian readers; one too many would break their page with a KeyError."""
    wrong = {english for english, translated in russian().items() if facts(english) != facts(translated)}
    assert wrong == set()


def test_no_translation_is_left_over() -> None:
    """What the code no longer says is not kept."""
    used = {node.value for _, tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    used |= {one.text for one in spoken()}
    assert [english for english in russian() if english not in used] == []


def test_no_text_is_translated_twice() -> None:
    pairs = [(english, file.name) for file in TRANSLATIONS for english in tomllib.loads(file.read_text("utf-8"))]
    first = dict(reversed(pairs))
    assert [(english, file, first[english]) for english, file in pairs if first[english] != file] == []


def test_russian_is_russian() -> None:
    foreign = {english for english, text in russian().items() if not re.search("[А-Яа-яЁё]", text)}
    assert foreign == {"Zero-shot", "Rollout"}, "these two are said in English in Russian lectures too"


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "ru").mkdir()
    lines = [
        '"Tokens: {tokens}" = "Токены: {tokens}"',
        '"One two." = "Раз два."',
        '"{a} after {b}" = "после {b} — {a}"',
    ]
    (tmp_path / "ru" / "a.toml").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(text, "FOLDER", tmp_path)
    text._catalogue.cache_clear()
    yield
    text._catalogue.cache_clear()


@pytest.mark.usefixtures("catalogue")
def test_a_sentence_is_translated_whole() -> None:
    assert say("Tokens: {tokens}", "ru", tokens=257) == "Токены: 257"
    assert say("Tokens: {tokens}", tokens=257) == "Tokens: 257"
    assert sentence(Refusal("{a} after {b}", a=1, b=2), "ru") == "после 2 — 1"
    assert dictionary("ru")["One two."] == "Раз два."
    assert dictionary("en")["One two."] == "One two."


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("fact", "english", "russian"), [("+0.40", "+0.40", "+0,40"), (-1.5, "−1.5", "−1,5"), ("< 0.1", "< 0.1", "< 0,1")]
)
def test_decimals_are_printed_as_the_language_prints_them(fact: object, english: str, russian: str) -> None:
    assert say("Tokens: {tokens}", tokens=fact) == f"Tokens: {english}"
    assert say("Tokens: {tokens}", "ru", tokens=fact) == f"Токены: {russian}"


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("fact", ["2.14.1", "vit-1.5", "1-2", -3, "x.5"])
def test_names_and_versions_are_no_decimals(fact: object) -> None:
    assert say("Tokens: {tokens}", "ru", tokens=fact) == f"Токены: {fact}"


def test_facts_are_never_templates() -> None:
    """A name with braces in it, such as a file's, must not be filled in again."""
    assert sentence(Fault("There is no {name}.", name="{0.__class__}"), "ru").endswith("{0.__class__}.")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(Fault, match="only en, ru"):
        say("Tokens: {tokens}", "de", tokens=1)
    assert LANGUAGES == ("en", "ru")


def test_what_an_evaluation_measures_has_a_russian_name() -> None:
    """Of every bundled network, whose figures are those that `evaluate` gives for its family."""
    files = sorted((ROOT / "assets" / "weights").glob("*/figures.json"))
    figures = [figure for file in files for figure in json.loads(file.read_text(encoding="utf-8"))["figures"]]
    names = {text for figure in figures for text in (figure["name"].removesuffix(" seen"), figure["against"])}
    plain = {re.sub(r", (combinations|styles)$", "", name) for name in names}
    assert len(files) > 6
    assert not {with_places(name) for name in plain} - set(dictionary("ru"))


def with_places(text: str) -> str:
    """As words.js asks for it: "caption among {n0}, top {n1}"."""
    places = count()
    return re.sub(r"\d+", lambda _: f"{{n{next(places)}}}", text)
