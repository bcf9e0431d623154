"""Any picture file to RGB: each rule by a picture whose right answer is known, each bad file by its sentence."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from models.faults import Fault
from models.image import FORMATS, open_image, size_of, steps


def stored(image: Image.Image, kind: str = "PNG", **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return io.BytesIO(file.getvalue())


def middle(image: Image.Image) -> tuple[int, ...]:
    return tuple(np.asarray(image)[image.height // 2, image.width // 2])


def gradient() -> np.ndarray:
    """(32, 48) from 0 at the left to 1 at the right."""
    return np.tile(np.linspace(0, 1, 48), (32, 1))


def test_plain_rgb_passes_unchanged(tmp_path: Path) -> None:
    rgb = (np.random.default_rng(0).random((32, 48, 3)) * 255).astype(np.uint8)
    path = tmp_path / "plain.png"
    Image.fromarray(rgb).save(path)
    for file in (path, str(path), io.BytesIO(path.read_bytes())):
        opened = open_image(file)
        assert opened.mode == "RGB"
        assert np.array_equal(np.asarray(opened), rgb)
        assert steps(opened) == ()


def test_sixteen_bit_grey_keeps_its_shades() -> None:
    """Pillow's own conversion saturates it: mean 254 where 127 is right."""
    deep = Image.fromarray((gradient() * 65535).astype(np.uint16))
    opened = open_image(stored(deep))
    assert abs(np.asarray(opened).mean() - 127.5) < 1
    assert np.abs(np.asarray(opened)[..., 0] - gradient() * 255).max() <= 1
    assert steps(opened) == ("16-bit grey scaled to 8 bits",)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_32_bit_grey_is_stretched(mode: str) -> None:
    values = (gradient() * 1e6 - 5e5).astype(np.float32 if mode == "F" else np.int32)
    opened = open_image(stored(Image.fromarray(values), "TIFF"))
    assert np.abs(np.asarray(opened)[..., 0] - gradient() * 255).max() <= 1
    assert steps(opened) == ("grey values stretched from least to greatest",)


def test_a_flat_float_picture_is_black_and_one_with_nan_is_refused() -> None:
    assert not np.asarray(open_image(stored(Image.fromarray(np.full((9, 9), 3, np.float32)), "TIFF"))).any()
    with pytest.raises(Fault, match="is damaged"):
        open_image(stored(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_stands_upright(kind: str, orientation: int) -> None:
    scene = np.zeros((32, 48, 3), np.uint8)
    scene[:16, :24] = 255
    turn = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    as_shot = Image.fromarray(scene) if turn is None else Image.fromarray(scene).transpose(Image.Transpose(turn))
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_image(stored(as_shot, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {})))
    assert opened.size == (48, 32)
    assert size_of(stored(as_shot, kind, exif=exif)) == (32, 48), "the header alone says another shape"
    assert np.abs(np.asarray(opened).astype(int) - scene).mean() < 8
    assert bool(steps(opened)) == (orientation > 1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "GIF"])
def test_transparent_parts_lie_on_white(mode: str) -> None:
    clear = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 4, 4))
    if mode == "LA":
        clear = clear.convert("LA")
    elif mode == "P":
        clear = clear.quantize(4)
    opened = open_image(stored(clear, "GIF" if mode == "GIF" else "PNG"))
    assert middle(opened) == (255, 255, 255)
    assert middle(opened.crop((0, 0, 4, 4))) != (255, 255, 255)
    assert steps(opened) == ("transparent parts laid over white",)


def test_a_half_transparent_red_becomes_pink() -> None:
    assert middle(open_image(stored(Image.new("RGBA", (16, 16), (255, 0, 0, 128))))) == (255, 127, 127)


@pytest.mark.parametrize(("mode", "colour"), [("L", 77), ("1", 1), ("P", (10, 20, 30))])
def test_grey_bilevel_and_palette_are_looked_up(mode: str, colour: int | tuple[int, int, int]) -> None:
    image = (
        Image.new("RGB", (16, 16), colour).quantize(2)
        if isinstance(colour, tuple)
        else Image.new(mode, (16, 16), colour)
    )
    expected = colour if isinstance(colour, tuple) else (255,) * 3 if mode == "1" else (colour,) * 3
    assert middle(open_image(stored(image))) == expected


def test_cmyk_goes_through_its_profile_where_there_is_one() -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    red, green, blue = middle(open_image(stored(cyan, "JPEG", quality=95)))
    assert red < 20
    assert green > 200
    assert blue > 200
    assert steps(open_image(stored(cyan, "JPEG"))) == ("CMYK converted without a profile",)
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert steps(open_image(stored(cyan, "JPEG", icc_profile=wrong))) == ("CMYK converted without a profile",)


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    for kind in ("GIF", "PNG", "WEBP"):
        opened = open_image(stored(frames[0], kind, save_all=True, append_images=frames[1:]))
        assert middle(opened)[0] > 250
        assert steps(opened) == ("first frame of several",)


def bomb(width: int, height: int) -> io.BytesIO:
    """A small PNG that unpacks to `width` × `height` black pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


@pytest.mark.parametrize("side", [8_001, 12_000, 20_000])
def test_a_bomb_is_refused_before_it_is_unpacked(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    file = bomb(side, side)
    assert len(file.getvalue()) < 200_000
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("the picture was decoded"))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("the picture was decoded"))
    with pytest.raises(Fault, match=r"unpacks to more than 64\.0 million pixels"):
        open_image(file)


@pytest.mark.parametrize(
    ("size", "sentence"),
    [((1, 1), "1 × 1 pixels, too small"), ((20_000, 10), "20000 × 10 pixels, a strip"), ((10, 20_000), "a strip")],
)
def test_sizes_without_patches_are_refused(size: tuple[int, int], sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        open_image(stored(Image.new("L", size)))


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_text("not a picture")
    with pytest.raises(Fault, match=r"notes.png is not a picture that can be read"):
        open_image(text)
    with pytest.raises(Fault, match="is not a picture that can be read"):
        open_image(io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"))
    with pytest.raises(Fault, match=r"gone.png cannot be opened \(No such file"):
        open_image(tmp_path / "gone.png")
    for wrong in (True, 3, ["a.png"], None, io.StringIO("x")):
        with pytest.raises(Fault, match="A picture was asked for, but a"):
            open_image(wrong)  # pyright: ignore[reportArgumentType]


def test_damaged_files_always_end_in_a_sentence() -> None:
    """Cut anywhere, flip anything: a `Fault` or a picture, never a traceback."""
    scene = Image.fromarray((np.random.default_rng(1).random((24, 32, 3)) * 255).astype(np.uint8))
    noise = random.Random(0)
    for kind in FORMATS:
        whole = stored(scene, kind).getvalue()
        with pytest.raises(Fault):
            open_image(io.BytesIO(whole[: len(whole) // 2]))
        for _ in range(40):
            damaged = bytearray(whole)
            for _ in range(noise.randrange(1, 9)):
                damaged[noise.randrange(len(damaged))] = noise.randrange(256)
            with contextlib.suppress(Fault):
                assert open_image(io.BytesIO(bytes(damaged))).mode == "RGB"
