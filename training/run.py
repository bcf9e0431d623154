"""A run is a folder. Whoever looks at it reads files; whoever stops it sends a signal or kills it; nothing is lost.

settings.json    the recipe, every default written out
checkpoints/     see `training.store`
snapshots/       the network on its way, and what else is there to look at: see `training.snapshots`, `training.shown`
metrics.jsonl, status.json, log.txt, skipped.txt    see `training.diary`
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from models.card_catalogue import runs_folder
from models.faults import Fault
from models.weights import replace_file
from training.curves import newest
from training.diary import Diary
from training.engine import Progress, devices, train
from training.estimate import STEPS, contradict
from training.fits import starved, too_large
from training.gather import agreed, processes, rank
from training.held_out import HeldOut
from training.ledger import learning_alone
from training.names import is_name
from training.objective import Judged, Objective
from training.published import Published
from training.recipe import Recipe, dataset, plan, recipe
from training.room import begin, full, give_reserve, keep_reserve
from training.store import Store


def open_run(name: str, made: Recipe | None = None, budgets: Mapping[str, float] | None = None) -> Run:
    """A new run of `made`, or the existing run called `name` where no recipe is given.

    budgets: new limits for an existing run: `hours`, `disk`
    """
    if not is_name(name):
        raise Fault(
            "A run was to be called {name}, but names are made of letters, digits, dots, dashes and underscores; "
            "choose such a name.",
            name=name,
        )  # fmt: skip
    folder = runs_folder() / name
    exists = (folder / "settings.json").exists()
    if made is None:
        if not exists:
            raise Fault(
                "No run is called {name} in {folder}; start one, or set PATCHLIGHT_RUNS.",
                name=name,
                folder=runs_folder(),
            )
        values = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        values["settings"] = {"watch": False} | values["settings"] | dict(budgets or {})  # as old runs were begun
        made = recipe(values)
    elif exists:
        raise Fault("A run called {name} is there already; resume it, or choose another name.", name=name)
    made = recipe(made.plain())
    if not exists:
        begin(folder)
    _write_settings(folder, made)
    return Run(folder, made)


def _write_settings(folder: Path, made: Recipe) -> None:
    try:
        replace_file(folder / "settings.json", (json.dumps(made.plain(), indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as wrong:
        raise full(wrong, folder) from wrong


class Run:
    """One run's folder and the recipe in it."""

    def __init__(self, folder: Path, made: Recipe) -> None:
        self.folder, self.recipe, self.settings = folder, made, made.engine
        self.store, self.diary = Store(folder, self.settings), Diary(folder)
        self.stopping = False

    @property
    def status(self) -> dict[str, Any]:
        """What status.json says; a run that died says `running` with an old heartbeat."""
        return self.diary.status

    @property
    def skipped(self) -> tuple[str, ...]:
        """A line a picture that could not be read, by name and reason, over all sessions of the run."""
        return self.diary.skipped

    def stop(self) -> None:
        """Lets the step at hand finish, writes a checkpoint and ends `learn`."""
        self.stopping = True

    def learn(self) -> Generator[Progress, None, None]:
        """Learns from the newest checkpoint, or from the beginning; one `Progress` a step. Closing it stops it."""
        accelerator = devices(self.settings)
        with contextlib.nullcontext() if rank() else learning_alone(self.folder):
            try:
                accelerator.wait_for_everyone()
                yield from self._learn()
                return
            except Fault as fault:
                self._fail(fault)
                raise
            except OSError as wrong:
                fault = full(wrong, self.folder)
                if not isinstance(fault, Fault):
                    raise
                self._fail(fault)
                raise fault from wrong
            except (MemoryError, RuntimeError) as wrong:
                if not starved(wrong):
                    raise
            finally:
                give_reserve(self.folder)
            fault = self._too_large()  # what failed is let go by now
            self._fail(fault)
            raise fault

    def _too_large(self) -> Fault:
        """Meanwhile those who look on are told why the run stands still."""
        batch = self.settings.batch
        trying = Fault(
            "Memory was out with batches of {batch}; smaller ones are tried, which takes a while.", batch=batch
        )
        self.diary.note("running", trying)
        return too_large(self.recipe)

    def _fail(self, fault: Fault) -> None:
        give_reserve(self.folder)
        self.diary.log(str(fault))
        self.diary.note("failed", fault)

    def _learn(self) -> Iterator[Progress]:
        images, objective = self._made()
        start = self.store.newest()
        step = int(start["step"]) if start else 0
        if rank() == 0:
            self.store.sweep()
        self.diary.rewind(step)
        length = f"{self.settings.minutes} minutes" if self.settings.minutes else f"{self.settings.steps} steps"
        side = self.recipe.picture_side
        self.diary.log(
            f"learning from step {step}, {length} in all; pictures of {side} pixels, processes: {processes()}"
        )
        keep_reserve(self.folder)
        written, progress = 0, None
        published = Published(self.folder, self.recipe, objective)
        look = (lambda progress: None) if rank() else published.looks(images, start)
        held_out = None if rank() else self._held_out(objective)
        steps = train(objective, images, self.settings, start)
        with self.diary.session(self.status["seconds"]) as session, contextlib.closing(steps):
            for progress in steps:
                late = 0 < self.settings.hours * 3600 < session.seconds
                if held_out is not None and held_out.due(progress):
                    found = held_out.figures(progress.snapshot())
                    progress = replace(progress, figures={**progress.figures, **found})
                session.write(progress)
                if self._due(progress):
                    self._checkpoint(published, progress)
                    written = progress.step
                look(progress)
                yield progress
                if agreed(late or self.stopping):
                    break
        if progress is not None and written != progress.step:
            self._checkpoint(published, progress)
        self.diary.list_skipped(images.skipped)
        finished = "finished" if progress is None or progress.share == 1 else "stopped"
        self.diary.note(finished, None, progress, session.seconds)
        self.diary.log(finished)

    def _made(self) -> tuple[Any, Objective]:
        """The pictures and the objective with its first weights, which follow from the seed alone."""
        images = dataset(self.recipe)
        if self.recipe.method.need == "classes" and not images.classes:
            raise Fault(
                "Learning classes was asked of {images}, whose parts name different ones; name one dataset.",
                images=self.recipe.images,
            )
        words = self._words(images) if self.recipe.method.need == "captions" else None
        with torch.random.fork_rng():
            torch.manual_seed(self.settings.seed)
            return images, self.recipe.method.builds(plan(self.recipe, tuple(images.classes), words))

    def _held_out(self, objective: Objective) -> HeldOut | None:
        """None where nothing is to be measured, or can be: the log then says why."""
        if not isinstance(objective, Judged) or not self.settings.measure_every or self.recipe.streaming:
            return None
        try:
            return HeldOut(self.recipe, objective)
        except Fault as fault:
            self.diary.log(f"nothing is measured on the way: {fault}")
            return None

    def _words(self, images: Any) -> Any:
        from tokenizers import Tokenizer

        from training.words import captions_of, words

        path = self.folder / "tokenizer.json"
        if not path.exists() and rank() == 0:
            replace_file(path, words(captions_of(images)).to_str(pretty=False).encode())
        devices(self.settings).wait_for_everyone()
        return Tokenizer.from_file(str(path))

    def _due(self, progress: Progress) -> bool:
        step = progress.step
        return step % self.settings.keep_every == 0 or step in self.settings.chosen or progress.share == 1

    def _checkpoint(self, published: Published, progress: Progress) -> None:
        if rank() == 0:
            snapshot = progress.snapshot()
            self.store.write(progress.step, snapshot, lambda folder: published.write(folder, snapshot))
            self.store.publish(progress.step)
            self.diary.log(f"checkpoint at step {progress.step}, loss {progress.loss:.4f}")
            self._contradict()

    def _contradict(self) -> None:
        """What this run's newest steps took is told to whoever has estimated it."""
        speeds = [row["speed"] for row in newest(self.folder) if row.get("speed")]
        if len(speeds) > STEPS:
            contradict(self.recipe, self.settings.batch / median(speeds))
