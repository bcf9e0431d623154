"""Whether an explorer's endpoint answers, and refuses, as its declaration says: over HTTP, from a real client."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from starlette.requests import Request
from starlette.routing import Route

from explorers import delivery, endpoint
from explorers.explorer import Explorer
from explorers.gate import gate
from tests.conftest import wait_for

PICTURE = Path(__file__).resolve().parent.parent.parent / "assets" / "pictures" / "cat.jpg"
NETWORK = "timm/test_vit?random"


@pytest.fixture(scope="module")
def client(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(
        server, verbose=False, download_files=str(tmp_path_factory.mktemp("answers")), analytics_enabled=False
    )
    yield client
    client.close()


def ask(client: Client, **values: Any) -> Any:
    given = {"image": handle_file(str(PICTURE)), "checkpoint": NETWORK, **values}
    return client.predict(**given, api_name="/norms")


def test_the_endpoint_answers_as_python_does(client: Client, toy: Explorer) -> None:
    said, file = ask(client, layer=3, head=1, patch=7)
    found = toy.run(PICTURE, NETWORK, layer=3, head=1, patch=7)
    assert said == {
        "caption": {"en": found.said("en"), "ru": found.said("ru")},
        "facts": {"grid": [7, 10], "share": 0.6},
    }
    with np.load(file) as numbers:
        assert numbers["norms"].dtype == np.float32
        assert numbers["row"].sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(numbers["norms"], found.arrays["norms"], rtol=1e-6)
        assert json.loads(str(numbers["caption"])) == said


def test_the_endpoint_documents_the_declaration(client: Client) -> None:
    known = client.view_api(return_format="dict", print_info=False)
    assert isinstance(known, dict)
    parameters = {one["parameter_name"]: one for one in known["named_endpoints"]["/norms"]["parameters"]}
    assert [name for name, one in parameters.items() if not one["parameter_has_default"]] == ["image", "checkpoint"]
    assert parameters["share"]["parameter_default"] == 0.6
    assert parameters["fit"]["type"]["enum"] == ["whole", "crop"]


WRONG = [
    ({"layer": 100}, "The parameter layer was given 100; give a whole number from -1 to 99."),
    (
        {"layer": 50},
        "The parameter layer was given 50, but this network and picture allow -1 to 5; choose one of those.",
    ),
    ({"head": 50}, "The parameter head was given 50, but this network and picture allow 0 to 1; choose one of those."),
    (
        {"patch": 70},
        "The parameter patch was given 70, but this network and picture allow 0 to 69; choose one of those.",
    ),
    ({"layer": [1, 2]}, "The parameter layer was given [1, 2]; give a whole number from -1 to 99."),
    ({"layer": True}, "The parameter layer was given True; give a whole number from -1 to 99."),
    ({"layer": 2.5}, "The parameter layer was given 2.5; give a whole number from -1 to 99."),
    ({"row": "yes"}, "The parameter row was given 'yes'; give true or false."),
    ({"fit": {"a": 1}}, "The parameter fit was given {'a': 1}; give one of: whole, crop."),
    ({"checkpoint": None}, "The parameter checkpoint is missing; give it together with the others."),
    ({"image": None}, "A picture was asked for, but there is None; upload one as `image`."),
    ({"image": "cat.jpg"}, "A picture was asked for, but there is 'cat.jpg'; upload one as `image`."),
]


@pytest.mark.parametrize(("values", "sentence"), WRONG, ids=[f"{i}" for i in range(len(WRONG))])
def test_bad_input_gets_one_sentence(client: Client, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AppError) as refused:
        ask(client, **values)
    assert refused.value.message == sentence


def test_a_file_that_is_no_picture_is_refused(client: Client) -> None:
    with pytest.raises(AppError, match=r"test_endpoint\.py is not a picture that can be read here") as refused:
        ask(client, image=handle_file(__file__))
    assert "Traceback" not in refused.value.message


@pytest.mark.parametrize("checkpoint", ["timm/no_such_network_at_all", "nowhere/x", "timm/" + "x" * 190])
def test_an_unknown_checkpoint_is_named(client: Client, checkpoint: str) -> None:
    with pytest.raises(AppError) as refused:
        ask(client, checkpoint=checkpoint)
    name = checkpoint.partition("/")[2][:100]
    assert name in refused.value.message
    assert "\n" not in refused.value.message


def test_an_unknown_or_missing_parameter_is_named_by_the_client_itself(client: Client) -> None:
    with pytest.raises(TypeError, match="`lyer` is not a valid key-word argument"):
        ask(client, lyer=3)
    with pytest.raises(TypeError, match="required argument: checkpoint"):
        client.predict(image=handle_file(str(PICTURE)), api_name="/norms")


# -- requests that no well-behaved client sends ------------------------------------------------------------------------


def posted(server: str, body: dict[str, Any], path: str = "call/v2/norms") -> httpx.Response:
    text = json.dumps(body)
    return httpx.post(f"{server}/gradio_api/{path}", content=text, headers={"content-type": "application/json"})


def event(server: str, body: dict[str, Any]) -> str:
    """What the server sends for a raw call."""
    joined = posted(server, body)
    assert joined.status_code == 200, joined.text
    address = f"{server}/gradio_api/call/v2/norms/{joined.json()['event_id']}"
    return httpx.get(address, timeout=30).text


def uploaded(server: str) -> dict[str, Any]:
    sent = httpx.post(f"{server}/gradio_api/upload", files={"files": ("cat.jpg", PICTURE.read_bytes())})
    return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}


def test_not_a_number_is_refused_on_the_wire(server: str) -> None:
    found = event(server, {"image": uploaded(server), "checkpoint": NETWORK, "share": float("nan")})
    assert "The parameter share was given nan; give a number from 0 to 1." in found
    found = event(server, {"image": uploaded(server), "checkpoint": NETWORK, "share": float("inf")})
    assert "The parameter share was given inf; give a number from 0 to 1." in found


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../../etc/hostname", str(PICTURE), "http://127.0.0.1/x.png", ""]
)
def test_only_uploads_are_opened(server: str, path: str) -> None:
    """Whoever asks may name any path; a file of this machine must not become a picture on somebody's page."""
    plain = event(server, {"image": {"path": path}, "checkpoint": NETWORK})
    assert "was not uploaded here; send the file itself." in plain
    file = event(server, {"image": {"path": path, "meta": {"_type": "gradio.FileData"}}, "checkpoint": NETWORK})
    assert file.split() == ["event:", "error", "data:", '{"error":', "null}"], "gradio's own check let a path through"


def test_unknown_and_missing_parameters_are_the_callers_fault(server: str) -> None:
    unknown = posted(server, {"image": None, "checkpoint": NETWORK, "lyer<b>": 3})
    assert unknown.status_code == 422
    assert unknown.json()["error"].startswith("The parameter 'lyer\\x3cb\\x3e' was given, but this endpoint has none")
    missing = posted(server, {"image": None})
    assert missing.status_code == 422
    assert missing.json()["error"] == "The parameter 'checkpoint' is missing; give it."


def test_the_queue_cannot_be_passed_by(server: str) -> None:
    direct = posted(server, {"data": [uploaded(server), NETWORK]}, "run/norms")
    assert direct.status_code == 404


def test_answers_do_not_pile_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "KEPT", 2)
    for patch in range(4):
        ask(client, patch=patch)
    assert len(endpoint._answers) == 2
    assert all(folder.is_dir() for folder in endpoint._answers)
    assert len([*endpoint._answers[0].parent.iterdir()]) >= 2


def test_many_at_once_get_the_same_answer(client: Client) -> None:
    jobs = [client.submit(handle_file(str(PICTURE)), NETWORK, api_name="/norms") for _ in range(4)]
    start = time.monotonic()
    answers = [job.result(timeout=30)[0] for job in jobs]
    assert all(one == answers[0] for one in answers)
    assert time.monotonic() - start < 20


def test_work_for_somebody_who_has_gone_leaves_the_line(server: str) -> None:
    """Who closes the connection waits no more, and others need not wait for what nobody will read."""
    body = {"image": uploaded(server), "checkpoint": NETWORK, "side": 333}
    with gate():
        joined = posted(server, body).json()["event_id"]
        address = f"{server}/gradio_api/call/v2/norms/{joined}"
        with httpx.stream("GET", address, timeout=30):
            wait_for(lambda: gate.waiting == 1, seconds=20)
        wait_for(lambda: gate.waiting == 0, seconds=40)


def test_an_answer_that_is_worked_out_stops_when_its_reader_has_gone() -> None:
    """The page's own fetches pass beside Gradio's queue."""
    began = threading.Event()

    def answer(_: object) -> bytes:
        began.set()
        with gate():
            return b"late"

    name = delivery.offer(answer).rpartition("/")[2]
    route = next(route for route in delivery.routes() if isinstance(route, Route))
    scope = {"type": "http", "method": "GET", "path": "", "query_string": b"", "headers": [],
             "path_params": {"name": name}}  # fmt: skip

    async def receive() -> dict[str, str]:
        while gate.waiting == 0:
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    with ThreadPoolExecutor(1) as pool, gate():
        asked = pool.submit(asyncio.run, route.endpoint(Request(scope, receive)))  # pyright: ignore
        assert began.wait(10)
        response = asked.result(20)
    assert response.status_code == 422
    assert b"The work was stopped" in response.body
    assert gate.waiting == 0
