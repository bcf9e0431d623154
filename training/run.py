"""A run is a folder. Whoever looks at it reads files; whoever stops it sends a signal or kills it; nothing is lost.

settings.json    the recipe, every default written out
metrics.jsonl    one line a step: step, loss, every figure, seen, seconds, speed, rate, memory
checkpoints/     see `training.store`
snapshots/       the network on its way, and what else is there to look at: see `training.snapshots`, `training.shown`
status.json      {"state", "step", "steps", "seen", "seconds", "process", "heartbeat", "sentence", "template", "facts"}
log.txt          what happened, with times
skipped.txt      pictures that could not be read, if any
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from models.card import Card
from models.catalogue import runs_folder
from models.faults import Fault
from models.weights import replace_file, save
from training import shown
from training.engine import Progress, devices, train
from training.estimate import starved, too_large
from training.gather import agreed, rank
from training.objective import Objective, Shows
from training.recipe import Recipe, dataset, plan, recipe
from training.room import full, give_reserve, keep_reserve
from training.snapshots import Snapshots
from training.store import Store

HEARTBEAT = 1.0
"""Seconds between updates of status.json."""

STATES = ("running", "finished", "stopped", "failed")


def open_run(name: str, made: Recipe | None = None, budgets: Mapping[str, float] | None = None) -> Run:
    """A new run of `made`, or the existing run called `name` where no recipe is given.

    budgets: new limits for an existing run: `hours`, `disk`
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
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
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / "settings.json", (json.dumps(made.plain(), indent=1, ensure_ascii=False) + "\n").encode())
    return Run(folder, made)


class Run:
    """One run's folder and the recipe in it."""

    def __init__(self, folder: Path, made: Recipe) -> None:
        self.folder, self.recipe, self.settings = folder, made, made.engine
        self.store = Store(folder, self.settings)
        self.stopping = False

    @property
    def status(self) -> dict[str, Any]:
        """What status.json says; a run that died says `running` with an old heartbeat."""
        path = self.folder / "status.json"
        return json.loads(path.read_text()) if path.exists() else {"state": "stopped", "step": 0, "seconds": 0.0}

    def stop(self) -> None:
        """Lets the step at hand finish, writes a checkpoint and ends `learn`."""
        self.stopping = True

    def learn(self) -> Generator[Progress, None, None]:
        """Learns from the newest checkpoint, or from the beginning; one `Progress` a step. Closing it stops it."""
        accelerator = devices(self.settings)
        with self._alone():
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
            fault = too_large(self.recipe, lambda made: Run(self.folder, made)._made())  # what failed is let go by now
            self._fail(fault)
            raise fault

    def _fail(self, fault: Fault) -> None:
        give_reserve(self.folder)
        self._log(str(fault))
        self._say("failed", fault)

    def _learn(self) -> Iterator[Progress]:
        images, objective = self._made()
        start = self.store.newest()
        before = self.status["seconds"]
        self._rewind(int(start["step"]) if start else 0)
        self._log(f"learning from step {int(start['step']) if start else 0} of {self.settings.steps}")
        keep_reserve(self.folder)
        begun, beat, written, progress = time.time(), 0.0, 0, None
        look = self._looks(objective, images, start)
        steps = train(objective, images, self.settings, start)
        with open(self.folder / "metrics.jsonl", "a", encoding="utf-8") as metrics, contextlib.closing(steps):
            for progress in steps:
                seconds = before + time.time() - begun
                late = 0 < self.settings.hours * 3600 < seconds
                if rank() == 0:
                    _line(metrics, progress, seconds)
                    if time.time() - beat > HEARTBEAT:
                        beat = time.time()
                        self._say("running", None, progress, seconds)
                if self._due(progress.step):
                    self._checkpoint(objective, progress)
                    written = progress.step
                look(progress)
                yield progress
                if agreed(late or self.stopping):
                    break
        if progress is not None and written != progress.step:
            self._checkpoint(objective, progress)
        self._list_skipped(images.skipped)
        finished = progress is None or progress.step == self.settings.steps
        self._say("finished" if finished else "stopped", None, progress, before + time.time() - begun)
        self._log("finished" if finished else "stopped")

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

    def _words(self, images: Any) -> Any:
        from tokenizers import Tokenizer

        from training.words import captions_of, words

        path = self.folder / "tokenizer.json"
        if not path.exists() and rank() == 0:
            replace_file(path, words(captions_of(images)).to_str(pretty=False).encode())
        devices(self.settings).wait_for_everyone()
        return Tokenizer.from_file(str(path))

    def _due(self, step: int) -> bool:
        return step % self.settings.keep_every == 0 or step in self.settings.chosen or step == self.settings.steps

    def _checkpoint(self, objective: Objective, progress: Progress) -> None:
        if rank() == 0:
            snapshot = progress.snapshot()
            self.store.write(progress.step, snapshot, lambda folder: self._network(folder, objective, snapshot))
            self.store.publish(progress.step)
            self._log(f"checkpoint at step {progress.step}, loss {progress.loss:.4f}")

    def _looks(self, objective: Objective, images: Any, start: Mapping[str, Any] | None) -> Callable[[Progress], None]:
        """What is written after a step for those who look on; the untrained network is written at once."""
        result = objective.result()
        if result is None or not self.settings.watch or rank():
            return lambda progress: None
        snapshots = Snapshots(self.folder, self.settings.disk, self.settings.steps)
        snapshots.rewind(int(start["step"]) if start else -1)
        batch = shown.fixed(self.recipe, images)
        views = shown.views_of(objective, batch) if isinstance(objective, Shows) else {}

        def look(step: int, snapshot: Callable[[], Mapping[str, Any]]) -> None:
            snapshots.look(
                step,
                lambda folder: self._network(folder, objective, snapshot()),
                lambda folder: shown.write_shown(folder, objective, views),
            )

        if start is None:
            shown.write_views(self.folder, objective, batch, result.pixels)
            whole = objective.module.state_dict()
            look(0, lambda: {"step": 0, **{f"average/{name}": value for name, value in whole.items()}})
        return lambda progress: look(progress.step, progress.snapshot)

    def _network(self, folder: Path, objective: Objective, snapshot: Mapping[str, Any]) -> None:
        result = objective.result()
        if result is None:
            return
        network, config = result.network, dict(result.config)
        names = {module: name for name, module in objective.module.named_modules()}
        if self.settings.ema:
            prefix = f"average/{names[network]}."
            network = _with(network, {k.removeprefix(prefix): v for k, v in snapshot.items() if k.startswith(prefix)})
        if result.classes:
            config["classes"] = list(result.classes)
        words = None if result.tokenizer is None else result.tokenizer.to_str(pretty=False)
        card = Card(
            id=f"run/{self.folder.name}", title=self.folder.name, family=result.family, licence="Apache-2.0",
            training="Trained here by a recipe of one's own; see settings.json of the run.",
        )  # fmt: skip
        save(folder, network, config, card, result.pixels, words, notes={"step": str(int(snapshot["step"]))})

    def _rewind(self, step: int) -> None:
        """Drops lines of metrics.jsonl that a killed session wrote after the checkpoint, and a half-written one."""
        path = self.folder / "metrics.jsonl"
        if path.exists() and rank() == 0:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            replace_file(path, "".join(lines[:step]).encode())

    def _say(
        self, state: str, fault: Fault | None, progress: Progress | None = None, seconds: float | None = None
    ) -> None:
        old = self.status
        said = {
            "state": state,
            "step": progress.step if progress else old["step"],
            "steps": self.settings.steps,
            "seen": progress.seen if progress else old.get("seen", 0),
            "seconds": old["seconds"] if seconds is None else seconds,
            "process": os.getpid(),
            "heartbeat": time.time(),
            "sentence": "" if fault is None else str(fault),
            "template": "" if fault is None else fault.template,
            "facts": {} if fault is None else {name: str(fact) for name, fact in fault.facts.items()},
        }
        if rank() == 0:
            with contextlib.suppress(OSError):  # a full disk must not hide the sentence that says so
                replace_file(self.folder / "status.json", json.dumps(said).encode())

    def _log(self, sentence: str) -> None:
        if rank() == 0:
            with contextlib.suppress(OSError), open(self.folder / "log.txt", "a", encoding="utf-8") as log:
                log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {sentence}\n")

    @property
    def skipped(self) -> tuple[str, ...]:
        """A line a picture that could not be read, by name and reason, over all sessions of the run."""
        path = self.folder / "skipped.txt"
        return tuple(path.read_text(encoding="utf-8").splitlines()) if path.exists() else ()

    def _list_skipped(self, skipped: Any) -> None:
        if skipped and rank() == 0:
            fresh = (f"{entry.picture}\t{entry.reason}".replace("\n", " ") for entry in skipped)
            lines = tuple(dict.fromkeys((*self.skipped, *fresh)))
            replace_file(self.folder / "skipped.txt", "".join(f"{line}\n" for line in lines).encode())
            self._log(f"pictures skipped: {len(lines)}, listed in skipped.txt")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No second process may learn in this folder; the lock goes with the process, even a killed one."""
        if rank() or os.name != "posix":
            yield
            return
        import fcntl

        with open(self.folder / ".lock", "w") as lock:
            for patience in (0.05, 0.1, 0.2, None):  # who only looks holds it for a moment
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as taken:
                    if patience is None:
                        raise Fault(
                            "The run {name} is learning already; stop it first.", name=self.folder.name
                        ) from taken
                    time.sleep(patience)
            yield


def _with(network: torch.nn.Module, state: dict) -> torch.nn.Module:
    import copy

    other = copy.deepcopy(network)
    other.load_state_dict(state)
    return other


def _line(metrics: Any, progress: Progress, seconds: float) -> None:
    line = {
        "step": progress.step, "loss": progress.loss, **progress.figures, "seen": progress.seen,
        "seconds": round(seconds, 3), "rate": progress.rate, "speed": round(progress.speed, 2),
        "memory": progress.memory,
    }  # fmt: skip
    metrics.write(json.dumps(line) + "\n")
    metrics.flush()
