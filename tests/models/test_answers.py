"""What no shape of a bare file tells is said by the reader, strictly, and stands under every map; never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import save_for_hf  # pyright: ignore[reportPrivateImportUsage]
from torch import Tensor, nn

from explorers.attention_map import EXPLORER as ATTENTION
from models.answers import Answers, Untold, answers, split
from models.backbone import Layer
from models.card_catalogue import ASSETS
from models.doctor import diagnose
from models.faults import Fault, Refusal
from models.layout import layout
from models.loading import load

PICTURE = ASSETS / "pictures" / "cat.jpg"


def small(name: str = "vit_tiny_patch16_224", **options: Any) -> nn.Module:
    """Query and key weights times five, so that rows of attention are not flat and a wrong map is far off."""
    torch.manual_seed(0)
    network = timm.create_model(name, **{"depth": 2, "num_classes": 0, **options}).eval()
    with torch.no_grad():
        for key, value in network.named_parameters():
            if "qkv.weight" in key:
                value.mul_(5)
    return network


def written(network: nn.Module, file: Path, prefix: str = "") -> Path:
    save_file({prefix + name: value.contiguous() for name, value in network.state_dict().items()}, file)
    return file


def asked(file: Path) -> list[str]:
    return [ask.name for ask in diagnose(file).asks]


def farthest(layers: tuple[Layer, ...], network: Any, pixels: Tensor) -> float:
    """Total variation of the first token's row, heads averaged, against the network's own softmax: worst block."""
    true: list[Tensor] = []
    for block in network.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _module, _inputs, rows: true.append(rows[0]))
    with torch.no_grad():
        network(pixels[None])
    pairs = zip(layers, true, strict=True)
    return max((own.attention_from(0).mean(0) - rows.mean(0)[0]).abs().sum().item() / 2 for own, rows in pairs)


@pytest.mark.parametrize(
    ("name", "options", "asks", "said", "wrong"),
    [
        ("vit_tiny_patch16_224", {"num_heads": 6}, ["heads", "grid"], "heads=6&grid=14x14", "heads=3&grid=14x14"),
        (
            "vit_base_patch16_rpn_224", {}, ["heads", "grid", "norm"], "heads=12&grid=14x14&norm=post",
            "heads=12&grid=14x14&norm=pre",
        ),
        (
            "vit_base_patch32_clip_quickgelu_224", {"depth": 3}, ["heads", "grid", "act"],
            "heads=12&grid=7x7&act=quick_gelu", "heads=12&grid=7x7&act=gelu",
        ),
        ("vit_tiny_patch16_224", {"img_size": (64, 128)}, ["heads", "grid"], "heads=3&grid=4x8", "heads=3&grid=8x4"),
    ],
)  # fmt: skip
def test_the_map_is_the_networks_own_as_the_reader_says(
    name: str, options: dict[str, Any], asks: list[str], said: str, wrong: str, tmp_path: Path
) -> None:
    """Each wrong answer gives a map of a network that does not exist: so none is taken without being asked."""
    network = small(name, **options)
    file = written(network, tmp_path / "bare.safetensors")
    assert asked(file) == asks
    with pytest.raises(Untold):
        load(f"file/{file}", "cpu")
    opened = load(f"file/{file}?{said}", "cpu")
    pixels = torch.randn(3, *opened.pixels.size)
    assert farthest(opened.trace(pixels), network, pixels) < 1e-5
    other = load(f"file/{file}?{wrong}", "cpu")
    rows = [layer.attention_from(0).mean(0) for layer in other.trace(torch.randn(3, *other.pixels.size))]
    own = [layer.attention_from(0).mean(0) for layer in opened.trace(torch.randn(3, *opened.pixels.size))]
    assert max(float((one - two).abs().max()) for one, two in zip(rows, own, strict=True)) > 1e-4


@pytest.mark.parametrize("size", [(128, 512), (256, 128)])
def test_a_table_that_may_lie_in_many_ways_is_never_cut_into_a_square(size: tuple[int, int], tmp_path: Path) -> None:
    file = written(small(img_size=size, depth=1), tmp_path / "table.safetensors")
    grid = (size[0] // 16, size[1] // 16)
    found = diagnose(file)
    ask = next(ask for ask in found.asks if ask.name == "grid")
    assert f"{grid[0]}x{grid[1]}" in ask.choices
    assert f"a table of {grid[0] * grid[1] + 1} places" in str(found.fault)
    opened = load(f"file/{file}?heads=3&grid={grid[0]}x{grid[1]}", "cpu")
    assert opened.pixels.size == size
    assert opened.positions()[0].grid == grid
    with pytest.raises(Fault, match=f"has {grid[0] * grid[1] + 1} places"):
        load(f"file/{file}?heads=3&grid={grid[0]}x{grid[1] + 1}", "cpu")


def test_the_answers_stand_under_the_map(tmp_path: Path) -> None:
    file = written(small(depth=1, num_heads=6, img_size=(32, 64)), tmp_path / "bare.safetensors")
    caption = ATTENTION.run(PICTURE, f"file/{file}?heads=6&grid=2x4").said()
    assert "Heads: 6, as you said. Grid of places: 2 × 4, as you said." in caption
    assert "taken as usual under such names: norm=pre, act=gelu, eps=1e-6." in caption
    russian = ATTENTION.run(PICTURE, f"file/{file}?heads=6&grid=2x4").said("ru")
    assert "Голов: 6, с ваших слов." in russian
    assert "as you said" not in ATTENTION.run(PICTURE, "bundled/clip").said()


def test_heads_are_taken_from_authors_only_where_the_file_bears_their_marks() -> None:
    """ViT-S has 6 heads in DINO and 12 in MoCo v3, under the same names: a prefix is no mark."""
    with torch.device("meta"):
        state = timm.create_model("vit_small_patch16_224", num_classes=0).state_dict()
        head = {"head.mlp.0.weight": torch.empty(8, 384), "head.last_layer.weight_v": torch.empty(9, 8)}
        dino = {**{"backbone." + name: value for name, value in state.items()}, **head}
        decoder = {"decoder_embed.weight": torch.empty(512, 384), "decoder_pos_embed": torch.empty(1, 197, 512)}
        odd_mae = {**state, **decoder, "decoder_blocks.0.attn.qkv.weight": torch.empty(1536, 512)}
        moco = {"module.base_encoder." + name: value for name, value in state.items()}
    found = layout(dino)
    assert (found.options["num_heads"], found.options["img_size"]) == (6, (224, 224))
    assert "as the code of {authors} builds" in found.notes[0].template
    assert found.notes[0].facts["authors"] == "facebookresearch/dino"
    assert layout(dino, answers("heads=12")).options["num_heads"] == 12
    for doubtful in (state, moco, odd_mae, {"backbone." + name: value for name, value in state.items()}):
        with pytest.raises(Untold, match="heads, grid"):
            layout(doubtful)


PREFIXES = (
    "module.visual.trunk.", "model.backbone.", "model_ema.module.", "module.encoder.", "module.base_encoder.",
    "target_encoder.", "teacher_backbone.", "0.", "any.thing.at.all.", "_orig_mod.",
)  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
def test_names_are_found_behind_any_prefix(prefix: str, tmp_path: Path) -> None:
    network = small(img_size=32, depth=1)
    found = diagnose(written(network, tmp_path / "bare.safetensors", prefix), answers=answers("heads=3&grid=2x2"))
    assert found.fault is None
    assert found.backbone is not None
    opened = found.backbone.module.state_dict()
    assert all(torch.equal(opened[name], value) for name, value in network.state_dict().items())


def test_a_teacher_comes_first_and_another_is_taken_by_its_word(tmp_path: Path) -> None:
    teacher, student = small(img_size=32, depth=1), small(img_size=32, depth=1, num_heads=1)
    both = {f"{who}_backbone.{name}": value + index for index, (who, one) in enumerate(
        (("student", student), ("teacher", teacher))) for name, value in one.state_dict().items()}  # fmt: skip
    save_file(both, tmp_path / "both.safetensors")
    id = f"file/{tmp_path / 'both.safetensors'}?heads=3&grid=2x2"
    opened = load(id, "cpu")
    assert torch.equal(opened.module.state_dict()["cls_token"], both["teacher_backbone.cls_token"])
    assert any(note.facts.get("prefix") == "teacher_backbone." for note in opened.card.notes)
    taken = load(f"{id}&take=student", "cpu")
    assert torch.equal(taken.module.state_dict()["cls_token"], both["student_backbone.cls_token"])
    with pytest.raises(Fault, match=r"stand behind teacher_backbone., student_backbone."):
        load(f"{id}&take=nobody", "cpu")


def test_dinov2_in_chunks_is_dinov2(tmp_path: Path) -> None:
    network = small(img_size=32, init_values=1e-5)
    names = {name.replace("blocks.", "blocks.0."): value for name, value in network.state_dict().items()}
    state = {"backbone." + name: value for name, value in names.items()}
    head = {"backbone.mask_token": torch.zeros(1, 192), "dino_head.mlp.0.weight": torch.ones(4, 192)}
    save_file({**state, **head}, tmp_path / "teacher.safetensors")
    found = diagnose(tmp_path / "teacher.safetensors", answers=answers("heads=3&grid=2x2"))
    assert found.fault is None
    assert found.layout == "DINOv2"
    assert dict(found.aside) == {"projection head": 1}
    assert found.backbone is not None
    assert torch.equal(
        found.backbone.module.state_dict()["blocks.1.norm1.weight"], network.state_dict()["blocks.1.norm1.weight"]
    )


SAME = (
    "vit_tiny_patch16_224", "vit_small_patch14_reg4_dinov2", "deit3_small_patch16_224",
    "deit_tiny_distilled_patch16_224",
    "vit_base_patch16_siglip_224", "vit_base_patch16_siglip_gap_224", "vit_base_patch16_rpn_224", "flexivit_small",
    "vit_base_patch16_clip_quickgelu_224", "vit_base_patch32_clip_224", "vit_base_patch16_gap_224",
    "vit_betwixt_patch16_reg4_gap_256", "vit_so150m_patch16_reg4_map_256", "beit_base_patch16_224",
    "beitv2_base_patch16_224", "swin_tiny_patch4_window7_224", "swin_s3_tiny_224",
)  # fmt: skip


def shallow(name: str) -> Any:
    options: dict[str, Any] = {} if "swin" in name else {"depth": 2}
    return timm.create_model(name, **options)


def kinds(network: Any) -> tuple[Any, ...]:
    """What no shape tells of a network, as it is built."""
    if not hasattr(network, "blocks"):
        return ()
    block = network.blocks[0]
    told = (block.attn.num_heads, type(block.mlp.act).__name__, block.norm1.eps, network.num_prefix_tokens)
    return (type(network), type(block), *told, network.patch_embed.grid_size)


def truth(network: Any, name: str) -> str:
    block = network.blocks[0]
    acts = {"QuickGELU": "quick_gelu", "GELU": "gelu", "GELUTanh": "gelu_tanh"}
    return {
        "heads": str(block.attn.num_heads), "grid": "x".join(map(str, network.patch_embed.grid_size)),
        "norm": "post" if type(block).__name__ == "ResPostBlock" else "pre", "act": acts[type(block.mlp.act).__name__],
    }[name]  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_what_opens_is_built_as_it_was(name: str) -> None:
    """Asked for what its names leave open and told the truth, each architecture of timm comes back as itself."""
    with torch.device("meta"):
        network = shallow(name)
        state, said = network.state_dict(), Answers()
        try:
            found = layout(state)
        except Untold as question:
            said = answers("&".join(f"{ask.name}={truth(network, ask.name)}" for ask in question.asks))
            found = layout(state, said)
        built = timm.create_model(found.architecture, **found.options)
    assert {key: value.shape for key, value in built.state_dict().items()} == {
        key: value.shape for key, value in state.items()
    }
    assert kinds(built) == kinds(network)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("swinv2_tiny_window8_256", "SwinV2"), ("vit_small_patch16_dinov3", "DINOv3"),
        ("eva02_tiny_patch14_224", "EVA"),
        ("eva02_base_patch14_224", "EVA-02"), ("vit_pe_spatial_tiny_patch16_512", "Perception Encoder"),
        ("vit_pe_core_tiny_patch16_384", "Perception Encoder"), ("vit_small_patch16_rope_ape_224", "RoPE-ViT"),
        ("beit3_base_patch16_224", "BEiT-3"), ("vit_relpos_small_patch16_224", "relative positions"),
        ("samvit_base_patch16_224", "SAM"), ("vit_base_patch16_xp_224", "parallel blocks"),
        ("vit_small_r26_s32_224", "convolutions before"), ("vit_giant_patch14_dinov2", "gated MLP"),
    ],
)  # fmt: skip
def test_what_weights_tell_too_little_of_is_named(name: str, kind: str) -> None:
    with torch.device("meta"):
        state = shallow(name).state_dict()
    with pytest.raises(Untold, match=f"of the kind .*{kind}.*name its architecture of timm") as caught:
        layout(state)
    assert [ask.name for ask in caught.value.asks] == ["architecture"]


def test_a_named_architecture_opens_and_is_checked(tmp_path: Path) -> None:
    network = timm.create_model("test_vit3", num_classes=0)
    file = written(network, tmp_path / "bare.safetensors", "model.")
    opened = load(f"file/{file}?architecture=test_vit3", "cpu")
    assert "Built as timm's test_vit3, as you said." in [
        note.template.format(**note.facts) for note in opened.card.notes
    ]
    with pytest.raises(Fault, match="does not fit this architecture"):
        load(f"file/{file}?architecture=test_vit2", "cpu")
    with pytest.raises(Fault, match="which timm does not have"):
        load(f"file/{file}?architecture=no_such_network", "cpu")
    wide = written(small(img_size=(32, 128), depth=12), tmp_path / "wide.safetensors")
    with pytest.raises(Fault, match="table has 17 places and the architecture's 197"):
        load(f"file/{wide}?architecture=vit_tiny_patch16_224", "cpu")
    assert load(f"file/{wide}?architecture=vit_tiny_patch16_224&grid=2x8", "cpu").pixels.size == (32, 128)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("heads=7&grid=2x2", "192 channels are not shared evenly by so many heads; give one of 1, 2, 3, 4, 6"),
        ("heads=0", "heads=0 was said .* written as in heads=12"),
        ("heads=three", "written as in heads=12"),
        ("heads=3&heads=3", "each answer is given once"),
        ("grid=8", "written as in grid=8x32"),
        ("norm=middle", "written as in norm=pre, norm=post"),
        ("act=relu", "act=quick_gelu"),
        ("eps=-1", "written as in eps=1e-6"),
        ("colour=red", "colour was said .* what can be said is heads, grid, norm, act, eps, take, architecture"),
        ("heads=3&grid=2x3", "has 5 places, 5, 4 of them for patches"),
    ],
)
def test_answers_are_read_strictly(said: str, sentence: str, tmp_path: Path) -> None:
    file = written(small(img_size=32, depth=1), tmp_path / "bare.safetensors")
    with pytest.raises(Fault, match=sentence):
        load(f"file/{file}?{said}", "cpu")


def test_answers_are_for_what_nobody_describes(tmp_path: Path) -> None:
    for id in ("bundled/clip?heads=4", "timm/test_vit?heads=4"):
        with pytest.raises(Fault, match="described by those who made it"):
            load(id, "cpu")
    save_for_hf(timm.create_model("test_vit"), str(tmp_path / "told"), safe_serialization=True)
    for path in (tmp_path / "told", tmp_path / "told" / "model.safetensors"):
        with pytest.raises(Fault, match="described by those who made it"):
            load(f"file/{path}?heads=4", "cpu")
    swin = timm.create_model(
        "swin_tiny_patch4_window7_224", embed_dim=24, depths=(1, 1), num_heads=(2, 4), num_classes=0
    )
    with pytest.raises(Fault, match="heads was said of the file, but for a Swin it is not asked"):
        load(f"file/{written(swin, tmp_path / 'swin.safetensors')}?heads=4", "cpu")


def test_ids_with_answers_have_twins_and_paths_may_hold_question_marks(tmp_path: Path) -> None:
    file = written(small(img_size=32, depth=1), tmp_path / "what?.safetensors")
    id = f"file/{file}?heads=3&grid=2x2"
    assert split(id) == (f"file/{file}", answers("heads=3&grid=2x2"))
    assert str(answers("heads=3&grid=2x2")) == "heads=3&grid=2x2"
    twin = load(f"{id}?random", "cpu")
    assert twin.card.random
    assert twin.module.state_dict().keys() == load(id, "cpu").module.state_dict().keys()


def test_what_is_not_a_picture_network_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Video, one colour, patches that are no squares: shapes of others end in a sentence."""
    with torch.device("meta"):
        state = small(img_size=32, depth=1).state_dict()
    for shape in ((192, 3, 2, 16, 16), (192, 1, 16, 16), (192, 3, 16, 8)):
        with pytest.raises(Refusal):
            layout({**state, "patch_embed.proj.weight": torch.empty(shape, device="meta")}, answers("heads=3&grid=2x2"))
    with pytest.raises(Refusal, match="pos_embed has the shape 5 × 192"):
        layout({**state, "pos_embed": torch.empty(5, 192, device="meta")}, answers("heads=3&grid=2x2"))
