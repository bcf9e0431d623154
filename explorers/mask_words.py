"""Caption of a reconstruction: what is hidden, how well it was painted, by whom, and what may mislead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from explorers import fed_words
from explorers.explorer import Sentence, noted
from explorers.learnt import warned
from explorers.text import say

if TYPE_CHECKING:
    from explorers.mask_film import Film
    from explorers.mask_hiding import Hiding

SENTENCES: Mapping[str, str] = {
    "mask": "{hidden} of {patches} squares are hidden; the network paints them from the other {visible}.",
    "squared": "Error over hidden squares as in training, mean squared: network {network}, nearest visible patch "
    "{nearest}, mean visible colour {mean}.",
    "squared, normalised": "Error over hidden squares as in training, mean squared without each patch's own mean and "
    "deviation: network {network}, nearest visible patch {nearest}, mean visible colour {mean}.",
    "absolute": "Error over hidden squares as in training, mean absolute: network {network}, nearest visible patch "
    "{nearest}, mean visible colour {mean}.",
    "psnr": "PSNR over hidden squares: network {network} dB, nearest visible patch {nearest} dB, mean visible "
    "colour {mean} dB.",
    "above": "Over the mean visible colour the network gains {gain} dB.",
    "below": "Against the mean visible colour the network loses {gain} dB.",
    "worse": "Copying the nearest visible patch does better here than the network.",
    "own": "The network predicts neither brightness nor contrast of a patch; each is given those of visible patches "
    "on average.",
    "true": "Each hidden patch is given its true mean and deviation, which leaks brightness and contrast of "
    "the answer.",
    "finder": "The object was found by attention of {title}: squares that hold 60 % of its mass.",
    "tuned": "By its card this checkpoint was tuned with an adversarial (GAN) loss: it invents sharp detail that "
    "the plain one does not.",
    "doubt": "Doubt: {masks} masks of {hidden} squares; each was painted when hidden, {least} to {most} times; "
    "mean deviation {deviation} of the colour range.",
    "doubt block": "Its masks are blocks of different seeds.",
    "doubt grid": "Its masks are one even pattern, shifted; no more of them differ than these.",
    "doubt painted": "Its masks are the painted shape, shifted over the picture; what leaves at one edge comes in at "
    "the other.",
    "against": "{title} had the same mask: PSNR {psnr} dB, error as in training {loss}.",
    "network": "{title}, {revision}, input {width} × {height} pixels.",
    "random": "The weights are random: this network was never trained.",
}  # fmt: skip

KINDS: Mapping[str, str] = {"random": "Random", "block": "Block", "grid": "Grid", "painted": "Painted"}


def caption(facts: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """The sentences under the panels, from `mask_answers.answer`'s facts and what else was asked."""
    said = [
        *warned(facts),
        Sentence(SENTENCES["mask"], {name: facts[name] for name in ("hidden", "patches", "visible")}),
    ]
    said.append(Sentence(SENTENCES[facts["measure"]], _figures(facts["losses"])))
    said.append(Sentence(SENTENCES["psnr"], _figures(facts["psnr"])))
    gain = facts["psnr"]["network"] - facts["psnr"]["mean"]
    said.append(Sentence(SENTENCES["below" if gain < 0 else "above"], {"gain": f"{abs(gain):.1f}"}))
    if facts["psnr"]["nearest"] > facts["psnr"]["network"]:
        said.append(Sentence(SENTENCES["worse"]))
    if facts["normalised"]:
        said.append(Sentence(SENTENCES[facts["statistics"]]))
    if facts.get("finder"):
        said.append(Sentence(SENTENCES["finder"], {"title": facts["finder"]}))
    if "doubt" in facts:
        said += doubt_said(facts["doubt"])
    for other in facts.get("against", ()):
        told = {"title": other["title"], "psnr": figure(other["psnr"]), "loss": figure(other["loss"])}
        said.append(Sentence(SENTENCES["against"], told))
    return (*said, *_about(facts))


def doubt_said(told: Mapping[str, Any]) -> list[Sentence]:
    kind = f"doubt {told['kind']}"
    return [Sentence(SENTENCES["doubt"], told), *([Sentence(SENTENCES[kind])] if kind in SENTENCES else [])]


def film_words(
    title: str, hiding: Hiding, kind: Film, language: str, hidden: int | None = None, decibels: float | None = None
) -> str:
    """Under a film's frame that hides so many squares, or, without a number, of the film as a whole."""
    facts = {"title": title, "kind": say(KINDS[hiding.kind], language), "seed": hiding.seed}
    patches = hiding.grid[0] * hiding.grid[1]
    if hidden is not None and decibels is not None:
        return say(
            "Hidden: {hidden} of {patches} squares, {percent} %. PSNR over them: {decibels} dB. {title}; kind of mask: "
            "{kind}, seed {seed}.",
            language, hidden=hidden, patches=patches, percent=f"{100 * hidden / patches:.0f}",
            decibels=f"{decibels:.1f}", **facts,
        )  # fmt: skip
    if kind == "ratio":
        return say(
            "Patchlight: what {title} paints as the hidden share goes from 5 to 95 %; kind of mask: {kind}, seed "
            "{seed}.",
            language, **facts,
        )  # fmt: skip
    return say(
        "Patchlight: what {title} paints as a mask of {hidden} squares grows; kind of mask: {kind}, seed {seed}.",
        language, hidden=hiding.hidden, **facts,
    )  # fmt: skip


def _about(facts: Mapping[str, Any]) -> Iterator[Sentence]:
    if facts["tuned"]:
        yield Sentence(SENTENCES["tuned"])
    height, width = facts["shape"]
    named = {"title": facts["title"], "revision": facts["revision"], "width": width, "height": height}
    yield Sentence(SENTENCES["network"], named)
    yield fed_words.said(facts)
    yield from noted(facts)
    if facts["random"]:
        yield Sentence(SENTENCES["random"])


def _figures(values: Mapping[str, float]) -> dict[str, str]:
    return {name: figure(value) for name, value in values.items()}


def figure(value: float) -> str:
    return f"{value:.3g}"
