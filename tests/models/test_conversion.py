"""What trainings leave becomes safetensors that open, and nothing in a checkpoint is ever run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from models.__main__ import main
from models.answers import answers
from models.conversion import convert
from models.doctor import diagnose
from models.faults import Fault
from models.weights import CONVERSION
from tests.models.checkpoints import TRAININGS, encoder, saved

TAKEN = {
    "DINO": "teacher.backbone", "DINOv2": "teacher.backbone", "MAE": "model", "SimMIM": "model.encoder",
    "MoCo v3": "state_dict.module.base_encoder", "timm": "state_dict_ema", "DeiT": "model_ema",
    "OpenCLIP": "state_dict.module.visual.trunk", "lightly": "state_dict.teacher_backbone",
}  # fmt: skip


@pytest.mark.parametrize("training", TRAININGS)
def test_what_a_training_leaves_opens_with_exactly_its_weights(training: str, tmp_path: Path) -> None:
    done = convert(saved(TRAININGS[training](), tmp_path / "old.pth"))
    assert done.taken == TAKEN[training]
    assert len(load_file(done.out)) == done.tensors > 0
    said = "" if training == "SimMIM" else "heads=3&grid=2x2"
    found = diagnose(done.out, answers=answers(said))
    assert found.fault is None
    assert found.backbone is not None
    if training == "SimMIM":
        assert found.layout == "SimMIM"
        return
    wanted = encoder(0, init_values=1e-5) if training == "DINOv2" else encoder(0)
    opened = found.backbone.module.state_dict()
    assert {name for name, value in wanted.items() if not torch.equal(opened[name], value)} == set()


def test_another_network_is_chosen_by_a_word_of_its_name(tmp_path: Path) -> None:
    file = saved(TRAININGS["DINO"](), tmp_path / "old.pth")
    assert convert(file, tmp_path / "teacher.safetensors").others == ("student.module.backbone",)
    student = convert(file, tmp_path / "student.safetensors", "student")
    assert student.taken == "student.module.backbone"
    kept = load_file(student.out)["module.backbone.blocks.0.attn.qkv.weight"]
    assert torch.equal(kept, encoder(1)["blocks.0.attn.qkv.weight"])
    with pytest.raises(
        Fault, match=r"nobody was asked for, but old.pth holds teacher.backbone, student.module.backbone"
    ):
        convert(file, tmp_path / "other.safetensors", "nobody")
    both = saved(TRAININGS["lightly"](), tmp_path / "both.ckpt")
    names = load_file(convert(both, take="student_backbone").out).keys()
    assert not any(name.startswith("teacher_backbone.") for name in names)


class Harm:
    """What a malicious checkpoint would run when it is opened."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.file}",)


class Evaluated(Harm):
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return eval, (f"open({str(self.file)!r}, 'w')",)


@pytest.mark.parametrize("harm", [Harm, Evaluated])
def test_a_program_in_a_checkpoint_is_never_run(harm: type[Harm], tmp_path: Path) -> None:
    file = saved({"model": encoder(), "args": harm(tmp_path / "ran")}, tmp_path / "bad.pth")
    with pytest.raises(Fault, match=r"names (posix\.system|eval), which is no plain weights"):
        convert(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.pth"]


def test_nothing_is_written_where_nothing_fits(tmp_path: Path) -> None:
    odd = saved({"policy": {"mlp.weight": torch.ones(2, 2)}, "epoch": 3}, tmp_path / "odd.pth")
    with pytest.raises(Fault, match=r"no network that is known here; in it lie policy \(1: mlp.weight, …\), epoch"):
        convert(odd)
    assert convert(odd, take="policy").tensors == 1
    with pytest.raises(Fault, match=r"odd.safetensors is there already"):
        convert(odd, take="policy")
    empty = saved({"epoch": 3}, tmp_path / "empty.pth")
    with pytest.raises(Fault, match="in it lie epoch"):
        convert(empty)
    whole = saved(nn.Linear(2, 2), tmp_path / "whole.pth")
    with pytest.raises(Fault, match=r"names torch\.nn\.modules\.linear\.Linear"):
        convert(whole)
    (tmp_path / "text.pth").write_text("no checkpoint at all")
    with pytest.raises(Fault, match="no checkpoint that torch's restricted reader understands"):
        convert(tmp_path / "text.pth")
    with pytest.raises(Fault, match="There is no file"):
        convert(tmp_path / "none.pth")
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == ["odd.safetensors"]


def test_the_command_that_a_pickle_is_answered_with_is_the_one_that_works(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = saved(TRAININGS["DINO"](), tmp_path / "my old.pth")
    told = str(diagnose(file).fault)
    assert "python -m models convert 'my old.pth'" in told
    assert main(["convert", str(file)]) == 0
    said = capsys.readouterr().out
    assert "took teacher.backbone: 32 tensors" in said
    assert "to choose another of student.module.backbone: --take student.module.backbone" in said
    assert main(["convert", str(file)]) == 1
    saved(TRAININGS["MAE"](), tmp_path / "OLD.pth")
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = CONVERSION.replace("python", sys.executable, 1)
    subprocess.run(command, shell=True, cwd=tmp_path, env=here, check=True, capture_output=True)
    assert len(load_file(tmp_path / "NEW.safetensors")) == len(TRAININGS["MAE"]()["model"])
