"""Retrieval and the embedding map as their users call them, with the bundled CLIP and folders of drawn pictures."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor, ImageDraw

from explorers import (
    gallery_index,
    gallery_making,
    gallery_page,
    lent,
    lettering,
    retrieve_answers,
    retrieve_page,
    traces,
)
from explorers.__main__ import main
from explorers.bundle import unpack
from explorers.embedding_map import embedding_map
from explorers.frame import Desk
from explorers.gallery_index import index_of, picture_vector
from explorers.gallery_page import Wanted, state
from explorers.retrieve import Question, retrieve
from explorers.retrieve_page import found
from models.card import Card
from models.create import create
from models.faults import Fault
from models.pixels import Pixels
from models.weights import save
from training.words import tower, words

CLIP = "bundled/clip"
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "cyan", "pink")


@pytest.fixture(autouse=True)
def restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache folder of its own, and nothing in memory from other tests."""
    monkeypatch.setenv("PATCHLIGHT_CACHE", str(tmp_path / "cache"))
    restart()
    yield
    restart()


def restart() -> None:
    """As another process would find things: what is on the disk, and nothing in memory."""
    gallery_index._indices.clear()
    gallery_index._partitions.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Circles and squares of eight colours, one of them in a folder inside."""
    place = tmp_path / "pictures"
    (place / "inside").mkdir(parents=True)
    for number, colour in enumerate(COLOURS):
        image = Image.new("RGB", (120, 96), "white")
        pen = ImageDraw.Draw(image)
        (pen.ellipse if number % 2 else pen.rectangle)((30, 20, 86, 76), fill=colour)
        image.save(place / ("inside" if number == 0 else "") / f"{colour}.png")
    return place


def asked(folder: Path, **values: Any) -> Any:
    return retrieve(None, CLIP, gallery="folder", folder=str(folder), **values)


def test_what_is_found_is_what_brute_force_finds(folder: Path) -> None:
    finding = asked(folder, text="a green circle", k=5)
    query = finding.arrays["query"]
    cosines = {file.relative_to(folder).as_posix(): float(picture_vector(CLIP, Image.open(file).convert("RGB")) @ query)
               for file in folder.rglob("*.png")}  # fmt: skip
    names = [hit["name"] for hit in finding.facts["hits"]]
    assert names == sorted(cosines, key=lambda name: -cosines[name])[:5]
    assert [hit["cosine"] for hit in finding.facts["hits"]] == pytest.approx(
        [cosines[name] for name in names], abs=1e-4
    )
    assert finding.arrays["cosines"].shape == (8,)
    assert names[0] in finding.said()


def test_a_picture_finds_itself_and_the_gallerys_own_is_left_out(folder: Path) -> None:
    finding = retrieve(folder / "blue.png", CLIP, gallery="folder", folder=str(folder), k=3)
    assert finding.facts["hits"][0]["name"] == "blue.png"
    assert finding.arrays["cosine"][0] == pytest.approx(1, abs=1e-4)
    place = int(finding.arrays["items"][0])
    others = asked(folder, item=place)
    assert len(others.facts["hits"]) == 7
    assert place not in others.arrays["items"]
    assert others.arrays["items"][:2].tolist() == finding.arrays["items"][1:3].tolist()


@pytest.mark.parametrize(("checkpoint", "space"), [("bundled/vit", "CLS"), ("bundled/simmim", "mean")])
def test_networks_without_texts_compare_pictures_and_say_how(folder: Path, checkpoint: str, space: str) -> None:
    finding = retrieve(folder / "blue.png", checkpoint, gallery="folder",
                       folder=str(folder))  # fmt: skip
    assert finding.facts["hits"][0]["name"] == "blue.png"
    assert finding.facts["space"] == space
    assert "no loss made its cosine a likeness" in finding.said()
    with pytest.raises(Fault, match="has no text tower; ask with a picture"):
        retrieve(None, checkpoint, gallery="folder", folder=str(folder), text="a blue square")


def test_faiss_finds_the_same_and_says_that_it_may_not(folder: Path) -> None:
    exact, quick = (asked(folder, text="a red square", search=search, k=1) for search in ("exact", "faiss"))
    assert exact.facts["hits"][0]["item"] == quick.facts["hits"][0]["item"]
    assert "would be missed" in quick.said()
    assert "would be missed" not in exact.said()


def test_beyond_the_limit_of_exact_search_faiss_is_asked_by_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieve_answers, "EXACT", 4)
    assert asked(folder, text="a red square").facts["search"] == "faiss"
    restart()
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(Fault, match="install the package faiss-cpu, or ask for exact search"):
        asked(folder, text="a red square")
    assert asked(folder, text="a red square", search="exact").facts["search"] == "exact"


def test_a_siglip_ranks_as_its_own_scores_do(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that nobody trained: what it finds is arbitrary, but it is what its own logits say."""
    torch.manual_seed(7)
    tokenizer, half = words(["a red square", "a green circle"]), (0.5, 0.5, 0.5)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    text = {**size, **tower(tokenizer, 32, 2), "projection_size": 32}
    config = {"text_config": text, "vision_config": {**size, "image_size": 32, "patch_size": 8}}
    described = {"library": "transformers", "class": "SiglipModel", "config": config}
    card, pixels = Card("run/small", "Small", "SigLIP"), Pixels((32, 32), 8, 8, half, half)
    save(tmp_path / "runs" / "small", create(described), described, card, pixels, tokenizer.to_str())
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path / "runs"))
    finding = retrieve(None, "run/small", gallery="folder", folder=str(folder), text="a green circle")
    network: Any = traces.backbone("run/small")
    vectors = index_of("run/small", "folder", str(folder)).index.vectors
    scores = network.text_scores(torch.from_numpy(vectors), network.text_features(["a green circle"]))
    assert scores.logits[:, 0].argsort(descending=True).tolist() == finding.arrays["items"].tolist()
    assert finding.facts["space"] == "joint"


# -- the index ---------------------------------------------------------------------------------------------------------


def test_an_index_survives_a_restart_and_follows_the_folder(folder: Path) -> None:
    assert index_of(CLIP, "folder", str(folder)).fresh == 8
    restart()
    again = index_of(CLIP, "folder", str(folder))
    assert (again.fresh, len(again.index)) == (0, 8)
    shutil.copy(folder / "green.png", folder / "another.png")
    (folder / "pink.png").unlink()
    Image.new("RGB", (50, 50), "black").save(folder / "blue.png")
    changed = index_of(CLIP, "folder", str(folder))
    assert changed.fresh == 2, "the new picture and the changed one alone"
    names = changed.index.names
    assert "pink.png" not in names
    assert np.allclose(
        changed.index.vectors[names.index("another.png")], changed.index.vectors[names.index("green.png")]
    )
    black = picture_vector(CLIP, Image.new("RGB", (50, 50), "black"))
    assert changed.index.vectors[names.index("blue.png")] @ black == pytest.approx(1, abs=1e-4)
    restart()
    assert index_of(CLIP, "folder", str(folder)).fresh == 0


def test_other_weights_have_another_index(folder: Path) -> None:
    trained, random = (index_of(id, "folder", str(folder)) for id in (CLIP, CLIP + "?random"))
    assert (trained.fresh, random.fresh) == (8, 8)
    assert not np.allclose(trained.index.vectors, random.index.vectors)


def test_unreadable_pictures_are_skipped_counted_and_named(folder: Path) -> None:
    (folder / "broken.png").write_bytes((folder / "green.png").read_bytes()[:90])
    (folder / "words.jpg").write_text("not a picture")
    finding = asked(folder, text="a green circle")
    assert finding.facts["count"] == 8
    assert {one["name"] for one in finding.facts["skipped"]} == {"broken.png", "words.jpg"}
    assert "cannot be read: 2, such as broken.png, words.jpg" in finding.said()
    assert "пропущено: 2" in finding.said("ru")
    restart()
    assert asked(folder, text="a green circle").facts["skipped"] == finding.facts["skipped"], "kept with the index"


def test_a_stopped_indexing_goes_on_where_it_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_making, "BATCH", 2)

    def stop(here: int, whole: int) -> None:
        if here >= 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        index_of(CLIP, "folder", str(folder), progress=stop)
    restart()
    told: list[int] = []
    seen = index_of(CLIP, "folder", str(folder), progress=lambda here, whole: told.append(here))
    assert (seen.fresh, len(seen.index), told[0], told[-1]) == (4, 8, 4, 8)


def test_a_full_disk_costs_the_keeping_only(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder can be made in here")
    monkeypatch.setenv("PATCHLIGHT_CACHE", str(tmp_path / "file"))
    finding = asked(folder, text="a green circle")
    assert finding.facts["kept"] == 0
    assert "could not be written to the disk" in finding.said()


# -- what cannot be asked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "said"), [
    ({}, "Nothing was looked for"),
    ({"text": "  "}, "Nothing was looked for"),
    ({"text": "a cat", "item": 1}, "Several things were looked for at once"),
    ({"text": "a cat", "k": 0}, "give a whole number from 1 to 200"),
    ({"text": "a cat", "k": 9}, "there are 8 to be found; ask for 1 to 8"),
    ({"item": 3, "k": 8}, "there are 7 to be found"),
    ({"item": 8}, "it has pictures 0 to 7"),
    ({"text": "x" * 300}, "give a text of at most 200 characters"),
    ({"text": "a cat", "search": "near"}, "give one of: auto, exact, faiss"),
    ({"by": "picture", "text": "a cat"}, "Nothing was looked for"),
])  # fmt: skip
def test_what_cannot_be_looked_for_is_one_sentence(folder: Path, values: dict[str, Any], said: str) -> None:
    with pytest.raises(Fault, match=said):
        asked(folder, **values)


@pytest.mark.parametrize(("place", "said"), [
    ("", "none is named; give its path"), ("empty", "none lies there"), ("nowhere", "there is no such folder"),
    ("broken", "none of 1 could be read"),
])  # fmt: skip
def test_a_folder_that_cannot_be_searched_is_one_sentence(tmp_path: Path, place: str, said: str) -> None:
    for name in ("empty", "broken"):
        (tmp_path / name).mkdir()
    (tmp_path / "broken" / "words.png").write_text("not a picture")
    with pytest.raises(Fault, match=said):
        asked(tmp_path / place if place else Path(" "), text="a cat")


def test_a_public_page_opens_no_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_PUBLIC", "1")
    with pytest.raises(Fault, match="this page is public"):
        asked(folder, text="a green circle")
    with pytest.raises(Fault, match="this page is public"):
        ready(Desk(checkpoint=CLIP), "folder", str(folder))
    assert retrieve(None, CLIP, gallery="photographs", text="a cat").facts["count"] > 0


# -- the page and the shell --------------------------------------------------------------------------------------------


def ready(desk: Desk, name: Any, place: str = "") -> dict[str, Any]:
    """As the page asks until the index is there."""
    told = unpack(state(desk, Wanted(gallery=name, folder=place, act="start")))[0]
    while told["state"] == "making":
        time.sleep(0.05)
        told = unpack(state(desk, Wanted(gallery=name, folder=place)))[0]
    return told


def test_the_page_indexes_asks_and_is_answered_like_the_endpoint(folder: Path) -> None:
    desk = Desk(checkpoint=CLIP, picture="cat")
    told = ready(desk, "folder", str(folder))
    assert (told["state"], told["count"], told["skipped"]) == ("ready", 8, [])
    question = Question(checkpoint=CLIP, gallery="folder", folder=str(folder), text="a blue circle", k=4)
    facts, arrays = unpack(found(desk, question))
    plain = asked(folder, text="a blue circle", k=4)
    assert facts["hits"] == plain.facts["hits"]
    assert arrays["histogram"].sum() == 8
    first = arrays["thumbnails"][: arrays["starts"][1]].tobytes()
    assert first.startswith(b"\xff\xd8"), "a JPEG file"


def test_readers_share_an_indexing_and_one_may_stop_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_making, "BATCH", 1)
    free = threading.Event()
    slow = lent.picture_vectors
    monkeypatch.setattr(lent, "picture_vectors", lambda *given: (free.wait(10), slow(*given))[1])
    desk = Desk(checkpoint=CLIP, picture="cat")
    wanted: dict[str, Any] = {"gallery": "folder", "folder": str(folder)}
    assert unpack(state(desk, Wanted(act="start", **wanted)))[0]["state"] == "making"
    assert unpack(state(desk, Wanted(act="start", **wanted)))[0]["state"] == "making"
    assert len(gallery_page._jobs) == 1
    threading.Timer(0.3, free.set).start()
    assert unpack(state(desk, Wanted(act="stop", **wanted)))[0]["state"] == "none"
    assert not gallery_page._jobs
    assert ready(desk, "folder", str(folder))["count"] == 8


def test_what_went_wrong_with_an_indexing_is_told_once(tmp_path: Path) -> None:
    desk, wanted = (
        Desk(checkpoint=CLIP, picture="cat"),
        Wanted(gallery="folder", folder=str(tmp_path / "no"), act="start"),
    )
    with pytest.raises(Fault, match="there is no such folder"):
        state(desk, wanted)
    assert unpack(state(desk, Wanted(gallery="folder", folder=str(tmp_path / "no"))))[0]["state"] == "none"


def test_the_shell_retrieves_with_and_without_a_picture(folder: Path, tmp_path: Path, capsys: Any) -> None:
    common = ["retrieve", "--checkpoint", CLIP, "--gallery", "folder", "--folder", str(folder), "--k", "2"]
    assert main([*common, "--text", "a green circle", "--out", str(tmp_path / "a")]) == 0
    assert "nearest to the text “a green circle”" in capsys.readouterr().out
    assert main([*common, "--image", str(folder / "blue.png"), "--out", str(tmp_path / "b")]) == 0
    with Image.open(tmp_path / "b" / "retrieve.png") as sheet:
        inside = np.asarray(sheet.convert("RGB").crop((16, 60, 16 + 2 * 220 + 16, 60 + 220)), np.int16)
        assert (inside[..., 2] - inside[..., 0]).max() > 150, "the blue picture is drawn"
        assert "nearest to the given picture" in sheet.info["Description"]
    said = json.loads((tmp_path / "b" / "retrieve.json").read_text())
    assert said["facts"]["hits"][0]["name"] == "blue.png"
    assert main([*common, "--out", str(tmp_path / "c")]) == 1
    assert "Nothing was looked for" in capsys.readouterr().err


def test_the_shell_draws_the_map_with_its_gap(folder: Path, tmp_path: Path) -> None:
    """Both centroids in their colours, with and without a gap; pictures alone have neither."""
    common = ["embedding_map", "--gallery", "folder", "--folder", str(folder)]
    asked = {"gap": ["--texts", "a red circle", "a star", "--method", "gap"], "alone": ["--checkpoint", "bundled/vit"]}
    seen = {}
    for name, more in asked.items():
        assert main([*common, *more, "--out", str(tmp_path / name)]) == 0
        with Image.open(tmp_path / name / "embedding_map.png") as sheet:
            ground = sheet.convert("RGB").crop((0, 60, 1600, 1100))
            seen[name] = {colour for _, colour in ground.getcolors(1 << 20) or ()}
    drawn = {ImageColor.getrgb(lettering.colour(name)) for name in ("accent", "pointer")}
    assert drawn <= seen["gap"]
    assert not drawn & seen["alone"]


# -- the bundled galleries ---------------------------------------------------------------------------------------------


def test_unseen_combinations_are_found_by_their_captions() -> None:
    """The bundled CLIP never saw these coloured shapes together; by chance one in 400 pictures would come first."""
    seen = index_of(CLIP, "unseen")
    own = {text: seen.index.concepts[number] for number, text in enumerate(seen.index.names)}
    texts = [text for text in own if " in the middle" in text or " above " in text][:20]
    firsts = [retrieve(None, CLIP, gallery="unseen", text=text, k=10).facts for text in texts]
    assert np.mean([any(hit["same"] for hit in facts["hits"]) for facts in firsts]) > 0.5
    assert all(
        facts["there"] == seen.index.concepts.count(own[text]) for facts, text in zip(firsts, texts, strict=True)
    )


def test_the_gallery_is_of_the_kind_that_the_network_learnt_from(folder: Path) -> None:
    """Emoji in a style that it never saw for the CLIP of emoji; a network that nobody measured searches what it did."""
    desks = [Desk(checkpoint=checkpoint) for checkpoint in ("bundled/clip-emoji", CLIP)]
    assert [unpack(retrieve_page.opening(desk))[0]["usual"] for desk in desks] == ["emojione", "shapes"]
    assert Question().gallery == "auto"
    seen = retrieve(None, CLIP, text="a red circle", k=1).facts
    assert seen["gallery"] == "shapes"


# -- the embedding map -------------------------------------------------------------------------------------------------


def test_a_map_holds_every_picture_and_text_once_and_measures_the_gap() -> None:
    finding = embedding_map(CLIP, gallery="shapes", pictures=60, texts=["a red circle", "a red circle"])
    arrays, facts = finding.arrays, finding.facts
    texts = facts["texts"]
    assert texts.count("a red circle") == 1
    assert arrays["places"].shape == (60 + len(texts), 2)
    assert all(texts[own] == name for own, name in zip(arrays["own"], facts["names"], strict=True))
    pictures, told = arrays["vectors"][:60], arrays["vectors"][60:]
    assert facts["gap"]["length"] == pytest.approx(np.linalg.norm(pictures.mean(0) - told.mean(0)), rel=1e-5)
    assert facts["gap"]["matched"] > facts["gap"]["others"] + 0.3, "the network has learnt"
    assert np.allclose(arrays["matched"], (pictures * told[arrays["own"]]).sum(1), atol=1e-5)
    centred = arrays["vectors"] - arrays["vectors"].mean(0)
    assert np.allclose(arrays["places"], centred @ arrays["components"].T, atol=1e-4)
    assert arrays["explained"] == pytest.approx(arrays["places"].var(0) / centred.var(0).sum(), rel=1e-3)
    assert "modality gap" in finding.said()


def test_along_the_gap_and_without_it() -> None:
    seen = embedding_map(CLIP, gallery="shapes", pictures=60, method="gap")
    between = np.linalg.norm(np.diff(seen.arrays["centres"], axis=0))
    assert between == pytest.approx(seen.facts["gap"]["length"], rel=1e-3)
    assert seen.facts["gap"]["shown"] == pytest.approx(1, abs=1e-3)
    apart = embedding_map(CLIP, gallery="shapes", pictures=60, centre="apart")
    assert np.allclose(apart.arrays["centres"], 0, atol=1e-4)
    assert apart.facts["gap"]["length"] == pytest.approx(seen.facts["gap"]["length"])


def test_a_network_without_texts_has_a_map_but_no_gap(folder: Path) -> None:
    values = {"gallery": "folder", "folder": str(folder)}
    finding = embedding_map("bundled/vit", **values)
    assert finding.arrays["places"].shape == (8, 2)
    assert "without texts there is no gap" in finding.said()
    with pytest.raises(Fault, match="has no text tower"):
        embedding_map("bundled/vit", texts=["a cat"], **values)
    with pytest.raises(Fault, match="there are no texts"):
        embedding_map("bundled/vit", method="gap", **values)
