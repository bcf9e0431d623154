"""Everything that decides a run: what learns, from which pictures, how. A recipe and a seed are the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.faults import Fault
from training.objective import Method, Plan, method
from training.settings import Settings, checked, option

SIDE = 96
"""Pixels, where neither a person nor a network says another."""


@dataclass(frozen=True)
class Recipe:
    """What `settings.json` holds.

    options:  the objective's own choices, by name
    settings: the engine's choices, by name; what is not named is the objective's default
    """

    objective: str
    images: str = option("scenes", "pictures: a dataset's name, a folder, a table, hub/OWNER/NAME; + joins several")
    size: str = option("micro", "size of the network: nano, micro, milli, mini, tiny, small, base, large")
    side: int = option(
        0, "height and width of the pictures in pixels; 0: 96, or as a network that is there was trained", least=0,
        most=1024,
    )  # fmt: skip
    patch: int = option(8, "side of a patch in pixels", least=1, most=64)
    language: str = option("en", "language of captions", choices=("en", "ru", "both"))
    few: int = option(1, "fewest objects in a drawn picture", least=1, most=9)
    many: int = option(5, "most objects in a drawn picture", least=1, most=9)
    smallest_object: float = option(0.2, "side of the smallest drawn one, share of the frame's", least=0.1, most=0.95)
    synonyms: bool = option(False, "call emoji by other words of their own too, in English")
    alike: int = option(1, "so many pictures of shapes in a row share their colours (hard negatives)", least=1, most=64)
    captions: str = option("", "column of captions, where a table's cannot be guessed")
    streaming: bool = option(False, "read a hub dataset as it comes")
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> Method:
        return method(self.objective)

    @property
    def picture_side(self) -> int:
        """Height and width of the pictures in pixels, chosen or not."""
        own = self.method.side
        return self.side or (SIDE if own is None else own(checked(self.method.options, self.options)))

    @property
    def engine(self) -> Settings:
        return checked(Settings, {**self.method.settings, **self.settings})

    def plain(self) -> dict[str, Any]:
        """As settings.json has it, every default written out so that a later version cannot change the run."""
        whole = dataclasses.asdict(self) | {"side": self.picture_side}
        whole["options"] = dataclasses.asdict(checked(self.method.options, self.options))
        whole["settings"] = dataclasses.asdict(self.engine)
        return whole


CHOICES = tuple(choice for choice in dataclasses.fields(Recipe) if choice.metadata)
"""The recipe's own fields that a person may set, beside the engine's and the objective's."""


def recipe(values: Mapping[str, Any]) -> Recipe:
    """A checked recipe from plain values, as `Recipe.plain` gave them."""
    held = {name: dict(values.get(name, {})) for name in ("options", "settings")}
    kind = dataclasses.make_dataclass(
        "Choices", [(choice.name, type(choice.default), choice) for choice in CHOICES], frozen=True
    )
    plain = {name: value for name, value in values.items() if name not in (*held, "objective")}
    own: dict[str, Any] = dataclasses.asdict(checked(kind, plain))
    made = Recipe(str(values.get("objective")), **own, options=held["options"], settings=held["settings"])
    checked(made.method.options, made.options)
    if made.few > made.many:
        raise Fault(
            "Pictures of {few} to {many} objects were asked for; let the fewest be no more than the most.",
            few=made.few, many=made.many,
        )  # fmt: skip
    if made.method.whole and made.engine.accumulate > 1:
        raise Fault(
            "A batch of {batch} was to be passed in {parts} parts, but {objective} compares the pictures of a batch "
            "with one another, which would be those of a part only; choose one part and a smaller batch, or more "
            "processes.",
            batch=made.engine.batch, parts=made.engine.accumulate, objective=made.method.title,
        )  # fmt: skip
    _ = made.engine.chosen
    return made


def dataset(made: Recipe, split: str = "train") -> Any:
    """The pictures that a recipe names, ready to learn from; several names joined by + take turns."""
    from training.datasets import Source, open_dataset
    from training.mixture import Mixture

    def opened(name: str) -> Any:
        source = Source(
            name, side=made.picture_side, split=split, language=made.language, objects=(made.few, made.many),  # pyright: ignore[reportArgumentType]
            smallest=made.smallest_object, synonyms=made.synonyms, alike=made.alike,
            captions=made.captions or None, streaming=made.streaming,
        )  # fmt: skip
        return open_dataset(source, need=made.method.need)

    names = sources(made.images)
    return opened(names[0]) if len(names) == 1 else Mixture(tuple(opened(name) for name in names))


def sources(images: str) -> tuple[str, ...]:
    """The sets that `images` joins by +, each as it is judged and as it is opened; what exists as it is written is one,
    whatever its name holds."""
    return (images,) if _exists(images) else tuple(images.split("+"))


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # longer than any name may be, or with a zero byte in it
        return False


def plan(made: Recipe, classes: tuple[str, ...], words: Any = None) -> Plan:
    """What the method builds its objective from."""
    return Plan(made.size, made.picture_side, made.patch, checked(made.method.options, made.options), classes, words)
