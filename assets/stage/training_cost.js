// What a run will cost, before it begins: a few real steps are measured on the server whenever the form has rested.

import { Told } from "./bundle.js";
import { factTable } from "./controls.js";
import { Away, post } from "./training_server.js";
import { make, number, onLanguage, say } from "./words.js";

const REST = 900; // milliseconds that the form rests before its cost is measured
const FORM = String(Math.random()); // of what this form has asked only the newest is measured
const NOTHING = { parameters: null, step: null, memory: null, time: null };
const AWAITED = { parameters: "…", step: "…", memory: "…", time: "…" };

export class Cost {
  /** fit(steps): as many as fit the time of the preset on this machine. */
  constructor({ fit }) {
    Object.assign(this, { fit, turn: 0, found: null });
    this.facts = factTable({ parameters: "Parameters", step: "One step", memory: "Memory", time: "Whole run" });
    this.note = make("p.pl-note", { role: "status" });
    this.element = make(".pl-train-cost", {}, this.facts.element, this.note);
    onLanguage(() => this.words?.());
  }

  /** preset: {name, gpu} or undefined; gpu: whether this machine has one. `measured` resolves when nothing is under way. */
  ask(recipe, preset, gpu) {
    clearTimeout(this.soon);
    this.release?.();
    this.measured = new Promise((release) => (this.release = release));
    const turn = ++this.turn;
    this.found = null;
    if (preset?.gpu && !gpu) return this.#without(() => this.#measure(turn, recipe, preset));
    this.#say(AWAITED, () => [say("Being measured on this machine …")]);
    this.soon = setTimeout(() => this.#measure(turn, recipe, preset), REST);
  }

  /** Something was changed that a step's cost does not depend on, such as how many there are. */
  again({ settings }) {
    if (this.found) this.#tell(this.found, settings.steps);
  }

  async #measure(turn, recipe, preset) {
    try {
      const found = await post("estimate", { recipe, preset: preset?.name ?? "", form: FORM });
      if (turn !== this.turn) return;
      this.found = found;
      if (found.steps) this.fit(found.steps);
      this.#tell(found, recipe.settings.steps);
    } catch (wrong) {
      if (!(wrong instanceof Told || wrong instanceof Away)) throw wrong;
      const { template, facts } = wrong.fault ?? { template: "The server is away; looking for it.", facts: {} };
      if (turn === this.turn) this.#say(NOTHING, () => [say(template, facts)]);
    }
    if (turn === this.turn) this.release();
  }

  #tell({ parameters, seconds_per_step: seconds, memory, busy }, steps) {
    const facts = () => ({
      parameters: say("{millions} M", { millions: number(parameters / 1e6, 3) }),
      step: say("{seconds} s", { seconds: number(seconds, 2) }),
      memory: say("{megabytes} MB", { megabytes: number(Math.round(memory / 1e6)) }),
      time: duration(seconds * steps),
    });
    const words = () => [busy ? say("Measured from a few real steps, while a run was learning beside them. Alone it is faster.") : say("Measured from a few real steps on this machine.")];
    this.#say(facts, words);
  }

  /** Made for a GPU that is not here: measuring alone would hold this machine up, so it is left to the reader. */
  #without(measure) {
    const anyway = () => make("button.pl-link", { type: "button", say: "Measure anyway", onclick: measure });
    this.#say(NOTHING, () => [say("Made for a GPU, which this machine does not have; here it may take hours."), " ", anyway()]);
    this.release();
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

/** A time in words: seconds below two minutes, minutes below two hours. */
export function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  if (seconds < 100) return say("{seconds} s", { seconds: number(Math.max(1, Math.round(seconds))) });
  if (seconds < 6000) return say("{minutes} min", { minutes: number(Math.round(seconds / 60)) });
  return say("{hours} h", { hours: number(Math.round(seconds / 360) / 10) });
}
