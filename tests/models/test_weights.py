"""Files that do not open: damaged, of an unknown type, of a type that is not read, too many tensors, endless names."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

from models.doctor import diagnose
from models.faults import LONGEST_FACT, Fault
from models.state_dict import MOST_BLOCKS
from models.weights import MOST_TENSORS


def test_damaged_unknown_and_not_read_are_three_sentences(tmp_path: Path) -> None:
    """Whoever has a whole file in eight bits is not told to fetch it again."""
    torn, odd, eighth = (tmp_path / f"{name}.safetensors" for name in ("torn", "odd", "eighth"))
    save_file({"a": torch.zeros(9)}, torn)
    torn.write_bytes(torn.read_bytes()[:-4])
    header = json.dumps({"a": {"dtype": "F3_X", "shape": [1], "data_offsets": [0, 4]}}).encode()
    odd.write_bytes(struct.pack("<Q", len(header)) + header + b"0000")
    save_file({"blocks.0.attn.qkv.weight": torch.zeros(12, 4).to(torch.float8_e4m3fn)}, eighth)
    said = [str(diagnose(file).fault) for file in (torn, odd, eighth)]
    assert said[0].startswith("torn.safetensors is not a whole safetensors file (")
    assert said[1].startswith("odd.safetensors stores tensors as F3_X, a type that the safetensors library here does")
    assert said[2] == (
        "eighth.safetensors is whole, but blocks.0.attn.qkv.weight is stored as F8_E4M3, which is not read here; "
        "export it as float32, float16 or bfloat16."
    )


def test_names_of_others_never_make_a_sentence_endless(tmp_path: Path) -> None:
    save_file({str(number) * 10_000: torch.zeros(1) for number in range(9)}, tmp_path / "long.safetensors")
    assert len(str(diagnose(tmp_path / "long.safetensors").fault)) < 600
    state = timm.create_model("test_vit").state_dict()
    save_file({**state, **{"x" * 9000 + str(n): torch.zeros(1) for n in range(9)}}, tmp_path / "extra.safetensors")
    named = diagnose(tmp_path / "extra.safetensors")
    assert len(str(named.fault)) < 1500
    fault = Fault("{name} was asked for, but {count} are there; choose one.", name="x" * 10**6, count=10**30)
    assert len(str(fault)) < LONGEST_FACT + 100
    assert fault.facts["count"] == 10**30


def test_what_is_too_much_is_refused_by_count_at_once(tmp_path: Path) -> None:
    """Nobody waits half a minute for a refusal: 200,000 tensors took 19 s, a ViT of 500 blocks 34 s."""
    save_file({f"n{number}": torch.zeros(0) for number in range(50_000)}, tmp_path / "many.safetensors")
    begun = time.perf_counter()
    fault = str(diagnose(tmp_path / "many.safetensors").fault)
    assert f"holds 50000 tensors where at most {MOST_TENSORS} are looked at" in fault
    state = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1, num_classes=0).state_dict()
    deep = {
        name.replace("blocks.0.", f"blocks.{block}."): torch.zeros(1) if block else value
        for name, value in state.items() for block in (range(200) if "blocks" in name else range(1))
    }  # fmt: skip
    save_file(deep, tmp_path / "deep.safetensors")
    assert f"holds 200 blocks where at most {MOST_BLOCKS} are built" in str(
        diagnose(tmp_path / "deep.safetensors").fault
    )
    assert time.perf_counter() - begun < 5
