"""What the page's mask lab fetches: the picture once, then an answer a question. Painting itself asks nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from explorers import delivery, mask_answers
from explorers.bundle import pack
from explorers.desk_facts import desk_facts
from explorers.export import npz
from explorers.mask_animation import gif
from explorers.mask_fed import Fed, fed, foreseen, labs_of, mask_for
from explorers.mask_lab import Masking, explore
from explorers.mask_sources import object_of, rows_of
from explorers.mask_words import SENTENCES
from explorers.parameters import Parameters, checked, parameter
from explorers.permalink import from_query
from explorers.traces import Traced, backbone, trace
from models.backbone import Decodes
from models.card import Card
from models.catalogue import bundled_folder, catalogue, checkpoints, runs_folder
from models.doubt import LEAST, MOST, Doubt, masks_of
from models.faults import Fault
from models.masking import hidden_count

if TYPE_CHECKING:
    from explorers.frame import Desk

Values = Mapping[str, str]

OFFERED = 4
"""Networks that are named where the chosen one cannot paint."""


class Step(Parameters):
    """One batch of something that is done batch by batch."""

    step: int = parameter(0, title="Batch", least=0, most=MOST)


def opening(desk: Desk) -> bytes:
    """The picture as fed and the addresses of `Answers`; or why this network paints nothing, and which ones do."""
    seen = trace(desk.checkpoint, desk.file, desk.side, desk.fit)
    able = offered()
    common = {**desk_facts(seen), "sentences": dict(SENTENCES), "able": able}
    try:
        lab = fed(seen.backbone, seen.image, desk.side, desk.fit)
    except Fault as fault:
        return pack({**common, **delivery.told(fault), "refused": True}, {})
    answers = Answers(desk, seen, lab)
    facts = {
        **common, **mask_answers.about(lab), "grid": lab.grid, "decodes": isinstance(lab.backbone, Decodes),
        "normalised": bool(getattr(getattr(lab.backbone.module, "config", None), "norm_pix_loss", False)),
        "masks": [LEAST, MOST], "addresses": answers.addresses(),
    }  # fmt: skip
    return pack(facts, {"image": lab.rgb})


def offered() -> list[dict[str, Any]]:
    """Networks that paint: those on this machine, else those that can be fetched."""
    here = [card for card in checkpoints() if "reconstructs" in card.abilities or _paints(card)]
    cards = here or [card for card in catalogue() if "reconstructs" in card.abilities][:OFFERED]
    return [{"id": card.id, "title": card.title, "here": bool(here)} for card in cards]


def _paints(card: Card) -> bool:
    """Whether a checkpoint folder describes a network with its decoder; cards of runs do not say."""
    folder = {"run": runs_folder, "bundled": bundled_folder}.get(card.source)
    if folder is None:
        return False
    described = json.loads((folder() / card.id.partition("/")[2] / "config.json").read_text(encoding="utf-8"))
    return str(described.get("class", "")).endswith(("ForPreTraining", "ForMaskedImageModeling"))


class Answers:
    """Of one desk: picture and network are its own, everything else comes with each question."""

    def __init__(self, desk: Desk, seen: Traced, lab: Fed) -> None:
        self.desk, self.seen = desk, seen
        self._labs: dict[str, tuple[Fed, ...]] = {"": (lab,)}
        self._running: tuple[Any, Doubt] | None = None

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
        found["film"] = delivery.offer(
            partial(self._asked, self.film), media_type="image/gif", filename="patchlight-masks.gif"
        )
        return found

    def _asked(self, job: Callable[[Masking], bytes], values: Values) -> bytes:
        return job(self.asked(values))

    def asked(self, values: Values) -> Masking:
        """Named texts of an address, checked, with the desk's network and picture."""
        own = {"checkpoint": self.desk.checkpoint, "side": self.desk.side, "fit": self.desk.fit}
        plain = from_query(Masking, {name: text for name, text in values.items() if name not in own})
        return checked(Masking, {**plain.model_dump(), **own})

    def answer(self, asked: Masking) -> bytes:
        """Panels of one mask, in bytes; with `against` the second network's too."""
        finding = explore(self.desk.file, asked.model_copy(update={"masks": 0, "seeds": 0, "patch": ""}))
        drawn = {name: values for name, values in finding.arrays.items() if name not in ("image", "pasted")}
        said = [{"template": one.template, "facts": dict(one.facts)} for one in finding.caption]
        return pack({**finding.facts, "said": said}, drawn)

    def object(self, asked: Masking) -> bytes:
        labs = self.labs(asked)
        found, title = object_of(labs[0].backbone, labs[0].pixels, mask_answers.common_grid(labs))
        return pack({"title": title}, {"mask": found.numpy().astype(np.uint8)})

    def common(self, asked: Masking) -> bytes:
        """The picture, and the grid of masks that fit this network and the second one."""
        labs = self.labs(asked)
        return pack({"grid": mask_answers.common_grid(labs), "shape": labs[0].shape}, {"image": labs[0].rgb})

    def sources(self, asked: Masking) -> bytes:
        lab = self.labs(asked)[0]
        mask = mask_for(lab, asked.kind, asked.ratio, asked.seed, asked.mask, lab.grid)
        return pack({}, rows_of(lab.backbone, lab.pixels, mask, asked.patch))

    def foreseen(self, asked: Masking) -> bytes:
        """What `masks` masks will take, before they run."""
        lab = self.labs(asked)[0]
        batch, needed = foreseen(lab, _hidden(lab, asked), max(1, asked.masks))
        return pack({"batch": batch, "bytes": needed}, {})

    def doubt(self, values: Values) -> bytes:
        """The next batch of masks: how many are done, and after the last one the pictures."""
        step = from_query(Step, values).step
        asked = self.asked({name: text for name, text in values.items() if name != "step"})
        key, lab = (asked.masks, asked.ratio, asked.seed, asked.statistics, asked.against), self.labs(asked)[0]
        if asked.masks < LEAST:
            raise Fault(
                "Doubt over {count} masks was asked for; ask for {least} or more.", count=asked.masks, least=LEAST
            )
        hidden = _hidden(lab, asked)
        masks, (batch, _) = (
            masks_of(lab.grid, hidden, asked.masks, asked.seed),
            foreseen(lab, hidden, asked.masks),
        )
        if step == 0:
            self._running = (key, Doubt(lab.grid, lab.shape))
        if self._running is None or self._running[0] != key:
            raise Fault("Masks were run for another question meanwhile; start again.")
        sums = self._running[1]
        mask_answers.add(sums, lab, masks[step * batch : (step + 1) * batch], asked.statistics)
        done = min(asked.masks, (step + 1) * batch)
        if done < asked.masks:
            return pack({"done": done, "of": asked.masks}, {})
        told = mask_answers.doubt_facts(sums, hidden, asked.masks)
        said = [{"template": SENTENCES["doubt"], "facts": told}]
        return pack({"done": done, "of": asked.masks, "said": said, **told}, _in_bytes(mask_answers.doubt_arrays(sums)))

    def curve(self, asked: Masking) -> bytes:
        """One ratio: each network's error under each of `seeds` masks, and the nearest visible patch's."""
        labs = self.labs(asked)
        kind: Any = asked.kind if asked.kind in ("random", "block", "grid") else "random"
        errors, copied = mask_answers.curve_point(
            labs, kind, asked.ratio, max(1, asked.seeds), asked.seed, asked.statistics
        )
        return pack({"errors": errors, "nearest": copied[0], "titles": [lab.backbone.card.title for lab in labs]}, {})

    def film(self, asked: Masking) -> bytes:
        kind: Any = asked.kind if asked.kind in ("random", "block", "grid") else "random"
        return gif(self.labs(asked)[0], kind, asked.seed, asked.statistics)

    def labs(self, asked: Masking) -> tuple[Fed, ...]:
        """This network's input, and the second one's."""
        if asked.against not in self._labs:
            second = backbone(asked.against)
            made = labs_of(self.seen.backbone, second, self.seen.image, self.desk.side, self.desk.fit)
            self._labs = {"": self._labs[""], asked.against: made}
        return self._labs[asked.against]


def _hidden(lab: Fed, asked: Masking) -> int:
    return hidden_count(asked.ratio, lab.grid[0] * lab.grid[1])


def _in_bytes(arrays: mask_answers.Arrays) -> mask_answers.Arrays:
    """Doubt for the screen: the mean as colours, deviation as one map."""
    mean = np.rint(255 * arrays["doubt_mean"].clip(0, 1)).astype(np.uint8)
    return {"doubt_mean": mean, "doubt_map": arrays["doubt_map"]}
