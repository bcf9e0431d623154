"""Whatever is sent to whatever address, of a public page or of one's own: an answer or one sentence, never HTTP 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from explorers import training_live
from explorers.text import dictionary
from tests.explorers.strangers import Visitor, asked_names, filled, launched, routes
from training import estimate

TEXTS = (
    "", " ", "\0", "²", "١٢", "-1", "1e999", "nan", "Infinity", "9" * 300, "a" * 300, "../../etc/passwd", "/" * 300,
    "~nobody/x", "[::1", "{x}", "%", "upload/../..", "run/x@²", "run/", "hf/../..", "file//", "true", "<script>",
    "é\u202e",
)  # fmt: skip

VALUES = (
    "null", "true", "0", "-1", "1.5", "NaN", "Infinity", "-Infinity", "1e999", "9" * 400, '""', '"²"', '"\\ud800"',
    '"\\u0000"', '"run/x"', '"' + "a" * 3000 + '"', '"~nobody/x"', "[]", "[1]", "{}", '{"a": {"b": NaN}}',
    "[" * 5000 + "]" * 5000,
)  # fmt: skip
"""As JSON has them, or as JavaScript and Python take them for JSON."""

RECIPE: dict[str, Any] = {"objective": "mae", "images": "shapes", "size": "nano", "side": 32, "patch": 8,
                          "language": "en", "captions": "", "few": 1, "smallest_object": 0.2}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "steps": 2,
    "batch": 4,
    "rate": 1e-3,
    "hours": 1.0,
    "seed": 1,
    "device": "cpu",
    "disk": 50.0,
}


ENDLESS = {
    f"/gradio_api/{name}" for name in ("dev/reload", "heartbeat/{session_hash}", "queue/data", "upload_progress")
}
"""Streams that are hung up after a second."""


@pytest.fixture(scope="module", params=["1", "0"], ids=["public", "own"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Visitor]]:
    def measured(*_: Any) -> estimate.Estimate:
        return estimate.Estimate(1, 1.0, 1.0, 1, 1, 1.0, False, 0.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATCHLIGHT_PUBLIC", request.param)
        patch.setenv("PATCHLIGHT_RUNS", str(tmp_path_factory.mktemp("runs")))
        patch.setenv("PATCHLIGHT_TRAINING_STEPS", "100")
        patch.setattr(training_live, "_tender", [None])  # nothing is started here
        patch.setattr(estimate, "estimate", measured)
        with launched() as (served, url):
            yield served, Visitor(url)


def test_no_address_breaks_by_what_it_is_asked(page: tuple[Any, Visitor]) -> None:
    served, visitor = page
    broken = []
    for method, path in sorted(set(routes(served.app.routes))):
        for text in TEXTS if path not in ENDLESS else TEXTS[:2]:
            query = "&".join(f"{name}={quote(text)}" for name in sorted(asked_names()))
            status, body = visitor.read(method, f"{filled(path, text)}?{query}")
            if status == 500:
                broken.append((method, path, text, body[:200]))
        status, body = visitor.read(method, f"{filled(path, 'x')}?run=%ED%A0%80&path=%FF")
        broken += [(method, path, "no UTF-8", body[:200])] if status == 500 else []
    assert not broken, "\n".join(map(str, broken[:60]))


def test_no_address_breaks_by_what_it_is_sent(page: tuple[Any, Visitor]) -> None:
    served, visitor = page
    broken = []
    kind = {"content-type": "application/json"}
    for method, path in sorted(set(routes(served.app.routes))):
        for value in VALUES if method == "POST" else ():
            for body in (
                value,
                f'{{"data": {value}}}',
                f'{{"data": [{value}], "fn_index": 0, "session_hash": "x"}}',
                "{",
            ):
                status, said = visitor.read(method, filled(path, "attention"), content=body, headers=kind)
                if status == 500:
                    broken.append((method, path, body[:80], said[:200]))
    assert not broken, "\n".join(map(str, broken[:60]))


def test_training_answers_every_value_in_one_sentence(page: tuple[Any, Visitor]) -> None:
    """Each field of what the form sends, with each value; what comes back is a sentence that has its Russian."""
    _, visitor = page
    russian, broken, headers = dictionary("ru"), [], {"content-type": "application/json"}
    for value in VALUES:
        for act, body in forms(value):
            answer = visitor.http.post(f"/patchlight/training/{act}", content=body, headers=headers)
            told = answer.status_code == 422 and answer.json()["fault"]["template"] in russian
            if not told and answer.status_code != 200:
                broken.append((act, body[:120], answer.status_code, answer.text[:200]))
    assert not broken, "\n".join(map(str, broken[:60]))


def forms(value: str) -> Iterator[tuple[str, str]]:
    """(act, JSON): a form that is right but for one value."""
    mark = "here it is"
    whole = {"name": "x", "form": "f", "recipe": {**RECIPE, "settings": SETTINGS, "options": {"ratio": 0.75}}}
    for act in ("start", "estimate"):
        for place in (whole, whole["recipe"], SETTINGS, whole["recipe"]["options"]):
            for name in list(place):
                kept, place[name] = place[name], mark
                yield act, json.dumps(whole).replace(json.dumps(mark), value)
                place[name] = kept
    for name in ("act", "run", "budgets"):
        yield (
            "act",
            json.dumps({"act": "resume", "run": "x", "budgets": None, name: mark}).replace(json.dumps(mark), value),
        )
