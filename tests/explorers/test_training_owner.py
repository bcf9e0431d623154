"""The rule of who may know a run, by itself; what every door does with it is in `test_two_visitors.py`."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from explorers import training_acts as acts
from explorers import training_live as live
from explorers.delivery import told
from explorers.discreet import discreet
from explorers.identity import version
from explorers.training_owner import COOKIE, HEADER, own_name, owned, owner, visitor_of
from explorers.training_words import finding
from models.card_catalogue import checkpoints, damaged, is_open
from models.faults import Fault
from models.visitor import NOBODY, asked_by, knows, owner_of, owns, visitor
from training import jobs, room
from training.names import free, is_name
from training.recipe import Recipe
from training.tender import surroundings

TOKEN = "a" * 32
SMALL = Recipe("mae", images="shapes", size="nano", side=32, settings={"steps": 5, "batch": 4})
CARD = {"title": "x", "family": "ViT"}


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(live, "_tender", [None])  # nothing is started here
    return tmp_path / "runs"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_PUBLIC", "1")


def begun(name: str, whose: str = "") -> Path:
    """A run with a network's description in it."""
    from models.card_catalogue import runs_folder

    folder = runs_folder() / jobs.submit(name, SMALL, whose).name
    for file, text in {"config.json": "{}", "card.json": json.dumps(CARD), "model.safetensors": ""}.items():
        (folder / file).write_text(text)
    return folder


# -- who asks ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shared")
def test_a_visitor_is_the_digest_of_a_token_in_header_or_cookie() -> None:
    by_header = visitor_of({HEADER: TOKEN})
    assert by_header == visitor_of({"cookie": f"other=1; {COOKIE}={TOKEN}"})
    assert by_header != visitor_of({HEADER: "b" * 32})
    assert TOKEN not in by_header
    for headers in (
        {},
        {HEADER: "short"},
        {HEADER: "a" * 65},
        {HEADER: f"{TOKEN};"},
        {"cookie": "="},
        {"cookie": COOKIE},
    ):
        assert visitor_of(headers) == NOBODY
    with asked_by(NOBODY), pytest.raises(Fault, match="without a visitor's token"):
        owner()


def test_on_ones_own_page_nobody_is_asked_who_they_are() -> None:
    assert visitor_of({HEADER: TOKEN}) == NOBODY
    assert owner() == ""
    begun("anns", "ann")
    assert owned("anns").name == "anns"
    assert is_open("run/anns")


def test_who_asks_goes_along_and_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with asked_by("ann"):
        with asked_by("bob"):
            assert visitor() == "bob"
        assert visitor() == "ann"
        assert surroundings()["PATCHLIGHT_VISITOR"] == "ann", (
            "a process that is asked for a visitor knows what they may"
        )
        assert surroundings("bob")["PATCHLIGHT_VISITOR"] == "bob"
    assert visitor() == NOBODY
    monkeypatch.setenv("PATCHLIGHT_VISITOR", "ann")
    assert visitor() == "ann"


# -- who may know ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("whose", "asks", "known", "own"),
    [("ann", "ann", True, True), ("ann", "bob", False, False), ("ann", "", False, False), ("", "bob", True, False)],
)
def test_one_rule_on_every_door(whose: str, asks: str, known: bool, own: bool) -> None:
    """Networks of the host's runs are everybody's; how a run was made, and what is done with it, its owner's alone."""
    folder = begun("one", whose)
    with asked_by(asks):
        assert (knows(folder), owns(folder)) == (known, own)
        assert is_open("run/one") == is_open("run/one@3") == is_open("run/one?random") == known
        assert ("run/one" in {card.id for card in checkpoints()}) == known
        for opens, may in (
            (lambda: version("run/one"), known),
            (lambda: owned("one"), own),
            (lambda: finding("one"), own),
        ):
            if may:
                opens()
            else:
                with pytest.raises(Fault):
                    opens()


@pytest.mark.usefixtures("shared")
def test_a_run_whose_owner_cannot_be_read_is_nobodys() -> None:
    folder = begun("one", "ann")
    for damage in (b"{", b"[]", b"\xff", b"3"):
        (folder / "job.json").write_bytes(damage)
        assert owner_of(folder) is None
        for asks in ("ann", "bob", ""):
            with asked_by(asks):
                assert not knows(folder)
                assert not owns(folder)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    "id", ["run/.uploads", "run/../runs/one", "run/one/", "run/ONE", "file/runs/one", "hf/a/b", "timm/x"]
)
def test_near_names_and_paths_open_nothing(id: str) -> None:
    begun("one")
    with asked_by("ann"):
        assert not is_open(id)


# -- names -------------------------------------------------------------------------------------------------------------


def test_names_keep_the_letters_of_every_language() -> None:
    assert free("Мои формы!") == "Мои-формы"
    assert free("é") == free("é") == "é", "however it was typed"
    assert free("写真 1") == "写真-1"
    assert free("…") == free("../..") == free("\ud800") == "run"
    assert len(free("ш" * 300).encode()) <= 200
    for text in ("", ".x", "-x", "_x", "a/b", "a b", "a\n", "x" * 101, "ш" * 101, "写" * 90):
        assert not is_name(text)
    begun("Мои-формы")
    assert free("Мои формы!") == "Мои-формы-2"
    assert own_name("Мои-формы") == "Мои-формы"


def test_who_presses_at_once_gets_a_run_each() -> None:
    """Choosing a name and taking it is one act."""
    together = threading.Barrier(8)

    def pressed(_: int) -> str:
        together.wait()
        return jobs.submit("q", SMALL, free=True).name

    with ThreadPoolExecutor(8) as pool:
        names = sorted(pool.map(pressed, range(8)))
    assert names == ["q", *(f"q-{number}" for number in range(2, 9))]


# -- what is damaged, switched off, or of this machine -----------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", '{"title": {}}', '{"abilities": 3, "title": "x"}', '{"parameters": "many"}']
)
def test_one_damaged_card_takes_no_list_with_it(text: str) -> None:
    whole, hurt = begun("whole"), begun("hurt")
    (hurt / "card.json").write_text(text)
    ids = {card.id for card in checkpoints()}
    assert f"run/{whole.name}" in ids
    assert "run/hurt" not in ids
    assert damaged() == ("run/hurt",), "it is left out, and that is said"


@pytest.mark.parametrize(
    ("file", "text"),
    [("settings.json", text) for text in ("{", "[]", '{"settings": {"steps": "x"}}', '{"settings": 3}')]
    + [("status.json", text) for text in ('{"state": []}', '{"seconds": {}}', '{"facts": 3, "begun": []}')]
    + [("job.json", '{"queued": "now"}'), ("job.json", "{"), ("metrics.jsonl", '{"step": "x", "seconds": []}\n')],
)
def test_one_damaged_run_takes_no_list_with_it(file: str, text: str) -> None:
    begun("whole")
    (begun("hurt") / file).write_text(text)
    answer: dict[str, Any] = live.runs({})
    names = {run["name"] for run in answer["runs"]}
    assert "whole" in names
    assert ("hurt" in names) != ("hurt" in answer["damaged"]), "it is listed, or said to be left out"
    if file == "settings.json":
        assert answer["damaged"] == ("hurt",)
    acts.act({"run": "hurt", "act": "delete"})
    assert live.runs({})["damaged"] == ()


def test_a_switch_closes_every_door_of_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    begun("early")
    monkeypatch.setenv("PATCHLIGHT_TRAINING", "off")
    recipe = {"objective": "mae", "images": "shapes", "size": "nano", "side": 32, "patch": 8}
    for door in (
        lambda: acts.start({"name": "x", "recipe": recipe}),
        lambda: acts.estimate({"recipe": recipe}),
        lambda: acts.act({"run": "early", "act": "resume"}),
        lambda: acts.act({"run": "early", "act": "evaluate"}),
    ):
        with pytest.raises(Fault, match="Training is switched off"):
            door()
    acts.act({"run": "early", "act": "delete"})


@pytest.mark.usefixtures("shared")
def test_no_place_of_the_machine_is_told() -> None:
    assert discreet("No such file: '/srv/secret/runs/a.png'") == "No such file: 'a.png'"
    assert discreet("~/photos/x.csv and C:\\Users\\me\\x.csv") == "x.csv and x.csv"
    for kept in ("hf/owner/name", "https://huggingface.co/a/b", "3 / 4", "upload/abc/x", "16 × 16, 1/s"):
        assert discreet(kept) == kept
    fault = told(Fault("{path} and {rate} and {text}", path=Path("/srv/secret/x"), rate=float("nan"), text="\ud800"))
    assert fault["fault"]["facts"] == {"path": "x", "rate": "nan", "text": "?"}
    full = room.full(OSError(28, "No space left on device"), Path("/srv/secret/runs/mine"))
    assert "/srv" not in str(full)
    assert "The run in mine was to be written, but the disk is full" in str(full)


def test_on_ones_own_machine_places_are_told() -> None:
    assert discreet("/srv/secret/runs/a.png") == "/srv/secret/runs/a.png"
