"""Whether the Train tab's addresses do what they are asked, for whom they should, and say what is wrong."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorers import training_acts as acts
from explorers import training_live
from explorers.bundle import unpack
from explorers.call import calling
from explorers.origins import hosts
from explorers.safety import Guard
from explorers.text import dictionary
from explorers.training_addresses import routes
from explorers.training_compare import difference, measured
from explorers.training_form import _everything, asked, declared
from explorers.training_run import EXPLORER
from models.faults import Fault
from tests.conftest import wait_for
from training.child import Withdrawn
from training.recipe import Recipe
from training.uploads import place

RECIPE: dict[str, Any] = {"objective": "mae", "images": "shapes", "size": "nano", "side": 32, "patch": 4,
                          "settings": {"steps": 50, "batch": 4}}  # fmt: skip
FIRST, SECOND = ({"x-patchlight-owner": letter * 32} for letter in "ab")


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    monkeypatch.setattr(training_live, "_tender", [None])  # nothing is started here
    return tmp_path


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Guard(Starlette(routes=list(routes())), hosts()), "http://localhost") as served:
        yield served


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_PUBLIC", "1")


def start(client: TestClient, name: str = "first", **headers: str) -> str:
    answer = client.post("/patchlight/training/start", json={"name": name, "recipe": RECIPE}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["name"]


def listed(client: TestClient, **headers: str) -> list[dict[str, Any]]:
    return client.get("/patchlight/training/runs", headers=headers).json()["runs"]


def learnt(folder: Path, name: str, losses: list[float], offset: int = 0) -> None:
    lines = [
        {"step": step, "loss": loss, "seen": 4 * step, "seconds": step / 10, "rate": 1e-3, "speed": 40, "memory": 10**8}
        for step, loss in enumerate(losses, offset + 1)
    ]
    with (folder / name / "metrics.jsonl").open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def test_a_run_is_queued_watched_and_deleted(client: TestClient, runs: Path) -> None:
    assert start(client, "my run!") == "my-run"
    assert start(client, "my run!") == "my-run-2", "a name that is taken gets a number"
    places = {run["name"]: (run["state"], run["place"]) for run in listed(client)}
    assert places == {"my-run": ("waiting", 1), "my-run-2": ("waiting", 2)}
    learnt(runs, "my-run", [2.0, 1.0])
    facts, arrays = unpack(client.get("/patchlight/training/watch", params={"run": "my-run"}).content)
    assert facts["run"]["step"] == 2
    assert facts["whole"] is True
    np.testing.assert_array_equal(arrays[f"column.{facts['names'].index('loss')}"], [2.0, 1.0])
    learnt(runs, "my-run", [0.5], offset=2)
    asked_for = {"run": "my-run", "since": facts["since"]}
    more, fresh = unpack(client.get("/patchlight/training/watch", params=asked_for).content)
    assert more["whole"] is False
    np.testing.assert_array_equal(fresh[f"column.{more['names'].index('step')}"], [3])
    assert client.post("/patchlight/training/act", json={"run": "my-run", "act": "delete"}).status_code == 200
    assert [run["place"] for run in listed(client)] == [1], "the next one moves up"


def test_paused_runs_wait_again_when_resumed(client: TestClient) -> None:
    name = start(client)
    for act, state in (("pause", "paused"), ("resume", "waiting"), ("stop", "stopped")):
        assert client.post("/patchlight/training/act", json={"run": name, "act": act}).status_code == 200
        assert listed(client)[0]["state"] == state
    wrong = {"run": name, "act": "resume", "budgets": 3}
    assert client.post("/patchlight/training/act", json=wrong).status_code == 422
    wider = {"run": name, "act": "resume", "budgets": {"hours": 3}}
    assert client.post("/patchlight/training/act", json=wider).status_code == 200
    assert listed(client)[0]["recipe"]["settings"]["hours"] == 3


@pytest.mark.usefixtures("shared")
def test_visitors_of_a_shared_host_see_their_own_runs_only(client: TestClient, runs: Path) -> None:
    mine = start(client, "mine", **FIRST)
    assert mine.startswith("mine-")
    assert len(mine) > len("mine-") + 10, "a name that opens a network must not be guessed"
    assert [run["name"] for run in listed(client, **FIRST)] == [mine]
    assert listed(client, **SECOND) == []
    for path in ("watch", "kept", "curves", "views"):
        others = client.get(f"/patchlight/training/{path}", params={"run": mine}, headers=SECOND)
        nobodys = client.get(f"/patchlight/training/{path}", params={"run": "nobody"}, headers=SECOND)
        assert others.status_code == nobodys.status_code == 422
        assert others.json()["fault"]["template"] == nobodys.json()["fault"]["template"]
    done = client.post("/patchlight/training/act", json={"run": mine, "act": "delete"}, headers=SECOND)
    assert done.status_code == 422
    assert (runs / mine).is_dir()
    assert FIRST["x-patchlight-owner"] not in (runs / mine / "job.json").read_text(), "the token itself is not kept"
    assert client.get("/patchlight/training/runs").status_code == 422, "nobody in particular"


@pytest.mark.usefixtures("shared")
def test_a_visitors_run_is_not_listed_among_networks(client: TestClient, runs: Path) -> None:
    from models.card_catalogue import checkpoints

    name = start(client, "mine", **FIRST)
    for file, text in {
        "config.json": "{}",
        "card.json": '{"title": "x", "family": "ViT"}',
        "model.safetensors": "",
    }.items():
        (runs / name / file).write_text(text)
    assert f"run/{name}" not in {card.id for card in checkpoints()}
    (runs / name / "job.json").write_text("{}")
    assert f"run/{name}" in {card.id for card in checkpoints()}, "a run without an owner is everybody's"


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("images", ["/etc", "hub/somebody/something", "../other"])
def test_a_shared_host_reads_no_paths(client: TestClient, images: str) -> None:
    body = {"name": "x", "recipe": {**RECIPE, "images": images}}
    answer = client.post("/patchlight/training/start", json=body, headers=FIRST)
    assert answer.status_code == 422
    assert "public page" in answer.json()["fault"]["template"]


def test_training_is_switched_off_with_a_sentence(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_TRAINING", "off")
    off = client.get("/patchlight/training/runs").json()["off"]
    assert off["template"].startswith("Training is switched off")
    answer = client.post("/patchlight/training/start", json={"name": "x", "recipe": RECIPE})
    assert answer.json()["fault"]["template"] == off["template"]


class Measuring:
    """Stands for the process that measures: it goes on until nobody wants it; `begun` names the sizes it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self.answers = threading.Event()
        monkeypatch.setattr("training.estimate._asked", self)

    def __call__(self, made: Recipe, wanted: Callable[[], bool]) -> dict[str, float]:
        self.begun.append(made.size)
        end = time.monotonic() + 60
        while not self.answers.wait(0.02):
            assert time.monotonic() < end, "nobody withdrew it"
            if not wanted():
                raise Withdrawn
        return {"parameters": 1, "seconds_per_step": 0.5, "memory": 1}


def asking(told: dict[str, Any], size: str, form: str) -> threading.Thread:
    def ask() -> None:
        told[size] = acts.estimate({"recipe": {**RECIPE, "size": size}, "form": form})

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_nobody_waits_behind_a_question_that_nobody_asks_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong if the estimate of the first preset, begun as the tab opened, held up the one that was chosen, or went on
    beside the run that was begun meanwhile."""
    measuring, told = Measuring(monkeypatch), {}
    threads = []
    for size in ("nano", "micro", "milli"):
        threads.append(asking(told, size, "mine"))
        wait_for(lambda size=size: measuring.begun[-1:] == [size], 20)
    wait_for(lambda: {"nano", "micro"} <= told.keys(), 20)
    assert (told["nano"], told["micro"]) == ({}, {})
    acts.start({"name": "begun", "recipe": RECIPE, "form": "mine"})
    wait_for(lambda: "milli" in told, 20)
    assert told["milli"] == {}
    threads.append(asking(told, "mini", "another"))
    measuring.answers.set()
    for thread in threads:
        thread.join(20)
    assert (told["mini"]["steps"], told["mini"]["seconds_per_step"], told["mini"]["fewest"]) == (50, 0.5, 100)


def test_a_page_that_has_gone_asks_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    measuring, gone = Measuring(monkeypatch), threading.Event()
    told: dict[str, Any] = {}

    def ask() -> None:
        with calling(gone.is_set):
            told["answer"] = acts.estimate({"recipe": RECIPE, "form": "left"})

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(lambda: measuring.begun == ["nano"], 20)
    gone.set()
    thread.join(20)
    assert told["answer"] == {}


def test_a_field_is_shown_only_where_it_does_something() -> None:
    """What each objective and each kind of pictures heeds, as the form is told it."""
    form = declared()
    idle = {method["name"]: set(method["idle"]) for method in form["objectives"]}
    assert idle.pop("probe") >= {"size", "patch"}, "they are the probed network's own"
    apart = {name for name, fields in idle.items() if "accumulate" in fields}
    assert apart == {"clip", "siglip", "simclr", "dino"}, "parts of a batch have no negatives of one another"
    assert all(fields <= {"accumulate"} for fields in idle.values())
    assert [method["name"] for method in form["objectives"] if method["given"]] == ["probe"], "side 0 is its network's"
    reads = {entry["name"]: set(entry["reads"]) for entry in form["datasets"]}
    assert reads.keys() == {"emoji", "scenes", "shapes"}, "a form of names, hub/<owner>/<name>, is no set to choose"
    assert "alike" in reads["shapes"]
    assert not reads["emoji"] & {"alike", "many"}
    assert (form["reads"]["hub"], form["reads"]["zip"]) == (["captions", "streaming"], [])
    known = {choice["name"] for choice in form["recipe"]} | {choice["name"] for choice in form["settings"]}
    assert set(form["reads"]["all"]) | {name for method in form["objectives"] for name in method["idle"]} <= known


def test_limits_are_told_before_anything_is_measured(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_TRAINING_STEPS", "10")
    answer = client.post("/patchlight/training/estimate", json={"recipe": RECIPE})
    assert answer.status_code == 422
    assert answer.json()["fault"]["facts"] == {"steps": 50, "most": 10}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("start", {"name": "x"}),
        ("start", {"name": 3, "recipe": RECIPE}),
        ("start", {"name": "x", "recipe": [1]}),
        ("start", {"name": "x", "recipe": {**RECIPE, "settings": "fast"}}),
        ("start", {"name": "x", "recipe": {**RECIPE, "settings": {"steps": True}}}),
        ("start", {"name": "x", "recipe": {**RECIPE, "objective": "../evil"}}),
        ("start", {"name": "x", "recipe": {**RECIPE, "images": "/nowhere/at/all"}}),
        ("act", {"run": "../../etc", "act": "delete"}),
        ("act", {"run": "x", "act": "submit"}),
        ("act", []),
    ],
)
def test_bad_input_gets_one_sentence(client: TestClient, path: str, body: object) -> None:
    answer = client.post(f"/patchlight/training/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["fault"]["template"] in dictionary("ru"), "and the sentence has its Russian"


def test_no_form_of_another_site_can_act(client: TestClient) -> None:
    """A browser sends plain text and forms across sites without asking; JSON it must ask for first."""
    body = json.dumps({"name": "x", "recipe": RECIPE})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = client.post("/patchlight/training/start", content=body, headers={"content-type": kind})
        assert answer.status_code == 422
    assert listed(client) == []


def test_an_archive_of_pictures_becomes_a_folder(client: TestClient, runs: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(3):
            picture = io.BytesIO()
            Image.new("RGB", (8, 8), (number, 0, 0)).save(picture, "PNG")
            archive.writestr(f"{number}.png", picture.getvalue())
        for other in ("5.heic", "notes.txt", "metadata.csv"):
            archive.writestr(other, "file_name,text\n0.png,red")
    kind = {"content-type": "application/zip"}
    named = {"name": "../../мои shapes.zip"}
    answer = client.post("/patchlight/training/upload", params=named, content=stream.getvalue(), headers=kind)
    told = answer.json()
    assert told["images"].startswith("upload/"), "a name, and no path of this machine"
    assert told["images"].endswith("/мои shapes")
    folder = place(told["images"])
    assert folder.is_relative_to(runs / ".uploads")
    assert len([*folder.glob("*.png")]) == told["count"] == 3
    assert told["left"] == 2, "what is passed over is counted, and a table beside pictures is not passed over"
    broken = client.post("/patchlight/training/upload", content=b"no zip", headers=kind)
    assert broken.status_code == 422


# -- form and comparison -----------------------------------------------------------------------------------------------


def test_everything_that_can_be_chosen_has_a_russian_name_and_meaning() -> None:
    known, everything = dictionary("ru"), _everything()
    choices = [*everything["recipe"], *everything["settings"]]
    choices += [choice for objective in everything["objectives"] for choice in objective["options"]]
    latin = {"τ", "CLIP", "DINO", "MAE", "SigLIP", "SimCLR", "SimMIM"}
    texts = [choice[part] for choice in choices for part in ("title", "help")]
    texts += [objective[part] for objective in everything["objectives"] for part in ("title", "about")]
    assert [text for text in dict.fromkeys(texts) if text not in known and text not in latin] == []


def test_what_matters_and_the_papers_values_are_of_settings_that_exist() -> None:
    everything = _everything()
    engine = {choice["name"] for choice in everything["settings"]}
    for objective in everything["objectives"]:
        own = engine | {choice["name"] for choice in objective["options"]}
        assert {*objective["matters"], *objective["papers"]} <= own, objective["name"]


def test_presets_are_recipes_that_the_server_takes_back() -> None:
    presets = declared()["presets"]
    assert {preset["group"] for preset in presets} == {"time", "lab", "diagonal"}
    for preset in presets:
        assert asked(preset["recipe"]).plain() == preset["recipe"], preset["name"]


def test_a_comparison_names_what_differs() -> None:
    rows = difference([{"size": "nano", "batch": 4}, {"size": "nano", "batch": 8, "ratio": 0.75}])
    assert {row["name"]: row["values"] for row in rows} == {"batch": [4, 8], "ratio": [None, 0.75]}
    figure = {"name": "k-NN accuracy", "value": 0.5}
    assert measured([{"figures": [figure]}, None]) == [{"name": "k-NN accuracy", "values": [figure, None]}]


# -- endpoint and shell ------------------------------------------------------------------------------------------------


def test_the_endpoint_returns_the_curves(client: TestClient, runs: Path) -> None:
    name = start(client)
    learnt(runs, name, [2.0, 1.5, 1.0])
    found = EXPLORER.run(None, f"run/{name}")
    np.testing.assert_array_equal(found.arrays["loss"], np.array([2.0, 1.5, 1.0], np.float32))
    assert found.arrays["seen"].tolist() == [4, 8, 12]
    assert "After 3 of 50 steps and 12 pictures the loss is 1; it began at 2." in found.said()
    with pytest.raises(Fault, match="No run is called nobody"):
        EXPLORER.run(None, "run/nobody")
