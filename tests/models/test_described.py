"""Folders that come with a description: exactly what was asked for opens, as its writer meant it, or one sentence says
why not."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import transformers
from safetensors.torch import save_file
from timm.models._hub import save_for_hf
from torch import nn

from models.answers import Untold
from models.backbone import Backbone, Classifies
from models.class_names import class_names
from models.description import read_json
from models.doctor import diagnose
from models.faults import Fault, Refusal
from models.loading import load
from models.weights import sha256

SMALL: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "image_size": 32,
    "patch_size": 8,
}  # fmt: skip
WINDOWS: dict[str, Any] = {
    "patch_size": 2, "embed_dim": 12, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4,
}  # fmt: skip
FED = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2}


def made(kind: str, seed: int = 0, **config: Any) -> Any:
    """A small network of transformers with random weights."""
    torch.manual_seed(seed)
    network: Any = getattr(transformers, kind)
    return network(network.config_class(**config)).eval()


def saved(network: Any, place: Path, said: dict[str, Any] | None = None, **how: Any) -> Path:
    """The folder that `save_pretrained` writes, with how pictures are fed, and more said in its config.json."""
    network.save_pretrained(place, **how)
    (place / "preprocessor_config.json").write_text(json.dumps(FED))
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, **(said or {})}))
    return place


def opened(path: Path) -> Backbone:
    return load(f"file/{path}", "cpu")


def same(backbone: Backbone, network: nn.Module) -> bool:
    ours, theirs = backbone.module.state_dict(), network.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in theirs)


def whole(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@pytest.mark.parametrize("writer", ["transformers", "timm"])
def test_the_weights_that_were_asked_for_open_not_those_beside_them(tmp_path: Path, writer: str) -> None:
    """An average beside the plain weights: F2."""
    plain, averaged = (made("ViTModel", seed, **SMALL) for seed in (0, 1))
    if writer == "timm":
        torch.manual_seed(0)
        plain, averaged = timm.create_model("test_vit"), timm.create_model("test_vit")
        for network, name in ((plain, "ema"), (averaged, "other")):
            save_for_hf(network, str(tmp_path / name), safe_serialization=True)
    else:
        saved(plain, tmp_path / "ema")
        saved(averaged, tmp_path / "other")
    plain_file, average = tmp_path / "ema/model.safetensors", tmp_path / "ema/model_ema.safetensors"
    shutil.copy(tmp_path / "other/model.safetensors", average)
    for asked, network, file in (
        (tmp_path / "ema", plain, plain_file), (plain_file, plain, plain_file), (average, averaged, average),
    ):  # fmt: skip
        found = opened(asked)
        assert same(found, network), asked
        assert found.card.sha256 == sha256(file), "the card's digest is of what was read"
        assert diagnose(asked).tensors == len(network.state_dict())
    plain_file.unlink()
    with pytest.raises(Fault, match=r"has a config\.json but no model\.safetensors; it holds model_ema\.safetensors"):
        opened(tmp_path / "ema")


def test_of_two_shardings_in_one_folder_the_one_that_the_index_names_opens(tmp_path: Path) -> None:
    """Saved in many shards, then in fewer over them: F1."""
    old, new = made("ViTModel", 0, **SMALL), made("ViTModel", 1, **SMALL)
    saved(old, tmp_path / "old", max_shard_size="8KB")
    saved(new, tmp_path / "new", max_shard_size="20KB")
    both = tmp_path / "both"
    shutil.copytree(tmp_path / "old", both)
    shutil.copytree(tmp_path / "new", both, dirs_exist_ok=True)
    places = read_json(both / "model.safetensors.index.json")["weight_map"]
    parts = [both / name for name in sorted({*places.values()})]
    assert 1 < len(parts) < len(list(both.glob("*.safetensors")))
    for asked in (both, parts[0]):
        assert same(opened(asked), new), asked
        assert opened(asked).card.sha256 == whole(*parts), "cat SHARDS | sha256sum"
    assert diagnose(both).tensors == len(new.state_dict())
    parts[-1].unlink()
    with pytest.raises(Fault, match=f"{parts[-1].name} is named by the index in both, but it is not there"):
        opened(both)
    for map in ({"a": "../old/model.safetensors"}, {}, [1]):
        (both / "model.safetensors.index.json").write_text(json.dumps({"weight_map": map}))
        with pytest.raises(Fault, match="does not say which file beside it holds which weights"):
            opened(both)


def test_a_description_of_another_network_leaves_a_file_bare(tmp_path: Path) -> None:
    """F9: another tool's config.json is none, and a network's own speaks of its own weights only."""
    torch.manual_seed(0)
    other = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1, num_classes=0)
    for place, said in (("tool", {"arch": "vit_small", "lr": 5e-4}), ("network", None)):
        folder = tmp_path / place
        saved(made("ViTModel", **SMALL), folder)
        if said:
            (folder / "config.json").write_text(json.dumps(said))
        for name in ("model_best.safetensors", "teacher.safetensors"):
            save_file(other.state_dict(), folder / name)
            with pytest.raises(Untold, match="do not tell heads, grid"):
                opened(folder / name)
            told = load(f"file/{folder / name}?heads=3&grid=2x2", "cpu")
            assert same(told, other), (place, name)
    renamed = saved(made("ViTModel", **SMALL), tmp_path / "renamed")
    (renamed / "model.safetensors").rename(renamed / "mine.safetensors")
    assert same(opened(renamed / "mine.safetensors"), made("ViTModel", **SMALL)), "described, whatever its name"
    with pytest.raises(Fault, match=r"has no config\.json of a network"):
        opened(tmp_path / "tool")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"[1, 2]", "it holds a list instead of named values"),
        (b"{not json", "is missing or damaged"),
        (b"\xff\xfe\xff", "is missing or damaged"),
        (b"[" * 100_000, "is missing or damaged"),
    ],
)
def test_a_description_that_cannot_be_read_is_said(tmp_path: Path, text: bytes, sentence: str) -> None:
    """F8, by every file that others write, in the doctor too."""
    place = saved(made("ViTModel", **SMALL), tmp_path / "broken")
    for name in ("preprocessor_config.json", "config.json"):
        (place / name).write_bytes(text)
        with pytest.raises(Fault, match=rf"^{name} in broken .*{sentence}"):
            opened(place)
        assert str(diagnose(place).fault).startswith(f"{name} in broken")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_read(tmp_path: Path, encoding: str) -> None:
    network = made("ViTModel", **SMALL)
    place = saved(network, tmp_path)
    for name in ("config.json", "preprocessor_config.json"):
        (place / name).write_text((place / name).read_text(), encoding=encoding)
    assert same(opened(place), network)


SAID = [
    ("image_size", [32, 32]), ("_attn_implementation", "flash_attention_2"), ("attn_implementation", "flex_attention"),
    ("torch_dtype", "bfloat16"), ("dtype", "float16"), ("return_dict", False), ("output_attentions", True),
    ("torchscript", True), ("architectures", None), ("architectures", "ViTModel"), ("id2label", None),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), SAID)
def test_how_another_machine_computed_or_spelt_it_makes_no_difference(tmp_path: Path, key: str, value: object) -> None:
    """F4, F5: legal values of another type or shape, and keys that are not of the network."""
    network = made("ViTModel", **SMALL)
    found = opened(saved(network, tmp_path, {key: value}))
    assert same(found, network)
    assert found.pixels.size == (32, 32)
    assert found.module.config._attn_implementation == "sdpa"  # pyright: ignore[reportAttributeAccessIssue]
    assert {weight.dtype for weight in found.module.parameters()} == {torch.float32}
    assert len(found.trace(torch.zeros(3, 32, 32))) == 2


@pytest.mark.parametrize(("kind", "size"), [("SwinModel", (64, 32)), ("ViTModel", (32, 64)), ("DeiTModel", (64, 16))])
def test_a_network_of_pictures_that_are_not_square_has_its_own_size(
    tmp_path: Path, kind: str, size: tuple[int, int]
) -> None:
    config = {**(WINDOWS if kind == "SwinModel" else SMALL), "image_size": size}
    network = made(kind, **config)
    found = opened(saved(network, tmp_path))
    patch = config["patch_size"]
    assert found.pixels.size == size
    pixels = torch.randn(3, *size)
    layers = found.trace(pixels)
    assert layers[0].grid == (size[0] // patch, size[1] // patch)
    with torch.no_grad():
        own = network(pixels[None]).last_hidden_state[0]
    torch.testing.assert_close(network.layernorm(layers[-1].tokens).detach(), own, rtol=0, atol=1e-5)
    assert found.positions()[0].grid == (layers[0].grid if kind != "SwinModel" else (4, 4))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"hidden_size": "wide"}, "ViTModel cannot be built as described"),
        ({"hidden_act": "no such"}, "ViTModel cannot be built as described"),
        ({"num_attention_heads": 0}, "ViTModel cannot be built as described"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "rounded to few bits"),
        ({"patch_size": [8, 4]}, "."),
    ],
)
def test_what_cannot_be_built_is_a_sentence(tmp_path: Path, said: dict[str, Any], sentence: str) -> None:
    place = saved(made("ViTModel", **SMALL), tmp_path, said)
    with pytest.raises(Fault, match=sentence):
        opened(place)


ENCODERS = {
    "ViT": SMALL, "DeiT": SMALL, "Dinov2": {**SMALL, "mlp_ratio": 2}, "Dinov2WithRegisters": {**SMALL, "mlp_ratio": 2},
    "Beit": {**SMALL, "use_relative_position_bias": True}, "Data2VecVision": SMALL, "IJepa": SMALL, "ViTMSN": SMALL,
    "Swin": {**WINDOWS, "image_size": 32}, "Swinv2": {**WINDOWS, "image_size": 32},
}  # fmt: skip


@pytest.mark.parametrize("kind", [*ENCODERS, "DeiTWithTeacher"])
def test_a_fine_tuned_classifier_opens_with_its_own_classes(tmp_path: Path, kind: str) -> None:
    """F10, T11, T12: what `save_pretrained` leaves after fine-tuning, the commonest file of all."""
    names = {0: "amber", 1: "indigo", 2: "moss"}
    stem, teacher = kind.removesuffix("WithTeacher"), "WithTeacher" * kind.endswith("Teacher")
    network = made(f"{stem}ForImageClassification{teacher}", **ENCODERS[stem], id2label=names)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.1 * torch.randn_like(value))
    found = opened(saved(network, tmp_path))
    assert isinstance(found, Classifies)
    assert class_names(found) == ("amber", "indigo", "moss")
    pixels = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        own = network(pixels).logits
        torch.testing.assert_close(found.class_logits(pixels), own, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.class_logits_from(found.trace(pixels[0])), own[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["ViTModel", "DeiTModel", "BeitModel", "IJepaModel", "Data2VecVisionModel"])
@pytest.mark.parametrize("pooled", [True, False])
def test_an_encoder_opens_with_its_pooler_or_without(tmp_path: Path, kind: str, pooled: bool) -> None:
    """Published encoders of one class come in both ways; the configuration does not say which."""
    network: Any = getattr(transformers, kind)
    torch.manual_seed(0)
    network = network(network.config_class(**SMALL, use_mean_pooling=True), add_pooling_layer=pooled)
    assert same(opened(saved(network, tmp_path)), network)


@pytest.mark.parametrize(
    ("kind", "stated"),
    [
        ("SiglipModel", "SiglipForImageClassification"), ("CLIPModel", "CLIPForImageClassification"),
        ("SwinModel", "SwinBackbone"), ("ViTModel", "ViTForMaskedImageModeling"), ("Dinov2Model", "Dinov2Backbone"),
    ],
)  # fmt: skip
def test_a_class_that_is_not_read_is_refused_by_its_own_name(tmp_path: Path, kind: str, stated: str) -> None:
    """F11: never built as another class of the same kind."""
    network: Any = getattr(transformers, kind)
    config = network.config_class()
    config.architectures = [stated]
    config.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(FED))
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(Refusal, match=f"is a {stated} of transformers, which is not read here"):
        opened(tmp_path)


def test_timms_older_flat_description_is_read_as_timm_reads_it(tmp_path: Path) -> None:
    """T8: as timm 0.5 to 0.6 wrote it."""
    torch.manual_seed(0)
    network = timm.create_model("test_vit", num_classes=4)
    nn.init.ones_(network.get_submodule("head").bias)  # pyright: ignore[reportArgumentType]
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    older = {
        "architecture": "test_vit", "num_classes": 4, "num_features": 64, "input_size": [3, 160, 160],
        "interpolation": "bilinear", "mean": [0.4, 0.5, 0.6], "std": [0.1, 0.2, 0.3], "fixed_input_size": True,
        "first_conv": "patch_embed.proj", "classifier": "head", "labels": ["cat", "dog", "fish", "bird"],
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(older))
    found = opened(tmp_path)
    assert (found.pixels.mean, found.pixels.std) == ((0.4, 0.5, 0.6), (0.1, 0.2, 0.3))
    assert (found.pixels.interpolation, found.pixels.size) == ("bilinear", (160, 160))
    assert class_names(found) == ("cat", "dog", "fish", "bird")


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"label_names": ["cat", "dog", "fish"]}, ("cat", "dog", "fish")),
        ({"label_names": {"0": "cat", "2": "fish"}}, ("cat", "1", "fish")),
        ({"label_names": ["n1", "n2", "n3"], "label_descriptions": {"n1": "cat", "n3": "fish"}}, ("cat", "n2", "fish")),
        ({"label_names": None}, ()),
        ({"label_names": ["LABEL_0", "LABEL_1", "LABEL_2"]}, ()),
    ],
)
def test_classes_are_called_what_timms_description_calls_them(
    tmp_path: Path, said: dict[str, Any], names: tuple[str, ...]
) -> None:
    """T20."""
    network: Any = timm.create_model("test_vit", num_classes=3)
    nn.init.ones_(network.head.bias)
    save_for_hf(network, str(tmp_path), model_config=said, safe_serialization=True)
    assert class_names(opened(tmp_path)) == names


@pytest.mark.parametrize("kind", ["TimmWrapperForImageClassification", "TimmWrapperModel"])
def test_a_network_of_timm_saved_by_transformers_opens(tmp_path: Path, kind: str) -> None:
    """F6: `"model_args": null`, names behind `timm_model.`, a number of classes without a head."""
    config = transformers.TimmWrapperConfig(architecture="test_vit", do_pooling=True, id2label={0: "cat", 1: "dog"})
    network: Any = getattr(transformers, kind)(config)
    if kind.endswith("Classification"):
        nn.init.ones_(network.timm_model.head.bias)
    network.save_pretrained(tmp_path)
    assert read_json(tmp_path / "config.json")["model_args"] is None
    found = opened(tmp_path)
    assert same(found, network.timm_model)
    assert isinstance(found, Classifies) == kind.endswith("Classification")
    assert class_names(found) == (("cat", "dog") if kind.endswith("Classification") else ())


@pytest.mark.parametrize(
    "arguments",
    [{"dynamic_img_size": True}, {"pretrained": True}, {"checkpoint_path": "evil.pth"}, {"scriptable": True}],
)
def test_what_timm_was_told_elsewhere_makes_no_difference(tmp_path: Path, arguments: dict[str, Any]) -> None:
    """No description chooses where weights come from: a pickle that it names is not opened."""
    torch.manual_seed(0)
    network = timm.create_model("test_vit", img_size=64)
    save_for_hf(network, str(tmp_path), model_args={"img_size": 64}, safe_serialization=True)
    config = read_json(tmp_path / "config.json")
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_args": {**config["model_args"], **arguments}}))
    assert same(opened(tmp_path), network)
    assert load(f"file/{tmp_path}?random", "cpu").card.random


@pytest.mark.parametrize("said", [{"model_args": [1]}, {"model_args": {"wings": 2}}, {"pretrained_cfg": {"mean": 0.5}}])
def test_what_timm_cannot_build_is_a_sentence(tmp_path: Path, said: dict[str, Any]) -> None:
    save_for_hf(timm.create_model("test_vit"), str(tmp_path), safe_serialization=True)
    (tmp_path / "config.json").write_text(json.dumps({**read_json(tmp_path / "config.json"), **said}))
    for asked in (f"file/{tmp_path}", f"file/{tmp_path}?random"):
        with pytest.raises(Fault, match="description"):
            load(asked, "cpu")


def test_a_painter_of_pictures_that_are_not_square_is_refused_when_it_opens(tmp_path: Path) -> None:
    """transformers lays what SimMIM paints as a square of as many pixels, whatever it was."""
    place = saved(made("SwinForMaskedImageModeling", **WINDOWS, image_size=(64, 32), encoder_stride=4), tmp_path)
    with pytest.raises(Refusal, match="paints pictures of 64 × 32 pixels"):
        opened(place)


def test_a_twin_is_of_the_network_that_opens(tmp_path: Path) -> None:
    """Of a file that the description beside it does not speak of, the twin is not the description's."""
    place = saved(made("ViTModel", **SMALL), tmp_path)
    torch.manual_seed(0)
    other = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1, num_classes=0)
    save_file(other.state_dict(), place / "teacher.safetensors")
    with pytest.raises(Untold):
        load(f"file/{place / 'teacher.safetensors'}?random", "cpu")
    twin = load(f"file/{place / 'teacher.safetensors'}?heads=3&grid=2x2?random", "cpu")
    assert twin.module.state_dict().keys() == other.state_dict().keys()
    assert twin.card.random


def test_published_names_of_older_transformers_are_carried_over(tmp_path: Path) -> None:
    """A ViT as it was published before the names of its blocks changed, as most on the hub are."""
    network = made("ViTForImageClassification", **SMALL)
    place = saved(network, tmp_path)
    older = {
        "vit.layers.": "vit.encoder.layer.", "attention.q_proj": "attention.attention.query",
        "attention.k_proj": "attention.attention.key", "attention.v_proj": "attention.attention.value",
        "attention.o_proj": "attention.output.dense", "mlp.fc1": "intermediate.dense", "mlp.fc2": "output.dense",
    }  # fmt: skip
    state = {}
    for name, value in network.state_dict().items():
        for new, old in older.items():
            name = name.replace(new, old)
        state[name] = value.clone()
    assert "vit.encoder.layer.0.attention.attention.query.weight" in state
    save_file(state, place / "model.safetensors")
    assert same(opened(place), network)
