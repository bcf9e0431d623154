// What a run will cost, before it begins: a few real steps are measured on the server whenever the form has rested.

import { factTable } from "./controls.js";
import { Told } from "./server.js";
import { post } from "./training_server.js";
import { Turns } from "./turns.js";
import { language, make, number, onLanguage, say } from "./words.js";

const REST = 900; // milliseconds that the form rests before its cost is measured
export const FORM = String(Math.random()); // of what this form has asked only the newest is measured
const NOTHING = { parameters: null, step: null, memory: null, steps: null, time: null };
const AWAITED = { parameters: "…", step: "…", memory: "…", steps: "…", time: "…" };
const OLD = 60; // seconds after which it is told when it was measured

export class Cost {
  constructor() {
    Object.assign(this, { turns: new Turns(), found: null });
    this.facts = factTable({ parameters: "Parameters", step: "One step", memory: "Memory", steps: "Steps", time: "Whole run" });
    this.note = make("p.pl-note", { role: "status" });
    this.element = make(".pl-train-cost", {}, this.facts.element, this.note);
    onLanguage(() => this.words?.());
  }

  /** preset: {gpu} or undefined; gpu: whether this machine has one. */
  ask(recipe, preset, gpu) {
    clearTimeout(this.soon);
    this.turns.endAll();
    this.found = null;
    if (preset?.gpu && !gpu) return this.#without(() => this.#measure(recipe));
    this.#say(AWAITED, () => [say("Being measured on this machine …")]);
    this.soon = setTimeout(() => this.#measure(recipe), REST);
  }

  /** A run begins, which measures itself: what has not been asked yet is not asked, and what the server answers now is of no use. */
  leave() {
    if (this.found) return;
    clearTimeout(this.soon);
    this.turns.endAll();
    this.#say(NOTHING, () => [say("The run measures itself in its first seconds.")]);
  }

  /** Something was changed that a step's cost does not depend on, such as how many there are. */
  again({ settings }) {
    if (this.found) this.#tell(this.found, settings);
  }

  #measure(recipe) {
    return this.turns.latest("cost", async (turn) => {
      try {
        const found = await turn(post("estimate", { recipe, form: FORM }));
        if (!found.steps) return;
        this.found = found;
        this.#tell(found, recipe.settings);
      } catch (wrong) {
        if (!(wrong instanceof Told)) throw wrong;
        const { template, facts } = wrong.fault;
        this.#say(NOTHING, () => [say(template, facts)]);
      }
    });
  }

  #tell({ parameters, seconds_per_step: seconds, memory, steps, minutes, busy, taken, fewest }, settings) {
    const timed = settings.minutes > 0;
    const fitting = timed ? Math.floor((steps / minutes) * settings.minutes) : settings.steps;
    const facts = () => ({
      parameters: say("{millions} M", { millions: number(parameters / 1e6, 3) }),
      step: say("{seconds} s", { seconds: number(seconds, 2) }),
      memory: say("{megabytes} MB", { megabytes: number(Math.round(memory / 1e6)) }),
      steps: timed ? say("about {steps}", { steps: number(fitting) }) : number(fitting),
      time: duration(timed ? 60 * settings.minutes : seconds * fitting),
    });
    const few = () => say("This machine makes about {steps} steps in that time, and fewer than {fewest} are too few to learn anything from: choose a smaller network, picture or batch, or more minutes.", { steps: number(fitting), fewest });
    const words = () => [...(timed && fitting < fewest ? [make("strong", {}, few()), " "] : []), measuredWhen(taken, busy)];
    this.#say(facts, words);
  }

  /** Made for a GPU that is not here: measuring alone would hold this machine up, so it is left to the reader. */
  #without(measure) {
    const anyway = () => make("button.pl-link", { type: "button", say: "Measure anyway", onclick: measure });
    this.#say(NOTHING, () => [say("Made for a GPU, which this machine does not have; here it learns little in its time."), " ", anyway()]);
  }

  /** facts: texts, or what makes them. words(): what stands below. Both again in another language. */
  #say(facts, words) {
    this.words = () => {
      this.facts.set(typeof facts === "function" ? facts() : facts);
      this.note.replaceChildren(...words());
    };
    this.words();
  }
}

/** taken: seconds since 1970. busy: whether the machine had something else to do. */
function measuredWhen(taken, busy) {
  if (busy) return say("Measured from a few real steps, while this machine had something else to do. Alone it is faster.");
  if (Date.now() / 1000 - taken < OLD) return say("Measured from a few real steps on this machine.");
  return say("Measured from a few real steps on this machine, at {time}.", { time: new Date(1000 * taken).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" }) });
}

/** A time in words: seconds below two minutes, minutes below two hours. */
export function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  if (seconds < 100) return say("{seconds} s", { seconds: number(Math.max(1, Math.round(seconds))) });
  if (seconds < 6000) return say("{minutes} min", { minutes: number(Math.round(seconds / 60)) });
  return say("{hours} h", { hours: number(Math.round(seconds / 360) / 10) });
}
