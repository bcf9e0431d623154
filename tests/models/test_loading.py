"""From an id to a network that can be looked into, or one sentence that says why not."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm.models._hub import save_for_hf
from torch import nn
from transformers import SwinConfig, SwinForMaskedImageModeling

from models import weights
from models.backbone import Reconstructs
from models.card import Card
from models.create import create
from models.faults import Fault, Refusal
from models.loading import choose_device, load, parse
from models.pixels import Pixels

CONFIG = {
    "library": "timm", "name": "vit_tiny_patch16_224",
    "options": {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2, "num_classes": 0},
}  # fmt: skip
CARD = Card("run/mine", title="Mine", family="ViT", training="On shapes.", licence="Apache-2.0")
PIXELS = Pixels((32, 32), 8, 8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run called `mine` with one published checkpoint."""
    monkeypatch.setenv("PATCHLIGHT_RUNS", str(tmp_path))
    torch.manual_seed(3)
    weights.save(tmp_path / "mine", create(CONFIG), CONFIG, CARD, PIXELS)
    return tmp_path / "mine"


def spoil(file: Path, **changes: torch.Tensor | None) -> None:
    """Rewrite a file of weights with some tensors exchanged, or left out where None."""
    state = {**load_file(file), **{name.replace("__", "."): value for name, value in changes.items()}}
    save_file({name: value for name, value in state.items() if value is not None}, file)


def test_what_training_writes_opens_as_it_was(run: Path) -> None:
    opened = load("run/mine", "cpu")
    torch.manual_seed(3)
    for name, value in create(CONFIG).state_dict().items():
        assert torch.equal(opened.module.state_dict()[name], value), name
    assert opened.pixels == PIXELS
    assert (opened.card.title, opened.card.training, opened.card.random) == ("Mine", "On shapes.", False)
    assert opened.card.parameters == sum(value.numel() for value in opened.module.parameters())
    assert opened.card.sha256 == weights.sha256(run / "model.safetensors")
    assert len(opened.trace(torch.zeros(3, 32, 48))) == 2


def test_a_checkpoint_on_the_way_opens_by_its_step(run: Path) -> None:
    torch.manual_seed(4)
    weights.save(run / "checkpoints" / "step-00000500", create(CONFIG), CONFIG, CARD, PIXELS)
    torch.manual_seed(4)
    token = create(CONFIG).get_parameter("cls_token")
    assert torch.equal(load("run/mine@500", "cpu").module.get_parameter("cls_token"), token)
    with pytest.raises(Fault, match=r"no checkpoint run/mine@501; the nearest names are step-00000500"):
        load("run/mine@501", "cpu")


def test_half_precision_files_run_in_single(run: Path) -> None:
    before = load("run/mine", "cpu").module.get_parameter("pos_embed")
    weights.save(run, load("run/mine", "cpu").module, CONFIG, CARD, PIXELS, half=True)
    after = load("run/mine", "cpu").module
    assert load_file(run / "model.safetensors")["pos_embed"].dtype == torch.float16
    assert {value.dtype for value in after.parameters()} == {torch.float32}
    assert torch.allclose(after.get_parameter("pos_embed"), before, rtol=1e-3)


def test_a_precision_is_kept_to_and_any_other_is_refused(run: Path) -> None:
    network = load("run/mine", "cpu", precision="float16")
    assert {value.dtype for value in network.module.parameters()} == {torch.float16}
    rows = network.trace(torch.zeros(3, 32, 48))[-1].attention_from(0)
    assert rows.dtype == torch.float32
    assert torch.allclose(rows.sum(-1), torch.ones(len(rows)), atol=1e-5), "rows are finished in single precision"
    with pytest.raises(Fault, match="precision float64 was asked for, but there is only float32, float16, bfloat16"):
        load("run/mine", precision="float64")


def test_a_crash_while_writing_leaves_the_old_file(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (run / "card.json").read_bytes()

    def die(_: int) -> None:
        raise OSError("the power is gone")

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(OSError, match="the power is gone"):
        weights.replace_file(run / "card.json", b"half a f")
    assert (run / "card.json").read_bytes() == before
    assert not list(run.glob(".card.json*"))


def test_a_random_twin_is_the_same_network_untrained_and_says_so(run: Path) -> None:
    trained, twin, again = load("run/mine", "cpu"), load("run/mine?random", "cpu"), load("run/mine?random", "cpu")
    shapes = {name: value.shape for name, value in trained.module.named_parameters()}
    assert {name: value.shape for name, value in twin.module.named_parameters()} == shapes
    assert twin.card.random
    assert twin.card.id == "run/mine?random"
    assert twin.card.sha256 is None
    first, second = twin.module.get_parameter("pos_embed"), again.module.get_parameter("pos_embed")
    assert torch.equal(first, second)
    assert not torch.equal(first, trained.module.get_parameter("pos_embed"))


def test_a_random_twin_needs_no_download_and_leaves_the_random_state_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    assert load("timm/test_vit.r160_in1k?random", "cpu").card.random
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("id", [True, 3, 2.5, None, ["timm/test_vit"], b"timm/test_vit"])
def test_ids_are_text(id: object) -> None:
    with pytest.raises(Fault, match="give its id as text"):
        load(id)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("id", "sentence"),
    [
        ("", "is not the id of a checkpoint"),
        ("dinov2", "is not the id of a checkpoint"),
        ("timm/", "is not the id of a checkpoint"),
        ("elsewhere/x", "one of the sources bundled, registry, timm"),
        ("timm/vit_smal_patch14_dinov2", "nearest names are vit_small_patch14_dinov2"),
        ("registry/dinov3-small", "ask for registry/dinov2-small, the only one"),
        ("bundled/none-such", "There is no checkpoint bundled/none-such"),
        ("run/../../etc", "There is no checkpoint"),
        ("file/nowhere/at/all", "There is no file"),
        ("timm/vit_huge_patch14_gap_224.in1k_ijepa", "publishes no safetensors weights"),
    ],
)
def test_what_does_not_exist_is_said(id: str, sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        load(id, "cpu")


def test_what_cannot_be_read_is_refused_before_anything_is_fetched() -> None:
    """The hub is off limits here, so asking it would be another fault."""
    with pytest.raises(Refusal, match="choose a transformer"):
        load("timm/test_resnet.r160_in1k", "cpu")


def test_a_public_page_opens_its_list_only(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLIGHT_PUBLIC", "1")
    for id in (f"file/{run}", "timm/test_vit.r160_in1k", "hf/somebody/something?random"):
        with pytest.raises(Fault, match="this page is public"):
            load(id, "cpu")
    assert parse("timm/vit_small_patch16_224.dino?random") == ("timm", "vit_small_patch16_224.dino", True)
    assert load("run/mine", "cpu").card.title == "Mine"


def test_a_device_that_is_not_there_is_never_replaced() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cuda", "mps", "cpu")
    with pytest.raises(Fault, match="this machine has none"):
        choose_device("cuda:99")
    with pytest.raises(Fault, match="not one that torch knows"):
        choose_device("quantum")
    if not torch.cuda.is_available():
        with pytest.raises(Fault, match="this machine has none"):
            load("timm/test_vit?random", "cuda")


def test_weights_of_another_shape_are_named(run: Path) -> None:
    spoil(run / "model.safetensors", cls_token=torch.zeros(1, 1, 25), norm__bias=None, left__over=torch.zeros(1))
    with pytest.raises(Fault, match=r"missing norm\.bias; not known to it left\.over; of another shape cls_token\."):
        load("run/mine", "cpu")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(run: Path, value: float) -> None:
    spoil(run / "model.safetensors", norm__bias=torch.full((24,), value))
    with pytest.raises(Fault, match=r"not finite numbers, in norm\.bias"):
        load("run/mine", "cpu")


def lying_header() -> bytes:
    """A header that promises four terabytes."""
    shape = {"cls_token": {"dtype": "F32", "shape": [1_000_000, 1_000_000], "data_offsets": [0, 4 * 10**12]}}
    text = json.dumps(shape).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize("content", [b"", b"\x00" * 7, b"\xff" * 64, b'\x02\0\0\0\0\0\0\0{"', lying_header()])
def test_a_damaged_file_is_said_before_anything_is_allocated(run: Path, content: bytes) -> None:
    (run / "model.safetensors").write_bytes(content)
    with pytest.raises(Fault, match="is not a whole safetensors file"):
        load("run/mine", "cpu")


def test_a_truncated_file_is_said(run: Path) -> None:
    whole = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(Fault, match="is not a whole safetensors file"):
        load("run/mine", "cpu")


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x80\x02}q", b"\x80\x04\x95"])
def test_a_pickle_is_never_opened_whatever_its_name(run: Path, start: bytes) -> None:
    (run / "model.safetensors").write_bytes(start + b"c__builtin__\neval\n")
    with pytest.raises(Fault, match="is a pickle, which can run any program"):
        load("run/mine", "cpu")


@pytest.mark.parametrize("name", ["config.json", "card.json", "pixels.json"])
def test_a_damaged_description_is_said(run: Path, name: str) -> None:
    (run / name).write_text("{")
    with pytest.raises(Fault, match=f"{name} in the checkpoint folder mine is missing or damaged"):
        load("run/mine", "cpu")


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"library": "jax"}, "only timm and transformers are known"),
        ({"library": "timm", "name": "vit_none"}, "no architecture called vit_none"),
        ({"library": "timm", "name": "test_vit", "options": {"wings": 2}}, "cannot be built as described"),
        ({"library": "transformers", "class": "GPT2Model", "config": {}}, "only these may be built"),
        ({"library": "transformers", "class": "AutoModel", "config": {}}, "only these may be built"),
    ],
)
def test_only_described_networks_are_built(config: dict, sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        create(config)


def test_creation_follows_from_torchs_seed() -> None:
    description = {
        "library": "transformers", "class": "SwinModel",
        "config": {"image_size": 32, "embed_dim": 12, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4},
    }  # fmt: skip
    for config in (CONFIG, description):
        made: list[nn.Module] = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            made.append(create(config))
        first, second, third = (torch.cat([value.flatten() for value in each.parameters()]) for each in made)
        assert torch.equal(first, second)
        assert not torch.equal(first, third)


def test_folders_as_timm_and_transformers_save_them_open(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = timm.create_model("test_vit", num_classes=3, img_size=64)
    nn.init.ones_(network.get_submodule("head").bias)  # pyright: ignore[reportArgumentType]
    save_for_hf(network, str(tmp_path / "timm"), model_args={"img_size": 64}, safe_serialization=True)
    opened = load(f"file/{tmp_path / 'timm'}", "cpu")
    assert torch.equal(opened.module.get_parameter("head.weight"), network.get_parameter("head.weight"))
    assert opened.card.abilities == ("classifies",)
    config = SwinConfig(
        image_size=32, patch_size=2, embed_dim=12, depths=[1, 1], num_heads=[2, 2], window_size=4, encoder_stride=4
    )
    painter = SwinForMaskedImageModeling(config)
    painter.save_pretrained(tmp_path / "simmim")
    with pytest.raises(Fault, match=r"no preprocessor_config\.json"):
        load(f"file/{tmp_path / 'simmim'}", "cpu")
    (tmp_path / "simmim" / "preprocessor_config.json").write_text('{"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}')
    painted = load(f"file/{tmp_path / 'simmim' / 'model.safetensors'}", "cpu")
    assert isinstance(painted, Reconstructs)
    assert (painted.pixels.patch, painted.pixels.multiple) == (2, 4)


def test_transformers_weights_that_do_not_fit_are_named_and_never_drawn_at_random(tmp_path: Path) -> None:
    config = SwinConfig(image_size=32, patch_size=2, embed_dim=12, depths=[1, 1], num_heads=[2, 2], window_size=4)
    SwinForMaskedImageModeling(config).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text('{"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}')
    spoil(tmp_path / "model.safetensors", swin__layernorm__weight=None, wings=torch.zeros(2))
    with pytest.raises(Fault, match=r"missing swin\.layernorm\.weight; not known to it wings"):
        load(f"file/{tmp_path}", "cpu")


def test_the_card_survives_unknown_words(run: Path) -> None:
    """A later version may write more into card.json than this one knows."""
    kept = json.loads((run / "card.json").read_text())
    (run / "card.json").write_text(json.dumps({**kept, "colour": "green"}))
    assert replace(load("run/mine", "cpu").card, id="x").title == "Mine"
