// The right side of the Train tab: how it goes in plain words, and every figure as a curve over the same axis.

import { Curve } from "./training_curve.js";
import { card, segmented, slider } from "./controls.js";
import { basis, row } from "./training_figure.js";
import { nameOf } from "./training_source.js";
import { make, number, say } from "./words.js";

const OVER = { step: "Steps", seen: "Pictures", seconds: "Seconds" };
const HIDDEN = ["step", "seen", "seconds", "rate", "speed", "memory"];
const MOST = 4000; // points of a curve, twice what a screen has columns
const NEWEST = 500;
const LAST = ["gradient norm"]; // of interest after everything that is the objective's own

/** Columns of a run as they come: kept, and grown by what is new. */
export class Columns {
  constructor() {
    this.forget();
  }

  forget() {
    this.since = "";
    this.names = [];
    this.values = {};
  }

  /** facts: {since, whole, names}. arrays: column.0 … float32 with NaN where a step has none. */
  take({ facts, arrays }) {
    if (facts.whole) this.values = {};
    const before = this.values.step?.length ?? 0;
    facts.names.forEach((name, place) => {
      const fresh = Array.from(arrays[`column.${place}`], (value) => (Number.isNaN(value) ? null : value));
      this.values[name] = (this.values[name] ?? Array(before).fill(null)).concat(fresh);
    });
    const length = this.values.step?.length ?? 0;
    for (const values of Object.values(this.values)) while (values.length < length) values.push(null);
    if (length > MOST) this.#thin(length);
    this.since = facts.since;
    this.names = Object.keys(this.values);
  }

  /** Every second point of what is older goes, true steps all of them; the newest stay, and what few steps have. */
  #thin(length) {
    const rare = Object.values(this.values).filter((values) => values.filter((value) => value !== null).length < length / 2);
    const stays = (_, place) => place % 2 === 0 || place > length - NEWEST || rare.some((values) => values[place] !== null);
    for (const [name, values] of Object.entries(this.values)) this.values[name] = values.filter(stays);
  }

  get figures() {
    const own = this.names.filter((name) => !HIDDEN.includes(name) && !LAST.includes(name));
    return [...own, ...this.names.filter((name) => LAST.includes(name))];
  }

  /** The value of one axis that belongs to a step. */
  at(step, axis) {
    if (axis === "step" || step === null) return step;
    const steps = this.values.step ?? [];
    const place = steps.findIndex((value) => value >= step);
    return place < 0 ? (this.values[axis]?.at(-1) ?? null) : this.values[axis][place];
  }

  /** The step that belongs to a value of one axis. */
  step(value, axis) {
    if (axis === "step") return value;
    const place = (this.values[axis] ?? []).findIndex((one) => one >= value);
    return place < 0 ? (this.values.step?.at(-1) ?? 0) : this.values.step[place];
  }
}

/** One figure of those runs that have it. */
export function seriesOf(name, runs, over) {
  const all = runs.map(({ columns }, place) => ({ place, x: columns.values[over], y: columns.values[name] }));
  return all.filter(({ y }) => y);
}

export class CurveSide {
  /** ask({over, smoothing}); go(step). */
  constructor({ ask, go }) {
    Object.assign(this, { ask, go, curves: new Map(), range: null });
    this.over = segmented("Curves over", OVER, (over) => this.#over(over));
    this.smoothing = slider("Smoothing", { min: 0, max: 0.99, step: 0.01 }, (smoothing) => ask({ smoothing }));
    this.reset = make("button.pl-link", { type: "button", say: "Whole run", hidden: true, onclick: () => this.zoom(null) });
    this.health = make(".pl-train-verdicts", { role: "status" });
    this.room = make(".pl-train-curves");
    this.healthCard = card("Health", this.health);
    const head = make(".pl-train-over", {}, this.over.element, this.reset);
    const even = make("label.pl-inline.pl-train-smooth", {}, make("span.pl-name", { say: "Smoothing" }), this.smoothing.element);
    this.controls = make(".pl-train-controls", {}, head, even);
    this.found = make(".pl-train-found");
    this.foundCard = card("Evaluation", this.found);
    this.healthCard.hidden = this.foundCard.hidden = true;
    this.element = make("aside.pl-side.pl-train-side", { label: "How it goes" }, this.healthCard, this.foundCard, this.controls, this.room);
    new ResizeObserver(() => this.paint()).observe(this.room);
  }

  #over(over) {
    this.range = null;
    this.ask({ over });
  }

  zoom(range) {
    this.range = range;
    this.reset.hidden = !range;
    this.redraw?.();
  }

  /** Where axis and smoothing are chosen: here, or in another part of the page that draws curves. */
  lend(place) {
    if (place && this.controls.parentElement !== place) place.prepend(this.controls);
    else if (!place && this.controls.parentElement !== this.element) this.room.before(this.controls);
  }

  /** view: {over, smoothing}, as the controls show them. */
  set({ over, smoothing }) {
    this.over.set(over);
    this.smoothing.set(smoothing);
  }

  /** runs: [{title, columns}], the watched one first. view: {over, smoothing}. step: of the pictures, or null. recent: {figure: value} as they are judged. */
  draw(runs, view, step, recent = {}) {
    this.redraw = () => this.draw(runs, view, step, recent);
    this.set(view);
    const [first] = runs;
    const names = [...new Set(runs.flatMap(({ columns }) => columns.figures))];
    this.controls.hidden = !names.length;
    if (names.join() !== [...this.curves.keys()].join()) this.#build(names, first.columns);
    for (const [name, curve] of this.curves) {
      curve.draw(seriesOf(name, runs, view.over), { range: this.range, smoothing: view.smoothing, mark: first.columns.at(step, view.over), recent: recent[name] ?? null });
    }
  }

  /** Another run: what it knows is no news. */
  forget() {
    this.told = undefined;
  }

  /** verdicts: [{template, facts, severity, figure, source}]. recent: {figure: value} that they judge, and basis: {template, facts}, from how much; null before the first line. */
  say({ verdicts, recent, basis }) {
    this.healthCard.hidden = !verdicts.length;
    const judged = (figure) => (figure in recent ? make("span.pl-train-judged", {}, ` ${say("{figure}: {value}", { figure: say(figure), value: number(recent[figure], 3) })}`) : "");
    const said = verdicts.map(({ template, facts, severity, figure, source }) => make(`p.pl-train-verdict.pl-train-${severity}`, { title: source }, say(template, facts).replaceAll(" %", "\u00a0%"), judged(figure)));
    const told = verdicts.some(({ severity }) => severity !== "early");
    this.health.replaceChildren(...said, !told || !basis ? "" : make("p.pl-note.pl-train-basis", {}, say(basis.template, basis.facts)));
  }

  /** found: {images, split, count, apart, figures} of the run's evaluation, or null. Figures that come are brought into sight. */
  measured(found) {
    const told = JSON.stringify([found, document.documentElement.lang]);
    if (told === this.told) return;
    const fresh = found && this.told !== undefined;
    this.told = told;
    this.foundCard.hidden = !found;
    this.found.replaceChildren(...(found ? [basis({ ...found, images: nameOf(found.images) }), ...found.figures.map(row)] : []));
    if (fresh) this.foundCard.scrollIntoView({ block: "nearest" });
  }

  paint() {
    for (const curve of this.curves.values()) curve.paint();
  }

  #build(names) {
    const go = (value) => this.go(value);
    this.curves = new Map(names.map((name) => [name, this.curves.get(name) ?? new Curve(name, { zoom: (range) => this.zoom(range), go })]));
    this.room.replaceChildren(...[...this.curves.values()].map(({ element }) => element));
  }
}
