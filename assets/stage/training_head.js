// Above the pictures: which run this is, how far it is, how fast, and what can be done with it.

import { duration } from "./training_cost.js";
import { stateOf } from "./training_runs.js";
import { nameOf } from "./training_source.js";
import { make, number, onLanguage, say } from "./words.js";

const WORKS = ["starting", "running"];
const LIMITS = { disk: "Disk, MB", hours: "Hours at most" };
const GOES_ON = ["paused", "stopped", "failed", "lost"];

export class Head {
  /** act(name of an act, what else it takes); copy(). */
  constructor({ act, copy }) {
    this.title = make("h2.pl-train-title");
    this.about = make("span.pl-train-about");
    this.state = make("span.pl-chip.pl-train-state");
    this.figures = make(".pl-train-figures");
    this.meter = make("i");
    this.sentences = make(".pl-train-sentences", { role: "status" });
    this.limit = make("input.pl-text", { type: "number", step: "any" });
    this.more = make("label.pl-train-limit", {}, make("span"), this.limit);
    const button = (name, text, run) => make("button.pl-button", { type: "button", say: text, "data-act": name, onclick: run });
    this.buttons = {
      pause: button("pause", "Pause", () => act("pause")), resume: button("resume", "Resume", () => act("resume", this.#budgets())),
      stop: button("stop", "Stop", () => act("stop")), copy: button("copy", "Duplicate…", copy),
      evaluate: button("evaluate", "Evaluate", () => act("evaluate")), delete: button("delete", "Delete", () => this.#delete(act)),
    };
    this.element = make("header.pl-train-head", { hidden: true },
      make(".pl-train-line", {}, this.title, this.state, this.about, make(".pl-train-acts", {}, this.more, ...Object.values(this.buttons))),
      make(".pl-train-meter.pl-train-large", { role: "progressbar", label: "Progress" }, this.meter), this.figures, this.sentences);
    onLanguage(() => this.job && this.draw(this.job));
  }

  draw(job) {
    this.job = job;
    this.element.hidden = !job;
    if (!job) return;
    this.title.textContent = job.name;
    this.state.textContent = stateOf(job);
    this.state.dataset.state = job.state;
    this.about.textContent = aboutOf(job.recipe);
    this.meter.style.width = `${100 * job.share}%`;
    this.meter.parentElement.setAttribute("aria-valuenow", Math.round(100 * job.share));
    this.figures.replaceChildren(...this.#figures(job).map((text) => make("span", {}, text)));
    this.#say(job.sentences.map(({ template, facts }) => say(template, facts)));
    this.#ask(job);
    this.#allow(job);
  }

  /** Said anew only where it has changed, so that whoever listens hears it once. */
  #say(sentences) {
    if (sentences.join("\n") === this.said) return;
    this.said = sentences.join("\n");
    this.sentences.replaceChildren(...sentences.map((text) => make("p.pl-train-sentence", {}, text)));
  }

  /** Of a run that ended at one of its limits: how far it may go when it is resumed, twice as far unless one says so. */
  #ask({ name, spent, recipe }) {
    const asked = spent && `${name} ${spent} ${recipe.settings[spent]}`;
    this.more.hidden = !spent;
    if (spent) this.more.firstChild.textContent = say(LIMITS[spent]);
    if (asked === this.asked) return;
    this.asked = asked;
    this.limit.dataset.setting = spent ?? "";
    this.limit.value = spent ? 2 * recipe.settings[spent] : "";
  }

  #budgets() {
    return this.job.spent ? { budgets: { [this.job.spent]: Number(this.limit.value) } } : {};
  }

  #figures(job) {
    const works = WORKS.includes(job.state);
    return [
      job.steps === null ? say("step {step}", { step: job.step }) : say("step {step} of {steps}", { step: job.step, steps: job.steps }),
      job.speed && say("{speed} pictures/s", { speed: number(job.speed, 3) }),
      works && job.eta !== null && say("{time} left", { time: duration(job.eta) }),
      job.seconds > 0 && soFar(job),
      job.memory && say("{megabytes} MB", { megabytes: number(Math.round(job.memory / 1e6)) }),
    ].filter(Boolean);
  }

  #allow(job) {
    const works = WORKS.includes(job.state) || job.state === "waiting";
    this.buttons.pause.hidden = !works;
    this.buttons.stop.hidden = !works;
    this.buttons.resume.hidden = !GOES_ON.includes(job.state);
    this.buttons.evaluate.hidden = !job.kept.length;
    this.buttons.evaluate.disabled = ["waiting", "running"].includes(job.evaluation);
    const text = { waiting: "Evaluation waits", running: "Evaluating …", done: "Evaluate again" }[job.evaluation] ?? "Evaluate";
    this.buttons.evaluate.dataset.say = text;
    this.buttons.evaluate.textContent = say(text);
    if (this.sure !== job.name) this.#unsure();
  }

  /** What cannot be taken back is asked twice. */
  #delete(act) {
    if (this.sure === this.job.name) {
      this.#unsure();
      return act("delete");
    }
    this.sure = this.job.name;
    this.buttons.delete.dataset.say = "Really delete?";
    this.buttons.delete.textContent = say("Really delete?");
    setTimeout(() => this.#unsure(), 4000);
  }

  #unsure() {
    this.sure = null;
    this.buttons.delete.dataset.say = "Delete";
    this.buttons.delete.textContent = say("Delete");
  }
}

/** What runs: a network of its own size, or one that was there already, whose size, side and patch are its own. */
function aboutOf({ objective, size, images, side, patch, options: { checkpoint } }) {
  if (checkpoint) return say("{objective} of {checkpoint}, {images}", { objective, checkpoint, images: nameOf(images) });
  return say("{objective}, {size}, {images}, {side} px, patch {patch}", { objective, size, images: nameOf(images), side, patch });
}

/** Time spent, and the whole of it where the clock ends the run. */
function soFar({ seconds, share, recipe: { settings } }) {
  if (!settings.minutes) return say("{time} so far", { time: duration(seconds) });
  return say("{time} of {whole}", { time: duration(60 * settings.minutes * share), whole: duration(60 * settings.minutes) });
}
