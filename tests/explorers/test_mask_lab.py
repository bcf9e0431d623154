"""The mask lab from Python, the shell and over HTTP: the same numbers, true ones, and one sentence where it cannot."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageSequence

from explorers.explorer import Finding
from explorers.frame import examples
from explorers.mask_lab import EXPLORER, reconstruct
from models.faults import Fault
from models.masking import mask_of, refitted, written
from tests.explorers.painters import save_painters

ROOT = Path(__file__).resolve().parent.parent.parent
COFFEE = ROOT / "assets" / "pictures" / "coffee.jpg"


@pytest.fixture(scope="module", autouse=True)
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("runs")
    save_painters(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATCHLIGHT_RUNS", str(folder))
        yield folder


def test_panels_rest_on_the_networks_own_answer() -> None:
    """Every array against the network asked directly; visible squares bit-equal in the pasted panel."""
    from explorers.traces import backbone
    from models.image import open_image

    mask = mask_of("block", (8, 12), 40, 3)
    found = reconstruct(COFFEE, "run/mae", mask=written(mask))
    network = backbone("run/mae")
    pixels = network.pixels(open_image(COFFEE))
    own = network.reconstruct(pixels, mask)  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_allclose(found.arrays["error"], own.error.numpy(), atol=1e-6)
    assert found.facts["loss"] == pytest.approx(own.loss, abs=1e-6)
    hidden = np.repeat(np.repeat(mask.numpy(), 8, 0), 8, 1).astype(bool)
    assert np.array_equal(found.arrays["pasted"][~hidden], found.arrays["image"][~hidden])
    assert np.array_equal(found.arrays["pasted"][hidden], found.arrays["prediction"][hidden])
    assert np.array_equal(found.arrays["image"], network.pixels.rgb(pixels))
    difference = (found.arrays["prediction"] / 255.0 - found.arrays["image"] / 255.0)[hidden]
    assert found.facts["psnr"]["network"] == pytest.approx(-10 * np.log10((difference**2).mean()), abs=0.05)
    worst = found.facts["worst"][0]
    assert found.arrays["map"][worst["row"], worst["column"]] == found.arrays["map"][mask.bool().numpy()].max()


@pytest.mark.parametrize("hidden", [0, 96])
def test_a_mask_of_nothing_or_everything_gets_its_sentence(hidden: int) -> None:
    mask = written(mask_of("random", (8, 12), hidden))
    with pytest.raises(Fault, match=f"hides {hidden} of 96 patches"):
        reconstruct(COFFEE, "run/mae", mask=mask)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"mask": "01/1"}, "rows of 0 and 1"),
        ({"mask": "010/101/010"}, "edges"),
        ({"masks": 3}, "allow 8 to 64"),
        ({"masks": 8, "ratio": 0.05}, "less than twice"),
        ({"masks": 16, "ratio": 0.5, "kind": "grid"}, "only 2 differ"),
        ({"against": "run/a,run/b,run/c,run/d"}, "3 is the most"),
        ({"patch": "8,0"}, "allow 0 to 7"),
        ({"patch": "x"}, "ROW,COLUMN"),
        ({"ratio": 0.99}, "0.05 to 0.95"),
        ({"checkpoint": "run/encoder"}, "holds the encoder alone"),
        ({"checkpoint": "timm/test_vit?random"}, "never learned to paint"),
        ({"checkpoint": "run/simmim", "side": 128}, "96 × 96 only"),
        ({"checkpoint": "run/simmim", "patch": "6,0"}, "allow 0 to 5"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(values: dict, sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        EXPLORER.run(COFFEE, **{"checkpoint": "run/mae", **values})


def test_pictures_that_are_not_square(tmp_path: Path) -> None:
    """MAE takes their shape; SimMIM takes its one shape, and the caption tells."""
    tall = tmp_path / "tall.png"
    Image.open(COFFEE).resize((100, 200)).save(tall)
    assert reconstruct(tall, "run/mae").arrays["mask"].shape == (12, 6)
    assert "stretched" not in reconstruct(tall, "run/mae").said()
    simmim = reconstruct(tall, "run/simmim")
    assert simmim.arrays["mask"].shape == (6, 6)
    assert "stretched to the input's proportions" in simmim.said()


def test_two_networks_get_the_same_mask_on_the_coarser_grid() -> None:
    found = reconstruct(COFFEE, "run/mae", against="run/simmim", seed=4)
    coarse = mask_of("random", (6, 6), 27, 4)
    assert np.array_equal(found.arrays["mask"], refitted(coarse, (12, 12)).numpy())
    alone = reconstruct(COFFEE, "run/simmim", mask=written(coarse))
    assert np.array_equal(alone.arrays["prediction"], found.arrays["against_prediction"])
    assert np.array_equal(alone.arrays["map"], found.arrays["against_map"])
    (told,) = found.facts["against"]
    assert alone.facts["psnr"]["network"] == pytest.approx(told["psnr"])
    assert alone.facts["loss"] == pytest.approx(told["loss"])


def test_several_networks_get_the_same_masks() -> None:
    """Three networks, one line each in the curve, each as it would be alone."""
    found = reconstruct(COFFEE, "run/mae", against="run/norm,run/simmim", seeds=2)
    assert [other["title"] for other in found.facts["against"]] == ["small norm", "small simmim"]
    assert found.arrays["curve"].shape == (3, 19, 2)
    alone = reconstruct(COFFEE, "run/simmim", seeds=2)
    np.testing.assert_allclose(found.arrays["curve"][2], alone.arrays["curve"][0], rtol=1e-4)
    assert np.array_equal(found.arrays["against_2_mask"], alone.arrays["mask"])


@pytest.mark.parametrize(("checkpoint", "absolute"), [("run/mae", False), ("run/norm", False), ("run/simmim", True)])
def test_trivial_answers_are_measured_as_the_network_is(checkpoint: str, absolute: bool) -> None:
    """By longhand: the nearest visible target, and the mean of visible ones, in the space that the loss compares."""
    from explorers.traces import backbone

    found = reconstruct(COFFEE, checkpoint, kind="block", ratio=0.5)
    network: Any = backbone(checkpoint)
    pixels = network.pixels(Image.open(COFFEE).convert("RGB"))
    own = network.reconstruct(pixels, torch.from_numpy(found.arrays["mask"]))
    target, hidden = own.target.numpy(), found.arrays["mask"].astype(bool)
    visible = np.argwhere(~hidden)
    colour = target[~hidden].reshape(-1, 3).mean(0)
    for row, column in np.argwhere(hidden):
        near = visible[((visible - (row, column)) ** 2).sum(1).argmin()]
        for name, guess in (("nearest", target[near[0], near[1]]), ("mean", np.tile(colour, target.shape[-1] // 3))):
            apart = guess - target[row, column]
            expected = np.abs(apart).mean() if absolute else np.square(apart).mean()
            assert found.arrays[f"{name}_error"][row, column] == pytest.approx(expected, rel=1e-4)
    for name in ("nearest", "mean"):
        over = found.arrays[f"{name}_error"][hidden].mean()
        assert found.facts["losses"][name] == pytest.approx(over, rel=1e-4)
    assert found.facts["losses"]["network"] == found.facts["loss"]


def test_true_statistics_leak_and_are_named() -> None:
    own, true = (reconstruct(COFFEE, "run/norm", statistics=kind) for kind in ("own", "true"))
    assert true.facts["psnr"]["network"] > own.facts["psnr"]["network"] + 0.5, "the leak did not help: it is none"
    assert "leaks brightness" in true.said()
    assert "those of visible patches" in own.said()
    assert own.facts["loss"] == pytest.approx(true.facts["loss"]), "the switch must not touch the loss"


def test_doubt_and_curve() -> None:
    found = reconstruct(COFFEE, "run/mae", masks=16, seeds=2)
    again = reconstruct(COFFEE, "run/mae", masks=16, seeds=2)
    assert found.arrays["doubt_mean"].shape == (64, 96, 3)
    assert np.isfinite(found.arrays["doubt_map"]).all()
    assert (found.arrays["doubt_map"] > 0).all()
    assert found.arrays["curve"].shape == (1, 19, 2)
    assert np.array_equal(found.arrays["curve"], again.arrays["curve"])
    one = reconstruct(COFFEE, "run/mae", ratio=0.5, seed=1)
    mask = one.arrays["mask"].astype(bool)
    assert found.arrays["curve"][0, 9, 1] == pytest.approx(one.arrays["map"][mask].mean(), rel=1e-4)


def test_a_batch_of_masks_stays_within_the_memory_that_was_said() -> None:
    from explorers.mask_fed import foreseen, labs_of
    from explorers.traces import backbone
    from models.coverage import masks_of
    from models.image import open_image
    from models.memory import peak_bytes

    for name in ("mae", "simmim"):
        (lab,) = labs_of([backbone(f"run/{name}")], open_image(COFFEE))
        patches = lab.grid[0] * lab.grid[1]
        hidden = round(0.75 * patches)
        batch, said = foreseen(lab, hidden / patches, 16)
        masks = masks_of(lab.grid, hidden, 16)
        assert batch == 16
        needed = peak_bytes(lambda lab=lab, masks=masks: lab.reconstruct(masks))
        assert needed <= said < 2 * needed, name


def test_the_object_is_where_attention_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Squares that are called the object show the fox, which a third of the picture does."""
    from explorers import mask_sources

    monkeypatch.setattr(mask_sources, "FINDERS", ("nobody/is-here", mask_sources.FINDERS[1]))
    inside, outside = (reconstruct(examples()["emoji"], "run/mae", kind=kind) for kind in ("object", "outside"))
    mask = inside.arrays["mask"]
    assert np.array_equal(mask, 1 - outside.arrays["mask"])
    rows, columns = mask.shape
    high, wide = (side // count for side, count in zip(inside.arrays["image"].shape[:2], mask.shape, strict=True))
    red, _, blue = (inside.arrays["image"][..., channel].astype(int) for channel in range(3))
    fox = ((red > blue + 30) | (red > 200)).reshape(rows, high, columns, wide).mean((1, 3)) > 0.3
    assert fox.mean() < 0.45
    assert fox[mask.astype(bool)].mean() > 0.75
    assert "found by attention of CLIP on emoji" in inside.said()


def test_a_gan_tuned_checkpoint_is_named_from_its_card() -> None:
    assert "adversarial" not in reconstruct(COFFEE, "run/mae").said()
    assert "adversarial (GAN) loss" in reconstruct(COFFEE, "run/tuned").said()


def test_attention_of_a_mask_token_sums_to_what_cls_leaves() -> None:
    found = reconstruct(COFFEE, "run/mae", patch="3,4", mask=written(_hiding((3, 4))))
    assert not found.arrays["encoder_from"].any(), "a hidden patch is not in the encoder"
    assert found.arrays["decoder_from"].shape == (2, 8, 12)
    sums = found.arrays["decoder_from"].sum((1, 2))
    assert ((sums > 0.5) & (sums < 1)).all()
    seen = reconstruct(COFFEE, "run/mae", patch="0,0", mask=written(_hiding((3, 4))))
    assert seen.arrays["encoder_from"][:, 3, 4].tolist() == [0, 0]
    assert (seen.arrays["encoder_from"].sum((1, 2)) > 0.5).all()


def test_a_square_of_simmim_looks_within_its_windows() -> None:
    """Rows of every block sum to 1, and nothing outside the windows is looked at; the last block sees all of it."""
    found = reconstruct(COFFEE, "run/simmim", patch="0,0")
    rows, seen = found.arrays["encoder_from"], found.arrays["encoder_seen"].astype(bool)
    assert rows.shape == seen.shape == (3, 6, 6)
    np.testing.assert_allclose(rows.sum((1, 2)), 1, atol=1e-5)
    assert not rows[~seen].any()
    assert seen.sum((1, 2)).tolist() == [4, 9, 36]
    assert "decoder_from" not in found.arrays, "SimMIM's decoder has no attention"


@pytest.mark.parametrize("kind", ["block", "grid", "object"])
def test_doubt_of_other_masks_paints_every_square_when_hidden(kind: str) -> None:
    found = reconstruct(COFFEE, "run/mae", masks=48, kind=kind, ratio=0.6)
    told = found.facts["doubt"]
    assert told["least"] >= 2
    assert np.isfinite(found.arrays["doubt_map"]).all()
    words = {"block": "blocks of different seeds", "grid": "even pattern, shifted", "object": "shape, shifted"}[kind]
    assert words in found.said()


@pytest.mark.parametrize(("form", "kind", "frames"), [("gif", "ratio", 19), ("mp4", "growth", 3 * 23 + 15)])
def test_films_hold_a_frame_a_step_with_its_caption(form: str, kind: str, frames: int, tmp_path: Path) -> None:
    """GIF and MP4 as players read them, at 12 frames a second in MP4; the caption's strip lies under every frame."""
    file = tmp_path / f"film.{form}"
    file.write_bytes(reconstruct(COFFEE, "run/mae", film=kind, form=form).files[f"film.{form}"]("ru"))
    pictures, about = _played(file)
    assert "Patchlight" in about
    assert len(pictures) == frames
    first, last = (np.asarray(pictures[end].convert("L"), int) for end in (0, -1))
    assert np.abs(first - last).mean() > 1, "nothing moves"
    for picture in pictures:
        strip = np.asarray(picture.convert("L"))[-30:]
        assert strip.max() > 200, "no paper under the caption"
        assert strip.min() < 120, "no words under the picture"


def test_a_film_is_refused_as_mp4_where_nothing_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    made = reconstruct(COFFEE, "run/mae", film="ratio", form="mp4").files["film.mp4"]
    with pytest.raises(Fault, match="pip install av"):
        made("en")


def test_a_painted_mask_grows_in_curve_and_film_through_itself() -> None:
    from explorers.mask_fed import labs_of
    from explorers.mask_film import counts
    from explorers.mask_hiding import hiding_of
    from explorers.mask_lab import Masking
    from explorers.traces import backbone
    from models.image import open_image

    mask = mask_of("block", (8, 12), 40, 3)
    labs = labs_of([backbone("run/mae")], open_image(COFFEE))
    hiding = hiding_of(labs, Masking(mask=written(mask)))
    growth = counts(hiding, "growth")
    assert (growth[0], growth[-1], len(growth)) == (2, 40, 24)
    assert torch.equal(hiding.of(40, turn=3), mask)
    smaller, larger = hiding.at(0.3), hiding.at(0.6)
    assert bool((smaller <= mask).all())
    assert bool((larger >= mask).all())


def _played(file: Path) -> tuple[list[Image.Image], str]:
    if file.suffix == ".gif":
        with Image.open(file) as film:
            about = film.info["comment"].decode()
            return [frame.convert("RGB") for frame in ImageSequence.Iterator(film)], about
    import av

    with av.open(file) as film:
        assert film.streams.video[0].codec_context.name == "h264"
        pictures = [frame.to_image() for frame in film.decode(video=0)]
        return pictures, film.metadata["comment"]


def _hiding(place: tuple[int, int]) -> torch.Tensor:
    mask = torch.zeros(8, 12, dtype=torch.int)
    mask[place] = 1
    return mask


def test_shell(tmp_path: Path) -> None:
    from explorers.__main__ import main

    asked = ["reconstruct", "--checkpoint", "run/mae", "--image", str(COFFEE), "--seed", "3", "--out", str(tmp_path)]
    assert main(asked) == 0
    with np.load(tmp_path / "reconstruct.npz") as numbers:
        assert np.array_equal(numbers["mask"], mask_of("random", (8, 12), 72, 3).numpy())
    with Image.open(tmp_path / "reconstruct.png") as panels:
        assert panels.width == 3 * 480 + 4 * 16
    asked[-1:] = [str(tmp_path / "film"), "--film", "growth", "--form", "mp4"]
    assert main(asked) == 0
    assert _played(tmp_path / "film" / "reconstruct-film.mp4")[0]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    import gradio as gr

    from explorers.endpoint import register

    with gr.Blocks(analytics_enabled=False) as page:
        register(EXPLORER)
    page.queue(api_open=False)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, footer_links=[])
    place = str(tmp_path_factory.mktemp("answers"))
    client = Client(address, verbose=False, download_files=place, analytics_enabled=False)
    yield client
    client.close()
    page.close(verbose=False)


def test_the_endpoint_takes_a_mask_as_rows_of_0_and_1(client: Client) -> None:
    mask = mask_of("random", (8, 12), 50, 9)
    asked = {"image": handle_file(str(COFFEE)), "checkpoint": "run/mae", "mask": written(mask)}
    said, file = client.predict(**asked, api_name="/reconstruct")
    own: Finding = reconstruct(COFFEE, "run/mae", mask=written(mask))
    with np.load(file) as numbers:
        assert np.array_equal(numbers["mask"], mask.numpy())
        assert np.array_equal(numbers["prediction"], own.arrays["prediction"])
        assert json.loads(str(numbers["caption"])) == said
    assert said["caption"]["en"] == own.said()
    with pytest.raises(AppError, match="rows of 0 and 1"):
        client.predict(**{**asked, "mask": "012"}, api_name="/reconstruct")
