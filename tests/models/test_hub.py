"""The way of a checkpoint from a model hub, over real HTTP, against a hub that misbehaves when told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from huggingface_hub import constants, hf_hub_download
from safetensors.torch import save_file
from timm.models._hub import save_for_hf
from transformers import ViTMAEConfig, ViTMAEForPreTraining

from models import hub
from models.backbone import Reconstructs
from models.card_catalogue import checkpoints
from models.class_names import class_names
from models.faults import Fault
from models.loading import load
from tests.hub_server import Handler, Hub, serve
from tests.models.test_described import SMALL, made, same, saved
from tests.models.test_open_clip import VISION, Eye, written

NAME = "test_vit.r160_in1k"
"""timm's own smallest ViT: 0.4 million parameters."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that serves timm's test network, an empty cache, and a client that may ask."""
    place = tmp_path / "hub" / "timm" / NAME / "main"
    place.mkdir(parents=True)
    torch.manual_seed(1)
    save_file(timm.create_model("test_vit").state_dict(), place / "model.safetensors")
    with serve(tmp_path / "hub") as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.endpoint)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        yield running


@pytest.fixture
def autoencoder(server: Hub) -> ViTMAEForPreTraining:
    """A small masked autoencoder that lies on the hub as owner/mae, as transformers publishes such."""
    config = ViTMAEConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=32, patch_size=8,
        decoder_hidden_size=16, decoder_num_hidden_layers=1, decoder_num_attention_heads=2,
        decoder_intermediate_size=32,
    )  # fmt: skip
    network = ViTMAEForPreTraining(config)
    place = server.folder / "owner" / "mae" / "main"
    network.save_pretrained(place)
    (place / "preprocessor_config.json").write_text(
        '{"image_mean": [0.4, 0.4, 0.4], "image_std": [0.2, 0.2, 0.2], "resample": 2}'
    )
    return network


def test_a_network_arrives_whole_with_progress_and_is_asked_for_once(server: Hub) -> None:
    seen: list[tuple[int, int]] = []
    first = load(f"timm/{NAME}", "cpu", progress=lambda here, size: seen.append((here, size)))
    size = (server.folder / "timm" / NAME / "main" / "model.safetensors").stat().st_size
    assert seen == sorted(seen)
    assert seen[-1] == (size, size)
    assert first.card.revision == server.commit("main")
    asked = len(server.asked)
    again = load(f"timm/{NAME}", "cpu")
    assert len(server.asked) == asked
    assert all(torch.equal(a, b) for a, b in zip(first.module.parameters(), again.module.parameters(), strict=True))
    torch.manual_seed(1)
    assert torch.equal(
        first.module.get_parameter("cls_token"), timm.create_model("test_vit").get_parameter("cls_token")
    )


def test_the_cache_is_the_hub_clients_own(server: Hub) -> None:
    path = hub.fetch(f"timm/{NAME}", "model.safetensors")
    theirs = hf_hub_download(
        f"timm/{NAME}", "model.safetensors", local_files_only=True, cache_dir=constants.HF_HUB_CACHE
    )
    assert Path(theirs).read_bytes() == path.read_bytes()


def test_the_token_is_never_sent_to_another_host(server: Hub) -> None:
    hub.fetch(f"timm/{NAME}", "model.safetensors")
    assert any("/storage/" in line for line in server.asked)
    assert server.tokens == []


def test_a_renamed_repository_opens_by_its_former_name(server: Hub, autoencoder: ViTMAEForPreTraining) -> None:
    """The hub answers 307 at every address, listing and files alike, as it does after a rename (F16)."""
    server.renamed = {"former/mae": "owner/mae"}
    opened = load("hf/former/mae", "cpu")
    ours, theirs = opened.module.state_dict(), autoencoder.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert opened.card.revision == server.commit("main")
    asked = len(server.asked)
    load("hf/former/mae", "cpu")
    assert len(server.asked) == asked, "the cache has it under the name that was asked for"


def test_a_redirect_that_leads_in_circles_or_out_of_http_is_said(
    server: Hub, autoencoder: ViTMAEForPreTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.renamed = {"former/mae": "former/mae"}
    with pytest.raises(Fault, match="answered 307"):
        load("hf/former/mae", "cpu")
    secret = server.folder / "secret.json"
    secret.write_text("{}")
    away = {"Location": f"file://{secret}", "X-Repo-Commit": "0" * 40, "ETag": "1" * 40}
    monkeypatch.setattr(Handler, "_answer", lambda self, body: self._send(307, away, b"", body))
    for asked in (hub.listing, lambda name: hub.fetch(name, "config.json")):
        with pytest.raises(Fault, match="answered with the address file:"):
            asked("owner/mae")


def test_the_token_follows_a_rename_but_never_leaves_the_hub(server: Hub, autoencoder: ViTMAEForPreTraining) -> None:
    server.renamed = {"former/mae": "owner/mae"}
    load("hf/former/mae", "cpu")
    assert any("/storage/" in line for line in server.asked)
    assert server.tokens == []


def test_a_cut_connection_is_said_and_resumes_where_it_broke(server: Hub) -> None:
    server.cut = 100_000
    with pytest.raises(Fault, match="broke off after 100000 of"):
        load(f"timm/{NAME}", "cpu")
    server.cut = None
    load(f"timm/{NAME}", "cpu")
    assert any(line.endswith("bytes=100000-") for line in server.asked)


def test_a_download_that_is_stopped_resumes(server: Hub) -> None:
    class StoppedError(Exception):
        pass

    def stop(here: int, _size: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        load(f"timm/{NAME}", "cpu", progress=stop)
    assert load(f"timm/{NAME}", "cpu").card.parameters == 371_240
    assert any("bytes=" in line for line in server.asked)


def test_a_wrong_checksum_leaves_nothing_behind(server: Hub, tmp_path: Path) -> None:
    server.lie = True
    with pytest.raises(Fault, match="its checksum is not the one"):
        load(f"timm/{NAME}", "cpu")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_two_at_once_fetch_the_bytes_once(server: Hub) -> None:
    arrived: list[Path] = []
    threads = [
        threading.Thread(target=lambda: arrived.append(hub.fetch(f"timm/{NAME}", "model.safetensors"))) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(arrived) == 2
    assert sum("/storage/" in line for line in server.asked) == 1


def test_a_full_disk_is_said_before_the_download(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(Fault, match="0 MB are free on the disk"):
        load(f"timm/{NAME}", "cpu")
    assert not any("/storage/" in line for line in server.asked)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("hf/nobody/nothing", "knows no repository nobody/nothing"),
        ("timm/vit_tiny_patch16_224", "knows no repository timm/vit_tiny_patch16_224"),
        ("hf/nothing", "is not a name on the model hub"),
        ("hf/../../etc/passwd", "is not a name on the model hub"),
    ],
)
def test_what_is_not_on_the_hub_is_said(server: Hub, name: str, sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        load(name, "cpu")


def test_a_gated_network_says_what_to_do(server: Hub) -> None:
    server.gated = True
    with pytest.raises(Fault, match=r"is gated: .* accept the terms on its page .* HF_TOKEN"):
        load(f"timm/{NAME}", "cpu")


def test_a_digest_that_is_a_path_is_not_followed(server: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Hub, "commit", lambda *_: "../../../../escaped")
    with pytest.raises(Fault, match="is no model hub"):
        load(f"timm/{NAME}", "cpu")
    assert not list(tmp_path.rglob("escaped*"))


def test_offline_is_said_at_once(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = time.monotonic()
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Fault, match="cannot be reached"):
        load(f"timm/{NAME}", "cpu")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for name in (f"timm/{NAME}", "hf/owner/mae"):
        with pytest.raises(Fault, match="HF_HUB_OFFLINE forbids"):
            load(name, "cpu")
    assert time.monotonic() - begun < 2


def test_a_masked_autoencoder_opens_with_its_decoder(server: Hub, autoencoder: ViTMAEForPreTraining) -> None:
    opened = load("hf/owner/mae", "cpu")
    assert isinstance(opened, Reconstructs)
    assert opened.card.abilities == ("reconstructs",)
    assert opened.pixels.size == (32, 32)
    assert opened.pixels.mean == (0.4, 0.4, 0.4)
    assert opened.pixels.interpolation == "bilinear"
    ours, theirs = opened.module.state_dict(), autoencoder.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_only_the_hubs_own_conversion_stands_in_for_a_pickle(server: Hub, autoencoder: ViTMAEForPreTraining) -> None:
    main = server.folder / "owner" / "mae" / "main"
    proposed = main.parent / "refs" / "pr" / "2"
    proposed.mkdir(parents=True)
    (main / "model.safetensors").rename(proposed / "model.safetensors")
    (main / "pytorch_model.bin").write_bytes(b"\x80\x02pickle")
    proposal = {"num": 2, "status": "open", "isPullRequest": True, "author": {"name": "somebody"}}
    server.discussions = [proposal]
    with pytest.raises(Fault, match="only safetensors are read"):
        load("hf/owner/mae", "cpu")
    server.discussions = [proposal, {**proposal, "author": {"name": "SFconvertbot"}}]
    assert load("hf/owner/mae", "cpu").card.revision == server.commit("refs/pr/2")
    asked = len(server.asked)
    load("hf/owner/mae", "cpu")
    assert len(server.asked) == asked
    assert not any("pytorch_model.bin" in line for line in server.asked)


def test_repositories_of_every_writer_open(server: Hub) -> None:
    """A classifier of transformers, a network that timm saved, an OpenCLIP without any config.json, each twice: what
    lies in the cache is not asked for again."""
    owner = server.folder / "owner"
    classifier = made("ViTForImageClassification", **SMALL, id2label={0: "amber", 1: "indigo", 2: "moss"})
    saved(classifier, owner / "vit" / "main", max_shard_size="20KB")
    torch.manual_seed(0)
    network = timm.create_model("test_vit")
    save_for_hf(network, str(owner / "timm" / "main"), safe_serialization=True)
    written(owner / "clip" / "main", Eye().state_dict(), {"vision_cfg": VISION, "quick_gelu": True})
    asked: list[int] = []
    for _ in "ab":
        opened = load("hf/owner/vit", "cpu")
        assert class_names(opened) == ("amber", "indigo", "moss")
        assert same(opened, classifier)
        assert same(load("hf/owner/timm", "cpu"), network)
        assert load("hf/owner/clip", "cpu").trace(torch.zeros(3, 32, 32))[0].heads == 4
        asked.append(len(server.asked))
    assert server.asked[asked[0] :] == []


def test_shards_that_a_stopped_download_lacks_are_fetched(server: Hub) -> None:
    """What the cache has of a repository is not taken for all of it: the index says which shards there are."""
    network = made("ViTModel", **SMALL)
    place = saved(network, server.folder / "owner" / "shards" / "main", max_shard_size="20KB")
    hub.fetch("owner/shards", "config.json")
    hub.fetch("owner/shards", "model.safetensors.index.json")
    hub.fetch("owner/shards", next(place.glob("model-00001*")).name)
    hub.fetch("owner/shards", "preprocessor_config.json")
    assert same(load("hf/owner/shards", "cpu"), network)


def test_a_fetched_checkpoint_is_listed_as_here(server: Hub) -> None:
    place = server.folder / "timm" / "vit_small_patch14_dinov2.lvd142m" / "main"
    place.mkdir(parents=True)
    (place / "model.safetensors").write_bytes(b"0" * 5000)
    assert "timm/vit_small_patch14_dinov2.lvd142m" not in [card.id for card in checkpoints()]
    hub.fetch("timm/vit_small_patch14_dinov2.lvd142m", "model.safetensors")
    assert "timm/vit_small_patch14_dinov2.lvd142m" in [card.id for card in checkpoints()]
