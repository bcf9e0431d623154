"""Caption of a reconstruction: what is hidden, how well it was painted, by whom, and what may mislead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorers.explorer import Sentence

SENTENCES: Mapping[str, str] = {
    "mask": "{hidden} of {patches} squares are hidden; the network paints them from the other {visible}.",
    "squared": "Error over hidden squares as in training, mean squared: {loss}.",
    "squared, normalised": "Error over hidden squares as in training, mean squared without each patch's own mean and "
    "deviation: {loss}.",
    "absolute": "Error over hidden squares as in training, mean absolute: {loss}.",
    "psnr": "PSNR over hidden squares: network {network} dB, nearest visible patch {nearest} dB, mean visible "
    "colour {mean} dB.",
    "worse": "Copying the nearest visible patch does better here than the network.",
    "own": "The network predicts neither brightness nor contrast of a patch; each is given those of visible patches "
    "on average.",
    "true": "Each hidden patch is given its true mean and deviation, which leaks brightness and contrast of "
    "the answer.",
    "finder": "The object was found by attention of {title}: squares that hold 60 % of its mass.",
    "stretched": "The whole picture was stretched to the shape that the network was trained at.",
    "tuned": "By its card this checkpoint was tuned with an adversarial (GAN) loss: it invents sharp detail that "
    "the plain one does not.",
    "doubt": "Doubt: {masks} masks of {hidden} squares; each was painted when hidden, {least} to {most} times; "
    "mean deviation {deviation} of the colour range.",
    "against": "{title} had the same mask: PSNR {network} dB.",
    "network": "{title}, {revision}, input {width} × {height} pixels.",
    "random": "The weights are random: this network was never trained.",
}  # fmt: skip


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The sentences under the panels, from `mask_answers.answer`'s facts."""
    said = [Sentence(SENTENCES["mask"], {name: facts[name] for name in ("hidden", "patches", "visible")})]
    said.append(Sentence(SENTENCES[facts["measure"]], {"loss": figure(facts["loss"])}))
    said.append(Sentence(SENTENCES["psnr"], {name: figure(value) for name, value in facts["psnr"].items()}))
    if facts["psnr"]["nearest"] > facts["psnr"]["network"]:
        said.append(Sentence(SENTENCES["worse"]))
    if facts["normalised"]:
        said.append(Sentence(SENTENCES[facts["statistics"]]))
    if "finder" in facts:
        said.append(Sentence(SENTENCES["finder"], {"title": facts["finder"]}))
    if "doubt" in facts:
        said.append(Sentence(SENTENCES["doubt"], facts["doubt"]))
    if "against" in facts:
        other = facts["against"]
        said.append(Sentence(SENTENCES["against"], {"title": other["title"], "network": figure(other["psnr"])}))
    said += [Sentence(SENTENCES[name]) for name in ("stretched", "tuned") if facts[name]]
    height, width = facts["shape"]
    named = {"title": facts["title"], "revision": facts["revision"], "width": width, "height": height}
    said.append(Sentence(SENTENCES["network"], named))
    return (*said, *([Sentence(SENTENCES["random"])] if facts["random"] else []))


def figure(value: float) -> str:
    return f"{value:.3g}"
