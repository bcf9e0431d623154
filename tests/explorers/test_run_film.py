"""Whether a film takes no more memory than it may, whatever its pictures unpack to."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from explorers import film as writing
from explorers import run_film
from explorers.run_film import film
from models.faults import Fault


def picture(shade: int, side: int = 40) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side + 1), (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("form", ["gif", "mp4"])
def test_frames_come_in_order_each_once(form: str) -> None:
    """A frame that is opened late must still be the one that was sent at its place."""
    made = film([picture(shade) for shade in (0, 80, 160, 240)], "a run", form)
    if form == "mp4":
        import av

        with av.open(io.BytesIO(made), "r") as container:
            frames = [frame.to_image() for frame in container.decode(video=0)]
        repeats = writing.MILLISECONDS * writing.RATE // 1000
        frames = frames[: 4 * repeats : repeats]
        assert len(frames) == 4
    else:
        with Image.open(io.BytesIO(made)) as moving:
            frames = []
            for number in range(moving.n_frames):  # pyright: ignore[reportAttributeAccessIssue]
                moving.seek(number)
                frames.append(moving.convert("RGB"))
    assert [round(frame.getpixel((5, 5))[0] / 80) for frame in frames] == [0, 1, 2, 3]  # pyright: ignore
    assert {frame.size for frame in frames} == {(40, 42)}


def test_pictures_are_decoded_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, 40 pictures of 0.02 MB took 1.4 GB."""
    import models.image

    opened, true = [], models.image.open_image
    monkeypatch.setattr(models.image, "open_image", lambda file, limit: opened.append(1) or true(file, limit))
    frames = run_film._Unopened([picture(shade) for shade in range(3)])
    assert opened == []
    assert frames[2].getpixel((0, 0)) == (2, 0, 0)
    assert opened == [1]


def test_what_a_film_unpacks_to_is_bounded() -> None:
    large = picture(9, 1990)
    assert len(large) < 50_000
    with pytest.raises(Fault, match="158 million pixels once unpacked where 120 million are taken"):
        film([large] * 40, "a run", "gif")
    with pytest.raises(Fault, match="pixels"):
        film([picture(9, 2100)], "a run", "gif")


def test_one_film_is_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several at once would take several times the memory that one is allowed."""
    inside, most, lock = [0], [0], threading.Lock()
    true = writing.joined

    def joined(*given: object) -> bytes:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        try:
            return true(*given)  # pyright: ignore[reportArgumentType]
        finally:
            with lock:
                inside[0] -= 1

    monkeypatch.setattr(writing, "joined", joined)
    with ThreadPoolExecutor(4) as pool:
        for made in [pool.submit(film, [picture(1), picture(2)], "", "gif") for _ in range(8)]:
            assert made.result(20)
    assert most[0] == 1
    monkeypatch.setattr(run_film, "PATIENCE", 0.01)
    with run_film._alone(), pytest.raises(Fault, match="others are being made"):
        film([picture(1)], "", "gif")
