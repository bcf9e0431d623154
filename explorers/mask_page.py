"""What the page's mask lab fetches: the picture once, then an answer a question. Painting itself asks nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from explorers import delivery, mask_answers, mask_doubt
from explorers.bundle import pack
from explorers.cache import Cache
from explorers.desk_facts import desk_facts
from explorers.explorer import Sentence
from explorers.export import npz
from explorers.film import MEDIA
from explorers.learnt import page_facts
from explorers.mask_curve import curve_point
from explorers.mask_fed import Fed, common_grid, fed, foreseen, labs_of
from explorers.mask_film import film
from explorers.mask_hiding import Hiding, hiding_of
from explorers.mask_lab import Masking, explore
from explorers.mask_offers import offered
from explorers.mask_sources import object_of, rows_of
from explorers.mask_words import SENTENCES, doubt_said
from explorers.parameters import Parameters, checked, parameter
from explorers.permalink import from_query
from explorers.traces import backbone, trace
from models.backbone import Decodes
from models.doubt import LEAST, MOST, Doubt
from models.faults import Fault

if TYPE_CHECKING:
    from torch import Tensor

    from explorers.frame import Desk

Values = Mapping[str, str]


FIGURES = ("network", "nearest", "mean", "psnr", "loss", "deviation")
"""Facts of sentences that are numbers, written for Python's reader."""


class Telling(Parameters):
    """What an address says beside a question: which batch of several, and the reader's language."""

    step: int = parameter(0, title="Batch", least=0, most=MOST)
    language: Literal["en", "ru"] = parameter("en", title="Language")


def opening(desk: Desk) -> bytes:
    """The picture as fed and the addresses of `Answers`; or why this network paints nothing, and which ones do."""
    seen = trace(desk.checkpoint, desk.file, desk.side, desk.fit)
    common = {**desk_facts(seen), "sentences": dict(SENTENCES), "able": offered()}
    try:
        lab = fed(seen.backbone, seen.image, desk.side, desk.fit)
    except Fault as fault:
        return pack({**common, **delivery.told(fault), "refused": True}, {})
    answers = Answers(desk)
    facts = {
        **common, **mask_answers.about(lab), "grid": lab.grid, "decodes": isinstance(lab.backbone, Decodes),
        "normalised": bool(getattr(getattr(lab.backbone.module, "config", None), "norm_pix_loss", False)),
        "learnt": page_facts(desk.checkpoint, desk.file), "masks": [LEAST, MOST], "addresses": answers.addresses(),
    }  # fmt: skip
    return pack(facts, {"image": lab.rgb})


_Running = tuple[Masking, Hiding, "Tensor", Doubt]
"""A question of doubt, what it hides, its masks, and what has been added up."""

KEPT = 2**28
"""Bytes of what is being added up, for all visitors together."""

_sums: Cache[_Running] = Cache(KEPT, lambda running: running[3].bytes)


class Answers:
    """Of one desk: picture and network are its own, everything else comes with each question. It keeps their names
    alone: what they stand for lies in caches, which have bounds."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._own = secrets.token_urlsafe(18)

    def addresses(self) -> dict[str, str]:
        plain: dict[str, Callable[[Masking], bytes]] = {
            "answer": self.answer, "object": self.object, "sources": self.sources, "foreseen": self.foreseen,
            "curve": self.curve, "common": self.common,
        }  # fmt: skip
        found = {name: delivery.offer(partial(self._asked, job)) for name, job in plain.items()}
        found["doubt"] = delivery.offer(self.doubt)
        found["numbers"] = delivery.offer(
            partial(self._asked, lambda asked: npz(explore(self.desk.file, asked))), filename="patchlight-masks.npz"
        )
        for form, media in MEDIA.items():
            found[form] = delivery.offer(self.film, media_type=media, filename=f"patchlight-masks.{form}")
        return found

    def _asked(self, job: Callable[[Masking], bytes], values: Values) -> bytes:
        return job(self.asked(values))

    def asked(self, values: Values) -> Masking:
        """Named texts of an address, checked, with the desk's network and picture."""
        own = {"checkpoint": self.desk.checkpoint, "side": self.desk.side, "fit": self.desk.fit}
        plain = from_query(Masking, {name: text for name, text in values.items() if name not in own})
        return checked(Masking, {**plain.model_dump(), **own})

    def answer(self, asked: Masking) -> bytes:
        """Panels of one mask, in bytes; with `against` the other networks' too."""
        alone = asked.model_copy(update={"masks": 0, "seeds": 0, "patch": "", "film": "none"})
        finding = explore(self.desk.file, alone)
        drawn = {name: values for name, values in finding.arrays.items() if name not in ("image", "pasted")}
        return pack({**finding.facts, "said": _said(finding.caption)}, drawn)

    def object(self, asked: Masking) -> bytes:
        labs = self.labs(asked)
        found, title = object_of(labs[0].backbone, labs[0].pixels, common_grid(labs))
        return pack({"title": title}, {"mask": found.numpy().astype(np.uint8)})

    def common(self, asked: Masking) -> bytes:
        """The picture, and the grid of masks that fit this network and the others."""
        labs = self.labs(asked)
        return pack({"grid": common_grid(labs), "shape": labs[0].shape}, {"image": labs[0].rgb})

    def sources(self, asked: Masking) -> bytes:
        """Rows of a square of this network's own grid, and how MAE and SimMIM differ in them."""
        labs = self.labs(asked)
        found = rows_of(labs[0].backbone, labs[0].pixels, hiding_of(labs, asked).mask(), asked.patch)
        return pack({"linear": "decoder_from" not in found}, found)

    def foreseen(self, asked: Masking) -> bytes:
        """What `masks` masks will take, before they run."""
        labs = self.labs(asked)
        batch, needed = foreseen(labs[0], hiding_of(labs, asked).share, max(1, asked.masks))
        return pack({"batch": batch, "bytes": needed}, {})

    def doubt(self, values: Values) -> bytes:
        """The next batch of masks: how many are done, and after the last one the pictures."""
        step = from_query(Telling, values).step
        asked = self.asked({name: text for name, text in values.items() if name != "step"})
        if asked.masks < LEAST:
            raise Fault(
                "Doubt over {count} masks was asked for; ask for {least} or more.", count=asked.masks, least=LEAST
            )
        labs = self.labs(asked)
        lab, (known, hiding, masks, sums) = labs[0], self._running(asked, labs, afresh=step == 0)
        if known != asked:
            raise Fault("Masks were run for another question meanwhile; start again.")
        batch, _ = foreseen(lab, hiding.share, len(masks))
        mask_doubt.add(sums, lab, masks[step * batch : (step + 1) * batch], asked.statistics)
        done = min(len(masks), (step + 1) * batch)
        if done < len(masks):
            return pack({"done": done, "of": len(masks)}, {})
        told = mask_doubt.doubt_facts(sums, hiding, len(masks))
        facts = {**told, "done": done, "of": done, "said": _said(doubt_said(told))}
        return pack(facts, _in_bytes(mask_doubt.doubt_arrays(sums)))

    def _running(self, asked: Masking, labs: Sequence[Fed], afresh: bool) -> _Running:
        """What is added up over masks for this desk, from the first batch on. Raises `Fault`."""

        def begin() -> _Running:
            if not afresh:
                raise Fault("Masks were run for another question meanwhile; start again.")
            hiding = hiding_of(labs, asked)
            return asked, hiding, hiding.many(asked.masks), Doubt(labs[0].grid, labs[0].shape)

        if afresh:
            _sums.forget(self._own)
        return _sums.get(self._own, begin)

    def curve(self, asked: Masking) -> bytes:
        """One ratio: each network's error under each of `seeds` masks, and the nearest visible patch's."""
        labs = self.labs(asked)
        hiding = hiding_of(labs, asked)
        errors, copied = curve_point(labs, hiding, asked.ratio, max(1, asked.seeds), asked.statistics)
        titles = [lab.backbone.card.title for lab in labs]
        return pack({"errors": errors, "nearest": copied, "titles": titles, "kind": hiding.kind}, {})

    def film(self, values: Values) -> bytes:
        asked, language = self.asked(values), from_query(Telling, values).language
        labs = self.labs(asked)
        kind = "ratio" if asked.film == "none" else asked.film
        return film(labs[0], hiding_of(labs, asked), kind, asked.form, asked.statistics, language)

    def labs(self, asked: Masking) -> tuple[Fed, ...]:
        """This network's input, and the others'."""
        seen = trace(self.desk.checkpoint, self.desk.file, self.desk.side, self.desk.fit)
        networks = [seen.backbone, *map(backbone, asked.others)]
        return labs_of(networks, seen.image, self.desk.side, self.desk.fit)


def _said(sentences: Sequence[Sentence]) -> list[dict[str, Any]]:
    """For the page's scripts, which write figures in the reader's way."""
    return [
        {"template": one.template, "facts": {name: _figure(name, fact) for name, fact in one.facts.items()}}
        for one in sentences
    ]


def _figure(name: str, fact: object) -> object:
    return float(str(fact)) if name in FIGURES else fact


def _in_bytes(arrays: mask_answers.Arrays) -> mask_answers.Arrays:
    """Doubt for the screen: the mean as colours, deviation as one map."""
    mean = np.rint(255 * arrays["doubt_mean"].clip(0, 1)).astype(np.uint8)
    return {"doubt_mean": mean, "doubt_map": arrays["doubt_map"]}
