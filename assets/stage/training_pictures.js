// The middle of the Train tab: what the network makes of the same pictures at one step, large, over a strip of all steps.

import { segmented } from "./controls.js";
import { Frames } from "./training_frames.js";
import { Hero } from "./training_hero.js";
import { ask } from "./training_server.js";
import { Strip } from "./training_strip.js";
import { stamp } from "./training_tiles.js";
import { make, number, onLanguage, say } from "./words.js";

const KINDS = { similarity: "Similarity", teacher: "Teacher", reconstruction: "Reconstruction", attention: "Attention", positions: "Positions", views: "Views" };
const SAID = {
  similarity: "How alike the network finds {count} views of one fixed batch of pictures, each with each. Pairs that belong together are framed.",
  captions: "How alike the network finds {count} pictures (rows) and {columns} captions (columns) of one fixed batch. Pairs that belong together are framed.",
  answers: "How alike the teacher's answers to {count} fixed pictures are, each with each: 1 where two are the same. One colour everywhere is collapse.",
  teacher: "What the teacher answers to {count} fixed pictures, a row each, a column for each of the {columns} answers that weigh most. Equal rows are collapse.",
  reconstruction: "Above what the network is shown, in the middle what it rebuilds, below the picture.",
  prefix: "Where CLS looks in the last block, mean of heads. Each map has its own scale, on which evenly spread attention is dark.",
  pool: "Where the attention pool looks, mean of heads. Each map has its own scale, on which evenly spread attention is dark.",
  mean: "Where patches look on average in the last block, mean of heads. Each map has its own scale, on which evenly spread attention is dark.",
  positions: "Every position's likeness to all others, each in its own place, before any picture ({kind}).",
  views: "The fixed pictures, and what the network is shown of them while it learns.",
};
const WRITTEN = ["similarity", "teacher"]; // by the objective itself, beside its snapshots
const CAPTIONED = ["clip", "siglip"]; // a column stands for a caption

export class Pictures {
  /** ask({drawn}); choose(step or null for the newest); explore(step). */
  constructor({ ask: change, choose, explore }) {
    Object.assign(this, { choose, index: 0, run: null, views: null, shown: "", drawn: null });
    this.frames = new Frames({ arrived: () => this.draw(), refused: () => this.draw() });
    this.kinds = segmented("What is drawn", KINDS, (drawn) => change({ drawn }), ".pl-train-kinds");
    this.when = make("strong.pl-train-when");
    this.open = make("button.pl-button.pl-train-explore", { type: "button", say: "Open in the explorers", hint: "Every tab then shows this network", onclick: () => explore(this.step) });
    this.hero = new Hero({ pick: (index) => this.#pick(index), point: (place) => this.#point(place) });
    this.hero.resized = () => this.#again();
    this.caption = make("figcaption.pl-caption.pl-train-caption");
    this.strip = new Strip({ choose });
    const bar = make(".pl-train-bar", {}, this.kinds.element, this.when, this.open);
    this.element = make("figure.pl-train-show", { hidden: true }, bar, this.hero.element, this.caption, this.strip.element);
    onLanguage(() => this.#again());
  }

  /** job: as the server tells it. kinds: what it can show. shown: steps with what the objective writes. drawn: the kind asked for or "". step: or null. */
  show({ job, kinds, shown, drawn, step }) {
    if (job.name !== this.run) this.#begin(job.name);
    this.job = job;
    this.available = kinds;
    this.kind = kinds.includes(drawn) ? drawn : kinds[0];
    this.stripKind = this.kind === "views" ? kinds.find((kind) => kind !== "views") : this.kind;
    this.steps = WRITTEN.includes(this.stripKind) ? shown : job.kept;
    this.step = this.steps.includes(step) ? step : (this.steps.at(-1) ?? null);
    this.asked = step;
    if (!this.views && job.kept.length) this.#fetchViews();
    this.element.hidden = !job.kept.length;
    const rest = [...this.steps].reverse().filter((one) => one !== this.step && one !== 0);
    const wanted = new Set([this.step, 0, ...rest].filter((one) => this.steps.includes(one)));
    this.frames.want([...wanted], this.stripKind);
    this.draw();
  }

  stop() {
    this.frames.stop();
  }

  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (this.job && this.views) this.#draw();
    });
  }

  /** Step by step through the strip; at its end the newest is followed again. */
  walk(by) {
    const steps = this.steps ?? [];
    if (!steps.length) return;
    const next = Math.min(steps.length - 1, Math.max(0, steps.indexOf(this.step) + by));
    this.choose(next === steps.length - 1 ? null : steps[next]);
  }

  /** What is drawn large, on one canvas, for export; null where there is nothing. */
  sheet() {
    return this.hero.sheet();
  }

  #begin(run) {
    Object.assign(this, { run, views: null, index: 0, shown: "", drawn: null });
    this.frames.open(run);
    this.strip.forget();
    this.hero.element.replaceChildren();
  }

  async #fetchViews() {
    const { run } = this;
    if (this.fetching === run) return;
    this.fetching = run;
    try {
      const found = await ask("views", { run });
      if (run === this.run && found.arrays) this.views = found;
    } catch {
      // not written yet, or the server is away: the next look asks again
    } finally {
      this.fetching = null;
      this.draw();
    }
  }

  #again() {
    this.shown = "";
    this.draw();
  }

  #pick(index) {
    this.index = index;
    this.#again();
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  #draw() {
    this.kinds.set(this.kind);
    this.kinds.buttons.forEach((button) => (button.hidden = !this.available.includes(button.dataset.value)));
    this.#drawHero();
    const step = this.drawn?.step ?? this.step; // the pictures' own until those of the chosen one are here
    this.when.textContent = step === 0 ? say("Untrained") : say("Step {step}", { step });
    this.strip.draw(this.steps, { step: this.step, chosen: this.asked }, `${this.stripKind} ${this.index}`, (step) => {
      const frame = this.frames.get(step, this.stripKind);
      return frame && stamp(this.stripKind, frame, this.views, this.index);
    });
  }

  #drawHero() {
    const frame = this.kind === "views" ? this.views : this.frames.get(this.step, this.kind);
    const why = this.frames.why(this.kind);
    if (why) return this.#refuse(why);
    this.element.classList.toggle("pl-busy", !frame);
    const { element } = this.hero;
    const key = [this.run, this.kind, this.step, element.clientWidth, element.clientHeight, this.index, document.body.className].join(" ");
    if (!frame || key === this.shown) return;
    this.shown = key;
    this.drawn = { frame, kind: this.kind, step: this.step };
    this.hero.draw(this.kind, frame, this.views, this.index);
    Object.assign(element.dataset, { step: this.step, kind: this.kind });
    this.#point(null);
    element.setAttribute("aria-label", this.caption.textContent);
  }

  #refuse({ template, facts }) {
    Object.assign(this, { shown: "", drawn: null });
    this.hero.refuse(say(template, facts));
    this.caption.textContent = "";
  }

  // -- words -----------------------------------------------------------------------------------------------------------

  /** The caption, or what is under the pointer in its place. */
  #point(place) {
    this.caption.textContent = place ? this.#pair(place) : this.#said(this.drawn);
  }

  #said({ frame: { facts, arrays }, kind, step }) {
    const compared = () => (!arrays.same ? "answers" : CAPTIONED.includes(this.job.recipe.objective) ? "captions" : "similarity");
    const name = kind === "attention" ? facts.query : kind === "similarity" ? compared() : kind;
    const [count, columns] = arrays.map?.shape ?? [];
    const what = say(SAID[name], { count, columns, kind: say(facts.kind ?? "") });
    if (kind === "views") return what;
    return `${what} ${step === 0 ? say("Random weights, before the first step.") : say("After {step} steps.", { step })}`;
  }

  #pair({ row, column, value }) {
    const text = CAPTIONED.includes(this.job.recipe.objective) ? this.views.facts.captions[column] : null;
    const facts = { row: row + 1, column: column + 1, value: number(value, 2) };
    return text ? say("Picture {row} with “{text}”: {value}.", { ...facts, text }) : say("Row {row}, column {column}: {value}.", facts);
  }
}
